import { readFile } from 'node:fs/promises';
import {
  composer, events, expect, horizontalOverflow, jobLink, meetInRoom, messages, offerInTheDemo, openInvitation, propose, say, seal, section, sheet, test,
} from './fixtures.js';

const turn = (page) => page.getByTestId('turn');
const offer = (page) => page.getByTestId('offer');
const button = (page, name) => page.getByRole('button', { name, exact: true });

// What is left to the freelancer and what is kept, as they travel and as they are shown. An id or a time may hold the same digits.
const SECRETS = ['108165', '768378', '112617', '800001'].map((minor) => new RegExp(`(?<![\\w.])${minor}(?!\\w)`))
  .concat(/1,?081\.65/, /7,?683\.78/, /1,?126\.17/, /8,?000\.01/, /take_home/, /basis_points/, /You receive/);

/** Everything that a page was told: what its requests were answered with, and what its sockets have received. */
function listenTo(page) {
  const told = [];
  page.on('response', async (response) => {
    if (new URL(response.url()).pathname.startsWith('/v1/')) told.push(await response.text().catch(() => ''));
  });
  page.on('websocket', (socket) => socket.on('framereceived', ({ payload }) => told.push(String(payload))));
  return told;
}

test('from other terms over two counter-proposals and a changed offer to a contract, live on both sides', async ({ client, freelancer }) => {
  test.slow();
  await openInvitation(freelancer);
  await button(freelancer, 'Accept').click();
  await freelancer.getByLabel('Propose new terms').check();
  await freelancer.getByLabel('Rate per hour').fill('70');
  await freelancer.getByLabel('Message to the client').fill('For seventy I would do it.');
  await button(freelancer, 'Accept and send').click();
  await jobLink(client, 'Active Candidacies').click();
  await expect(turn(client)).toContainText('Your turn: make an offer, or propose other terms.');
  await expect(turn(freelancer)).toContainText('Waiting for Clara Weber');
  await expect(events(freelancer, 'terms.proposed').last()).toContainText('Amount: €65.00 → €70.00');

  await propose(client, async (form) => {
    await expect(form.getByLabel('Rate per hour')).toHaveValue('70.00');
    await form.getByLabel('Rate per hour').fill('66');
    await form.getByLabel('Scope').fill('Two languages.');
  });
  for (const page of [client, freelancer]) {
    const row = section(page, 'Terms').getByRole('row', { name: /^Hourly rate changed/ });
    await expect(row.getByRole('cell').first()).toHaveText('€70.00');
    await expect(row.getByRole('cell').last()).toHaveText('€66.00');
    await expect(row.getByRole('mark')).toHaveText('€66.00');
    await expect(section(page, 'Terms').getByRole('row', { name: /^Duration/ })).not.toHaveClass('changed');
    await expect(events(page, 'terms.proposed').last()).toContainText('Scope: Two languages.');
  }
  await expect(turn(freelancer)).toContainText('Your turn: answer the counter-proposal by ');
  await expect(turn(client)).toContainText('Waiting for Felix Okafor to answer by ');
  await expect(section(freelancer, 'Terms').getByTestId('fee').first()).toContainText('€59.40');
  await expect(section(freelancer, 'Terms')).toContainText('As it stands you receive €63.00');

  await button(freelancer, 'I have seen version 3').click();
  await expect(events(client, 'terms.acknowledged')).toContainText('Felix Okafor has seen version 3 of the terms.');
  await expect(button(freelancer, 'I have seen version 3')).toHaveCount(0);
  await propose(freelancer, (form) => form.getByLabel('Rate per hour').fill('68'));
  await expect(section(client, 'Terms')).toContainText('Version 4, proposed by Felix Okafor');

  await button(client, 'Make an offer').click();
  await expect(sheet(client)).toContainText('€68.00');
  await sheet(client).getByLabel('It can be accepted for').selectOption('3 days');
  await button(sheet(client), 'Make this offer').click();
  for (const page of [client, freelancer]) {
    await expect(offer(page)).toContainText('offered version 4');
    await expect(offer(page)).toContainText('It can be accepted until');
    await expect(page.locator('.talk-head')).toContainText('Offer made');
    await expect(events(page, 'offer.made')).toContainText('Clara Weber made an offer: version 4 of the terms');
  }

  await button(freelancer, 'Ask for a change').click();
  await sheet(freelancer).getByLabel('What should be different?').fill('Could we say 25 hours a week?');
  await sheet(freelancer).getByLabel('Propose other terms with it').check();
  await sheet(freelancer).getByLabel('Hours a week').fill('25');
  await button(sheet(freelancer), 'Ask for this change').click();
  await expect(events(client, 'offer.change_requested')).toContainText('Felix Okafor asked for a change of the offer and proposed version 5.');
  await expect(events(client, 'offer.change_requested')).toContainText('Could we say 25 hours a week?');
  await expect(turn(client)).toContainText('Your turn: answer the request for a change');

  await button(client, 'Change the offer').click();
  await sheet(client).getByLabel('The terms as they stand (version 5)').check();
  await expect(sheet(client).getByRole('row', { name: /^Hours a week changed/ })).toContainText('up to 25');
  await button(sheet(client), 'Change the offer').click();
  await expect(offer(freelancer)).toContainText('offered version 5');

  await button(freelancer, 'Accept the offer…').click();
  await expect(sheet(freelancer).getByRole('heading', { level: 2 })).toHaveText('Accept version 5?');
  await expect(sheet(freelancer)).toContainText('up to 25');
  await expect(sheet(freelancer).getByTestId('fee')).toContainText('€61.20');
  await button(sheet(freelancer), 'Accept version 5').click();
  for (const page of [client, freelancer]) {
    await expect(seal(page)).toContainText(/Contract formed on .*: version 5, sealed up to entry \d+\./);
    await expect(page.locator('.talk-head')).toContainText('Hired');
    await expect(events(page, 'offer.accepted')).toContainText('Felix Okafor accepted the offer: version 5 of the terms.');
    await expect(events(page, 'contract.sealed')).toContainText('The contract is sealed');
    await expect(page.getByRole('button', { name: /Propose|offer/i })).toHaveCount(0);
  }
  await say(client, 'Welcome aboard!');
  await say(freelancer, 'Glad to begin.');
  for (const page of [client, freelancer]) await expect(messages(page).last()).toHaveText('Glad to begin.');
  await client.reload();
  await expect(seal(client)).toContainText('Contract formed on');
  await client.getByText('All versions').click();
  await expect(client.getByTestId('version')).toHaveCount(5);

  await client.getByRole('link', { name: 'Back to Candidates' }).click();
  await button(client, 'Hired').click();
  await expect(jobLink(client, 'Active Candidacies')).toBeVisible();
  await button(client, 'Offers').click();
  await expect(client.getByText('Nothing here.')).toBeVisible();
  await client.getByRole('link', { name: /^Notices/ }).click();
  for (const words of ['Felix Okafor accepted the offer: the contract is formed', 'Felix Okafor asked for a change of the offer (version 5', 'Felix Okafor took note of the terms (version 3']) {
    await expect(client.getByTestId('notice').filter({ hasText: words })).toHaveCount(1);
  }
});

