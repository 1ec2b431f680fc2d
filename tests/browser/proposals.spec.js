import { composer, events, expect, jobLink, messages, say, section, test } from './fixtures.js';

test('a submitted proposal gives the freelancer no first word, and the client’s answer makes it a room on both sides at once', async ({ server, client, freelancer }) => {
  const { title } = await server.get('felix', '/v1/jobs/demo-job-2');
  await freelancer.getByRole('link', { name: 'Open jobs' }).click();
  await freelancer.getByRole('link', { name: title }).click();
  await freelancer.getByLabel('Cover letter').fill('I have built booking pages before and would like to build yours.');
  await freelancer.getByLabel('Rate per hour').fill('80');
  await freelancer.getByRole('button', { name: 'Submit the proposal' }).click();

  await jobLink(freelancer, 'Submitted', title).click();
  await expect(freelancer.getByText('The client writes first.')).toBeVisible();
  await expect(freelancer.locator('main').getByRole('textbox')).toHaveCount(0);

  await jobLink(client, 'Proposals received', title).click();
  await expect(section(client, 'Cover letter')).toContainText('I have built booking pages before');
  await expect(section(client, 'Terms')).toContainText('$80.00');
  await client.getByLabel('Message to the freelancer').fill('Let us talk about the calendar.');
  await client.getByRole('button', { name: 'Answer and open the room' }).click();
  await expect(messages(client)).toHaveText(['Let us talk about the calendar.']);
  await expect(events(client, 'proposal.submitted')).toContainText('I have built booking pages before');

  await freelancer.getByRole('link', { name: 'Open the room' }).click();
  await expect(messages(freelancer)).toHaveText(['Let us talk about the calendar.']);
  await say(freelancer, 'With pleasure.');
  await expect(messages(client)).toHaveText(['Let us talk about the calendar.', 'With pleasure.']);
  await expect(composer(client)).toBeVisible();
});
