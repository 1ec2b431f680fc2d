// What lives here: a server for each test, people who each have a browser of their own, and what people do again and again.

import { test as base, expect } from '@playwright/test';
import { Server } from './server.js';

export { expect };

export const DEMO_JOB = 'Landing page for a bicycle workshop';

export const test = base.extend({
  server: async ({}, use, testInfo) => {
    const server = await Server.start();
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
