// What lives here: the one socket of a page as a browser speaks it. It comes back by itself, resumes where it was and sends
// unanswered commands again under the client_id they had. Nothing in this file knows the page.

import { WireError } from './http.js';

const SUBPROTOCOL = 'anteroom.v1.json';
const MAX_FRAME_BYTES = 16 * 1024; // until the welcome says it
const WELCOME_WITHIN_MS = 10_000;
const PONG_WITHIN_MS = 10_000;
const STABLE_AFTER_MS = 10_000;
const BEAT_MS = 25_000;
const SOON_MS = 300;
const HEADS = 16; // in one ping
const BACKOFF_MIN_MS = 500;
const BACKOFF_MAX_MS = 20_000;

const TOO_FAST = 4029;
const SLOWER_MS = 10_000;

const SIGN_IN_ENDED = 'Your sign-in has ended: a link to this page works for a while only. What you wrote is kept in this tab, and sent when you sign in here again.';
const SIGNED_OUT = 'You were signed out by the marketplace.';

/** Close codes after which coming back by itself would not help, in words. Besides these, every code from 4500 on is final. */
const FINAL_CLOSES = {
  4001: SIGN_IN_ENDED,
  4500: 'The server could not understand this page.',
  4501: 'Your sign-in is not valid.',
  4502: SIGNED_OUT,
  4503: 'You may not connect here.',
  4504: 'This page was opened again somewhere else.',
};

/** The same ends in words when HTTP is the first to tell. */
export const signInProblem = ({ code, message }) => ({ token_expired: SIGN_IN_ENDED, token_revoked: SIGNED_OUT })[code] ?? message;

/** A wait before attempt `n`, random over the whole range so that a restarted server is not met by everybody at once. */
export function backoff(attempt) {
  const ceiling = Math.min(BACKOFF_MAX_MS, 2 * BACKOFF_MIN_MS * 2 ** attempt);
  return BACKOFF_MIN_MS + Math.random() * (ceiling - BACKOFF_MIN_MS);
}

/**
 * `handlers`:
 *   state(state, why)   connecting | live | away | stopped
 *   welcome(frame)      before the rooms of the hello are answered
 *   joined(answer)      {room, head, mode} or {room, error}
 *   frame(frame)        entry, gap, reset, activity, account, receipt, typing, presence
 *   changesAfter()      the cursor of changes, if there is one
 *   heads()             [[room, seq]] of the logs that are joined and held up to seq
 */
export class Connection {
  state = 'connecting';
  limits = {};
  isPlanned = false; // the server has said that it goes away and when to come back
  #options;
  #socket = null;
  #attempt = 0;
  #counter = 0;
  #ahead = 0; // how much the server's clock is ahead of this one, in milliseconds
  #turn = 0;
  #pending = new Map(); // frame id → {frame, keep, resolve, reject}, in the order of sending
  #rooms = new Map(); // room → function that tells its cursor
  #greeted = new Set(); // rooms the last hello named
  #timers = { welcome: 0, again: 0, beat: 0, pong: 0, stable: 0, soon: 0 };

  constructor(options) {
    this.#options = options;
  }

  /** The server's time of day, in milliseconds. */
  now() {
    return Date.now() + this.#ahead;
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

  /** Tells soon how far the logs are held, so that the authors learn what has arrived. */
  tellHeads() {
    this.#timers.soon ||= setTimeout(() => { this.#timers.soon = 0; this.#ping(); }, SOON_MS);
  }

  /** Sends a command and waits for its answer, across as many connections as that takes. */
  command(frame) {
    return this.#ask(frame, true);
  }

  /** Sends a frame that is worth something on this connection only. */
  tell(frame) {
    return this.state === 'live' ? this.#ask(frame, false) : Promise.reject(new WireError({ code: 'away', message: 'There is no connection right now.', retryable: true }));
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
    this.#write({ type: 'hello', id: this.#nextId(), token: this.#options.token, client: 'anteroom-page', rooms, changes_after: this.#options.handlers.changesAfter() });
  }

  #welcome(frame) {
    clearTimeout(this.#timers.welcome);
    this.limits = frame.limits ?? {};
    this.isPlanned = false;
    if (frame.server_time) this.#ahead = Date.parse(frame.server_time) - Date.now();
    this.#timers.stable = setTimeout(() => { this.#attempt = 0; }, STABLE_AFTER_MS);
    this.#timers.beat = setInterval(() => this.#ping(), Math.min(frame.heartbeat_ms || BEAT_MS, BEAT_MS));
    this.#options.handlers.welcome(frame);
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

  /** The server goes away: work on until its moment for this socket, then come back. */
  #goaway({ reconnect_in_ms: wait }) {
    this.isPlanned = true;
    clearTimeout(this.#timers.stable);
    this.#timers.again = setTimeout(() => this.#lost({ code: 0 }), wait);
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
    const slower = code === TOO_FAST ? SLOWER_MS * (1 + Math.random()) : 0;
    this.#timers.again = setTimeout(() => this.open(), slower + backoff(this.#attempt));
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
    for (const [name, timer] of Object.entries(this.#timers)) {
      clearTimeout(timer);
      this.#timers[name] = 0;
    }
  }

  // --- frames

  #receive(frame) {
    switch (frame.type) {
      case 'welcome': return this.#welcome(frame);
      case 'ok': return this.#settle(frame.id, (request) => request.resolve(frame.data));
      case 'error': return this.#settle(frame.id, (request) => request.reject(new WireError(frame.error)));
      case 'goaway': return this.#goaway(frame);
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
    this.#write({ type: 'ping', id: this.#nextId(), heads: this.#someHeads() });
    this.#timers.pong ||= setTimeout(() => this.#lost({ code: 0 }), PONG_WITHIN_MS);
  }

  /** So many heads as fit into one ping, in turn. */
  #someHeads() {
    const all = this.#options.handlers.heads();
    const from = all.length > HEADS ? this.#turn % all.length : 0;
    this.#turn = from + HEADS;
    return Object.fromEntries([...all.slice(from), ...all.slice(0, from)].slice(0, HEADS));
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
