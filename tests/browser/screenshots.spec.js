// Not a test: makes the pictures for the documentation. `SCREENSHOT_DIR=… npm run screenshots`

import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { accept, act, composer, expect, jobLink, messages, openInvitation, say, seal, section, sheet, test, typing } from './fixtures.js';

const DIR = process.env.SCREENSHOT_DIR || 'screenshots';
const DESKTOP = { viewport: { width: 1280, height: 940 }, deviceScaleFactor: 2 };
const PHONE = { colorScheme: 'dark', viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };

const TALK = [
  ['client', 'Great to hear from you! Is three weeks realistic, with the photos we have?'],
  ['freelancer', 'Yes, if they are at least 2000 pixels wide. I would begin with the opening hours: that is what people look for on a phone.'],
  ['freelancer', 'You will have two sketches on Thursday.'],
  ['client', 'Perfect, Thursday it is.'],
];

test('pictures of the lists and the room @screenshots', async ({ server, visit }) => {
  test.slow();
  await mkdir(DIR, { recursive: true });
  await furnish(server);
  const freelancer = await visit(server.links.freelancer, DESKTOP);
  const client = await visit(server.links.client, DESKTOP);
  const shot = (page, name) => page.screenshot({ path: join(DIR, `${name}.png`), caret: 'initial' });

  await openInvitation(freelancer);
  await shot(freelancer, 'invitation');
  await accept(freelancer, 'Hello Clara, I like the plan, and I ride past your workshop every day. The terms are fine with me.');
  await jobLink(client, 'Active Candidacies').click();
  for (const [side, text] of TALK) {
    await say(side === 'client' ? client : freelancer, text);
    for (const page of [client, freelancer]) await expect(messages(page).last()).toHaveText(text);
  }
  await act(freelancer, 'You will have two sketches', 'Edit');
  await freelancer.getByLabel('New text').fill('You will have two sketches on Thursday, before noon.');
  await freelancer.getByRole('button', { name: 'Save' }).click();
  await say(client, 'The other job pays more, by the way.');
  await act(client, 'The other job', 'Delete');
  await client.getByLabel('Reason', { exact: true }).fill('Meant for another room');
  await client.getByRole('button', { name: 'Delete the message' }).click();
  await expect(client.getByTestId('deleted')).toBeVisible();
  await expect(client.getByText('Read', { exact: true })).toBeVisible();
  await meetAnother(server);
  await expect(client.getByText('2 new', { exact: true })).toBeVisible();
  await client.mouse.move(0, 0);
  await composer(client).focus();
  await expect(async () => {
    await composer(freelancer).pressSequentially('Before');
    await expect(typing(client)).not.toBeEmpty({ timeout: 1000 });
  }).toPass();
  await shot(client, 'room');
  await composer(freelancer).fill('');

  await ignore(freelancer, 'Poster for a travelling cinema');
  await expect(section(freelancer, 'Archived').getByRole('listitem')).toHaveCount(1);
  await freelancer.mouse.move(0, 0);
  await shot(freelancer, 'proposals');

  const phone = await visit(server.links.freelancer, PHONE);
  await jobLink(phone, 'Active Candidacies').click();
  await expect(messages(phone)).toHaveCount(TALK.length + 1);
  await shot(phone, 'phone');

  await freelancer.getByRole('link', { name: 'Search', exact: true }).click();
  await expect(async () => {
    await freelancer.getByLabel('Words in messages').fill('thurs');
    await freelancer.getByRole('button', { name: 'Search', exact: true }).click();
    await expect(freelancer.getByTestId('hit')).toHaveCount(3, { timeout: 1000 });
  }).toPass();
  await shot(freelancer, 'search');

  await server.service('PUT', '/v1/users/felix', {
    name: 'Felix Okafor', status: 'suspended', status_reason: 'A payment is under review.', status_reversible: true, status_next_step: 'Answer the letter of the support team.',
  });
  await freelancer.getByRole('link', { name: /^Notices/ }).click();
  await expect(freelancer.getByTestId('standing')).toBeVisible();
  await expect(freelancer.getByTestId('notice').first()).toContainText('suspended');
  await shot(freelancer, 'suspended');
});

