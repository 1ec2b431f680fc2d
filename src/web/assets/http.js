// What lives here: reading over HTTP, and what a refusal looks like at both doors. Nothing in this file knows the page.

/** A refusal or a failure, with the stable `code` of the wire. */
export class WireError extends Error {
  constructor({ code, message, retryable = false, retry_after_ms: retryAfterMs, contact, status_reason: why, status_next_step: nextStep }, httpStatus) {
    super([message || code, why, nextStep].filter(Boolean).join(' '));
    Object.assign(this, { code, retryable, retryAfterMs, contact, httpStatus });
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

export const pause = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

export class Http {
  #token;

  constructor(token) {
    this.#token = token;
  }

  /** Reads. An answer that says "too many requests" is waited for, once. */
  async get(path, query) {
    return (await this.#ask(path, query)).json().catch(() => ({}));
  }

  /** Says something, and reads the answer. */
  async post(path, body) {
    const init = { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
    return (await this.#read(path, init)).json().catch(() => ({}));
  }

  /** Reads a whole file. */
  async blob(path, query) {
    const response = await this.#ask(path, query);
    return response.blob().catch(() => { throw new WireError({ code: 'cut', message: 'The file did not arrive whole. Please try again.', retryable: true }); });
  }

  async #ask(path, query = {}) {
    const search = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== undefined && value !== null)).toString();
    const address = search ? `${path}?${search}` : path;
    try {
      return await this.#read(address);
    } catch (error) {
      if (error.code !== 'rate_limited') throw error;
      await pause(error.retryAfterMs ?? 1000);
      return this.#read(address);
    }
  }

  async #read(address, init) {
    const response = await this.#fetch(address, init);
    if (response.ok) return response;
    const body = await response.json().catch(() => ({}));
    const unread = { code: `http_${response.status}`, message: `The server answered ${response.status}.`, retryable: response.status >= 500 };
    throw new WireError({ ...unread, ...body, message: body.detail ?? body.title ?? unread.message }, response.status);
  }

  async #fetch(address, { headers, ...init } = {}) {
    try {
      return await fetch(address, { ...init, headers: { ...headers, authorization: `Bearer ${this.#token}` }, cache: 'no-store', credentials: 'omit' });
    } catch {
      throw new WireError({ code: 'unreachable', message: 'The server cannot be reached right now.', retryable: true });
    }
  }
}
