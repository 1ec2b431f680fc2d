import { act, composer, expect, meetInRoom, message, messages, roomOfTheDemo, say, test } from './fixtures.js';

const deleted = (page) => page.getByTestId('deleted');

test('an edited message shows its newest text on both sides, says that it was edited, and keeps what it said before', async ({ client, freelancer }) => {
  await meetInRoom(client, freelancer);
  await say(client, 'See you on Monday.');
  await expect(messages(freelancer).last()).toHaveText('See you on Monday.');
  await act(client, 'See you on Monday.', 'Edit');
  const field = client.getByLabel('New text');
  await expect(field).toBeFocused();
  await expect(field).toHaveValue('See you on Monday.');
  await field.fill('See you on Tuesday.');
  await client.getByRole('button', { name: 'Save' }).click();

  for (const page of [client, freelancer]) {
    await expect(messages(page)).toHaveText(['Happy to talk about it.', 'See you on Tuesday.']);
    await page.reload();
    await expect(messages(page)).toHaveText(['Happy to talk about it.', 'See you on Tuesday.']);
    await message(page, 'Tuesday').getByText('edited', { exact: true }).click();
    await expect(page.getByRole('list', { name: 'Earlier versions' })).toContainText('See you on Monday.');
  }
  await message(freelancer, 'Tuesday').hover();
  await message(freelancer, 'Tuesday').getByRole('button', { name: 'Actions for this message' }).click();
  await expect(message(freelancer, 'Tuesday').getByRole('button', { name: 'Mark unread from here' })).toBeVisible();
  await expect(message(freelancer, 'Tuesday').getByRole('button', { name: 'Edit', exact: true })).toHaveCount(0);
});

test('an edit can be given up with the Escape key, and the keyboard comes back to the message', async ({ client, freelancer }) => {
  await meetInRoom(client, freelancer);
  await say(client, 'As it is.');
  await expect(message(client, 'As it is.').locator('.state')).toHaveText('Read');
  const actions = message(client, 'As it is.').getByRole('button', { name: 'Actions for this message' });
  await actions.focus();
  await client.keyboard.press('Enter');
  await client.keyboard.press('Enter');
  await client.keyboard.type(' But no.');
  await client.keyboard.press('Escape');
  await expect(actions).toBeFocused();
  await expect(messages(client).last()).toHaveText('As it is.');

  await client.keyboard.press('ArrowUp');
  await expect(message(client, 'Happy to talk').getByRole('button', { name: 'Actions for this message' })).toBeFocused();
  await client.keyboard.press('Tab');
  await client.keyboard.press('Tab');
  await expect(composer(client)).toBeFocused();
});

test('a deleted message leaves a line with its reason on both sides, and its text is nowhere, also after a reload', async ({ server, client, freelancer }) => {
  await meetInRoom(client, freelancer);
  await say(client, 'My private number is 555-0100.');
  await act(client, '555-0100', 'Edit');
  await client.getByLabel('New text').fill('My number is 555-0100, call me.');
  await client.getByRole('button', { name: 'Save' }).click();
  await expect(messages(freelancer).last()).toHaveText('My number is 555-0100, call me.');

  await act(client, 'call me', 'Delete');
  await client.getByLabel('Reason', { exact: true }).fill('That was private');
  await client.getByRole('button', { name: 'Delete the message' }).click();
  for (const page of [client, freelancer]) {
    await expect(deleted(page)).toHaveText('This message was deleted by its author: That was private');
    await expect(messages(page)).toHaveText(['Happy to talk about it.']);
    await expect(page.locator('main')).not.toContainText('555-0100');
    await page.reload();
    await expect(deleted(page)).toHaveText('This message was deleted by its author: That was private');
    await expect(page.locator('main')).not.toContainText('555-0100');
    await expect(page.getByTestId('message').filter({ has: deleted(page) }).getByRole('button')).toHaveCount(0);
  }
  const { items } = await server.get('felix', `/v1/rooms/${(await server.get('felix', '/v1/rooms')).items[0].room}/entries`);
  expect(JSON.stringify(items)).not.toContain('555-0100');
});

test('a message that the marketplace deletes says so', async ({ server, client, freelancer }) => {
  await meetInRoom(client, freelancer);
  await say(client, 'Pay me outside of the marketplace.');
  await expect(messages(freelancer)).toHaveCount(2);
  const [{ room }] = (await server.get('clara', '/v1/rooms')).items;
  const { items } = await server.get('clara', `/v1/rooms/${room}/entries`);
  await server.service('POST', `/v1/rooms/${room}/redactions`, { seq: items.at(-1).seq, reason: 'Against the rules' });
  for (const page of [client, freelancer]) await expect(deleted(page)).toHaveText('This message was deleted by the marketplace: Against the rules');
});

test('spaces and line ends of a message are sent as they were written', async ({ server, visit }) => {
  const room = await roomOfTheDemo(server);
  const client = await visit(`${await server.link('clara')}`);
  await client.goto(`${server.origin}/#/room/${room}`);
  await composer(client).fill('  indented\n\n\ttab \u00a0');
  await composer(client).press('Enter');
  await expect(messages(client)).toHaveCount(2);
  await expect(client.locator('.state')).toHaveText('Sent');
  const { items } = await server.get('felix', `/v1/rooms/${room}/entries`);
  expect(items.at(-1).data.body).toBe('  indented\n\n\ttab \u00a0');
});
