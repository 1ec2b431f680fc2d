// What lives here: the others of a room. How far each of them is, who is there, and who writes just now.

const TYPING_MS = 5000;

export class People {
  onchange = () => {};
  #reach = new Map(); // user → {delivered, read}
  #online = new Set();
  #typing = new Map(); // user → timer

  /** How far somebody is, by a receipt or the room's own view. It only rises. */
  reached({ user, delivered = 0, read = 0 }) {
    const known = this.#reach.get(user) ?? { delivered: 0, read: 0 };
    this.#reach.set(user, { delivered: Math.max(known.delivered, delivered), read: Math.max(known.read, read) });
    this.onchange();
  }

  present({ user, online }) {
    if (online) this.#online.add(user);
    else this.#online.delete(user);
    this.onchange();
  }

  typing({ user }) {
    clearTimeout(this.#typing.get(user));
    this.#typing.set(user, setTimeout(() => this.stopped(user), TYPING_MS));
    this.onchange();
  }

  /** Somebody does not write any more. */
  stopped(user) {
    clearTimeout(this.#typing.get(user));
    if (this.#typing.delete(user)) this.onchange();
  }

  /** Without a connection nobody can be seen. */
  unseen() {
    for (const timer of this.#typing.values()) clearTimeout(timer);
    this.#typing.clear();
    this.#online.clear();
    this.onchange();
  }

  /** What was known is of another log. */
  reset() {
    this.#reach.clear();
    this.unseen();
  }

  isOnline(user) {
    return this.#online.has(user);
  }

  isTyping(user) {
    return this.#typing.has(user);
  }

  /** How far an entry has come with all of `users`: sent, delivered or read. */
  reachOf(seq, users) {
    const all = (what) => users.length > 0 && users.every((user) => (this.#reach.get(user)?.[what] ?? 0) >= seq);
    if (all('read')) return 'read';
    return all('delivered') ? 'delivered' : 'sent';
  }
}
