// Texts that want to be more than text. The strings are in hostile.json.

import { readFile } from 'node:fs/promises';
import { act, expect, jobLink, messages, offerInTheDemo, roomOfTheDemo, say, section, test } from './fixtures.js';

const { markup, unusual } = JSON.parse(await readFile(new URL('hostile.json', import.meta.url), 'utf8'));
const NAME_BYTES = 100;
const TITLE_BYTES = 200;
const MILESTONES = 50;

/** Nothing ran, nothing was fetched, and no element was made of a text. */
async function expectOnlyText(page) {
  await expect(page.locator('main :is(script, img, svg, iframe, object, embed, style, link, base, meta, video, math, template, form[action])')).toHaveCount(0);
  expect(await page.evaluate(() => window.ran)).toBeUndefined();
  const links = await page.locator('main a').evaluateAll((all) => all.map((a) => a.protocol));
  expect(links.filter((protocol) => !['http:', 'https:'].includes(protocol))).toEqual([]);
  const handlers = await page.locator('main *').evaluateAll((all) => all.flatMap((node) => node.getAttributeNames()).filter((attribute) => attribute.startsWith('on')));
  expect(handlers).toEqual([]);
}

/** Pages back to the first entry; scrolling up may do the same by itself meanwhile. */
async function showWholeLog(page) {
  const button = page.getByRole('button', { name: 'Show earlier entries' });
  await expect(async () => {
    if (await button.isVisible()) await button.click({ timeout: 1000 });
    await expect(button).toBeHidden({ timeout: 1000 });
  }).toPass();
}

/** Requests that a page makes to anybody else. */
function strangers(page, server) {
  const asked = [];
  page.on('request', (request) => { if (new URL(request.url()).host !== new URL(server.origin).host && !request.url().startsWith('data:')) asked.push(request.url()); });
  return asked;
}

test('there are enough hostile strings', () => {
  expect(new Set(markup).size).toBeGreaterThanOrEqual(30);
});

test('markup in messages is shown as text, to both and after a reload, and runs nowhere', async ({ server, client, freelancer }) => {
  const room = await roomOfTheDemo(server);
  const asked = [client, freelancer].flatMap((page) => strangers(page, server));
  for (const body of markup) await server.command('felix', `/v1/rooms/${room}/messages`, { body });
  for (const page of [client, freelancer]) {
    await page.goto(`${server.origin}/#/room/${room}`);
    await expect(messages(page).last()).toHaveText(markup.at(-1));
    await showWholeLog(page);
    await expect.poll(() => messages(page).allTextContents()).toEqual(['Happy to talk about it.', ...markup]);
    await expectOnlyText(page);
  }
  await client.reload();
  await expect(messages(client).last()).toHaveText(markup.at(-1));
  await expectOnlyText(client);
  expect(asked).toEqual([]);
});

test('markup in names and job titles is shown as text wherever they stand', async ({ server, visit, freelancer }) => {
  const names = markup.filter((text) => Buffer.byteLength(text) <= NAME_BYTES);
  expect(names.length).toBeGreaterThanOrEqual(30);
  const asked = strangers(freelancer, server);
  for (const [number, text] of names.entries()) {
    await server.service('PUT', `/v1/users/mallory-${number}`, { name: text });
    await server.service('PUT', `/v1/jobs/hostile-${number}`, { client: `mallory-${number}`, title: text, category: text });
    await server.service('POST', '/v1/invitations', { job: `hostile-${number}`, freelancer: 'felix', message: text });
  }
  const rows = section(freelancer, 'Invitations to Interview').getByRole('listitem');
  await expect(rows).toHaveCount(names.length + 1);
  const shown = await rows.evaluateAll((items) => items.map((item) => [item.querySelector('.row-title a').textContent, item.querySelector('bdi').textContent]));
  for (const text of names) expect(shown).toContainEqual([text, text]);
  await expectOnlyText(freelancer);

  await freelancer.getByRole('link', { name: 'Open jobs' }).click();
  for (const text of names) await expect(freelancer.getByRole('link', { name: text, exact: true }).first()).toBeVisible();
  await expectOnlyText(freelancer);
  await freelancer.getByRole('link', { name: /^Notices/ }).click();
  await expect(freelancer.getByTestId('notice').filter({ hasText: names.at(-1) }).first()).toBeVisible();
  await expectOnlyText(freelancer);

  const mallory = await visit(await server.link('mallory-0'));
  await expect(mallory.getByTestId('me')).toContainText(names[0]);
  await freelancer.getByRole('link', { name: 'Find Work' }).click();
  await jobLink(freelancer, 'Invitations to Interview', names[0]).filter({ hasText: /^<script>window.ran=1<.script>$/ }).click();
  await expect(freelancer.getByRole('heading', { level: 1 })).toHaveText(names[0]);
  await expectOnlyText(freelancer);
  expect(await freelancer.title()).toContain(names[0]);
  expect(asked).toEqual([]);
});

