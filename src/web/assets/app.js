// What lives here: the beginning of the page. The one connection, the routes, and the frame around every view.
//
// The page is an ordinary client: it uses only what protocol/README.md describes. Its other modules:
//   the server     http.js  connection.js  refusals.js
//   what is known  store.js  rooms.js  log.js  people.js  unread.js  outbox.js  rows.js  reading.js
//   views          lists.js  cases.js  ledger.js  roomview.js (roomframe.js  message.js  events.js  composer.js  facts.js  seal.js)  inbox.js  search.js  signin.js
//   negotiating    terms.js  termsform.js  proposing.js  negotiation.js  offers.js
//   pieces         dom.js  forms.js  guard.js  profile.js  dialog.js  money.js  banner.js  account.js
//   notifications  push.js, and sw.js: the service worker, which is no module of the page

import { accountLines, isActive } from './account.js';
import { Banner } from './banner.js';
import { inboxView } from './inbox.js';
import { avatar, h, keepingFocus, name } from './dom.js';
import { invitationView, jobView, proposalView } from './cases.js';
import { Connection, signInProblem } from './connection.js';
import { Http, WireError } from './http.js';
import { ledgerView } from './ledger.js';
import { candidaciesView, jobsView, waitingCounts } from './lists.js';
import { EntryLog } from './log.js';
import { Outbox } from './outbox.js';
import { Profiles, openProfile } from './profile.js';
import { Pushing } from './push.js';
import { Rooms } from './rooms.js';
import { roomView } from './roomview.js';
import { searchView } from './search.js';
import { showProblem, showSignIn } from './signin.js';
import { Intentions, Lists, currentToken, drafts, forgetAll, signOut, takeToken, unsent } from './store.js';
import { Unread } from './unread.js';

