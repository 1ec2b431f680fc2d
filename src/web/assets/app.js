// What lives here: the beginning of the page. Signing in, the one connection, the routes, and the frame around every view.
//
// The page is an ordinary client: it uses only what protocol/README.md describes. Its other modules:
//   wire.js      HTTP and the socket           store.js   what the page remembers
//   room.js      a room's log and its outbox   dom.js     elements and words
//   lists.js     the lists of both sides       cases.js   one invitation, proposal or job
//   roomview.js  the looks of a room           forms.js   forms that send a command

import { avatar, h, keepingFocus, name } from './dom.js';
import { invitationView, jobView, proposalView } from './cases.js';
import { candidaciesView, jobsView, waitingCounts } from './lists.js';
import { Outbox, RoomLog } from './room.js';
import { roomView } from './roomview.js';
import { Intentions, Lists, Seen, currentToken, drafts, forgetAll, signIn, signOut, takeToken, unsent } from './store.js';
import { Connection, Http, WireError } from './wire.js';

const BANNER_AFTER_MS = 1500;
const $ = (id) => document.getElementById(id);

// --- signing in -------------------------------------------------------------------------------------------------

function showSignIn(problem) {
  const field = h('input', { id: 'token', name: 'token', type: 'password', autocomplete: 'off', required: true });
  const form = h('form', { class: 'command', 'aria-label': 'Sign in' },
    h('div', { class: 'field' }, h('label', { for: 'token' }, 'Token'), field),
    h('p', { class: 'form-error', role: 'alert' }, problem ?? ''),
    h('div', { class: 'actions' }, h('button', { class: 'primary', type: 'submit' }, 'Sign in')));
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    signIn(field.value);
    location.reload();
  });
  $('main').replaceChildren(h('div', { class: 'page narrow sign-in' },
    h('h1', { tabindex: -1 }, 'Sign in'),
    h('p', {}, 'Rooms where clients and freelancers meet before there is a contract. Open the link you were given, or paste your token.'),
    form));
}

/** Back to the sign-in: `leave` says what is left behind in this tab. */
function leaveBy(leave) {
  leave();
  location.replace('/');
}

async function begin() {
  takeToken();
  window.addEventListener('hashchange', () => { if (takeToken()) location.reload(); });
  $('skip').addEventListener('click', () => $('main').focus());
  $('sign-out').addEventListener('click', () => leaveBy(forgetAll));
  if (!currentToken()) return showSignIn();
  const http = new Http(currentToken());
  try {
    return new App(http, await http.get('/v1/me')).start();
  } catch (error) {
    if (error.httpStatus !== 401 && error.httpStatus !== 403) return showProblem(error);
    signOut();
    return showSignIn(error.message);
  }
}

function showProblem(error) {
  if (!(error instanceof WireError)) throw error;
  $('main').replaceChildren(h('div', { class: 'page narrow' },
    h('h1', { tabindex: -1 }, 'Not connected'),
    h('p', { role: 'alert' }, error.message),
    h('button', { type: 'button', class: 'primary', on: { click: () => location.reload() } }, 'Try again')));
}

// --- rooms ------------------------------------------------------------------------------------------------------

/** The logs of rooms that were opened, and which of them the socket listens to. */
class Rooms {
  #http;
  #connection;
  #logs = new Map();
  #joined = new Set();

  constructor(http, connection) {
    this.#http = http;
    this.#connection = connection;
  }

