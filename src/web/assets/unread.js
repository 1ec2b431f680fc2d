// What lives here: how many unread entries each log has, and the cursor up to which the page knows of changes.

import { pause } from './http.js';

const ANSWER_MS = 300; // the answer to one's own move comes about then

export class Unread {
  cursor;
  #http;
  #changed;
  #counts = new Map(); // room → number
  #told = new Map(); // room → the turn in which the number was told by an answer
  #markers = new Map(); // room → the reader's marker, as far as it was told
  #turn = 0;
  #stale = false;
  #running = null;

  constructor(http, changed) {
    this.#http = http;
    this.#changed = changed;
  }

  of(room) {
    return this.#counts.get(room) ?? 0;
  }

  /** The answer to a marker that was moved here. */
  tell(room, { marker, unread }) {
    this.#turn += 1;
    this.#told.set(room, this.#turn);
    this.#markers.set(room, marker);
    if (this.of(room) === unread) return;
    this.#counts.set(room, unread);
    this.#changed();
  }

  /** The marker was moved somewhere, perhaps in another window of the same person. */
  async moved({ room, marker }) {
    await pause(ANSWER_MS);
    if (this.#markers.get(room) === marker || room === 'inbox') return;
    this.tell(room, await this.#http.get(`/v1/rooms/${encodeURIComponent(room)}`));
  }

  /** What a welcome says has happened since the cursor. Without a cursor, everything is asked for. */
  welcome({ changes, changes_cursor: cursor, changes_more: more }) {
    if (this.cursor && cursor) {
      this.#apply(changes ?? [], Infinity);
      this.cursor = cursor;
      if (!more) return;
    }
    this.refresh();
  }

  /** The database is another one. */
  reset() {
    this.cursor = undefined;
    this.#counts.clear();
    this.refresh();
  }

  /** Asks for every log again: markers may have been moved in another window, of which nothing is told here. */
  renew() {
    this.cursor = undefined;
    this.refresh();
  }

  /** Asks what has grown. Calls that come while a question is under way are answered by one more after it. */
  refresh() {
    this.#stale = true;
    this.#running ??= this.#run().catch(() => {}).finally(() => { this.#running = null; });
    return this.#running;
  }

  async #run() {
    while (this.#stale) {
      this.#stale = false;
      const turn = this.#turn;
      const { cursor } = this;
      const page = await this.#http.get('/v1/changes', { after: cursor });
      if (cursor !== this.cursor) { // a welcome or a reset came first
        this.#stale = true;
      } else if (page.reset) {
        this.cursor = undefined;
        this.#counts.clear();
        this.#stale = true;
      } else {
        this.cursor = page.cursor;
        this.#apply(page.items, turn);
        this.#stale ||= page.has_more;
      }
    }
  }

  /** What was told after the question is newer than its answer. */
  #apply(changes, turn) {
    for (const { room, unread } of changes) if ((this.#told.get(room) ?? 0) <= turn) this.#counts.set(room, unread);
    if (changes.length) this.#changed();
  }
}
