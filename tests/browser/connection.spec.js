import { cuttableLine, expect, jobLink, meetInRoom, messages, roomOfTheDemo, say, section, test, watchBanner } from './fixtures.js';

const banner = (page) => page.getByTestId('banner');
const connected = (page) => expect(page.getByTestId('connection')).toHaveText('Connected', { timeout: 30_000 });

test('a server that goes down and comes back in order frightens nobody, and a message written meanwhile arrives once', async ({ server, client, freelancer }) => {
  await meetInRoom(client, freelancer);
  const delays = [await watchBanner(client), await watchBanner(freelancer)];
  const gone = server.terminate();
  await expect(client.getByTestId('connection')).toHaveText('Reconnecting');
  await say(client, 'Written while the server was away');
  await gone;
  await say(client, 'And one more');
  await server.startAgain();
  for (const page of [client, freelancer]) await connected(page);
  // A banner may only come when the server took its time.
  for (const delay of delays) expect(await delay()).toBeGreaterThan(9_000);

  const all = ['Happy to talk about it.', 'Written while the server was away', 'And one more'];
  for (const page of [client, freelancer]) await expect(messages(page)).toHaveText(all);
  await say(freelancer, 'Here I am');
  for (const page of [client, freelancer]) await expect(messages(page)).toHaveText([...all, 'Here I am']);
  await client.reload();
  await expect(messages(client)).toHaveText([...all, 'Here I am']);
});

test('what happened in rooms that are not open while the line was cut is counted as soon as it is mended', async ({ server, visit }) => {
  const room = await roomOfTheDemo(server);
  const line = cuttableLine();
  const client = await visit(server.links.client, { prepare: line.prepare });
  const row = section(client, 'Active Candidacies').getByRole('listitem');
  await expect(row).toContainText('1 new');
  line.cut();
  await expect(client.getByTestId('connection')).not.toHaveText('Connected');
  for (const body of ['One', 'Two']) await server.command('felix', `/v1/rooms/${room}/messages`, { body });
  line.mend();
  await connected(client);
  await expect(row).toContainText('3 new');
});

test('somebody whom the marketplace signs out is told so, and the page does not try again', async ({ server, visit }) => {
  const line = cuttableLine();
  const client = await visit(server.links.client, { prepare: line.prepare });
  await server.service('POST', '/v1/users/clara/revoke');
  await expect(banner(client)).toContainText('You were signed out by the marketplace.');
  await expect(client.getByTestId('connection')).toHaveText('Disconnected');
  expect(line.opened).toHaveLength(1);
  await client.getByRole('button', { name: 'Connect again' }).click();
  await expect(client.getByRole('alert')).toHaveText('You were signed out by the marketplace.');
});

test('a sign-in that has ended is told kindly, and what was written is not lost', async ({ server, visit, freelancer }) => {
  const line = cuttableLine();
  const client = await visit(server.links.client, { prepare: line.prepare });
  await meetInRoom(client, freelancer);
  line.cut();
  await expect(client.getByTestId('connection')).toHaveText('Reconnecting');
  await say(client, 'Before the end');
  line.mend();
  await connected(client);
  await expect(messages(freelancer).last()).toHaveText('Before the end');
  line.cut(4001);
  await expect(banner(client)).toContainText('Your sign-in has ended');
  await say(client, 'After the end');
  await expect(client.getByText('Not sent:')).toBeVisible();
  line.mend();
  await client.getByRole('button', { name: 'Sign in again' }).click();
  await client.getByLabel('Token').fill(await server.token('clara', 'user'));
  await client.getByRole('button', { name: 'Sign in' }).click();
  await expect(messages(freelancer).last()).toHaveText('After the end');
  await expect(messages(freelancer)).toHaveCount(3);
});

test('a page that was told to go slower comes back, and not at once', async ({ server, visit }) => {
  test.slow();
  const line = cuttableLine();
  const client = await visit(server.links.client, { prepare: line.prepare });
  line.cut(4029);
  const closed = Date.now();
  line.mend();
  await connected(client);
  expect(line.opened[1] - closed).toBeGreaterThan(9_000);
});

test.describe('with a server that takes two commands a second', () => {
  test.use({ settings: { ANTEROOM_LIMITS__COMMANDS_PER_SECOND: '2', ANTEROOM_LIMITS__COMMANDS_BURST: '4' } });

  test('messages that come too fast wait for their turn and all arrive, once and in order', async ({ server, visit, client }) => {
    await roomOfTheDemo(server);
    const freelancer = await visit(server.links.freelancer);
    for (const page of [client, freelancer]) await jobLink(page, 'Active Candidacies').click();
    await expect(messages(client)).toHaveCount(1);
    const lines = Array.from({ length: 12 }, (_, index) => `Line ${index + 1}`);
    for (const line of lines) await say(client, line);
    await expect(client.getByText('Waiting for its turn…').first()).toBeVisible();
    await expect(messages(freelancer)).toHaveText(['Happy to talk about it.', ...lines], { timeout: 30_000 });
    await expect(client.locator('[data-testid=message]:not([data-state=sent])')).toHaveCount(0);
    await expect(messages(client)).toHaveText(['Happy to talk about it.', ...lines]);
  });
});