  open(id) {
    if (!this.#logs.has(id)) this.#logs.set(id, new RoomLog(id, this.#http));
    return this.#logs.get(id);
  }

  join(log) {
    if (this.#joined.has(log.id)) return;
    this.#joined.add(log.id);
    this.#connection.join(log.id, () => log.cursor());
  }

  leave(log) {
    if (this.#joined.delete(log.id)) this.#connection.leave(log.id);
  }

  joined({ room, head, mode }) {
    if (mode === 'live') this.#logs.get(room)?.reach(head).catch(() => {});
  }

  frame(frame) {
    const log = this.#logs.get(frame.room);
    if (!log) return;
    if (frame.type === 'entry') log.receive(frame);
    if (frame.type === 'gap') log.reach(frame.to).catch(() => {});
    if (frame.type === 'reset') log.reset().catch(() => {});
  }
}

/** "#/room/a%2Fb" as ["room", "a/b"]. */
function routeOf(hash) {
  try {
    return hash.split('/').slice(1).map(decodeURIComponent);
  } catch {
    return []; // not an address of this page
  }
}

// --- the page ---------------------------------------------------------------------------------------------------

class App {
  #view = null;
  #inbox = {};
  #bannerTimer = 0;
  #baseline = false;
  #wasLive = false;

  constructor(http, me) {
    this.http = http;
    this.me = me;
    this.drafts = drafts(me.user);
    this.seen = new Seen(me.user);
    this.intentions = new Intentions();
    this.lists = new Lists(http, () => this.#listsChanged());
    this.connection = new Connection({
      url: `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/v1/ws`,
      token: currentToken(),
      handlers: { state: (state, why) => this.#connectionChanged(state, why), joined: (answer) => this.#joined(answer), frame: (frame) => this.#frame(frame) },
    });
    this.rooms = new Rooms(http, this.connection);
    this.outbox = new Outbox({
      send: (frame) => this.connection.command(frame),
      load: () => unsent.load(me.user),
      save: (items) => unsent.save(me.user, items),
    });
    this.outbox.onchange = () => this.#view?.redraw?.();
  }

  start() {
    $('me').replaceChildren(avatar({ ...this.me, id: this.me.user }), h('span', { class: 'me-name' }, name({ ...this.me, id: this.me.user })));
    $('tabs').hidden = $('account').hidden = false;
    this.#showStatus();
    this.connection.join('inbox', () => this.#inbox);
    this.connection.open();
    this.outbox.start();
    window.addEventListener('online', () => this.connection.wake());
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState !== 'visible') return;
      this.connection.wake();
      this.#view?.redraw?.();
    });
    window.addEventListener('hashchange', () => this.#show());
    this.lists.refresh().then(() => this.#landing());
    if (location.hash) this.#show();
  }

  /** An account that may not write is told so on every page, with the reason and the next step. */
  #showStatus() {
    const { status, status_reason: reason, status_next_step: nextStep } = this.me;
    $('standing').hidden = !status || status === 'active';
    $('standing').textContent = [`Your account is ${status}.`, reason, nextStep].filter(Boolean).join(' ');
  }

  // --- what views use

  go(hash) {
    if (location.hash === hash) this.#show();
    else location.hash = hash;
  }

  command(type, fields) {
    return this.intentions.run(type, fields, (frame) => this.connection.command(frame));
  }

  announce(text) {
    $('announcer').textContent = text;
  }

  refresh() {
    this.#view?.refresh();
    return this.lists.refresh();
  }

  /** A view learned what it shows: its title and its place in the navigation. */
  viewChanged(view) {
    if (view === this.#view) this.#drawFrame();
  }

  // --- routes

  /** Without an address, a person begins where something is going on. */
  #landing() {
    if (location.hash) return;
    const isClientOnly = this.lists.candidacies.length > 0 && this.lists.candidacies.every((candidacy) => candidacy.role === 'client');
    history.replaceState(null, '', isClientOnly ? '#/my/candidates' : '#/work/proposals');
    this.#show();
  }

  #show() {
    const [first, second] = routeOf(location.hash);
    const isFirst = !this.#view;
    this.#view?.close?.();
    this.#view = this.#viewFor(first, second);
    $('main').replaceChildren(this.#view.node);
    $('main').scrollTop = 0;
    this.#drawFrame();
    if (!isFirst && !this.#view.fills) $('main').querySelector('h1')?.focus({ preventScroll: true });
  }

  #viewFor(first, second) {
    if (first === 'room' && second) return roomView(this, second);
    if (first === 'invitation' && second) return invitationView(this, second);
    if (first === 'proposal' && second) return proposalView(this, second);
    if (first === 'job' && second) return jobView(this, second);
    if (second === 'jobs') return jobsView(this, first === 'my' ? 'my' : 'work');
    return candidaciesView(this, first === 'my' ? 'client' : 'freelancer');
  }

  // --- the frame around the views

  #drawFrame() {
    const view = this.#view;
    const counts = waitingCounts(this);
    const total = counts.work + counts.my;
    document.title = `${total ? `(${total}) ` : ''}${view.title} · Anteroom`;
    document.body.classList.toggle('in-room', Boolean(view.fills));
    for (const tab of $('tabs').children) {
      const { area } = tab.dataset;
      tab.toggleAttribute('data-current', area === view.area);
      tab.querySelector('.dot').hidden = counts[area] === 0;
    }
    keepingFocus($('subtabs'), () => this.#drawSubtabs(view));
  }

  #drawSubtabs(view) {
    const pages = view.area === 'my' ? [['#/my/candidates', 'Candidates'], ['#/my/jobs', 'Your jobs']] : [['#/work/proposals', 'Proposals'], ['#/work/jobs', 'Open jobs']];
    $('subtabs').hidden = false;
    $('subtabs').replaceChildren(...pages.map(([href, text]) => h('a', { href, 'aria-current': location.hash === href && 'page' }, text)));
  }

  #listsChanged() {
    if (this.lists.loaded && !this.#baseline) {
      this.#baseline = true;
      this.seen.startFrom(this.lists.candidacies);
    }
    if (!this.#view) return;
    this.#view.refresh();
    this.#drawFrame();
  }

  // --- the connection

  #connectionChanged(state, why) {
    const words = { live: 'Connected', connecting: 'Connecting', away: 'Reconnecting', stopped: 'Disconnected' };
    $('connection').dataset.state = state;
    $('connection').textContent = words[state];
    if (state === 'stopped') this.#showStopped(why);
    else if (state === 'live') this.#hideBanner();
    else this.#bannerTimer ||= setTimeout(() => this.#showAway(), BANNER_AFTER_MS);
    if (state === 'live') {
      this.#wasLive = true;
      this.lists.refresh();
    }
    this.#view?.redraw?.();
  }

  #showAway() {
    this.#showBanner(this.#wasLive ? 'The connection was lost. Reconnecting… What you write is kept and sent then.' : 'Connecting…');
  }

  #showBanner(text, ...actions) {
    $('banner').replaceChildren(h('p', {}, text), ...actions);
    $('banner').hidden = false;
  }

