// What lives here: push notifications in this browser. Asked for by a click, never by itself; and told to the server again whenever the page is
// opened, because a browser may have got another subscription meanwhile.

import { h } from './dom.js';

const WORKER = '/sw.js';
const KINDS = { invitations: 'New invitations', messages: 'Messages', terms: 'Terms', offers: 'Offers' };

/** The page makes no other text into a script than the address of its own service worker. */
const policy = globalThis.trustedTypes?.createPolicy('anteroom', {
  createScriptURL: (url) => {
    if (url !== WORKER) throw new TypeError(`${url} is not the service worker`);
    return url;
  },
});

const isPossible = () => 'serviceWorker' in navigator && 'PushManager' in window && 'Notification' in window;

function bytesOf(base64) {
  const text = atob(base64.replaceAll('-', '+').replaceAll('_', '/'));
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

const sameBytes = (one, other) => one && one.byteLength === other.byteLength && new Uint8Array(one).every((byte, at) => byte === other[at]);

export class Pushing {
  #http;
  #subscription = null;

  /** What the server says: `muted_kinds`, `muted_rooms`; null until it is known. */
  view = null;
  problem = '';
  onchange = () => {};

  constructor(http, go) {
    this.#http = http;
    if (!isPossible()) return;
    navigator.serviceWorker.addEventListener('message', ({ data }) => {
      if (data?.type === 'go') go(data.hash);
      if (data?.type === 'subscription') this.begin(data.before).catch(() => {});
    });
  }

  get isPossible() {
    return isPossible();
  }

  get isDenied() {
    return isPossible() && Notification.permission === 'denied';
  }

  get isOn() {
    return Boolean(this.#subscription);
  }

  isMuted(room) {
    return Boolean(this.view?.muted_rooms.includes(room));
  }

  /** Finds out how things stand. What this browser was subscribed with before is told again, and so is what took its place. */
  async begin(before) {
    await this.#take(this.#http.get('/v1/push'));
    if (isPossible() && Notification.permission === 'granted') {
      const registration = await navigator.serviceWorker.getRegistration('/');
      const subscription = await registration?.pushManager.getSubscription();
      if (subscription) await this.#tell(subscription, before);
    }
  }

  /** By a click: asks for leave, and subscribes. */
  async turnOn() {
    await this.#trying(async () => {
      if (await Notification.requestPermission() !== 'granted') throw new Error('Your browser does not allow notifications of this page.');
      await navigator.serviceWorker.register(policy ? policy.createScriptURL(WORKER) : WORKER);
      const registration = await navigator.serviceWorker.ready;
      const applicationServerKey = bytesOf(this.view.key);
      const had = await registration.pushManager.getSubscription();
      // One that was made for another server's key can be pushed to by that one alone.
      if (had && !sameBytes(had.options?.applicationServerKey, applicationServerKey)) await had.unsubscribe();
      await this.#tell(await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey }));
    });
  }

  async turnOff() {
    await this.#trying(async () => {
      const { endpoint } = this.#subscription;
      await this.#subscription.unsubscribe();
      this.#subscription = null;
      await this.#take(this.#http.post('/v1/push/unsubscribe', { endpoint }));
    });
  }

  /** `what`: `{ kind }` or `{ room }`. */
  async mute(what, muted) {
    await this.#trying(() => this.#take(this.#http.post('/v1/push/mute', { ...what, muted })));
  }

  async #tell(subscription, before) {
    const { endpoint, keys } = subscription.toJSON();
    await this.#take(this.#http.post('/v1/push/subscribe', { endpoint, keys, ...(before && { instead_of: before }) }));
    this.#subscription = subscription;
    this.onchange();
  }

  async #take(asked) {
    this.view = await asked;
    this.onchange();
  }

  async #trying(work) {
    this.problem = '';
    try {
      await work();
    } catch (error) {
      this.problem = error.message;
    }
    this.onchange();
  }
}

/** What somebody says of notifications, on the page of notices. */
export function pushingPart(ctx) {
  const { pushing } = ctx;
  const section = (...children) => h('section', { class: 'card', 'aria-label': 'Notifications', 'data-testid': 'pushing' }, h('h2', {}, 'Notifications'), children);
  if (!pushing.isPossible) return section(h('p', { class: 'note' }, 'This browser shows no notifications of pages. On a telephone, add this page to the home screen first.'));
  if (!pushing.view) return section(h('p', { class: 'note' }, 'Loading…'));
  const button = (id, label, tone, work) => h('button', { type: 'button', id, class: tone, on: { click: work } }, label);
  return section(
    h('p', {}, pushing.isOn ? 'This browser tells you of what is new while this page is closed.' : 'Let this browser tell you of new invitations and messages while this page is closed.'),
    pushing.isDenied && h('p', { class: 'hint' }, 'Your browser does not allow notifications of this page. You can change that in its settings.'),
    h('div', { class: 'actions' }, pushing.isOn
      ? button('push-off', 'Notify me here no more', 'plain', () => pushing.turnOff())
      : button('push-on', 'Notify me in this browser', 'primary', () => pushing.turnOn())),
    h('p', { class: 'form-error', role: 'alert' }, pushing.problem),
    h('fieldset', { class: 'choices-set' }, h('legend', {}, 'What you are notified of, in every browser'),
      Object.entries(KINDS).map(([kind, label]) => muteBox(pushing, { kind }, label, pushing.view.muted_kinds.includes(kind)))));
}

/** Whether one is notified of a room, beside its other facts. */
export const roomMuteKey = (ctx, room) => [Boolean(ctx.pushing.view), ctx.pushing.isMuted(room)];

export function roomMutePart(ctx, room) {
  const { pushing } = ctx;
  if (!pushing.isPossible || !pushing.view) return null;
  return h('section', { 'aria-label': 'Notifications' }, h('h2', {}, 'Notifications'), muteBox(pushing, { room }, 'Notify me of this room', pushing.isMuted(room)));
}

function muteBox(pushing, what, label, isMuted) {
  const id = `notify-${what.kind ?? what.room}`;
  const box = h('input', { type: 'checkbox', id, checked: !isMuted, on: { change: () => pushing.mute(what, !box.checked) } });
  return h('label', { class: 'choice', for: id }, box, h('span', {}, label));
}
