// What lives here: the looks of a room. The conversation, how far it was read, and the facts beside it.

import { accountLines, isActive } from './account.js';
import { composer, takeBack } from './composer.js';
import { avatar, dayOf, h, keepingFocus, name, phaseChip, plain, rove } from './dom.js';
import { eventNode, spoken } from './events.js';
import { drawFacts } from './facts.js';
import { roomRail, waitsFor } from './lists.js';
import { messageNode, outgoingLine } from './message.js';
import { personButton } from './profile.js';
import { Reading } from './reading.js';
import { skeleton } from './roomframe.js';
import { WRITABLE, rowsOf } from './rows.js';
import { drawSeal } from './seal.js';

const NEAR_PX = 60;
const LOOK_EVERY_MS = 30_000; // whether a message can still be edited
const SOON_MS = 50; // one commit may bring several entries

/** Why nobody may write any more. */
const END_WORDS = {
  declined: 'the candidacy is declined', withdrawn: 'the candidacy is withdrawn', expired: 'the candidacy has expired', closed: 'the job was filled or closed',
};

/** A room; with `seq` at that entry, otherwise at its end. */
export function roomView(ctx, id, seq) {
  return new RoomView(ctx, id, Number(seq) || undefined);
}

class RoomView {
  title = 'Room';
  area = 'work';
  fills = true;
  #ctx;
  #id;
  #log;
  #people;
  #room = null;
  #candidacy = null;
  #contract = null;
  #wanted; // the entry to begin at
  #reading;
  #act = null; // {seq, mode}: the message something is open at
  #unseen = 0;
  #sticky; // the newest entry stays in sight
  #firstSeq;
  #turn = 0;
  #parts;
  #rowNodes = new Map();
  #resized;
  #roved;
  #look;
  #soon = 0;
  #closed = false;