test('markup in reasons and edits is shown as text: of a decline, a deletion, and the state of an account', async ({ server, client, freelancer }) => {
  test.slow();
  const room = await roomOfTheDemo(server);
  const asked = strangers(client, server);
  const seqs = [];
  for (const text of markup) seqs.push((await server.command('clara', `/v1/rooms/${room}/messages`, { body: text })).seq);
  for (const [index, reason] of markup.entries()) await server.command('clara', `/v1/rooms/${room}/redactions`, { seq: seqs[index], reason });
  const edited = await server.command('clara', `/v1/rooms/${room}/messages`, { body: 'plain' });
  for (const body of markup.slice(0, 10)) await server.command('clara', `/v1/rooms/${room}/edits`, { seq: edited.seq, body });
  await freelancer.goto(`${server.origin}/#/room/${room}`);
  const lines = freelancer.getByTestId('deleted');
  await expect(messages(freelancer).last()).toHaveText(markup[9]);
  await freelancer.getByText('edited', { exact: true }).click();
  await showWholeLog(freelancer);
  await expect.poll(() => lines.allTextContents()).toEqual(markup.map((reason) => `This message was deleted by its author: ${reason}`));
  await expectOnlyText(freelancer);

  for (const [number, text] of markup.slice(0, 12).entries()) {
    await server.service('PUT', `/v1/jobs/declined-${number}`, { client: 'clara', title: `Job ${number}` });
    const { invitation } = await server.service('POST', '/v1/invitations', { job: `declined-${number}`, freelancer: 'felix', message: 'Hello' });
    await server.command('felix', `/v1/invitations/${invitation}/decline`, { reason: 'other', reason_text: text });
    await expect(section(client, 'Invitations sent')).toContainText(text);
  }
  for (const text of markup.slice(0, 12)) {
    await server.service('PUT', '/v1/users/clara', { name: 'Clara Weber', status: 'suspended', status_reason: text, status_next_step: text });
    await expect(client.getByTestId('standing')).toContainText(`Reason: ${text}`);
  }
  await expect(client.locator('#standing :is(script, img, svg, iframe)')).toHaveCount(0);
  await expectOnlyText(client);
  expect(asked).toEqual([]);
});

test('markup in scopes, milestones and reasons is shown as text wherever terms and offers stand', async ({ server, client, freelancer }) => {
  const titles = markup.filter((text) => Buffer.byteLength(text) <= TITLE_BYTES && !text.includes('\n')).slice(0, MILESTONES);
  expect(titles.length).toBeGreaterThanOrEqual(30);
  const { room, candidacy, offer } = await offerInTheDemo(server);
  const asked = [client, freelancer].flatMap((page) => strangers(page, server));
  const terms = { kind: 'fixed', amount: titles.length * 100, currency: 'EUR', scope: markup.join('\n'), milestones: titles.map((title) => ({ title, amount: 100 })) };
  await server.command('clara', `/v1/candidacies/${candidacy}/terms`, { expected_version: 1, terms });
  const { counter } = await server.get('clara', `/v1/candidacies/${candidacy}`);
  await server.command('clara', `/v1/offers/${offer}/change`, { version: counter.version, hash: counter.hash });
  for (const message of markup.slice(0, 3)) await server.command('felix', `/v1/offers/${offer}/request_change`, { message });
  for (const page of [client, freelancer]) {
    await page.goto(`${server.origin}/#/room/${room}`);
    const offered = page.getByTestId('offer').locator('tr.changed bdi');
    await expect.poll(() => offered.allTextContents()).toEqual(titles);
    await expect(page.getByTestId('offer')).toContainText(markup.at(-1));
    await page.getByText('All versions').click();
    await page.getByTestId('version').first().locator('summary').click();
    await expect(page.getByTestId('version').first()).toContainText(titles.at(-1));
    await page.getByRole('button', { name: 'Propose other terms' }).click();
    await expect(page.getByRole('dialog').getByTestId('as-it-is')).toBeVisible();
    await expectOnlyText(page);
    await page.keyboard.press('Escape');
  }
  await freelancer.getByRole('button', { name: 'Accept the offer…' }).click();
  await expect(freelancer.getByRole('dialog')).toContainText(titles.at(-1));
  await expectOnlyText(freelancer);
  await freelancer.keyboard.press('Escape');
  await server.command('clara', `/v1/offers/${offer}/withdraw`, { reason: markup[0] });
  for (const page of [client, freelancer]) {
    await expect(page.locator('[data-kind="offer.withdrawn"]')).toContainText(markup[0]);
    await expect.poll(() => page.locator('[data-kind="offer.change_requested"] .quoted').allTextContents()).toEqual(markup.slice(0, 3));
    await expectOnlyText(page);
  }
  expect(asked).toEqual([]);
});

// --- unusual scripts and invisible characters -----------------------------------------------------------------------

/** Where what stands around a text is: each element's place in its row, so that rows can be compared. */
const around = (row, parts) => row.evaluate((node, selectors) => {
  const origin = node.getBoundingClientRect();
  return selectors.map((selector) => {
    const found = node.querySelector(selector).getBoundingClientRect();
    return [Math.round(found.left - origin.left), Math.round(found.top - origin.top)];
  });
}, parts);

