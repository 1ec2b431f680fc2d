import { DEMO_JOB, accept, composer, events, expect, jobLink, meetInRoom, messages, openInvitation, say, section, test } from './fixtures.js';

test('an accepted invitation opens a room on both sides without a reload, and ten messages each way arrive live and in order', async ({ client, freelancer }) => {
  await expect(section(client, 'Invitations sent').getByText('Waiting for an answer')).toBeVisible();
  await expect(section(client, 'Active Candidacies').getByRole('link')).toHaveCount(0);

  await openInvitation(freelancer);
  await accept(freelancer, 'Happy to talk about it.');
  await expect(events(freelancer, 'invitation.accepted')).toContainText('left the terms as they are');

  const row = section(client, 'Active Candidacies').getByRole('listitem').filter({ hasText: DEMO_JOB });
  await expect(row.getByText('1 new', { exact: true })).toBeVisible();
  await jobLink(client, 'Active Candidacies').click();
  await expect(messages(client)).toHaveText(['Happy to talk about it.']);

  const numbers = Array.from({ length: 10 }, (_, index) => index + 1);
  await Promise.all([
    (async () => { for (const number of numbers) await say(client, `From the client: ${number}`); })(),
    (async () => { for (const number of numbers) await say(freelancer, `From the freelancer: ${number}`); })(),
  ]);
  await expect(messages(client)).toHaveCount(21);
  await expect(messages(freelancer)).toHaveCount(21);
  await expect(client.locator('[data-testid=message]:not([data-state=sent])')).toHaveCount(0);
  await expect(freelancer.locator('[data-testid=message]:not([data-state=sent])')).toHaveCount(0);

  const shown = await messages(client).allTextContents();
  await expect(messages(freelancer)).toHaveText(shown);
  for (const side of ['client', 'freelancer']) {
    expect(shown.filter((text) => text.startsWith(`From the ${side}`))).toEqual(numbers.map((number) => `From the ${side}: ${number}`));
  }

  for (const page of [client, freelancer]) {
    await page.reload();
    await expect(messages(page)).toHaveText(shown);
    await expect(events(page, 'invitation.sent')).toHaveCount(1);
  }
});

test('a declined invitation shows its reason to the client at once and waits for the freelancer no longer', async ({ client, freelancer }) => {
  await openInvitation(freelancer);
  await freelancer.getByRole('button', { name: 'Decline', exact: true }).click();
  const form = freelancer.getByRole('form', { name: 'Decline the invitation' });
  await expect(form.getByLabel('What is the reason?')).toBeHidden();
  await form.getByLabel('Reason', { exact: true }).selectOption('too_busy');
  await form.getByRole('button', { name: 'Decline the invitation' }).click();

  await expect(section(freelancer, 'Invitations to Interview')).toContainText('No invitation is waiting');
  await expect(section(freelancer, 'Archived').getByRole('listitem').filter({ hasText: DEMO_JOB })).toContainText('Declined');

  const row = section(client, 'Invitations sent').getByRole('listitem').filter({ hasText: DEMO_JOB });
  await expect(row.getByText('Declined')).toBeVisible();
  await expect(row).toContainText('Too busy at the moment');
});

test('a decline for another reason needs that reason in words', async ({ client, freelancer }) => {
  await openInvitation(freelancer);
  await freelancer.getByRole('button', { name: 'Decline', exact: true }).click();
  await freelancer.getByLabel('Reason', { exact: true }).selectOption('other');
  await freelancer.getByLabel('What is the reason?').fill('I ride a unicycle');
  await freelancer.getByRole('button', { name: 'Decline the invitation' }).click();
  await expect(section(client, 'Invitations sent')).toContainText('I ride a unicycle');
});