  constructor(ctx, id, seq) {
    this.#ctx = ctx;
    this.#id = id;
    this.#wanted = seq;
    this.#sticky = !seq;
    this.#reading = new Reading(ctx, id);
    this.#parts = skeleton({
      older: () => this.#older(),
      scroll: () => this.#scrolled(),
      jump: () => { this.#toBottom(); this.#markRead(); },
    });
    this.node = this.#parts.node;
    this.#roved = rove(this.#parts.list, '.acts');
    this.#resized = new ResizeObserver(() => this.#sticky && this.#toBottom());
    this.#resized.observe(this.#parts.log);
    this.#look = setInterval(() => this.redraw(), LOOK_EVERY_MS);
    const { log, people } = ctx.rooms.open(id);
    this.#log = log;
    this.#people = people;
    log.onchange = () => this.#draw();
    log.onlive = (entry) => this.#arrived(entry);
    people.onchange = () => this.#peopleChanged();
    this.refresh();
  }

  /** Fetches what may have changed around the log; the log itself keeps up by socket. */
  async refresh() {
    this.#turn += 1;
    const turn = this.#turn;
    try {
      const room = await this.#ctx.http.get(`/v1/rooms/${encodeURIComponent(this.#id)}`);
      const candidacy = await this.#ctx.http.get(`/v1/candidacies/${encodeURIComponent(room.candidacy)}`);
      const contract = candidacy.contract && await this.#ctx.http.get(`/v1/contracts/${encodeURIComponent(candidacy.contract)}`);
      if (this.#closed || turn !== this.#turn) return;
      if (!this.#room) this.#reading.begin(room);
      this.#room = room;
      this.#candidacy = candidacy;
      this.#contract = contract;
      for (const member of room.members) this.#people.reached(member);
      if (!this.#log.loaded) await this.#log.load();
      if (this.#closed) return;
      this.#ctx.rooms.join(this.#id);
      this.#drawAround();
      this.#draw();
      if (this.#wanted) await this.#find();
    } catch (error) {
      if (!this.#closed && !this.#log.loaded) this.#parts.title.replaceChildren(h('p', { class: 'note' }, error.message));
    }
  }

  /** Whether one is notified of this room stands among its facts. */
  pushingChanged() {
    this.redraw();
  }

  /** The outbox, the connection or the account changed: what is around the log stays. */
  redraw() {
    if (!this.#log.loaded || !this.#room) return;
    this.#draw();
    this.#drawPeople();
    this.#drawFacts();
    this.#drawComposer();
  }

  close() {
    this.#closed = true;
    clearTimeout(this.#soon);
    clearInterval(this.#look);
    this.#resized.disconnect();
    this.#log.onchange = this.#log.onlive = this.#people.onchange = () => {};
    this.#ctx.rooms.close(this.#id);
  }

  // --- the conversation

  #draw() {
    if (this.#closed || !this.#room) return;
    const { log, older } = this.#parts;
    const { entries } = this.#log;
    const fromBottom = log.scrollHeight - log.scrollTop;
    const prepended = entries[0]?.seq < this.#firstSeq;
    this.#firstSeq = entries[0]?.seq;
    const others = this.#others();
    const rows = rowsOf({
      entries, outgoing: this.#ctx.outbox.of(this.#id), me: this.#ctx.me.user, unreadAfter: this.#reading.newAfter, now: this.#ctx.connection.now(),
      reachOf: (seq) => this.#people.reachOf(seq, others), rights: this.#rights(),
    });
    this.#ctx.outbox.settle(this.#id, this.#log.last);
    keepingFocus(this.#parts.list, () => this.#place(rows));
    this.#roved();
    older.hidden = !this.#log.hasOlder;
    if (this.#sticky) this.#toBottom();
    else if (prepended) log.scrollTop = log.scrollHeight - fromBottom;
    this.#markRead();
  }

  #others() {
    return this.#room.members.map((member) => member.user).filter((user) => user !== this.#ctx.me.user);
  }

  #rights() {
    const edit = WRITABLE.has(this.#room.phase) && isActive(this.#ctx.account);
    return { edit, redact: edit && this.#room.phase !== 'hired' };
  }

  /** Brings the list in line with the rows, making only the nodes that changed. */
  #place(rows) {
    const { list } = this.#parts;
    const kept = new Map();
    let position = list.firstElementChild;
    for (const row of rows) {
      const act = row.seq && row.seq === this.#act?.seq ? this.#act.mode : null;
      const text = JSON.stringify([act ? { ...row, reach: undefined } : row, act, row.state === 'sending' && this.#ctx.connection.state]);
      const old = this.#rowNodes.get(row.key);
      let node = old?.node;
      if (old?.text !== text) {
        node = this.#rowNode(row, act);
        node.dataset.key = row.key;
        if (old?.node === position) position = old.node.nextElementSibling;
        old?.node.remove();
      }
      if (node === position) position = position.nextElementSibling;
      else list.insertBefore(node, position);
      kept.set(row.key, { node, text });
    }
    for (const [key, { node }] of this.#rowNodes) if (!kept.has(key)) node.remove();
    this.#rowNodes = kept;
  }

  #rowNode(row, act) {
    if (row.type === 'day') return h('li', { class: 'day' }, h('span', {}, dayOf(row.at)));
    if (row.type === 'unread') return h('li', { class: 'unread', 'data-testid': 'new-line' }, h('span', {}, 'New'));
    if (row.type === 'event') return eventNode(row, this.#person(row.entry.by));
    return messageNode(this.#ctx, this.#id, row, {
      person: this.#person(row.by), act, state: this.#outgoing(row), phase: this.#room.phase,
      on: { act: (mode) => this.#open(row.seq, mode), unread: () => this.#markUnread(row.seq) },
    });
  }

  /** Opens or closes what can be done with a message. */
  #open(seq, mode) {
    this.#act = mode && { seq, mode };
    this.#draw();
    const row = this.#parts.list.querySelector(`[data-seq="${seq}"]`);
    (row?.querySelector('form :is(textarea, input), .menu button') ?? row?.querySelector('.acts') ?? this.#parts.log).focus({ preventScroll: true });
    row?.scrollIntoView({ block: 'nearest' });
  }

  #outgoing(row) {
    const { outbox, connection } = this.#ctx;
    return outgoingLine(row, {
      isLive: connection.state === 'live', phase: this.#room.phase,
      on: { retry: () => outbox.retry(row.clientId), edit: () => this.#takeBack(row), confirm: () => this.#confirm(row) },
    });
  }

  #confirm(row) {
    this.#ctx.outbox.confirm(row.clientId);
    this.#parts.foot.querySelector('textarea')?.focus({ preventScroll: true });
  }

  /** A message that was not sent becomes a draft again, as long as there is a field for it. */
  #takeBack(row) {
    const form = this.#parts.foot.querySelector('form');
    if (form) takeBack(form, this.#ctx.outbox.discard(row.clientId), row, this.#room.phase);
  }

  #person(id) {
    const member = this.#room.members.find((one) => one.user === id);
    return { id, name: member?.name ?? id ?? 'The marketplace' };
  }

  async #older() {
    const { log, older } = this.#parts;
    if (older.disabled || !this.#log.hasOlder) return;
    older.disabled = true;
    log.setAttribute('aria-busy', 'true');
    try {
      await this.#log.older();
    } catch (error) {
      this.#ctx.announce(error.message);
    } finally {
      older.disabled = false;
      log.removeAttribute('aria-busy');
    }
  }

  /** Goes to the entry that the address names. */
  async #find() {
    const seq = this.#wanted;
    this.#wanted = undefined;
    await this.#log.back(seq);
    const node = this.#parts.list.querySelector(`[data-seq="${seq}"]`);
    if (!node) return this.#toBottom();
    node.classList.add('found');
    node.scrollIntoView({ block: 'center' });
    node.focus({ preventScroll: true });
    return this.#scrolled();
  }

  // --- reading position

  #toBottom() {
    const { log, jump } = this.#parts;
    log.scrollTop = log.scrollHeight;
    this.#sticky = true;
    this.#unseen = 0;
    jump.hidden = true;
  }

  #scrolled() {
    const { log, jump } = this.#parts;
    if (this.#wanted) return;
    this.#sticky = log.scrollHeight - log.scrollTop - log.clientHeight < NEAR_PX;
    if (this.#sticky) {
      this.#unseen = 0;
      jump.hidden = true;
      this.#markRead();
    } else if (log.scrollTop < NEAR_PX) {
      this.#older();
    }
  }

  #markRead() {
    if (this.#closed || !this.#room || !this.#sticky || document.visibilityState !== 'visible') return;
    this.#reading.mark(this.#log.last, () => this.#markRead());
  }

  async #markUnread(seq) {
    this.#act = null;
    try {
      await this.#reading.markUnread(seq);
      this.#ctx.announce('Marked unread from this message on.');
    } catch (error) {
      this.#ctx.announce(error.message);
    }
    this.#draw();
    this.#parts.list.querySelector(`#acts-${seq}`)?.focus({ preventScroll: true });
  }

  #arrived(entry) {
    if (!entry.kind.startsWith('message.')) this.#soon ||= setTimeout(() => { this.#soon = 0; this.refresh(); }, SOON_MS);
    if (entry.by === this.#ctx.me.user) return;
    this.#ctx.announce(spoken(entry, this.#person(entry.by)));
    if (this.#sticky || entry.kind === 'message.edited' || entry.kind === 'message.redacted') return;
    this.#unseen += 1;
    this.#parts.jump.hidden = false;
    this.#parts.jump.textContent = this.#unseen === 1 ? '1 new message' : `${this.#unseen} new messages`;
  }

  // --- around the conversation

  #peopleChanged() {
    if (!this.#room || !this.#log.loaded) return;
    this.#drawPeople();
    this.#draw();
  }

  /** Who is there, and who writes. */
  #drawPeople() {
    const { typing, title } = this.#parts;
    const writing = this.#others().filter((user) => this.#people.isTyping(user));
    const names = writing.map((user) => name(this.#person(user))).flatMap((node, index) => (index ? [', ', node] : [node]));
    typing.replaceChildren(...(writing.length ? [h('span', {}, names, writing.length > 1 ? ' are writing…' : ' is writing…')] : []));
    const isThere = this.#others().some((user) => this.#people.isOnline(user));
    const dot = title.querySelector('.presence');
    if (dot) dot.hidden = !isThere;
  }

  #drawAround() {
    const { role } = this.#candidacy;
    const other = role === 'client' ? this.#candidacy.freelancer : this.#candidacy.client;
    const back = role === 'client' ? ['#/my/candidates', 'Back to Candidates'] : ['#/work/proposals', 'Back to Proposals'];
    this.area = role === 'client' ? 'my' : 'work';
    this.title = plain(`${this.#room.job.title} – ${other.name}`);
    this.#parts.log.setAttribute('aria-label', plain(`Messages with ${other.name}`));
    keepingFocus(this.#parts.title, () => this.#parts.title.replaceChildren(
      h('a', { class: 'back-arrow', href: back[0], 'aria-label': back[1] }),
      avatar(other),
      h('div', { class: 'talk-names' },
        h('h1', { tabindex: -1, dir: 'auto' }, this.#room.job.title),
        h('p', {}, personButton(this.#ctx, other, { id: 'other-person', side: role === 'client' ? 'freelancer' : 'client' }), h('span', { class: 'presence', 'data-testid': 'presence', hidden: true }, 'Online'))),
      h('a', { class: 'find', href: `#/search//${encodeURIComponent(this.#id)}`, 'aria-label': 'Search in this room' }),
      phaseChip(this.#room.phase)));
    this.recount();
    this.#drawPeople();
    drawSeal(this.#parts.seal, this.#contract);
    this.#drawFacts();
    this.#drawComposer();
    this.#ctx.viewChanged(this);
  }

  /** What is known beside the talk. On a phone it is folded, and the fold says whose turn it is. */
  #drawFacts() {
    const { facts, turn } = this.#parts;
    drawFacts(this.#ctx, facts, { room: this.#room, candidacy: this.#candidacy, log: this.#log });
    turn.hidden = !waitsFor(this.#candidacy);
  }

  /** The other rooms, with what is unread in them. */
  recount() {
    if (!this.#candidacy || !this.#ctx.lists.loaded) return;
    keepingFocus(this.#parts.rail, () => this.#parts.rail.replaceChildren(...roomRail(this.#ctx, this.#candidacy.role, this.#id)));
  }

  #drawComposer() {
    const { foot } = this.#parts;
    const { account } = this.#ctx;
    const reason = WRITABLE.has(this.#room.phase) ? JSON.stringify(isActive(account) ? null : account) : `${this.#room.phase} ${this.#contract?.ended_at ?? ''}`;
    if (foot.dataset.reason === reason) return;
    const isFirst = foot.dataset.reason === undefined;
    foot.dataset.reason = reason;
    foot.replaceChildren(this.#composerOrReason());
    const begins = isFirst && !this.#wanted && matchMedia('(pointer: fine)').matches;
    if (begins) foot.querySelector('textarea')?.focus({ preventScroll: true });
  }

  #composerOrReason() {
    const { phase } = this.#room;
    if (!WRITABLE.has(phase)) return h('p', { class: 'read-only' }, `This room is read-only: ${this.#contract?.ended_at ? 'the contract has ended' : END_WORDS[phase]}.`);
    if (!isActive(this.#ctx.account)) return h('div', { class: 'read-only', 'data-testid': 'read-only' }, accountLines(this.#ctx.account));
    return composer(this.#ctx, this.#id, {
      send: (body) => this.#send(body),
      typing: () => this.#ctx.connection.tell({ type: 'typing', room: this.#id }).catch(() => {}),
    });
  }

  #send(body) {
    this.#reading.wrote();
    this.#ctx.outbox.add(this.#id, body);
    this.#toBottom();
    this.#markRead();
  }
}