test('pictures of terms, an offer and a contract @screenshots', async ({ server, visit }) => {
  test.slow();
  await mkdir(DIR, { recursive: true });
  const shot = (page, name) => page.screenshot({ path: join(DIR, `${name}.png`), caret: 'initial' });
  const room = await negotiate(server);
  const freelancer = await visit(server.links.freelancer, DESKTOP);
  await freelancer.goto(`${server.origin}/#/room/${room}`);
  await expect(freelancer.getByTestId('turn')).toContainText('Your turn');
  await freelancer.mouse.move(0, 0);
  await shot(freelancer, 'terms');

  const { candidacy } = await server.get('clara', `/v1/rooms/${room}`);
  const { counter } = await server.get('clara', `/v1/candidacies/${candidacy}`);
  await server.command('clara', `/v1/candidacies/${candidacy}/offers`, { version: counter.version, hash: counter.hash });
  await freelancer.getByRole('button', { name: 'Accept the offer…' }).click();
  await expect(sheet(freelancer).getByTestId('fee')).toBeVisible();
  await shot(freelancer, 'offer');

  await sheet(freelancer).getByRole('button', { name: /^Accept version/ }).click();
  await expect(seal(freelancer)).toBeVisible();
  const client = await visit(server.links.client, DESKTOP);
  await client.goto(`${server.origin}/#/room/${room}`);
  await expect(seal(client)).toBeVisible();
  await say(freelancer, 'Thank you, Clara. You will have the sketches on Thursday.');
  await say(client, 'Wonderful. The photos are on their way.');
  await expect(messages(freelancer).last()).toHaveText('Wonderful. The photos are on their way.');
  await shot(client, 'contract');

  const [written] = await Promise.all([freelancer.waitForEvent('download'), freelancer.getByRole('button', { name: 'a page to read' }).click()]);
  const paper = await freelancer.context().newPage();
  await paper.setContent(await readFile(await written.path(), 'utf8'));
  await paper.evaluate(() => scrollTo(0, document.body.scrollHeight));
  await shot(paper, 'transcript');
});

/** A room with terms that stand, and a counter-proposal of the client's beside them; answers its id. */
async function negotiate(server) {
  const [{ id }] = (await server.get('felix', '/v1/invitations')).items;
  const milestones = (...parts) => parts.map(([title, amount, due_date]) => ({ title, amount, due_date }));
  const terms = {
    kind: 'fixed', amount: 180_000, currency: 'EUR', duration_weeks: 4, start_date: '2027-01-11', scope: 'One page in two languages, with a booking form.',
    milestones: milestones(['Two sketches', 60_000, '2027-01-14'], ['The page, ready to publish', 120_000, '2027-02-05']),
  };
  const { candidacy, room } = await server.command('felix', `/v1/invitations/${id}/accept`, { message: 'I would rather do this for a fixed price, in two steps.', terms });
  await server.command('clara', `/v1/rooms/${room}/messages`, { body: 'Two steps are fine. Could the page be ready a week earlier, for a little less?' });
  await server.command('clara', `/v1/candidacies/${candidacy}/terms`, {
    expected_version: 2,
    terms: { ...terms, amount: 170_000, duration_weeks: 3, milestones: milestones(['Two sketches', 60_000, '2027-01-14'], ['The page, ready to publish', 110_000, '2027-01-29']) },
  });
  return room;
}


/** Some more of a marketplace than the demo has. */
async function furnish(server) {
  const people = { ines: 'Inés Carvalho', tomasz: 'Tomasz Wójcik', amina: 'Amina Diallo', noor: 'Noor Haddad' };
  const jobs = [
    ['museum', 'ines', 'Translation of a museum guide', { kind: 'fixed', amount: 90_000, currency: 'EUR' }],
    ['archive', 'amina', 'Search page for a photo archive', { kind: 'hourly', amount: 8500, currency: 'USD', weekly_hours: 20 }],
    ['cinema', 'tomasz', 'Poster for a travelling cinema', undefined],
  ];
  for (const [id, name] of Object.entries(people)) await server.service('PUT', `/v1/users/${id}`, { name });
  await server.service('PUT', '/v1/jobs/garden', { client: 'amina', title: 'Planting calendar for a city garden' });
  await server.command('felix', '/v1/proposals', {
    job: 'garden', cover_letter: 'I have made calendars like this one before.', terms: { kind: 'fixed', amount: 120_000, currency: 'USD' },
  });
  for (const [id, client, title, terms] of jobs) {
    await server.service('PUT', `/v1/jobs/${id}`, { client, title });
    await server.service('POST', '/v1/invitations', { job: id, freelancer: 'felix', message: 'Would you like to talk about this job?', terms });
  }
}

/** A second candidate of the same client, who has just written. */
async function meetAnother(server) {
  const { proposal } = await server.command('noor', '/v1/proposals', {
    job: 'demo-job-2', cover_letter: 'I would like to help with this.', terms: { kind: 'hourly', amount: 6000, currency: 'EUR' },
  });
  const { room } = await server.command('clara', `/v1/proposals/${proposal}/answer`, { message: 'Thank you, Noor. When could you start?' });
  await server.command('noor', `/v1/rooms/${room}/messages`, { body: 'Next Monday.' });
}

async function ignore(page, title) {
  await page.getByRole('link', { name: 'Find Work' }).click();
  await openInvitation(page, title);
  await page.getByRole('button', { name: 'Ignore' }).click();
}
