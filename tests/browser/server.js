// What lives here: the real server as a process of its own, on a data directory that goes away with it.

import { execFile, spawn } from 'node:child_process';
import { randomInt, randomUUID } from 'node:crypto';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const BIN = resolve(HERE, process.env.ANTEROOM_BIN || '../../target/debug/anteroom');
const START_WITHIN_MS = 20_000;
// Tests write faster than people.
const LIMITS = { ANTEROOM_LIMITS__COMMANDS_PER_SECOND: '1000', ANTEROOM_LIMITS__COMMANDS_BURST: '1000' };
// The default is the port after the server's own, which may be anybody's.
const FIGURES = { ANTEROOM_METRICS_LISTEN: '127.0.0.1:0' };
const LINE = /^(listening on|client|freelancer)\s+(http:\/\/\S+)/;

/** An address for a server that comes back to it: below the ports that systems give to whoever asks for any, while it is away. */
async function keptAddress() {
  for (;;) {
    const address = { host: '127.0.0.1', port: randomInt(20_000, 32_000) };
    const listener = createServer();
    const free = await new Promise((done) => {
      listener.once('error', () => done(false));
      listener.listen(address, () => listener.close(() => done(true)));
    });
    if (free) return `${address.host}:${address.port}`;
  }
}

export class Server {
  links = {};
  log = [];
  #dataDir;
  #env;
  #tokens = {};
  #child = null;
  #exited = Promise.resolve();

  /** `env` goes to the process, besides what this one has. */
  static async start(env = {}) {
    const server = new Server();
    server.#env = { ...process.env, ...LIMITS, ...FIGURES, ...env };
    server.#dataDir = await mkdtemp(join(tmpdir(), 'anteroom-browser-'));
    try {
      await server.#spawn(await keptAddress(), ['listening on', 'client', 'freelancer']);
      return server;
    } catch (error) {
      await server.stop();
      throw error;
    }
  }

  get #backup() {
    return `${this.#dataDir}-backup`;
  }

  get origin() {
    return this.links['listening on'];
  }

  /** Takes the process away at once, as a crash or a power cut would. */
  async kill() {
    this.#child.kill('SIGKILL');
    await this.#exited;
  }

  /** Asks the process to go, and waits until it has taken its leave. */
  async terminate() {
    await this.#end();
  }

  /** Comes up again on the same data and the same port. */
  async startAgain() {
    await this.#spawn(new URL(this.origin).host, ['listening on']);
  }

  async restart() {
    await this.#end();
    await this.startAgain();
  }

  async stop() {
    await this.#end();
    for (const dir of [this.#dataDir, this.#backup]) await rm(dir, { recursive: true, force: true });
  }

  /** A sign-in link for anybody. */
  async link(user) {
    return `${this.origin}/#token=${await this.token(user, 'user')}`;
  }

  async token(sub, scope) {
    const key = `${scope}:${sub}`;
    this.#tokens[key] ??= promisify(execFile)(BIN, ['token', '--data-dir', this.#dataDir, '--sub', sub, '--scope', scope]);
    return (await this.#tokens[key]).stdout.trim();
  }

  /** Keeps a copy of the data, taken while nothing runs. */
  async backUp() {
    await this.#end();
    await cp(this.#dataDir, this.#backup, { recursive: true });
    await this.startAgain();
  }

  /** Goes back to that copy, as an operator would after a loss. */
  async restore() {
    await this.#end();
    await rm(this.#dataDir, { recursive: true });
    await cp(this.#backup, this.#dataDir, { recursive: true });
    await this.startAgain();
  }

  /** A request of the marketplace's own backend. */
  service(method, path, body) {
    return this.#request('marketplace', 'service', method, path, body);
  }

  /** A command that a person gives by another client than the page. */
  command(user, path, body) {
    return this.#request(user, 'user', 'POST', path, body);
  }

  get(user, path) {
    return this.#request(user, 'user', 'GET', path);
  }

  /** What `anteroom verify` says of a transcript, by the keys that this server tells; refused, it throws. */
  async verify(file) {
    const keys = join(this.#dataDir, 'keys.json');
    await writeFile(keys, await (await fetch(`${this.origin}/v1/keys`)).text());
    return (await promisify(execFile)(BIN, ['verify', file, '--keys', keys])).stdout;
  }

  async #request(sub, scope, method, path, body) {
    const token = await this.token(sub, scope);
    const response = await fetch(`${this.origin}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'idempotency-key': randomUUID() },
      body: body && JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${await response.text()}`);
    return response.json().catch(() => ({}));
  }

  #spawn(listen, awaited) {
    const child = spawn(BIN, ['serve', '--listen', listen, '--data-dir', this.#dataDir], { env: this.#env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    this.#exited = new Promise((done) => { child.once('exit', done); });
    const missing = new Set(awaited);
    return new Promise((done, fail) => {
      const giveUp = (why) => {
        clearTimeout(timer);
        fail(new Error(`the server did not start: ${why}\n${this.log.slice(-20).join('\n')}`));
      };
      const timer = setTimeout(giveUp, START_WITHIN_MS, 'it took too long');
      child.once('error', (error) => giveUp(error.message));
      child.once('exit', (code) => giveUp(`it ended with ${code}`));
      createInterface({ input: child.stderr }).on('line', (line) => this.log.push(line));
      createInterface({ input: child.stdout }).on('line', (line) => {
        this.log.push(line);
        const [, name, address] = LINE.exec(line) ?? [];
        if (!name) return;
        this.links[name] = address;
        missing.delete(name);
        if (missing.size === 0) { clearTimeout(timer); done(); }
      });
    });
  }

  async #end() {
    if (this.#child.pid === undefined || this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGTERM');
    const force = setTimeout(() => this.#child.kill('SIGKILL'), 10_000);
    await this.#exited;
    clearTimeout(force);
  }
}