const $ = (id) => document.getElementById(id);

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
  if (!currentToken()) return showSignIn($('main'));
  const http = new Http(currentToken());
  try {
    return new App(http, await http.get('/v1/me')).start();
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    if (error.httpStatus !== 401 && error.httpStatus !== 403) return showProblem($('main'), error.message);
    signOut();
    return showSignIn($('main'), signInProblem(error));
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

class App {
  #view = null;
  #area = 'work';

  constructor(http, me) {
    this.http = http;
    this.me = me;
    this.account = me;
    this.drafts = drafts(me.user);
    this.intentions = new Intentions();
    this.lists = new Lists(http, () => this.#listsChanged());
    this.unread = new Unread(http, () => this.#unreadChanged());
    this.profiles = new Profiles(http);
    this.pushing = new Pushing(http, (hash) => this.go(hash));
    // Views that show nothing of it are left alone: whoever is at work in them keeps their place.
    this.pushing.onchange = () => this.#view?.pushingChanged?.();
    this.inbox = new EntryLog('inbox', http);
    this.inbox.onlive = (entry) => this.#noticed(entry);
    this.banner = new Banner($('connection'), $('banner'), () => leaveBy(signOut));
    this.connection = new Connection({
      url: `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/v1/ws`,
      token: currentToken(),
      handlers: {
        state: (state, why) => this.#connectionChanged(state, why),
        welcome: (frame) => this.#welcome(frame),
        joined: (answer) => this.#joined(answer),
        frame: (frame) => this.#frame(frame),
        changesAfter: () => this.unread.cursor,
        heads: () => this.rooms.heads(),
      },
    });
    this.rooms = new Rooms(http, this.connection, () => this.#grown());
    this.outbox = new Outbox({
      send: (frame) => this.connection.command(frame),
      load: () => unsent.load(me.user),
      save: (items) => unsent.save(me.user, items),
    });
    this.outbox.onchange = () => this.#view?.redraw?.();
  }

  start() {
    const person = { ...this.me, id: this.me.user };
    const open = () => openProfile(this, person);
    $('me').replaceChildren(h('button', { type: 'button', id: 'own-profile', class: 'quiet', title: 'Your profile', 'aria-haspopup': 'dialog', on: { click: open } },
      avatar(person), h('span', { class: 'me-name' }, name(person))));
    $('tabs').hidden = $('account').hidden = false;
    this.#accountChanged(this.me);
    this.inbox.load().catch(() => {}).then(() => this.connection.join('inbox', () => this.inbox.cursor()));
    this.connection.open();
    this.outbox.start();
    this.pushing.begin().catch(() => {});
    window.addEventListener('online', () => this.connection.wake());
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState !== 'visible') return;
      this.connection.wake();
      this.unread.renew();
      this.#view?.redraw?.();
    });
    window.addEventListener('hashchange', () => this.#show());
    this.lists.refresh().then(() => this.#landing());
    if (location.hash) this.#show();
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
    const isFirst = !this.#view;
    this.#view?.close?.();
    this.#view = this.#viewFor(routeOf(location.hash));
    $('main').replaceChildren(this.#view.node);
    $('main').scrollTop = 0;
    this.#drawFrame();
    if (this.#view.focus) this.#view.focus();
    else if (!isFirst && !this.#view.fills) $('main').querySelector('h1')?.focus({ preventScroll: true });
  }

  #viewFor([first, second, third]) {
    if (first === 'room' && second) return roomView(this, second, third);
    if (first === 'invitation' && second) return invitationView(this, second, third);
    if (first === 'proposal' && second) return proposalView(this, second);
    if (first === 'job' && second) return jobView(this, second);
    if (first === 'search') return searchView(this, second ?? '', third ?? '', this.#area);
    if (first === 'ledger') return ledgerView(this, this.#area);
    if (first === 'notices') return inboxView(this, this.#area);
    if (second === 'jobs') return jobsView(this, first === 'my' ? 'my' : 'work');
    return candidaciesView(this, first === 'my' ? 'client' : 'freelancer');
  }

  // --- the frame around the views

  #drawFrame() {
    const view = this.#view;
    this.#area = view.area;
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
    const notices = this.unread.of('inbox');
    const pages = [
      ...(view.area === 'my' ? [['#/my/candidates', 'Candidates'], ['#/my/jobs', 'Your jobs']] : [['#/work/proposals', 'Proposals'], ['#/work/jobs', 'Open jobs']]),
      ['#/notices', notices ? `Notices (${notices})` : 'Notices'],
      ['#/search', 'Search'],
    ];
    $('subtabs').hidden = false;
    $('subtabs').replaceChildren(...pages.map(([href, text]) => h('a', { href, 'aria-current': (location.hash === href || location.hash.startsWith(`${href}/`)) && 'page' }, text)));
  }

  #listsChanged() {
    if (!this.#view) return;
    this.#view.refresh();
    this.#drawFrame();
  }

  #unreadChanged() {
    if (!this.#view) return;
    this.#view.recount?.();
    this.#drawFrame();
  }

  /** An account that may not write is told so on every page. */
  #accountChanged(account) {
    this.account = account;
    $('standing').hidden = isActive(account);
    $('standing').replaceChildren(...accountLines(account));
    this.#view?.redraw?.();
  }

  // --- the connection

  #connectionChanged(state, why) {
    this.banner.changed(state, why, this.connection.isPlanned);
    if (state === 'away' || state === 'stopped') this.rooms.unseen();
    if (state === 'live') this.lists.refresh();
    this.#view?.redraw?.();
  }

  #welcome(frame) {
    if (frame.account) this.#accountChanged(frame.account);
    this.unread.welcome(frame);
  }

  #joined(answer) {
    if (answer.error) this.announce(answer.error.message);
    else if (answer.mode === 'live') (answer.room === 'inbox' ? this.inbox : this.rooms.logOf(answer.room))?.reach(answer.head).catch(() => {});
  }

  #frame(frame) {
    if (frame.type === 'account') this.#accountChanged(frame);
    else if (frame.type === 'reset' && !frame.room) this.#reset();
    else if (frame.type === 'activity') this.#grown();
    else if (frame.room === 'inbox') this.#inboxFrame(frame);
    else this.rooms.frame(frame);
    if (frame.type === 'receipt' && frame.user === this.me.user) this.unread.moved(frame).catch(() => {});
  }

  /** A room that is not shown has got something new. */
  #grown() {
    this.unread.refresh();
    this.lists.refresh();
  }

  /** The server's database is another one than the page has read: nothing that is held counts any more. */
  #reset() {
    this.unread.reset();
    this.rooms.reset();
    this.profiles.reset();
    this.inbox.reset().catch(() => {});
    this.refresh();
  }

  #inboxFrame(frame) {
    if (frame.type === 'entry') this.inbox.receive(frame);
    if (frame.type === 'gap') this.inbox.reach(frame.to).catch(() => {});
    if (frame.type === 'reset') this.inbox.reset().catch(() => {});
    if (frame.type !== 'receipt') this.#grown();
  }

  /** The lists tell of invitations and candidacies by themselves; nothing else tells of the account. */
  #noticed(entry) {
    if (entry.kind === 'responsiveness.changed') this.profiles.forget(this.me.user);
    if (entry.kind === 'account.changed') this.announce(accountLines(entry.data).map((line) => line.textContent).join(' '));
  }
}

begin();
