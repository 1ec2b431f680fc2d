import { composer, cuttableLine, expect, jobLink, meetInRoom, messages, say, section, test, watchBanner } from './fixtures.js';

const banner = (page) => page.getByTestId('banner');

test('a killed server loses nothing: the banner comes and goes, and a message sent meanwhile arrives exactly once', async ({ server, client, freelancer }) => {
  await meetInRoom(client, freelancer);
  const bannerDelay = await watchBanner(client);
  await composer(client).fill('Sent at the very moment of the crash');
  await Promise.all([composer(client).press('Enter'), server.kill()]);
  await composer(client).pressSequentially('Written while ');

  await expect(client.getByTestId('connection')).not.toHaveText('Connected');
  await expect(banner(client)).toContainText('Reconnecting');
  await expect(banner(freelancer)).toContainText('Reconnecting');
  expect(await bannerDelay()).toBeGreaterThan(1400);

  await composer(client).pressSequentially('nobody was there');
  await composer(client).press('Enter');
  await expect(client.getByText('Waiting for the connection…').last()).toBeVisible();
  await say(client, 'And one more');
  await composer(freelancer).fill('A draft of the freelancer');

  await server.startAgain();
  await expect(banner(client)).toBeHidden({ timeout: 30_000 });
  await expect(banner(freelancer)).toBeHidden({ timeout: 30_000 });

  const all = ['Happy to talk about it.', 'Sent at the very moment of the crash', 'Written while nobody was there', 'And one more'];
  for (const page of [client, freelancer]) await expect(messages(page)).toHaveText(all);
  await expect(client.locator('[data-testid=message]:not([data-state=sent])')).toHaveCount(0);
  await expect(composer(freelancer)).toHaveValue('A draft of the freelancer');
  await composer(freelancer).press('Enter');
  await expect(messages(client)).toHaveText([...all, 'A draft of the freelancer']);

  await client.reload();
  await expect(messages(client)).toHaveText([...all, 'A draft of the freelancer']);
});

test('a message that was waiting survives a reload of the page and still arrives once', async ({ server, client, freelancer }) => {
  await meetInRoom(client, freelancer);
  await server.kill();
  await expect(client.getByTestId('connection')).not.toHaveText('Connected');
  await say(client, 'Written before the reload');
  await expect(client.getByText('Waiting for the connection…')).toBeVisible();
  await server.startAgain();
  await client.reload();
  for (const page of [client, freelancer]) await expect(messages(page)).toHaveText(['Happy to talk about it.', 'Written before the reload'], { timeout: 30_000 });
});

test('a message in a room that is not open is counted in its row until the room is opened', async ({ client, freelancer }) => {
  await meetInRoom(client, freelancer);
  await client.getByRole('link', { name: 'Back to Candidates' }).click();
  const row = section(client, 'Active Candidacies').getByRole('listitem');
  await expect(row).toBeVisible();
  await expect(row.getByText(/\d new/)).toHaveCount(0);
  await say(freelancer, 'Are you still there?');
  await expect(row.getByText('1 new', { exact: true })).toBeVisible();
  await jobLink(client, 'Active Candidacies').click();
  await expect(messages(client)).toHaveText(['Happy to talk about it.', 'Are you still there?']);
  await client.getByRole('link', { name: 'Back to Candidates' }).click();
  await expect(row).toBeVisible();
  await expect(row.getByText(/\d new/)).toHaveCount(0);
});

test('a long history is paged on demand and stays where it was while older entries come in', async ({ client, freelancer }) => {
  await meetInRoom(client, freelancer);
  for (let number = 1; number <= 60; number += 1) await say(client, `Line ${number}`);
  await expect(messages(freelancer).last()).toHaveText('Line 60');
  await freelancer.reload();
  await expect(messages(freelancer).last()).toHaveText('Line 60');
  await expect(messages(freelancer).last()).toBeInViewport();
  await expect(messages(freelancer)).toHaveCount(50);

  const first = messages(freelancer).filter({ hasText: /^Line 11$/ });
  await expect(freelancer.getByRole('button', { name: 'Show earlier entries' })).toHaveCount(1);
  await freelancer.getByRole('log').evaluate((log) => { log.scrollTop = 0; });
  await expect(messages(freelancer)).toHaveCount(61);
  await expect(first).toBeInViewport();
  await expect(freelancer.getByRole('button', { name: 'Show earlier entries' })).toBeHidden();
});

test('new messages are announced once, in words, by the one polite live region', async ({ client, freelancer }) => {
  await meetInRoom(client, freelancer);
  await say(client, 'Can you hear me?');
  await expect(freelancer.getByTestId('announcer')).toHaveText('Clara Weber: Can you hear me?');
  await expect(client.getByTestId('announcer')).not.toContainText('Can you hear me?');
  await expect(freelancer.getByRole('log')).toHaveAttribute('aria-live', 'off');
});

test('a page that missed more than the server sends at once pages the hole and shows every message in order', async ({ server, visit, client }) => {
  test.slow();
  const line = cuttableLine();
  const freelancer = await visit(server.links.freelancer, { prepare: line.prepare });
  await meetInRoom(client, freelancer);
  const [{ room }] = (await server.get('clara', '/v1/candidacies')).items.filter((candidacy) => candidacy.room);
  line.cut();
  await expect(freelancer.getByTestId('connection')).not.toHaveText('Connected');
  const expected = ['Happy to talk about it.'];
  for (let number = 1; number <= 520; number += 1) {
    await server.command('clara', `/v1/rooms/${room}/messages`, { body: `Line ${number}` });
    expected.push(`Line ${number}`);
  }
  line.mend();
  await expect(freelancer.getByTestId('connection')).toHaveText('Connected', { timeout: 30_000 });
  await expect(messages(freelancer)).toHaveCount(expected.length);
  await expect(messages(freelancer)).toHaveText(expected);
  await say(client, 'And live again');
  await expect(messages(freelancer).last()).toHaveText('And live again');
});

test('after the server went back to a backup the page shows what that server has', async ({ server, client, freelancer }) => {
  await meetInRoom(client, freelancer);
  await server.backUp();
  await say(client, 'This will be lost');
  for (const page of [client, freelancer]) await expect(messages(page).last()).toHaveText('This will be lost', { timeout: 30_000 });
  await expect(client.getByText('Read', { exact: true })).toBeVisible();
  await server.restore();
  for (const page of [client, freelancer]) await expect(messages(page)).toHaveText(['Happy to talk about it.'], { timeout: 30_000 });
  await say(freelancer, 'Once more');
  for (const page of [client, freelancer]) await expect(messages(page)).toHaveText(['Happy to talk about it.', 'Once more']);
});