test('the client’s page is told no fee: not in what it shows, and not in what it receives', async ({ server, client, freelancer }) => {
  // 12.34 % of 8,765.43 is 1,081.65, and of 9,126.18 it is 1,126.17: figures that come from nothing else.
  await server.service('PUT', '/v1/fee-schedules/default', { kind: 'flat', basis_points: 1234 });
  await server.service('PUT', '/v1/jobs/secret', { client: 'clara', title: 'Signs for a night market' });
  const { invitation, candidacy } = await server.service('POST', '/v1/invitations', {
    job: 'secret', freelancer: 'felix', message: 'Would you?', terms: { kind: 'fixed', amount: 876_543, currency: 'EUR' },
  });
  const [told, toldFreelancer] = [client, freelancer].map(listenTo);
  await client.reload();
  const { room } = await server.command('felix', `/v1/invitations/${invitation}/accept`, { message: 'Yes.' });
  await freelancer.goto(`${server.origin}/#/room/${room}`);
  await expect(section(freelancer, 'Terms').getByTestId('fee')).toContainText('€1,081.65');
  await expect(section(freelancer, 'Terms').getByTestId('fee')).toContainText('€7,683.78');

  await client.goto(`${server.origin}/#/room/${room}`);
  await expect(section(client, 'Terms')).toContainText('€8,765.43');
  await propose(freelancer, async (form) => {
    await form.getByLabel('I enter what I receive').check();
    await expect(form.getByLabel('What you receive in all')).toHaveValue('7683.78');
    await form.getByLabel('What you receive in all').fill('8000.01');
  });
  await expect(section(client, 'Terms')).toContainText('€9,126.18');
  await expect(section(freelancer, 'Terms').getByTestId('fee')).toContainText('€8,000.01');
  await button(client, 'Make an offer').click();
  await button(sheet(client), 'Make this offer').click();
  await button(freelancer, 'Accept the offer…').click();
  await button(sheet(freelancer), 'Accept version 2').click();
  await expect(seal(client)).toContainText('version 2');
  await client.getByText('All versions').click();
  await client.getByTestId('version').first().locator('summary').click();
  await expect(section(client, 'Terms').getByTestId('fee')).toHaveCount(0);
  const shown = await client.evaluate(() => `${document.documentElement.textContent} ${document.documentElement.outerHTML} ${JSON.stringify(sessionStorage)}`);
  await client.goto(`${server.origin}/#/notices`);
  await expect(client.getByTestId('notice').first()).toBeVisible();

  const all = told.join('\n');
  expect(all).toContain(candidacy);
  expect(all).toContain('912618');
  for (const text of [shown, all]) for (const secret of SECRETS) expect(text).not.toMatch(secret);
  // They would have been found: the freelancer's page was told them all.
  for (const secret of [/"fee":108165\b/, /"take_home":768378\b/, /"fee":112617\b/, /"take_home":800001\b/, /basis_points/]) expect(toldFreelancer.join('\n')).toMatch(secret);
});

