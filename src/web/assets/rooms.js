// What lives here: the rooms that were opened. Their logs and people, and which of them the socket listens to.

import { EntryLog } from './log.js';
import { People } from './people.js';

const JOINED = 16; // rooms that stay joined after they were left, the latest ones

export class Rooms {
  #http;
  #connection;
  #grown;
  #rooms = new Map(); // id → {log, people}
  #joined = new Set(); // ids, the latest last
  #shown = null;

  /** `grown()` is called when a room that is joined and not shown has got an entry. */
  constructor(http, connection, grown) {
    this.#http = http;
    this.#connection = connection;
    this.#grown = grown;
  }

  open(id) {
    if (!this.#rooms.has(id)) this.#rooms.set(id, { log: new EntryLog(id, this.#http), people: new People() });
    this.#shown = id;
    return this.#rooms.get(id);
  }

  /** Listens to the room from now on, also when another one is shown. */
  join(id) {
    const isNew = !this.#joined.delete(id);
    this.#joined.add(id);
    if (!isNew) return;
    this.#connection.join(id, () => this.logOf(id)?.cursor() ?? {});
    const [oldest] = this.#joined;
    if (this.#joined.size > JOINED) this.#leave(oldest);
  }

  #leave(id) {
    this.#joined.delete(id);
    this.#connection.leave(id);
    this.#rooms.get(id)?.people.unseen();
  }

  /** The room is shown no more. */
  close(id) {
    if (this.#shown === id) this.#shown = null;
  }

  logOf(id) {
    return this.#rooms.get(id)?.log;
  }

  /** The connection was lost. */
  unseen() {
    for (const { people } of this.#rooms.values()) people.unseen();
  }

  heads() {
    return [...this.#joined].map((id) => [id, this.logOf(id)?.last ?? 0]).filter(([, last]) => last > 0);
  }

  reset() {
    for (const [id, { log, people }] of this.#rooms) {
      people.reset();
      if (this.#joined.has(id)) log.reset().catch(() => {});
      else if (id !== this.#shown) this.#rooms.delete(id);
    }
  }

  frame(frame) {
    const { log, people } = this.#rooms.get(frame.room) ?? {};
    switch (log && frame.type) {
      case 'entry': return this.#entry(frame, log, people);
      case 'gap': return log.reach(frame.to).catch(() => {});
      case 'reset':
        people.reset();
        return log.reset().catch(() => {});
      case 'receipt': return people.reached(frame);
      case 'presence': return people.present(frame);
      case 'typing': return people.typing(frame);
      default: return undefined;
    }
  }

  #entry(entry, log, people) {
    log.receive(entry);
    people.stopped(entry.by);
    this.#connection.tellHeads();
    if (entry.room !== this.#shown) this.#grown();
  }
}
