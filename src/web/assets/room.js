// What lives here: a room without its looks. The log with its cursor, holes and older pages; the outbox of messages that are
// on their way; and the rows that both add up to.

import { backoff, uuid } from './wire.js';
import { isSameDay } from './dom.js';

const PAGE = 50;
const HOLE_PAGE = 200;
const GROUP_MS = 5 * 60_000;

export const WRITABLE = new Set(['active', 'offered', 'hired']);

// --- log --------------------------------------------------------------------------------------------------------

/** One run of entries without a hole, from `first` to `last`. Entries ahead of a hole wait until it is filled. */
export class RoomLog {
  id;
  entries = [];
  loaded = false;
  onchange = () => {};
  onlive = () => {};
  #http;
  #path;
  #early = new Map();
  #wanted = 0;
  #epoch = 0;
  #filling = false;

  constructor(id, http) {
    this.id = id;
    this.#http = http;
    this.#path = `/v1/rooms/${encodeURIComponent(id)}/entries`;
  }

  get last() {
    return this.entries.at(-1)?.seq ?? 0;
  }

  get hasOlder() {
    return this.loaded && (this.entries[0]?.seq ?? 1) > 1;
  }

  /** Where a join or a hello goes on from. */
  cursor() {
    if (!this.loaded) return {};
    return this.last ? { after: this.last, hash: this.entries.at(-1).hash } : { after: 0 };
  }