test('terms that have moved on are shown beside the form, which stays open and can be sent again', async ({ server, client, freelancer }) => {
  await meetInRoom(client, freelancer);
  await button(client, 'Propose other terms').click();
  const form = sheet(client);
  await form.getByLabel('Rate per hour').fill('60');
  await expect(form.getByTestId('as-it-is')).toContainText('€65.00');

  await propose(freelancer, (other) => other.getByLabel('Rate per hour').fill('72'));
  await button(form, 'Send these terms').click();
  await expect(form.getByRole('alert')).toContainText('The terms have moved on: version 2 is shown beside this.');
  const row = form.getByTestId('as-it-is').getByRole('row', { name: /^Hourly rate changed/ });
  await expect(row.getByRole('cell').first()).toHaveText('€65.00');
  await expect(row.getByRole('cell').last()).toHaveText('€72.00');
  await expect(form.getByLabel('Rate per hour')).toHaveValue('60');
  await button(form, 'Send these terms').click();
  await expect(sheet(client)).toHaveCount(0);
  await expect(section(freelancer, 'Terms').getByRole('row', { name: /^Hourly rate changed/ })).toContainText('€60.00');
  const { items } = await server.get('clara', '/v1/candidacies');
  expect(items[0].terms_version).toBe(3);

  await button(freelancer, 'Decline version 3').click();
  await expect(events(client, 'terms.declined')).toContainText('Felix Okafor declined the counter-proposal, version 3.');
  await propose(client, (again) => again.getByLabel('Rate per hour').fill('63'));
  await button(client, 'Withdraw the counter-proposal').click();
  await expect(events(freelancer, 'terms.withdrawn')).toContainText('version 4');
  await propose(client, (again) => again.getByLabel('Rate per hour').fill('70'));
  await button(freelancer, 'Accept version 5').click();
  await expect(events(client, 'terms.accepted')).toContainText('version 5 stands');
  await expect(section(client, 'Terms')).toContainText('Version 5, proposed by Clara Weber');
});

