import { act, composer, expect, jobLink, meetInRoom, message, messages, roomOfTheDemo, say, section, setVisible, test, typing } from './fixtures.js';

const candidate = (page) => section(page, 'Active Candidacies').getByRole('listitem');
const reach = (page, text) => message(page, text).locator('.state');

test('a message is sent, then delivered to a page that nobody looks at, then read when somebody does', async ({ server, visit, client }) => {
  await roomOfTheDemo(server);
  await jobLink(client, 'Active Candidacies').click();
  await say(client, 'Are you there?');
  await expect(reach(client, 'Are you there?')).toHaveText('Sent');

  const freelancer = await visit(server.links.freelancer);
  await setVisible(freelancer, false);
  await jobLink(freelancer, 'Active Candidacies').click();
  await expect(messages(freelancer).last()).toHaveText('Are you there?');
  await say(client, 'Hello?');
  await expect(message(client, 'Hello?')).toHaveAttribute('data-reach', 'delivered');
  await expect(reach(client, 'Hello?')).toHaveText('Delivered');

  await setVisible(freelancer, true);
  await expect(reach(client, 'Hello?')).toHaveText('Read');
  await expect(reach(client, 'Are you there?')).toHaveCount(0);
  await client.reload();
  await expect(reach(client, 'Hello?')).toHaveText('Read');
});

test('who writes and who is there is seen by the other one, and goes away again', async ({ server, visit, client, freelancer }) => {
  await meetInRoom(client, freelancer);
  await expect(client.getByTestId('presence')).toBeVisible();
  await expect(typing(client)).toBeEmpty();
  await composer(freelancer).pressSequentially('I am thinking', { delay: 30 });
  await expect(typing(client)).toHaveText('Felix Okafor is writing…');
  await expect(typing(freelancer)).toBeEmpty();
  await composer(freelancer).press('Enter');
  await expect(messages(client).last()).toHaveText('I am thinking');
  await expect(typing(client)).toBeEmpty();

  await composer(freelancer).pressSequentially('Or not', { delay: 700 }); // it is told every 3 s at most
  await expect(typing(client)).not.toBeEmpty();
  await expect(typing(client)).toBeEmpty();

  await freelancer.getByRole('button', { name: 'Sign out' }).click();
  await expect(client.getByTestId('presence')).toBeHidden({ timeout: 20_000 });
  const again = await visit(server.links.freelancer);
  await jobLink(again, 'Active Candidacies').click();
  await expect(client.getByTestId('presence')).toBeVisible();
});

test('unread messages are counted in the list, divided from the read ones in the room, and counted no more once they were seen', async ({ client, freelancer }) => {
  await meetInRoom(client, freelancer);
  await client.getByRole('link', { name: 'Back to Candidates' }).click();
  for (const text of ['First', 'Second', 'Third']) await say(freelancer, text);
  await expect(candidate(client)).toContainText('3 new');
  await client.reload();
  await expect(candidate(client)).toContainText('3 new');

  await jobLink(client, 'Active Candidacies').click();
  const rows = client.getByRole('log').locator('.entries > li');
  await expect(rows.filter({ has: client.getByTestId('body') }).last()).toContainText('Third');
  expect(await rows.evaluateAll((items) => {
    const line = items.findIndex((item) => item.matches('.unread'));
    return items[line + 1]?.querySelector('.bubble').textContent;
  })).toBe('First');
  await expect(reach(freelancer, 'Third')).toHaveText('Read');
  await client.getByRole('link', { name: 'Back to Candidates' }).click();
  await expect(candidate(client)).not.toContainText('new');
});

test('a message can be marked unread: it counts again, also after a reload, and the author is not told', async ({ client, freelancer }) => {
  await meetInRoom(client, freelancer);
  for (const text of ['First', 'Second', 'Third']) await say(freelancer, text);
  await expect(reach(freelancer, 'Third')).toHaveText('Read');

  await act(client, 'Second', 'Mark unread from here');
  await expect(client.getByTestId('new-line')).toBeVisible();
  await expect(client.getByTestId('announcer')).toHaveText('Marked unread from this message on.');
  await client.getByRole('link', { name: 'Back to Candidates' }).click();
  await expect(candidate(client)).toContainText('2 new');
  await client.reload();
  await expect(candidate(client)).toContainText('2 new');
  await expect(reach(freelancer, 'Third')).toHaveText('Read');

  await jobLink(client, 'Active Candidacies').click();
  await expect(client.getByTestId('new-line')).toBeVisible();
  await client.getByRole('link', { name: 'Back to Candidates' }).click();
  await expect(candidate(client)).not.toContainText('new');
});

test('what was read in one window is counted no more in another one as soon as that is looked at', async ({ server, visit, client }) => {
  await roomOfTheDemo(server);
  await expect(candidate(client)).toContainText('1 new');
  const second = await visit(server.links.client);
  await jobLink(second, 'Active Candidacies').click();
  await second.getByRole('link', { name: 'Back to Candidates' }).click();
  await expect(candidate(second)).not.toContainText('new');
  await setVisible(client, false);
  await setVisible(client, true);
  await expect(candidate(client)).not.toContainText('new');
});
