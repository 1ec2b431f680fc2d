// What lives here: the public wire as a browser speaks it. HTTP for reading, and one socket that comes back by itself,
// resumes where it was and sends unanswered commands again under the client_id they had. Nothing in this file knows the page.

const SUBPROTOCOL = 'anteroom.v1.json';
const MAX_FRAME_BYTES = 16 * 1024; // until the welcome says it
const WELCOME_WITHIN_MS = 10_000;
const PONG_WITHIN_MS = 10_000;
const STABLE_AFTER_MS = 10_000;
const BACKOFF_MIN_MS = 500;
const BACKOFF_MAX_MS = 20_000;

/** Close codes after which coming back by itself would not help, in words. Besides these, every code from 4500 on is final. */
const FINAL_CLOSES = {
  4001: 'Your sign-in has ended.',
  4500: 'The server could not understand this page.',
  4501: 'Your sign-in is not valid.',
  4503: 'You may not connect here.',
  4504: 'This page was opened again somewhere else.',
};

/** A refusal or a failure, with the stable `code` of the wire. */
export class WireError extends Error {
  constructor({ code, message, retryable = false, retry_after_ms: retryAfterMs, status_reason: why, status_next_step: nextStep }, httpStatus) {
    super([message || code, why, nextStep].filter(Boolean).join(' '));
    Object.assign(this, { code, retryable, retryAfterMs, httpStatus });
  }
}

/** A version 4 UUID, also where the page has no secure context and `randomUUID` is missing. */
export function uuid() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** A wait before attempt `n`, random over the whole range so that a restarted server is not met by everybody at once. */
export function backoff(attempt) {
  const ceiling = Math.min(BACKOFF_MAX_MS, 2 * BACKOFF_MIN_MS * 2 ** attempt);
  return BACKOFF_MIN_MS + Math.random() * (ceiling - BACKOFF_MIN_MS);
}

// --- HTTP -------------------------------------------------------------------------------------------------------

export class Http {
  #token;

  constructor(token) {
    this.#token = token;
  }

  async get(path, query = {}) {
    const search = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== undefined && value !== null)).toString();
    const response = await this.#fetch(search ? `${path}?${search}` : path);
    const body = await response.json().catch(() => ({}));
    if (response.ok) return body;
    const unread = { code: `http_${response.status}`, message: `The server answered ${response.status}.`, retryable: response.status >= 500 };
    throw new WireError({ ...unread, ...body, message: body.detail ?? body.title ?? unread.message }, response.status);
  }

  async #fetch(address) {
    try {
      return await fetch(address, { headers: { authorization: `Bearer ${this.#token}` }, cache: 'no-store', credentials: 'omit' });
    } catch {
      throw new WireError({ code: 'unreachable', message: 'The server cannot be reached right now.', retryable: true });
    }
  }
}

// --- socket -----------------------------------------------------------------------------------------------------

/**
 * The one socket of a page. `handlers`:
 *   state(state, why)   connecting | live | away | stopped
 *   joined(answer)      {room, head, mode} or {room, error}
 *   frame(frame)        entry, gap, reset, activity
 */
export class Connection {
  state = 'connecting';
  limits = {};
  #options;
  #socket = null;
  #attempt = 0;
  #counter = 0;
  #pending = new Map(); // frame id → {frame, keep, resolve, reject}, in the order of sending
  #rooms = new Map(); // room → function that tells its cursor
  #greeted = new Set(); // rooms the last hello named
  #timers = { welcome: 0, again: 0, beat: 0, pong: 0, stable: 0 };

  constructor(options) {
    this.#options = options;
  }