test('an offer that was changed meanwhile is not accepted, and the third request for a change within an hour is the last', async ({ server, freelancer }) => {
  const { room, candidacy, offer: id, terms } = await offerInTheDemo(server);
  await freelancer.goto(`${server.origin}/#/room/${room}`);
  await button(freelancer, 'Accept the offer…').click();
  await server.command('clara', `/v1/candidacies/${candidacy}/terms`, { expected_version: terms.version, terms: { ...terms.terms, amount: 5000 } });
  const { counter } = await server.get('clara', `/v1/candidacies/${candidacy}`);
  await server.command('clara', `/v1/offers/${id}/change`, { version: counter.version, hash: counter.hash });
  await button(sheet(freelancer), 'Accept version 1').click();
  await expect(sheet(freelancer).getByRole('alert')).toContainText('The offer was changed meanwhile');
  await freelancer.keyboard.press('Escape');
  await expect(offer(freelancer)).toContainText('offered version 2');

  for (let asked = 0; asked < 4; asked += 1) {
    await button(freelancer, 'Ask for a change').click();
    await sheet(freelancer).getByLabel('What should be different?').fill(`Request ${asked}`);
    await button(sheet(freelancer), 'Ask for this change').click();
    if (asked < 3) await expect(sheet(freelancer)).toHaveCount(0);
  }
  await expect(sheet(freelancer).getByRole('alert')).toContainText(/too often\. You can ask again in \d+ minutes/);
  await button(sheet(freelancer), 'Cancel').click();
  await button(freelancer, 'Decline the offer').click();
  await sheet(freelancer).getByLabel('Reason (optional)').fill('Too little for me.');
  await button(sheet(freelancer), 'Decline the offer').click();
  await expect(events(freelancer, 'offer.declined')).toContainText('Too little for me.');
  await expect(freelancer.locator('.talk-head')).toContainText('Active');
});

test('the client takes an offer back with a reason, and a contract of the marketplace ends the writing when it ends', async ({ server, client, freelancer }) => {
  const { room, candidacy } = await offerInTheDemo(server);
  for (const page of [client, freelancer]) await page.goto(`${server.origin}/#/room/${room}`);
  await button(client, 'Withdraw the offer').click();
  await sheet(client).getByLabel('Reason (optional)').fill('The budget was cut.');
  await button(sheet(client), 'Withdraw the offer').click();
  await expect(events(freelancer, 'offer.withdrawn')).toContainText('The budget was cut.');
  await expect(offer(freelancer)).toHaveCount(0);

  await server.service('POST', `/v1/candidacies/${candidacy}/contract`, { contract: 'C-1042', version: 1, hash: (await server.get('clara', `/v1/candidacies/${candidacy}`)).terms.hash });
  for (const page of [client, freelancer]) {
    await expect(events(page, 'contract.formed')).toContainText('The marketplace formed a contract: version 1');
    await expect(seal(page)).toContainText('Contract formed on');
  }
  await client.getByText('Fingerprints').click();
  await expect(seal(client)).toContainText('C-1042');
  await server.service('POST', '/v1/contracts/C-1042/end', { reason: 'The work is done.' });
  for (const page of [client, freelancer]) {
    await expect(page.getByText('This room is read-only: the contract has ended.')).toBeVisible();
    await expect(events(page, 'contract.ended')).toContainText('The work is done.');
    await expect(composer(page)).toHaveCount(0);
    await expect(seal(page)).toContainText('It ended on');
  }
});

test('milestones have to add up, are shown one by one with the fee, and an amount keeps its decimals to the last digit', async ({ server, client, freelancer }) => {
  await meetInRoom(client, freelancer);
  await propose(freelancer, async (form) => {
    await form.getByLabel('Fixed price').check();
    await form.getByLabel('Currency').fill('kwd');
    await form.getByLabel('Price in all').fill('1.1');
    await button(form, 'Add a milestone').click();
    await expect(form.getByLabel('Title of milestone 1')).toBeFocused();
    await form.getByLabel('Title of milestone 1').fill('Draft');
    await form.getByLabel('Amount of milestone 1').fill('0.7');
    await form.getByLabel('Due date of milestone 1').fill('2027-01-15');
    for (const number of [2, 3]) {
      await button(form, 'Add a milestone').click();
      await form.getByLabel(`Title of milestone ${number}`).fill(`Part ${number}`);
      await form.getByLabel(`Amount of milestone ${number}`).fill('0.399');
    }
    await button(form, 'Remove milestone 2').click();
    await expect(form.getByLabel('Title of milestone 2')).toHaveValue('Part 3');
    await expect(form.getByRole('status')).toContainText('1.099: KWD 0.001 less than the price');
    await button(form, 'Send these terms').click();
    await expect(form.getByRole('alert')).toContainText('The milestones have to add up');
    await form.getByLabel('Amount of milestone 2').fill('0.4');
  });
  const { items } = await server.get('felix', '/v1/candidacies');
  expect(items[0].terms.terms).toMatchObject({ amount: 1100, currency: 'KWD', milestones: [{ title: 'Draft', amount: 700, due_date: '2027-01-15' }, { title: 'Part 3', amount: 400 }] });
  await expect(section(client, 'Terms')).toContainText('Draft KWD 0.700 due Jan 15, 2027');
  await expect(section(freelancer, 'Terms').getByTestId('fee').getByRole('row', { name: /^Milestone 1/ })).toHaveText('Milestone 1KWD 0.700KWD 0.070KWD 0.630');
  await expect(events(client, 'terms.proposed').last()).toContainText('Milestone 1: Draft KWD 0.700 due Jan 15, 2027');

  await propose(client, async (form) => {
    await expect(form.getByLabel('Amount of milestone 1')).toHaveValue('0.700');
    await form.getByLabel('Hourly').check();
    await form.getByLabel('Currency').fill('JPY');
    await form.getByLabel('Rate per hour').fill('9000.5');
    await button(form, 'Send these terms').click();
    await expect(form.getByRole('alert')).toContainText('without decimals');
    await form.getByLabel('Rate per hour').fill('9000');
  });
  await expect(section(freelancer, 'Terms')).toContainText('¥9,000');
});

