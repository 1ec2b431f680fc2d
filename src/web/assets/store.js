// What lives here: what the page remembers. Who is signed in, drafts, the lists, and the client_id of an intention that has not
// been answered yet.

import { pause, uuid } from './http.js';

// --- sign-in ----------------------------------------------------------------------------------------------------

const TOKEN = 'anteroom.token';

/** Takes a token out of the address bar, if there is one, and keeps it for this tab only. */
export function takeToken() {
  if (!location.hash.startsWith('#token=')) return false;
  const token = new URLSearchParams(location.hash.slice(1)).get('token');
  history.replaceState(null, '', location.pathname + location.search);
  signIn(token);
  return true;
}

export const currentToken = () => sessionStorage.getItem(TOKEN);
export const signIn = (token) => sessionStorage.setItem(TOKEN, token.trim());
/** Ends being signed in. What this person wrote and has not sent is kept, and sent after the next sign-in. */
export const signOut = () => sessionStorage.removeItem(TOKEN);
/** Leaves nothing behind in this tab: for the button that says so. */
export const forgetAll = () => sessionStorage.clear();

// --- small stores -----------------------------------------------------------------------------------------------

function readJson(storage, key, otherwise) {
  try {
    return JSON.parse(storage.getItem(key)) ?? otherwise;
  } catch {
    return otherwise;
  }
}

/** A map of text keys that outlives a reload of the tab. */
class Kept {
  #storage;
  #key;
  #values;

  constructor(storage, key) {
    this.#storage = storage;
    this.#key = key;
    this.#values = readJson(storage, key, {});
  }

  get(name) {
    return this.#values[name];
  }

  set(name, value) {
    this.#values = readJson(this.#storage, this.#key, {}); // another tab may have written meanwhile
    if (value === undefined) delete this.#values[name];
    else this.#values[name] = value;
    this.#storage.setItem(this.#key, JSON.stringify(this.#values));
  }
}

/** What was typed and not sent yet, by form. */
export const drafts = (user) => new Kept(sessionStorage, `anteroom.drafts.${user}`);

/** Messages on their way, so that a reload does not lose them. */
export const unsent = {
  load: (user) => readJson(sessionStorage, `anteroom.unsent.${user}`, []),
  save: (user, items) => sessionStorage.setItem(`anteroom.unsent.${user}`, JSON.stringify(items)),
};

// --- intentions -------------------------------------------------------------------------------------------------

/** One client_id for one intention: the same command keeps its id until the server has given a definite answer. */
export class Intentions {
  #open = new Map();

  async run(type, fields, send) {
    const key = JSON.stringify([type, fields]);
    if (!this.#open.has(key)) this.#open.set(key, uuid());
    try {
      const answer = await send({ type, client_id: this.#open.get(key), ...fields });
      this.#open.delete(key);
      return answer;
    } catch (error) {
      if (!error.retryable) this.#open.delete(key);
      throw error;
    }
  }
}

// --- lists ------------------------------------------------------------------------------------------------------

const PAGE = 100;
const BREATH_MS = 200;

/** One's candidacies and invitations, on both sides of the table, fetched again whenever something says they changed. */
export class Lists {
  candidacies = [];
  invitations = [];
  loaded = false;
  more = false;
  error = null;
  #http;
  #changed;
  #pages = 1;
  #stale = false;
  #running = null;

  constructor(http, changed) {
    this.#http = http;
    this.#changed = changed;
  }

  /** Fetches again. Calls that come while a fetch is under way are answered by one more fetch after it. */
  refresh() {
    this.#stale = true;
    this.#running ??= this.#run().finally(() => { this.#running = null; });
    return this.#running;
  }

  showMore() {
    this.#pages += 1;
    return this.refresh();
  }

  invitation(id) {
    return this.invitations.find((invitation) => invitation.id === id);
  }

  async #run() {
    while (this.#stale) {
      this.#stale = false;
      await this.#fetch();
      this.#changed();
      if (this.#stale) await pause(BREATH_MS);
    }
  }

  async #fetch() {
    try {
      const [candidacies, invitations] = await Promise.all([this.#pagesOf('/v1/candidacies'), this.#pagesOf('/v1/invitations')]);
      this.candidacies = candidacies.items;
      this.invitations = invitations.items;
      this.more = Boolean(candidacies.next || invitations.next);
      this.loaded = true;
      this.error = null;
    } catch (error) {
      this.error = error;
    }
  }

  async #pagesOf(path) {
    const all = { items: [], next: undefined };
    for (let page = 0; page < this.#pages; page += 1) {
      const answer = await this.#http.get(path, { limit: PAGE, before: all.next });
      all.items.push(...answer.items);
      all.next = answer.next;
      if (!all.next) break;
    }
    return all;
  }
}