  open() {
    this.#clearTimers();
    this.#setState('connecting');
    const socket = new WebSocket(this.#options.url, SUBPROTOCOL);
    this.#socket = socket;
    this.#timers.welcome = setTimeout(() => this.#lost({ code: 0 }), WELCOME_WITHIN_MS);
    socket.onopen = () => this.#greet();
    socket.onmessage = (event) => this.#receive(JSON.parse(event.data));
    socket.onclose = (event) => this.#lost(event);
  }

  /** The browser says the network or the person is back: do not wait any longer, or see whether the line still stands. */
  wake() {
    if (this.state === 'away') this.open();
    else if (this.state === 'live') this.#ping();
  }

  /** Sends a command and waits for its answer, across as many connections as that takes. */
  command(frame) {
    return this.#ask(frame, true);
  }

  /** Listens to a room from its cursor on, now and after each reconnect. */
  join(room, cursor) {
    this.#rooms.set(room, cursor);
    if (this.state === 'live') this.#join(room);
  }

  leave(room) {
    this.#rooms.delete(room);
    if (this.state === 'live') this.#ask({ type: 'leave', room }, false).catch(() => {});
  }

  // --- a connection's life

  #greet() {
    this.#greeted = new Set(this.#rooms.keys());
    const rooms = [...this.#rooms].map(([room, cursor]) => ({ room, ...cursor() }));
    this.#write({ type: 'hello', id: this.#nextId(), token: this.#options.token, client: 'anteroom-page', rooms });
  }

  #welcome(frame) {
    clearTimeout(this.#timers.welcome);
    this.limits = frame.limits ?? {};
    this.#timers.stable = setTimeout(() => { this.#attempt = 0; }, STABLE_AFTER_MS);
    this.#timers.beat = setInterval(() => this.#ping(), Math.min(frame.heartbeat_ms || 25_000, 25_000));
    this.#setState('live');
    for (const answer of frame.rooms ?? []) this.#options.handlers.joined(answer);
    this.#catchUp();
  }

  /** Rooms opened or left between hello and welcome, then every command that never got its answer, in order. */
  #catchUp() {
    for (const room of this.#rooms.keys()) if (!this.#greeted.has(room)) this.#join(room);
    for (const room of this.#greeted) if (!this.#rooms.has(room)) this.leave(room);
    for (const { frame, keep } of this.#pending.values()) if (keep) this.#write(frame);
  }

  #lost({ code }) {
    const socket = this.#socket;
    if (!socket) return;
    this.#socket = null;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
    this.#clearTimers();
    if (code in FINAL_CLOSES || (code >= 4500 && code < 5000)) {
      this.#stop(FINAL_CLOSES[code] ?? `The server ended the connection (code ${code}).`);
      return;
    }
    this.#forget((request) => !request.keep, new WireError({ code: 'away', message: 'The connection was lost.', retryable: true }));
    this.#timers.again = setTimeout(() => this.open(), backoff(this.#attempt));
    this.#attempt += 1;
    this.#setState('away');
  }

  #stop(why) {
    this.#forget(() => true, new WireError({ code: 'stopped', message: why }));
    this.#setState('stopped', why);
  }

  #forget(which, error) {
    for (const [id, request] of [...this.#pending]) {
      if (!which(request)) continue;
      this.#pending.delete(id);
      request.reject(error);
    }
  }

  #setState(state, why) {
    this.state = state;
    this.#options.handlers.state(state, why);
  }

  #clearTimers() {
    for (const timer of Object.values(this.#timers)) clearTimeout(timer);
    this.#timers.pong = 0;
  }

  // --- frames

  #receive(frame) {
    switch (frame.type) {
      case 'welcome': return this.#welcome(frame);
      case 'ok': return this.#settle(frame.id, (request) => request.resolve(frame.data));
      case 'error': return this.#settle(frame.id, (request) => request.reject(new WireError(frame.error)));
      case 'pong':
        clearTimeout(this.#timers.pong);
        this.#timers.pong = 0;
        return undefined;
      default: return this.#options.handlers.frame(frame);
    }
  }

  #settle(id, how) {
    const request = this.#pending.get(id);
    this.#pending.delete(id);
    if (request) how(request);
  }

  #join(room) {
    this.#ask({ type: 'join', room, ...this.#rooms.get(room)() }, false).then(
      (answer) => this.#options.handlers.joined({ room, ...answer }),
      (error) => this.#options.handlers.joined({ room, error }),
    );
  }

  #ping() {
    if (this.#timers.pong) return;
    this.#write({ type: 'ping', id: this.#nextId() });
    this.#timers.pong = setTimeout(() => this.#lost({ code: 0 }), PONG_WITHIN_MS);
  }

  #ask(fields, keep) {
    const frame = { id: this.#nextId(), ...fields };
    if (this.state === 'stopped') return Promise.reject(new WireError({ code: 'stopped', message: 'The connection has ended. Sign in again to go on.' }));
    if (new TextEncoder().encode(JSON.stringify(frame)).length > (this.limits.frame_bytes ?? MAX_FRAME_BYTES)) {
      return Promise.reject(new WireError({ code: 'too_large', message: 'This is too long to be sent. Please shorten it.' }));
    }
    return new Promise((resolve, reject) => {
      this.#pending.set(frame.id, { frame, keep, resolve, reject });
      if (this.state === 'live') this.#write(frame);
    });
  }

  #write(frame) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(frame));
  }

  #nextId() {
    this.#counter += 1;
    return `c${this.#counter}`;
  }
}