test('money is read and written digit by digit, with the decimals of ISO 4217 whatever the browser would show', async ({ client }) => {
  const cases = [['USD', '0.29', 29], ['USD', '1000000000000.00', 1e14], ['EUR', '8.1', 810], ['JPY', '100000000000000', 1e14], ['KWD', '99999999999.999', 99_999_999_999_999], ['HUF', '100.50', 10_050], ['IQD', '0.001', 1]];
  const read = await client.evaluate(async (all) => {
    const { parseMoney, moneyText, money } = await import('/money.js');
    return all.map(([currency, text]) => [parseMoney(text, currency), parseMoney(moneyText(parseMoney(text, currency), currency), currency), money(parseMoney(text, currency), currency)]);
  }, cases);
  for (const [index, [, , minor]] of cases.entries()) expect(read[index].slice(0, 2)).toEqual([minor, minor]);
  expect(read.map(([, , shown]) => shown.replace(/\u00a0/g, ' '))).toEqual(['$0.29', '$1,000,000,000,000.00', '€8.10', '¥100,000,000,000,000', 'KWD 99,999,999,999.999', 'HUF 100.50', 'IQD 0.001']);
  const refused = await client.evaluate(async () => {
    const { parseMoney } = await import('/money.js');
    return [['1.005', 'USD'], ['1.5', 'JPY'], ['1.0001', 'KWD'], ['-5', 'EUR'], ['1e3', 'EUR'], ['', 'EUR'], ['1000000000000.01', 'USD']].map(([text, currency]) => parseMoney(text, currency));
  });
  expect(refused).toEqual(refused.map(() => null));
});

test('a proposal’s terms can be changed before the client answers, and the client can answer with an offer', async ({ server, client, freelancer }) => {
  const { title } = await server.get('felix', '/v1/jobs/demo-job-2');
  await server.command('felix', '/v1/proposals', { job: 'demo-job-2', cover_letter: 'A mark on paper.', terms: { kind: 'fixed', amount: 90_000, currency: 'EUR' } });
  await jobLink(freelancer, 'Submitted', title).click();
  await button(freelancer, 'Change the terms').click();
  await sheet(freelancer).getByLabel('Price in all').fill('850');
  await button(sheet(freelancer), 'Send these terms').click();
  await expect(section(freelancer, 'Terms')).toContainText('€850.00');
  await expect(section(freelancer, 'Terms').getByTestId('fee')).toContainText('€765.00');

  await jobLink(client, 'Proposals received', title).click();
  await client.getByLabel('Message to the freelancer').fill('Gladly.');
  await client.getByLabel('Make an offer of these terms (version 2)').check();
  await button(client, 'Answer and open the room').click();
  await expect(offer(client)).toContainText('You have offered version 2');
  await freelancer.getByRole('link', { name: 'Open the room' }).click();
  await expect(turn(freelancer)).toContainText('Your turn: answer the offer by ');
});

