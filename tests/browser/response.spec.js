import { expect, jobLink, sheet, test } from './fixtures.js';

const row = (page, title) => page.getByTestId('ledger-row').filter({ hasText: title });

/** Invitations to jobs of these titles; answers their ids by title. */
async function invite(server, ...titles) {
  const ids = {};
  for (const [number, title] of titles.entries()) {
    await server.service('PUT', `/v1/jobs/speed-${number}`, { client: 'clara', title });
    const { invitation } = await server.command('clara', '/v1/invitations', { job: `speed-${number}`, freelancer: 'felix', message: 'Shall we talk?' });
    ids[title] = invitation;
  }
  return ids;
}

const answer = (server, id, how, fields = {}) => server.command('felix', `/v1/invitations/${id}/${how}`, fields);
const kindsOf = async (server) => (await server.get('felix', '/v1/rooms/inbox/entries')).items.map(({ kind }) => kind);

test('whoever answers fast has it on the card behind the name, is told so, and reads every row with its reason', async ({ server, client, freelancer }) => {
  const ids = await invite(server, 'Accepted', 'Declined', 'Reported', 'Accepted too', 'Declined too', 'Taken back', 'Closed');
  await client.goto(`${server.origin}/#/invitation/${ids.Declined}`);
  await client.getByRole('button', { name: 'Felix Okafor' }).click();
  await expect(sheet(client).getByTestId('badge')).toHaveText(/As a freelancer\s*Not enough answers yet/);
  await client.keyboard.press('Escape');
  await expect(client.getByRole('button', { name: 'Felix Okafor' })).toBeFocused();

  await answer(server, ids.Accepted, 'accept', { message: 'Gladly.' });
  await answer(server, ids.Declined, 'decline', { reason: 'too_busy' });
  await answer(server, ids.Reported, 'report', { reason: 'spam' });
  await answer(server, ids['Accepted too'], 'accept', { message: 'Gladly.' });
  await server.command('clara', `/v1/invitations/${ids['Taken back']}/withdraw`);
  await server.service('PUT', '/v1/jobs/speed-6', { client: 'clara', title: 'Closed', status: 'closed' });
  await freelancer.getByRole('link', { name: /^Notices/ }).click();
  await expect(freelancer.getByTestId('notice').filter({ hasText: 'Closed' })).toHaveCount(2);
  await freelancer.getByRole('link', { name: 'Proposals', exact: true }).click();
  await expect(freelancer.getByRole('link', { name: 'Notices', exact: true })).toBeVisible();
  await freelancer.getByTestId('me').getByRole('button').click();
  await expect(sheet(freelancer).getByTestId('badge')).toContainText('Not enough answers yet');
  await freelancer.keyboard.press('Escape');
  await expect(freelancer.getByTestId('me').getByRole('button')).toBeFocused();
  await answer(server, ids['Declined too'], 'decline', { reason: 'too_busy' });
  await expect.poll(() => kindsOf(server), { timeout: 20_000 }).toContain('responsiveness.changed');
  await expect(freelancer.getByRole('link', { name: 'Notices', exact: true })).toBeVisible();
  await freelancer.getByRole('link', { name: 'Notices', exact: true }).click();
  const told = freelancer.getByTestId('notice').and(freelancer.locator('[data-kind="responsiveness.changed"]'));
  await expect(told).toContainText('Your profile as a freelancer now says: Usually answers within a day, 100 % answered within 24 h.');

  await client.reload();
  await client.getByRole('button', { name: 'Felix Okafor' }).click();
  await expect(sheet(client).getByTestId('badge')).toHaveText(/As a freelancer\s*Usually answers within a day\s*100\s% answered within 24\sh/);
  await expect(sheet(client).getByRole('link', { name: 'How this is computed' })).toHaveCount(0);

  await freelancer.getByTestId('me').getByRole('button').click();
  await expect(sheet(freelancer).getByTestId('badge')).toContainText('100 % answered within 24 h');
  await sheet(freelancer).getByRole('link', { name: 'How this is computed' }).click();
  await expect(freelancer.getByTestId('figure')).toContainText('5 rows count: 5 of 5 answered within 24 h');
  const reasons = {
    Accepted: 'You accepted the invitation', Declined: 'You declined the invitation', Reported: 'You reported the invitation',
    'Taken back': 'The client took the invitation back within 24 hours: it does not count.', Closed: 'which you could not prevent: it does not count.',
    'Landing page': 'The clock runs until you answer the invitation',
  };
  for (const [title, sentence] of Object.entries(reasons)) await expect(row(freelancer, title).first()).toContainText(sentence);
  await expect(row(freelancer, 'Accepted too')).toContainText('until then the client can take it out');
  await expect(row(freelancer, 'Closed')).toContainText('Final.');
  await expect(freelancer.getByRole('region', { name: 'As a client' })).toHaveCount(0);
});

test('a client takes an answered invitation out of the ledger, and asks for nobody’s profile twice', async ({ server, client, freelancer }) => {
  const ids = await invite(server, 'Answered in passing');
  await answer(server, ids['Answered in passing'], 'accept', { message: 'Gladly.' });
  const asked = [];
  client.on('request', (request) => { if (request.url().endsWith('/profile')) asked.push(request.url()); });
  await jobLink(client, 'Active Candidacies', 'Answered in passing').click();
  for (const region of [client.locator('.talk-head'), client.getByRole('region', { name: 'People' })]) {
    await region.getByRole('button', { name: 'Felix Okafor' }).click();
    await expect(sheet(client).getByTestId('badge')).toContainText('Not enough answers yet');
    await sheet(client).getByRole('button', { name: 'Close' }).click();
  }
  expect(asked).toHaveLength(1);
  await client.locator('#retract summary').click();
  await client.getByRole('button', { name: 'Take it out' }).click();
  await expect(client.locator('#retract')).toContainText('You took this invitation out');

  await freelancer.goto(`${server.origin}/#/ledger`);
  await expect(row(freelancer, 'Answered in passing')).toContainText('The client took it out of the ledger in time: it does not count.');
  await expect(freelancer.getByTestId('figure')).toContainText('no row counts');
});

test('a ledger has both sides, and older rows are paged', async ({ server, client }) => {
  await server.service('PUT', '/v1/users/noor', { name: 'Noor Haddad' });
  const terms = { kind: 'hourly', amount: 6000, currency: 'EUR' };
  const { proposal } = await server.command('noor', '/v1/proposals', { job: 'demo-job-2', cover_letter: 'I would like to help.', terms });
  await server.command('clara', `/v1/proposals/${proposal}/answer`, { message: 'When could you start?' });
  await Promise.all(Array.from({ length: 51 }, async (_, number) => {
    await server.service('PUT', `/v1/jobs/paged-${number}`, { client: 'noor', title: `Job ${number}` });
    await server.command('noor', '/v1/invitations', { job: `paged-${number}`, freelancer: 'clara', message: 'Shall we talk?' });
  }));
  await client.goto(`${server.origin}/#/ledger`);
  const side = (name) => client.getByRole('region', { name, exact: true });
  await expect(side('As a client').getByTestId('ledger-row')).toContainText('You answered the proposal: it counts with the time that took.');
  await expect(side('As a freelancer').getByTestId('ledger-row')).toHaveCount(50);
  await side('As a freelancer').getByRole('button', { name: 'Show earlier ones' }).click();
  await expect(side('As a freelancer').getByTestId('ledger-row')).toHaveCount(51);
  await expect(side('As a freelancer').getByTestId('ledger-row').last().getByRole('link')).toBeFocused();
});
