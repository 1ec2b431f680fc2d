import { expect, jobLink, meetInRoom, messages, roomOfTheDemo, say, section, test } from './fixtures.js';

const hits = (page) => page.getByTestId('hit');

/** A new message can be found within seconds. */
async function searchUntilFound(page, words, count) {
  await expect(async () => {
    await page.getByLabel('Words in messages').fill(words);
    await page.getByRole('button', { name: 'Search', exact: true }).click();
    await expect(hits(page)).toHaveCount(count, { timeout: 1000 });
  }).toPass();
}

test('a word is found in one room and in all, and a hit opens its room at the message, however far back', async ({ server, client }) => {
  test.slow();
  const room = await roomOfTheDemo(server);
  const { proposal } = await server.command('felix', '/v1/proposals', { job: 'demo-job-2', cover_letter: 'A logo', terms: { kind: 'fixed', amount: 90_000, currency: 'EUR' } });
  const { room: other } = await server.command('clara', `/v1/proposals/${proposal}/answer`, { message: 'The sandwich board comes first.' });
  await server.command('felix', `/v1/rooms/${room}/messages`, { body: 'We could put a <b>sandwich</b> board outside.' });
  for (let number = 1; number <= 80; number += 1) await server.command('felix', `/v1/rooms/${room}/messages`, { body: `Line ${number}` });
  expect(other).not.toBe(room);

  await client.getByRole('link', { name: 'Search', exact: true }).click();
  await expect(client.getByLabel('Words in messages')).toBeFocused();
  await searchUntilFound(client, 'sandwich board', 2);

  await client.getByRole('link', { name: 'My Jobs' }).click();
  await jobLink(client, 'Active Candidacies').click();
  await expect(messages(client).last()).toHaveText('Line 80');
  await client.getByRole('link', { name: 'Search in this room' }).click();
  await searchUntilFound(client, 'sandwich', 1);
  await expect(hits(client)).toContainText('Felix Okafor');
  await hits(client).getByRole('link').click();
  const found = messages(client).filter({ hasText: 'sandwich' });
  await expect(found).toHaveText('We could put a <b>sandwich</b> board outside.');
  await expect(found).toBeInViewport();
  await expect(client.getByTestId('message').filter({ hasText: 'sandwich' })).toBeFocused();
});

test('a search without a hit says so, and a message that was deleted is not found any more', async ({ server, client, freelancer }) => {
  await meetInRoom(client, freelancer);
  await say(client, 'The secret word is rhubarb.');
  await expect(messages(freelancer)).toHaveCount(2);
  await client.getByRole('link', { name: 'Search in this room' }).click();
  await searchUntilFound(client, 'rhub', 1);

  const [{ room }] = (await server.get('clara', '/v1/rooms')).items;
  const { items } = await server.get('clara', `/v1/rooms/${room}/entries`);
  await server.command('clara', `/v1/rooms/${room}/redactions`, { seq: items.at(-1).seq, reason: 'Secret' });
  await searchUntilFound(client, 'rhub', 0);
  await expect(client.getByText('No message has all of these words.')).toBeVisible();
  await expect(section(client, 'Conversation')).toHaveCount(0);
});
