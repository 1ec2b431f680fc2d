import { composer, expect, meetInRoom, messages, say, test } from './fixtures.js';

const standing = (page) => page.getByTestId('standing');

test('a suspended account reads on, is told why and what to do, and writes again as soon as it is active', async ({ server, client, freelancer }) => {
  await meetInRoom(client, freelancer);
  await expect(standing(freelancer)).toBeHidden();
  await composer(freelancer).fill('Half a sentence');
  await server.service('PUT', '/v1/users/felix', {
    name: 'Felix Okafor', status: 'suspended', status_reason: 'An invoice is under review.', status_reversible: true,
    status_next_step: 'Answer the letter at https://marketplace.example/support',
  });

  await expect(standing(freelancer)).toContainText('Your account is suspended.');
  await expect(standing(freelancer)).toContainText('Reason: An invoice is under review.');
  await expect(standing(freelancer)).toContainText('This can be undone.');
  await expect(standing(freelancer).getByRole('link')).toHaveAttribute('href', 'https://marketplace.example/support');
  await expect(composer(freelancer)).toHaveCount(0);
  await expect(freelancer.getByTestId('read-only')).toContainText('An invoice is under review.');
  await expect(freelancer.getByTestId('connection')).toHaveText('Connected');
  await say(client, 'Can you read this?');
  await expect(messages(freelancer).last()).toHaveText('Can you read this?');
  await freelancer.reload();
  await expect(standing(freelancer)).toContainText('Your account is suspended.');
  await expect(composer(freelancer)).toHaveCount(0);

  await server.service('PUT', '/v1/users/felix', { name: 'Felix Okafor', status: 'active' });
  await expect(standing(freelancer)).toBeHidden();
  await expect(composer(freelancer)).toHaveValue('Half a sentence');
  await composer(freelancer).press('Enter');
  await expect(messages(client).last()).toHaveText('Half a sentence');

  await freelancer.getByRole('link', { name: 'Back to Proposals' }).click();
  await freelancer.getByRole('link', { name: /^Notices/ }).click();
  const notices = freelancer.getByTestId('notice').and(freelancer.locator('[data-kind="account.changed"]'));
  await expect(notices.first()).toContainText('Your account is active.');
  await expect(notices.last()).toContainText('An invoice is under review.');
});
