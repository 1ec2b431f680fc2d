// Push notifications in a real browser, without the vendor's push service: the page's `subscribe` is answered with a subscription of ours, what the
// server sends there is decrypted by code of another author, and that very message is delivered to the real service worker by the browser's own tools.

import { createECDH, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import ece from 'http_ece';
import { expect, roomOfTheDemo, section, test } from './fixtures.js';

test.use({ settings: { ANTEROOM_POLICY__PUSH_DELAY_SECONDS: '1' } });

/** A push service of our own, with one browser behind it. */
class PushService {
  taken = [];
  #keys = createECDH('prime256v1');
  #auth = randomBytes(16);
  #server = createServer((request, response) => {
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      this.taken.push({ headers: request.headers, body: Buffer.concat(chunks) });
      response.writeHead(201).end();
    });
  });

  static async start() {
    const service = new PushService();
    service.#keys.generateKeys();
    await new Promise((done) => service.#server.listen(0, '127.0.0.1', done));
    return service;
  }

  get subscription() {
    const { port } = this.#server.address();
    return {
      endpoint: `http://127.0.0.1:${port}/send/1`,
      keys: { p256dh: this.#keys.getPublicKey('base64url'), auth: this.#auth.toString('base64url') },
    };
  }

  /** The next push behind so many, as a browser would decrypt it (RFC 8291). */
  async next(after = 0) {
    await expect.poll(() => this.taken.length, { timeout: 15_000 }).toBeGreaterThan(after);
    const { body } = this.taken[after];
    return ece.decrypt(body, { version: 'aes128gcm', privateKey: this.#keys, authSecret: this.#auth.toString('base64url') }).toString();
  }

  stop() {
    this.#server.closeAllConnections();
    return new Promise((done) => this.#server.close(done));
  }
}

const pushService = test.extend({
  service: async ({}, use) => {
    const service = await PushService.start();
    await use(service);
    await service.stop();
  },
});

/** The vendor's push service cannot be reached: the browser is given a subscription of ours, and remembers it. */
const subscribesAt = (service) => (page) => page.addInitScript((given) => {
  const subscription = { ...given, options: {}, toJSON: () => given, unsubscribe: async () => { localStorage.removeItem('subscribed'); return true; } };
  PushManager.prototype.subscribe = async function subscribe({ applicationServerKey }) {
    localStorage.setItem('subscribed', applicationServerKey.byteLength);
    return subscription;
  };
  PushManager.prototype.getSubscription = async () => (localStorage.getItem('subscribed') ? subscription : null);
}, service.subscription);

/** The page with notifications on. */
async function turnOn(page) {
  await page.goto(`${new URL(page.url()).origin}/#/notices`);
  await section(page, 'Notifications').getByRole('button', { name: 'Notify me in this browser' }).click();
  await expect(section(page, 'Notifications').getByRole('button', { name: 'Notify me here no more' })).toBeVisible();
}

/** Delivers a push to the service worker of a page, until it is shown: a browser that is busy starting the worker may let it pass. */
async function deliver(page, data) {
  const tools = await page.context().newCDPSession(page);
  const registration = new Promise((done) => {
    tools.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => registrations.length && done(registrations[0].registrationId));
  });
  await tools.send('ServiceWorker.enable');
  const { origin } = new URL(page.url());
  const registrationId = await registration;
  await expect.poll(async () => {
    await tools.send('ServiceWorker.deliverPushMessage', { origin, registrationId, data });
    await page.waitForTimeout(300);
    return (await shown(page)).length;
  }).toBe(1);
  await tools.detach();
}

const shown = (page) => page.evaluate(async () => {
  const registration = await navigator.serviceWorker.ready;
  return (await registration.getNotifications()).map(({ title, body, tag, data, actions }) => ({ title, body, tag, data, actions: actions.map(({ action }) => action) }));
});

/** A click on the notification, as the browser tells the service worker of it. */
async function click(page, action = '') {
  const [worker] = page.context().serviceWorkers();
  await worker.evaluate(async (chosen) => {
    const [notification] = await self.registration.getNotifications();
    self.dispatchEvent(new NotificationEvent('notificationclick', { notification, action: chosen }));
  }, action);
}

const allowed = { permissions: ['notifications'] };

pushService('an invitation that is pushed is shown by the service worker, and its answers lead to where it is answered', async ({ server, visit, service }) => {
  const page = await visit(server.links.freelancer, { ...allowed, prepare: subscribesAt(service) });
  await turnOn(page);
  // Nobody is there any more: the page is closed but for its service worker, as far as the server can tell.
  await page.goto('about:blank');
  await server.service('PUT', '/v1/jobs/second', { client: 'clara', title: 'A second job' });
  await server.command('clara', '/v1/invitations', { job: 'second', freelancer: 'felix', message: 'One more?' });
  const message = await service.next();
  const { notification } = JSON.parse(message);
  expect(service.taken[0].headers).toMatchObject({ 'content-encoding': 'aes128gcm', urgency: 'high' });
  expect(message).not.toContain('One more?');

  await page.goto(server.links.freelancer);
  await expect(page.getByTestId('connection')).toHaveText('Connected');
  await deliver(page, message);
  const [{ title, tag, actions }] = await shown(page);
  expect({ title, tag }).toEqual({ title: 'You have a new invitation', tag: notification.tag });
  expect(actions).toEqual(['accept', 'decline'].slice(0, actions.length));
  await deliver(page, message);

  await click(page, 'decline');
  await expect(page.getByRole('heading', { level: 1, name: 'A second job' })).toBeVisible();
  await expect(page.getByRole('form', { name: 'Decline the invitation' })).toBeVisible();
  await expect.poll(() => shown(page)).toHaveLength(0);
});

pushService('a message that is pushed opens its room, three of them are one notification, and a muted room is silent', async ({ server, visit, service }) => {
  const room = await roomOfTheDemo(server);
  const page = await visit(server.links.freelancer, { ...allowed, prepare: subscribesAt(service) });
  await turnOn(page);
  // What stands unread in the room by now may be pushed first.
  await page.waitForTimeout(3_000);
  const before = service.taken.length;
  for (const body of ['Hello?', 'Are you there?', 'Call me.']) await server.command('clara', `/v1/rooms/${room}/messages`, { body });
  const message = await service.next(before);
  await page.waitForTimeout(3_000);
  expect(service.taken.length).toBe(before + 1);
  expect(message).not.toContain('Call me');
  await deliver(page, message);
  expect((await shown(page))[0].title).toMatch(/new messages$/);
  await click(page);
  await expect(page).toHaveURL(new RegExp(`#/room/${room}$`));
  await expect(page.getByTestId('body').last()).toHaveText('Call me.');

  const mute = page.getByRole('checkbox', { name: 'Notify me of this room' });
  await expect(mute).toBeChecked();
  await mute.uncheck();
  await expect.poll(async () => (await server.get('felix', '/v1/push')).muted_rooms).toEqual([room]);
  await page.goto('about:blank');
  await server.command('clara', `/v1/rooms/${room}/messages`, { body: 'Still there?' });
  await new Promise((done) => { setTimeout(done, 4_000); });
  expect(service.taken.length).toBe(before + 1);
});

pushService('notifications are asked for by a click alone, survive a reload, and can be turned off', async ({ server, visit, service }) => {
  const page = await visit(server.links.freelancer, { ...allowed, prepare: subscribesAt(service) });
  await expect.poll(async () => (await server.get('felix', '/v1/push')).subscriptions).toBe(0);
  expect(await page.evaluate(async () => (await navigator.serviceWorker.getRegistrations()).length)).toBe(0);
  await turnOn(page);
  expect((await server.get('felix', '/v1/push')).subscriptions).toBe(1);
  await page.reload();
  const part = section(page, 'Notifications');
  await expect(part.getByRole('button', { name: 'Notify me here no more' })).toBeVisible();
  await part.getByRole('checkbox', { name: 'Messages' }).uncheck();
  await expect.poll(async () => (await server.get('felix', '/v1/push')).muted_kinds).toEqual(['messages']);
  await part.getByRole('button', { name: 'Notify me here no more' }).click();
  await expect(part.getByRole('button', { name: 'Notify me in this browser' })).toBeVisible();
  expect((await server.get('felix', '/v1/push')).subscriptions).toBe(0);
});
