// What lives here: a server for each test, people who each have a browser of their own, and what people do again and again.

import { test as base, expect } from '@playwright/test';
import { Server } from './server.js';

export { expect };

export const DEMO_JOB = 'Landing page for a bicycle workshop';

export const test = base.extend({
  /** Settings of the server, as environment. */
  settings: [{}, { option: true }],

  server: async ({ settings }, use, testInfo) => {
    const server = await Server.start(settings);
    await use(server);
    await server.stop();
    if (testInfo.status !== testInfo.expectedStatus) await testInfo.attach('server log', { body: server.log.join('\n'), contentType: 'text/plain' });
  },

  /** Opens a browser of its own for a sign-in link. After the test, none of them may have seen an error or a blocked script. */
  visit: async ({ browser }, use) => {
    const contexts = [];
    const complaints = [];
    await use(async (link, { prepare = () => {}, ...options } = {}) => {
      const context = await browser.newContext(options);
      contexts.push(context);
      await context.addInitScript(() => {
        document.addEventListener('securitypolicyviolation', (event) => console.error(`CSP violation: ${event.violatedDirective} ${event.blockedURI}`));
      });
      const page = await context.newPage();
      page.on('pageerror', (error) => complaints.push(error.stack ?? error.message));
      page.on('console', (message) => { if (/CSP violation|Content Security Policy/.test(message.text())) complaints.push(message.text()); });
      await prepare(page);
      await page.goto(link);
      await expect(page.getByTestId('connection')).toHaveText('Connected');
      return page;
    });
    await Promise.all(contexts.map((context) => context.close()));
    expect(complaints, 'script errors and policy violations').toEqual([]);
  },

  client: async ({ server, visit }, use) => use(await visit(server.links.client)),
  freelancer: async ({ server, visit }, use) => use(await visit(server.links.freelancer)),
});

export const section = (page, name) => page.getByRole('region', { name, exact: true });
export const composer = (page) => page.getByRole('textbox', { name: 'Message', exact: true });
export const messages = (page) => page.getByTestId('body');
export const events = (page, kind) => page.locator(`[data-testid=event][data-kind="${kind}"]`);
export const jobLink = (page, sectionName, title = DEMO_JOB) => section(page, sectionName).getByRole('link', { name: title });

export async function openInvitation(page, title = DEMO_JOB) {
  await jobLink(page, 'Invitations to Interview', title).click();
  await expect(page.getByRole('heading', { level: 1, name: title })).toBeVisible();
}

export async function accept(page, message) {
  await page.getByRole('button', { name: 'Accept', exact: true }).click();
  await page.getByLabel('Message to the client').fill(message);
  await page.getByRole('button', { name: 'Accept and send' }).click();
  await expect(messages(page)).toHaveText([message]);
}

/** Writes a message and sends it with the Enter key. */
export async function say(page, text) {
  await composer(page).fill(text);
  await composer(page).press('Enter');
}

export const message = (page, text) => page.getByTestId('message').filter({ hasText: text });
export const typing = (page) => page.getByTestId('typing');

/** Opens what can be done with a message and chooses one thing. */
export async function act(page, text, action) {
  await message(page, text).hover();
  await message(page, text).getByRole('button', { name: 'Actions for this message' }).click();
  await message(page, text).getByRole('button', { name: action, exact: true }).click();
}

/** As if the person had turned to another window, or had come back. */
export const setVisible = (page, visible) => page.evaluate((state) => {
  Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => state });
  document.dispatchEvent(new Event('visibilitychange'));
}, visible ? 'visible' : 'hidden');

/** The one room of the demo, made by the freelancer's own client; answers its id. */
export async function roomOfTheDemo(server) {
  const [{ id }] = (await server.get('felix', '/v1/invitations')).items;
  const { room } = await server.command('felix', `/v1/invitations/${id}/accept`, { message: 'Happy to talk about it.' });
  return room;
}

/** A network line of one page that a test can cut and mend. */
export function cuttableLine() {
  const sockets = new Set();
  const opened = [];
  let isCut = false;
  return {
    opened, // when each socket was opened, in milliseconds
    prepare: (page) => page.routeWebSocket('**/v1/ws', (socket) => {
      opened.push(Date.now());
      if (isCut) return socket.close({ code: 1013 });
      sockets.add(socket);
      return socket.connectToServer();
    }),
    /** Closes every socket. Until the line is mended, no other one comes through. */
    cut: (code = 1012) => {
      isCut = true;
      for (const socket of sockets) socket.close({ code });
      sockets.clear();
    },
    mend: () => { isCut = false; },
  };
}

/** Measures in the page how long after the connection was lost the banner came, in milliseconds. */
export async function watchBanner(page) {
  const times = await page.evaluateHandle(() => {
    const seen = {};
    new MutationObserver(() => {
      if (document.querySelector('#connection').dataset.state !== 'live') seen.lost ??= performance.now();
      if (!document.querySelector('#banner').hidden) seen.banner ??= performance.now();
    }).observe(document.body, { subtree: true, attributes: true, childList: true });
    return seen;
  });
  return () => times.evaluate(({ lost, banner: shown }) => (shown === undefined ? Infinity : shown - lost));
}

/** Both people in the room of the demo invitation, after it was accepted with one message. */
export async function meetInRoom(client, freelancer) {
  await openInvitation(freelancer);
  await accept(freelancer, 'Happy to talk about it.');
  await jobLink(client, 'Active Candidacies').click();
  await expect(messages(client)).toHaveText(['Happy to talk about it.']);
}

export const horizontalOverflow = (page) => page.evaluate(() => {
  const parts = [document.documentElement, document.body, ...document.querySelectorAll('main, .log')];
  return Math.max(...parts.map((part) => part.scrollWidth - part.clientWidth));
});

// --- negotiating --------------------------------------------------------------------------------------------------

/** The sheet that is open over the page. */
export const sheet = (page) => page.getByRole('dialog');
export const seal = (page) => page.getByTestId('seal');

/** Opens the sheet for terms, fills in what differs, and sends it. */
export async function propose(page, fill) {
  await page.getByRole('button', { name: /^Propose (other )?terms$/ }).click();
  await fill(sheet(page));
  await sheet(page).getByRole('button', { name: 'Send these terms' }).click();
  await expect(sheet(page)).toHaveCount(0);
}

/** The one room of the demo up to a standing offer, by other clients than the page; answers the ids and the offered version. */
export async function offerInTheDemo(server) {
  const room = await roomOfTheDemo(server);
  const { candidacy } = await server.get('clara', `/v1/rooms/${room}`);
  const { terms } = await server.get('clara', `/v1/candidacies/${candidacy}`);
  const { offer } = await server.command('clara', `/v1/candidacies/${candidacy}/offers`, { version: terms.version, hash: terms.hash });
  return { room, candidacy, offer, terms };
}