  async load() {
    const epoch = this.#epoch;
    const page = await this.#http.get(this.#path, { limit: PAGE });
    if (epoch !== this.#epoch || this.loaded) return;
    this.entries = page.items;
    this.loaded = true;
    this.#drain();
    this.onchange();
    await this.reach(this.#wanted);
  }

  async older() {
    const epoch = this.#epoch;
    const first = this.entries[0].seq;
    const page = await this.#http.get(this.#path, { before: first, limit: PAGE });
    if (epoch !== this.#epoch || this.entries[0]?.seq !== first) return;
    this.entries.unshift(...page.items);
    this.onchange();
  }

  /** An entry from the socket. */
  receive(entry) {
    if (entry.seq <= this.last) return;
    this.#early.set(entry.seq, entry);
    if (!this.loaded) return;
    this.#drain(this.onlive);
    this.onchange();
    if (this.#early.size) this.reach(entry.seq - 1).catch(() => {});
  }

  /** Pages over HTTP what lies between the last entry and `seq`, before anything later is shown. */
  async reach(seq) {
    this.#wanted = Math.max(this.#wanted, seq);
    if (!this.loaded || this.#filling) return;
    this.#filling = true;
    try {
      while (this.last < this.#wanted && await this.#pageOn());
    } finally {
      this.#filling = false;
    }
  }

  async #pageOn() {
    const epoch = this.#epoch;
    const page = await this.#http.get(this.#path, { after: this.last, limit: HOLE_PAGE });
    if (epoch !== this.#epoch) return false;
    for (const entry of page.items) if (entry.seq === this.last + 1) this.entries.push(entry);
    this.#drain();
    this.onchange();
    return page.items.length > 0;
  }

  /** The server's log is not the one we hold: forget everything and begin again. */
  reset() {
    this.#epoch += 1;
    this.#early.clear();
    this.#wanted = 0;
    this.entries = [];
    this.loaded = false;
    this.onchange();
    return this.load();
  }

  #drain(each = () => {}) {
    for (const seq of this.#early.keys()) if (seq <= this.last) this.#early.delete(seq);
    for (let entry = this.#early.get(this.last + 1); entry; entry = this.#early.get(this.last + 1)) {
      this.#early.delete(entry.seq);
      this.entries.push(entry);
      each(entry);
    }
  }
}

// --- outbox -----------------------------------------------------------------------------------------------------

/**
 * Messages that are not in the log yet. One message of a room is in flight at a time, so order needs no other care, and
 * each keeps the client_id it was written under until the server has it. States: sending, waiting (will be tried again), failed, sent.
 */
export class Outbox {
  onchange = () => {};
  #send;
  #save;
  #items;
  #busy = new Set();
  #attempts = new Map();

  constructor({ send, load, save }) {
    this.#send = send;
    this.#save = save;
    this.#items = load().map((item) => ({ ...item, state: 'sending' }));
  }

  start() {
    for (const room of new Set(this.#items.map((item) => item.room))) this.#pump(room);
  }

  of(room) {
    return this.#items.filter((item) => item.room === room);
  }

  add(room, body) {
    this.#items.push({ room, body, client_id: uuid(), at: new Date().toISOString(), state: 'sending' });
    this.#changed();
    this.#pump(room);
  }

  retry(clientId) {
    const item = this.#items.find((one) => one.client_id === clientId);
    if (!item || item.state === 'sent') return;
    item.state = 'sending';
    this.#changed();
    this.#pump(item.room);
  }

  /** Takes a refused message out again and gives back what it said. */
  discard(clientId) {
    const item = this.#items.find((one) => one.client_id === clientId);
    this.#items = this.#items.filter((one) => one !== item);
    this.#changed();
    return item?.body ?? '';
  }

  /** What the log holds needs no place here. */
  settle(room, last) {
    this.#items = this.#items.filter((item) => item.room !== room || item.state !== 'sent' || item.seq > last);
  }

  async #pump(room) {
    if (this.#busy.has(room)) return;
    this.#busy.add(room);
    try {
      for (let item = this.#next(room); item; item = this.#next(room)) await this.#deliver(item);
    } finally {
      this.#busy.delete(room);
    }
  }

  #next(room) {
    const first = this.#items.find((item) => item.room === room && item.state !== 'sent' && item.state !== 'failed');
    return first?.state === 'sending' ? first : undefined;
  }

  async #deliver(item) {
    try {
      const { seq } = await this.#send({ type: 'message.post', room: item.room, body: item.body, client_id: item.client_id });
      Object.assign(item, { state: 'sent', seq });
      this.#attempts.delete(item.room);
    } catch (error) {
      item.error = error.message;
      item.state = error.retryable ? 'waiting' : 'failed';
      if (error.retryable) this.#tryAgain(item, error.retryAfterMs);
    }
    this.#changed();
  }

  #tryAgain(item, afterMs) {
    const attempt = this.#attempts.get(item.room) ?? 0;
    this.#attempts.set(item.room, attempt + 1);
    setTimeout(() => item.state === 'waiting' && this.retry(item.client_id), afterMs ?? backoff(attempt));
  }

  #changed() {
    this.#save(this.#items.filter((item) => item.state !== 'sent').map(({ room, body, client_id, at }) => ({ room, body, client_id, at })));
    this.onchange();
  }
}

// --- rows -------------------------------------------------------------------------------------------------------

const keyOf = (entry) => (entry.client_id ? `${entry.by}:${entry.client_id}` : `seq:${entry.seq}`);

/**
 * The log and the outbox as rows to show, in order: days, the mark where unread entries begin, lines about what happened, and messages.
 * An outbox message and its entry have the same key, so the one becomes the other in place.
 */
export function rowsOf({ entries, outgoing, me, unreadAfter }) {
  const settled = new Set(entries.map(keyOf));
  const pending = outgoing
    .map((item) => ({ kind: 'message.posted', by: me, client_id: item.client_id, at: item.at, data: { body: item.body }, item }))
    .filter((entry) => !settled.has(keyOf(entry)));
  const lastOwn = pending.length ? undefined : entries.findLast((entry) => entry.kind === 'message.posted' && entry.by === me)?.seq;
  const rows = [];
  let before = null;
  for (const entry of [...entries, ...pending]) {
    const unread = unreadAfter && entry.seq > unreadAfter && (before?.seq ?? unreadAfter) <= unreadAfter && entry.by !== me;
    const newDay = !before || !isSameDay(before.at, entry.at);
    if (newDay) rows.push({ key: `day:${new Date(entry.at).toDateString()}`, type: 'day', at: entry.at });
    if (unread) rows.push({ key: 'unread', type: 'unread' });
    rows.push(rowOf(entry, { me, head: newDay || unread || !sameGroup(before, entry), isLastOwn: entry.seq !== undefined && entry.seq === lastOwn }));
    before = entry;
  }
  return rows;
}

function sameGroup(before, entry) {
  return before.kind === 'message.posted' && before.by === entry.by && new Date(entry.at) - new Date(before.at) < GROUP_MS;
}

function rowOf(entry, { me, head, isLastOwn }) {
  const key = keyOf(entry);
  if (entry.kind !== 'message.posted') return { key, type: 'event', entry };
  const { item } = entry;
  const state = item ? item.state : isLastOwn ? 'sent' : undefined;
  return { key, type: 'message', by: entry.by, at: entry.at, body: entry.data?.body ?? '', mine: entry.by === me, head, state, error: item?.error, clientId: entry.client_id };
}