test('no text turns or moves what stands around it, and every message is kept to the byte', async ({ server, client, freelancer }) => {
  const room = await roomOfTheDemo(server);
  for (const page of [client, freelancer]) await jobLink(page, 'Active Candidacies').click();
  // Something in between begins a new group, so that each message has its own name and time.
  const part = async () => {
    await say(client, 'in between');
    await expect(messages(freelancer).last()).toHaveText('in between');
  };
  await part();
  await say(freelancer, 'a plain line');
  const row = client.locator('.message.theirs').last();
  await expect(row).toContainText('a plain line');
  const parts = ['.avatar', '.who bdi', '.who time'];
  const expected = await around(row, parts);
  for (const [what, text] of unusual) {
    await part();
    await say(freelancer, text);
    await expect(row.getByTestId('body')).toHaveText(text, { useInnerText: false });
    expect(await around(row, parts), what).toEqual(expected);
  }
  const { items } = await server.get('clara', `/v1/rooms/${room}/entries?limit=200`);
  const bodies = items.filter((entry) => entry.by === 'felix' && entry.kind === 'message.posted').map((entry) => entry.data.body);
  expect(bodies).toEqual(['Happy to talk about it.', 'a plain line', ...unusual.map(([, text]) => text)]);
  await act(freelancer, unusual[0][1], 'Delete');
  await freelancer.getByLabel('Reason', { exact: true }).fill(unusual[0][1]);
  await freelancer.getByRole('button', { name: 'Delete the message' }).click();
  await expect(client.getByTestId('deleted').locator('bdi')).toHaveText(unusual[0][1]);
});

/** What the server takes as a name or a title: nothing that cannot be seen or that turns text, in normal form C. */
const unseen = /[\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff]/;
const nameable = [...unusual, ['from right to left', 'ابن سينا'], ['the same with digits', 'דנה 45']]
  .filter(([, text]) => !unseen.test(text))
  .map(([what, text]) => [what, text.normalize('NFC')]);

test('no name and no title turns what stands beside it: the price stays on the right of the name, and reads the same', async ({ server, freelancer }) => {
  const terms = { kind: 'hourly', amount: 4500, currency: 'USD' };
  for (const [number, [, text]] of nameable.entries()) {
    await server.service('PUT', `/v1/users/odd-${number}`, { name: text });
    await server.service('PUT', `/v1/jobs/odd-${number}`, { client: `odd-${number}`, title: text });
    await server.service('POST', '/v1/invitations', { job: `odd-${number}`, freelancer: 'felix', message: text, terms });
  }
  const rows = section(freelancer, 'Invitations to Interview').getByRole('listitem');
  await expect(rows).toHaveCount(nameable.length + 1);
  const measured = await rows.evaluateAll((items) => items.map((item) => {
    const boxOf = (node) => { const range = document.createRange(); range.selectNodeContents(node); return range.getBoundingClientRect(); };
    const [who, price, date] = [...item.querySelectorAll('.row-facts > span')].map(boxOf);
    return { title: item.querySelector('.row-title').textContent, inOrder: who.right <= price.left && price.right <= date.left, width: Math.round(price.width) };
  }));
  const odd = measured.filter(({ title }) => nameable.some(([, text]) => text === title));
  expect(odd).toHaveLength(nameable.length);
  expect(odd.filter(({ inOrder }) => !inOrder)).toEqual([]);
  expect(new Set(odd.map(({ width }) => width)).size).toBe(1);
});

test('a name that wants to turn what follows turns only itself, in the lines of a room and above a message', async ({ server, freelancer }) => {
  for (const [number, [what, text]] of nameable.slice(0, 8).entries()) {
    const client = `turning-${number}`;
    await server.service('PUT', `/v1/users/${client}`, { name: text });
    await server.service('PUT', `/v1/jobs/${client}`, { client, title: `Job ${number}` });
    const { invitation } = await server.service('POST', '/v1/invitations', { job: client, freelancer: 'felix', message: 'Hello' });
    const { room } = await server.command('felix', `/v1/invitations/${invitation}/accept`, { message: 'Yes' });
    await server.command(client, `/v1/rooms/${room}/messages`, { body: 'Good' });
    await freelancer.goto(`${server.origin}/#/room/${room}`);
    await expect(messages(freelancer)).toHaveText(['Yes', 'Good']);
    const lines = freelancer.locator('[data-kind="invitation.sent"] .event-line, .theirs .who');
    await expect(lines).toHaveCount(2);
    expect(await lines.first().textContent()).toContain(`${text} invited to an interview.`);
    const isInOrder = await lines.evaluateAll((all) => all.map((line) => {
      const boxes = [...line.childNodes].filter((node) => node.textContent.trim()).map((node) => {
        const range = document.createRange();
        range.selectNodeContents(node);
        return range.getBoundingClientRect();
      });
      return boxes.length > 1 && boxes.every((box, index) => index === 0 || boxes[index - 1].right <= box.left + 1);
    }));
    expect(isInOrder, what).toEqual([true, true]);
  }
});