test('an ignored invitation can be accepted from the archive, also after the server was restarted', async ({ server, client, freelancer }) => {
  await openInvitation(freelancer);
  await freelancer.getByRole('button', { name: 'Ignore' }).click();
  await expect(jobLink(freelancer, 'Archived')).toBeVisible();
  await expect(jobLink(freelancer, 'Invitations to Interview')).toHaveCount(0);
  await expect(section(client, 'Invitations sent').getByText('Waiting for an answer')).toBeVisible();

  await server.restart();
  for (const page of [client, freelancer]) await expect(page.getByTestId('connection')).toHaveText('Connected', { timeout: 30_000 });
  await client.reload();
  await expect(section(client, 'Invitations sent').getByText('Waiting for an answer')).toBeVisible();

  await jobLink(freelancer, 'Archived').click();
  await accept(freelancer, 'Now I have time for it.');
  await jobLink(client, 'Active Candidacies').click();
  await expect(messages(client)).toHaveText(['Now I have time for it.']);
});

test('new terms proposed with the acceptance are shown in the room on both sides', async ({ client, freelancer }) => {
  await openInvitation(freelancer);
  await freelancer.getByRole('button', { name: 'Accept', exact: true }).click();
  await freelancer.getByLabel(/^Propose (new )?terms$/).check();
  await freelancer.getByLabel('Fixed price').check();
  await freelancer.getByLabel('Price in all').fill('900.50');
  await freelancer.getByLabel('Currency').fill('EUR');
  await freelancer.getByLabel('Message to the client').fill('I would rather do this for a fixed price.');
  await freelancer.getByRole('button', { name: 'Accept and send' }).click();

  await expect(composer(freelancer)).toBeVisible();
  await jobLink(client, 'Active Candidacies').click();
  for (const page of [client, freelancer]) {
    await expect(events(page, 'invitation.accepted')).toContainText('with new terms');
    await expect(events(page, 'terms.proposed').last()).toContainText('Felix Okafor proposed terms: €900.50 fixed price');
    await expect(section(page, 'Terms')).toContainText('€900.50');
    await expect(section(page, 'Terms')).toContainText('Felix Okafor');
  }
});

test('an invitation that the client sends and withdraws comes and goes on the freelancer’s side without a reload', async ({ server, client, freelancer }) => {
  await server.service('PUT', '/v1/jobs/bakery', { client: 'clara', title: 'Price list for a bakery' });
  await client.getByRole('link', { name: 'Your jobs' }).click();
  await client.getByRole('link', { name: 'Price list for a bakery' }).click();
  await client.getByLabel('Freelancer’s user id').fill('felix');
  await client.getByRole('textbox', { name: 'Message', exact: true }).fill('Would you lay out our price list?');
  await client.getByLabel('Suggest terms').check();
  await client.getByLabel('Rate per hour').fill('45');
  await client.getByRole('button', { name: 'Send the invitation' }).click();

  await expect(jobLink(freelancer, 'Invitations to Interview', 'Price list for a bakery')).toBeVisible();
  await expect(section(freelancer, 'Invitations to Interview')).toContainText('$45.00 per hour');
  await jobLink(client, 'Invitations sent', 'Price list for a bakery').click();
  await client.getByRole('button', { name: 'Withdraw the invitation' }).click();
  await expect(jobLink(freelancer, 'Invitations to Interview', 'Price list for a bakery')).toHaveCount(0);
  await expect(jobLink(freelancer, 'Archived', 'Price list for a bakery')).toBeVisible();
});

test('a candidacy that was ended leaves a room that can be read but not written in', async ({ client, freelancer }) => {
  await meetInRoom(client, freelancer);
  await freelancer.getByText('Withdraw from this job').click();
  await freelancer.getByRole('button', { name: 'Yes, end it' }).click();
  for (const page of [client, freelancer]) {
    await expect(page.getByText('This room is read-only: the candidacy is withdrawn.')).toBeVisible();
    await expect(composer(page)).toHaveCount(0);
    await expect(messages(page)).toHaveText(['Happy to talk about it.']);
  }
});