  #hideBanner() {
    clearTimeout(this.#bannerTimer);
    this.#bannerTimer = 0;
    $('banner').hidden = true;
    $('banner').replaceChildren();
  }

  #showStopped(why) {
    this.#hideBanner();
    this.#showBanner(`${why} This page does not reconnect by itself now.`,
      h('button', { type: 'button', class: 'plain', on: { click: () => location.reload() } }, 'Connect again'),
      h('button', { type: 'button', class: 'plain', on: { click: () => leaveBy(signOut) } }, 'Sign in again'));
  }

  #joined(answer) {
    if (answer.error) this.announce(answer.error.message);
    else if (answer.room === 'inbox') this.#inbox.after ??= answer.head;
    else this.rooms.joined(answer);
  }

  #frame(frame) {
    if (frame.room === 'inbox') this.#inboxFrame(frame);
    else if (frame.type === 'activity') this.lists.refresh();
    else this.rooms.frame(frame);
  }

  /** The inbox only says that something changed; the lists are what is shown. */
  #inboxFrame(frame) {
    if (frame.type === 'entry') this.#inbox = { after: frame.seq, hash: frame.hash };
    if (frame.type === 'gap') this.#inbox = { after: frame.to };
    if (frame.type === 'reset') this.#inbox = {};
    this.lists.refresh();
  }
}

begin();