test('on a phone an offer is answered by the keyboard alone, nothing scrolls sideways, and every field has a name', async ({ server, visit }) => {
  const { room } = await offerInTheDemo(server);
  const phone = await visit(server.links.freelancer, { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true });
  await phone.goto(`${server.origin}/#/room/${room}`);
  const fold = phone.getByText('Terms and people');
  await expect(fold).toContainText('Your turn');
  await fold.focus();
  await phone.keyboard.press('Enter');
  await button(phone, 'Propose other terms').focus();
  await phone.keyboard.press('Enter');
  await sheet(phone).getByLabel('Fixed price').check();
  await button(sheet(phone), 'Add a milestone').click();
  const nameless = await sheet(phone).locator('input:not([type=hidden]), select, textarea, button').evaluateAll((all) => all
    .filter((node) => !(node.getAttribute('aria-label') || node.textContent.trim() || [...(node.labels ?? [])].some((label) => label.textContent.trim()))).map((node) => node.outerHTML));
  expect(nameless).toEqual([]);
  expect(await horizontalOverflow(phone)).toBeLessThanOrEqual(0);
  expect(await sheet(phone).evaluate((node) => node.scrollWidth - node.clientWidth)).toBeLessThanOrEqual(0);
  await phone.keyboard.press('Escape');
  await expect(button(phone, 'Propose other terms')).toBeFocused();

  await button(phone, 'Accept the offer…').focus();
  await phone.keyboard.press('Enter');
  await expect(sheet(phone).getByRole('heading', { level: 2 })).toBeFocused();
  for (let presses = 0; presses < 6 && !await button(sheet(phone), 'Accept version 1').evaluate((node) => node === document.activeElement); presses += 1) await phone.keyboard.press('Tab');
  await phone.keyboard.press('Enter');
  await expect(seal(phone)).toContainText('Contract formed on');
  expect(await horizontalOverflow(phone)).toBeLessThanOrEqual(0);
});

// On a slow machine the Enter key opened the sheet that had just been closed, and not the one of the button that it was pressed on.
test('regression: whoever moves on as soon as a sheet is closed is not taken back to what had opened it', async ({ server, visit }) => {
  const { room } = await offerInTheDemo(server);
  const page = await visit(server.links.freelancer);
  await page.goto(`${server.origin}/#/room/${room}`);
  await button(page, 'Propose other terms').click();
  const next = await button(page, 'Accept the offer…').elementHandle();
  await sheet(page).evaluate((node, next) => new Promise((told) => {
    node.addEventListener('close', () => setTimeout(told));
    node.close();
    next.focus();
  }), next);
  await expect(button(page, 'Accept the offer…')).toBeFocused();
});

test('a room without terms lets both sides propose them', async ({ server, client, freelancer }) => {
  await server.service('PUT', '/v1/jobs/bare', { client: 'clara', title: 'A job without terms' });
  const { invitation } = await server.service('POST', '/v1/invitations', { job: 'bare', freelancer: 'felix', message: 'Hello' });
  const { room } = await server.command('felix', `/v1/invitations/${invitation}/accept`, { message: 'Hello' });
  for (const page of [client, freelancer]) {
    await page.goto(`${server.origin}/#/room/${room}`);
    await expect(section(page, 'Terms')).toContainText('No terms proposed yet.');
  }
  await propose(client, (form) => form.getByLabel('Rate per hour').fill('50'));
  await expect(section(freelancer, 'Terms')).toContainText('waits for an answer');
  await button(freelancer, 'Accept version 1').click();
  await expect(section(client, 'Terms')).toContainText('Version 1, proposed by Clara Weber.');
});

const download = async (page, label) => (await Promise.all([page.waitForEvent('download'), button(page, label).click()]))[0];

test('each takes the room away: a file that verifies, and a page that reads on its own', async ({ server, client, freelancer }) => {
  const { room } = await offerInTheDemo(server);
  for (const page of [client, freelancer]) {
    await page.goto(`${server.origin}/#/room/${room}`);
    const file = await download(page, 'a file to verify');
    expect(file.suggestedFilename()).toBe(`room-${room}.jsonl`);
    expect(await server.verify(await file.path())).toMatch(/signed with key [0-9a-f]{64}/);
    const written = await download(page, 'a page to read');
    expect(written.suggestedFilename()).toBe(`room-${room}.html`);
    const html = await readFile(await written.path(), 'utf8');
    const paper = await page.context().newPage();
    const asked = [];
    paper.on('request', (request) => asked.push(request.url()));
    await paper.setContent(html);
    await expect(paper.getByRole('heading', { level: 1 })).toContainText('Landing page for a bicycle workshop');
    await expect(paper.getByText('Clara Weber').first()).toBeVisible();
    expect(asked, 'it needs nothing from anywhere').toEqual([]);
    expect(/take-home/i.test(html), 'what is left is for the freelancer alone').toBe(page === freelancer);
    await paper.close();
  }
});
