// What lives here: messages that are on their way and not in the log yet.

import { backoff } from './connection.js';
import { uuid } from './http.js';

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

  /** Its author has seen what the message gives away, and means it. */
  confirm(clientId) {
    const item = this.#items.find((one) => one.client_id === clientId);
    if (item) item.confirmed = true;
    this.retry(clientId);
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
      const { seq } = await this.#send({ type: 'message.post', room: item.room, body: item.body, client_id: item.client_id, confirmed: item.confirmed });
      Object.assign(item, { state: 'sent', seq });
      this.#attempts.delete(item.room);
    } catch (error) {
      Object.assign(item, { error: error.message, code: error.code, contact: error.contact });
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
    this.#save(this.#items.filter((item) => item.state !== 'sent').map(({ room, body, client_id, at, confirmed }) => ({ room, body, client_id, at, confirmed })));
    this.onchange();
  }
}
