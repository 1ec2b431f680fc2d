// What lives here: the log of a room or of the inbox, as the page holds it, with its cursor, holes, older pages and amendments.

const PAGE = 50;
const LARGE_PAGE = 200;

/** One run of entries without a hole, from `first` to `last`. Entries ahead of a hole wait until it is filled. */
export class EntryLog {
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

  async older(limit = PAGE) {
    const epoch = this.#epoch;
    const first = this.entries[0].seq;
    const page = await this.#http.get(this.#path, { before: first, limit });
    if (epoch !== this.#epoch || this.entries[0]?.seq !== first) return;
    this.entries.unshift(...page.items);
    this.onchange();
  }

  /** Pages back until entry `seq` is here. */
  async back(seq) {
    for (let first = Infinity; this.hasOlder && this.entries[0].seq > seq && this.entries[0].seq < first;) {
      first = this.entries[0].seq;
      await this.older(LARGE_PAGE);
    }
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
    const page = await this.#http.get(this.#path, { after: this.last, limit: LARGE_PAGE });
    if (epoch !== this.#epoch) return false;
    for (const entry of page.items) if (entry.seq === this.last + 1) this.#append(entry);
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
      this.#append(entry);
      each(entry);
    }
  }

  /** What was deleted is not kept here either: the message and every text it ever had. */
  #append(entry) {
    this.entries.push(entry);
    if (entry.kind !== 'message.redacted') return;
    const target = entry.data.seq;
    for (const [index, old] of this.entries.entries()) {
      const isText = old.seq === target || (old.kind === 'message.edited' && old.data?.seq === target);
      if (isText) this.entries[index] = { ...old, data: null, amended_by: entry.seq };
    }
  }
}
