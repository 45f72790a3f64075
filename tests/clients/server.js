// Runs the built server for a test: on a port of its own, with a store of its own.

import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import https from 'node:https';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { startNginx } from './proxies.js';

export const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));

const BINARY = path.resolve(REPOSITORY, process.env.WAGGLE_BIN ?? 'target/debug/waggle');
const MONGODB_URI = process.env.WAGGLE_TEST_MONGODB_URI;
/** A directory with `cert.pem` and `key.pem`: then every server is reached through an nginx that has them. */
const BEHIND_NGINX = process.env.WAGGLE_TEST_NGINX;
/** Where the logs of all servers are kept, for tests/log_secrets.py to look through. */
const LOGS = process.env.WAGGLE_TEST_LOGS;
const STARTED_WITHIN = 60_000;
const STOPPED_WITHIN = 15_000;

/** Every store, each with the reason to leave it out here, if there is one. */
export const STORES = [
  { store: 'embedded', skip: false },
  { store: 'mongodb', skip: MONGODB_URI ? false : 'WAGGLE_TEST_MONGODB_URI is not set' },
];

const DEFAULTS = {
  HOST: '127.0.0.1',
  BCRYPT_COST: '4',
  RATE_LIMITS: 'off',
  DEMO_DRIVERS: 'off',
  NO_COLOR: '1',
  LOG_LEVEL: LOGS ? 'debug' : 'info',
};

/**
 * Starts a server with an empty store, and a certificate where there is one, and waits until it is ready.
 * Its `url` is the proxy's where it is behind one, its `port` is its own.
 */
export async function startServer({ store = 'embedded', env = {}, certificate } = {}) {
  const dataDir = await mkdtemp(path.join(tmpdir(), 'waggle-clients-'));
  const storeEnv = store === 'mongodb' ? { MONGODB_URI: freshDatabase() } : {};
  const tlsEnv = certificate ? { TLS_CERT: path.join(dataDir, 'cert.pem'), TLS_KEY: path.join(dataDir, 'key.pem') } : {};
  const port = await freePort();
  const proxy = BEHIND_NGINX && !certificate ? await startNginx(port, await certificateIn(BEHIND_NGINX)) : null;
  const url = proxy?.url ?? `${certificate ? 'https' : 'http'}://127.0.0.1:${port}`;
  const proxyEnv = proxy ? { TRUSTED_PROXIES: '127.0.0.1' } : {};
  const server = new Server(url, dataDir, {
    ...DEFAULTS, PUBLIC_URL: url, ...storeEnv, ...tlsEnv, ...proxyEnv, ...env, DATA_DIR: dataDir, PORT: String(port),
  }, proxy);
  try {
    if (certificate) await server.install(certificate);
    await server.start();
  } catch (problem) {
    await server.close();
    throw problem;
  }
  return server;
}

/** A server process; its data outlives a restart, not `close`. */
class Server {
  #dataDir;
  #env;
  #process = null;
  #log = '';
  #ca;
  #proxy;

  constructor(url, dataDir, env, proxy) {
    this.url = url;
    this.#dataDir = dataDir;
    this.#env = env;
    this.#proxy = proxy;
  }

  get port() { return Number(this.#env.PORT); }

  /** What the server has logged. */
  get log() { return this.#log; }

  /** Puts a certificate and its key where the server looks for them. */
  async install({ cert, key }) {
    this.#ca = cert;
    await writeFile(this.#env.TLS_CERT, cert);
    await writeFile(this.#env.TLS_KEY, key);
  }

  /** Has the server look again at what it read from files. */
  hangUp() { this.#process.kill('SIGHUP'); }

  async start() {
    // Nothing of the environment of the tests may configure the server.
    const { PATH, HOME } = process.env;
    this.#process = spawn(BINARY, [], { cwd: this.#dataDir, env: { PATH, HOME, ...this.#env }, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => { this.#log += text; });
    }
    await Promise.race([this.#ready(), this.#failed()]);
  }

  /** Waits until the log has what `pattern` matches, after the first `from` characters. */
  async logged(pattern, from = 0) {
    const deadline = Date.now() + 5000;
    for (;;) {
      const match = this.#log.slice(from).match(pattern);
      if (match) return match;
      if (Date.now() > deadline) throw new Error(`the server did not log ${pattern}:\n${this.#log}`);
      await sleep(20);
    }
  }

  /** Stops the process as an operator would; resolves to its exit code. */
  async stop() {
    const child = this.#process;
    if (!this.#hasEnded) {
      const gone = once(child, 'exit');
      const impatience = setTimeout(() => child.kill('SIGKILL'), STOPPED_WITHIN);
      child.kill('SIGTERM');
      await gone;
      clearTimeout(impatience);
    }
    return child.exitCode;
  }

  async close() {
    await Promise.all([this.stop(), this.#proxy?.close()]);
    if (LOGS) await appendFile(path.join(LOGS, `clients-${process.pid}.log`), this.#log);
    await rm(this.#dataDir, { recursive: true, force: true });
  }

  get #hasEnded() {
    const { pid, exitCode, signalCode } = this.#process;
    return pid === undefined || exitCode !== null || signalCode !== null;
  }

  async #ready() {
    const deadline = Date.now() + STARTED_WITHIN;
    while (Date.now() < deadline) {
      if (this.#hasEnded) throw new Error(`the server has ended:\n${this.#log}`);
      if (await this.#answers()) return;
      await sleep(50);
    }
    await this.stop();
    throw new Error(`the server was not ready in time:\n${this.#log}`);
  }

  #answers() {
    const { get } = this.url.startsWith('https') ? https : http;
    return new Promise((resolve) => {
      get(`${this.url}/health/ready`, { ca: this.#ca, agent: false }, (answer) => {
        answer.resume();
        resolve(answer.statusCode === 200);
      }).on('error', () => resolve(false));
    });
  }

  async #failed() {
    const child = this.#process;
    const [reason] = await Promise.race([once(child, 'close'), once(child, 'error')]);
    throw new Error(`the server ended with ${reason}:\n${this.#log}`);
  }
}

async function certificateIn(directory) {
  const [cert, key] = await Promise.all(['cert.pem', 'key.pem'].map((file) => readFile(path.join(directory, file), 'utf8')));
  return { cert, key };
}

/** The address of a database that nobody has used. */
export function freshDatabase() {
  const uri = new URL(MONGODB_URI);
  uri.pathname = `/waggle_clients_${randomBytes(6).toString('hex')}`;
  return uri.toString();
}

/** A port that nobody listens on. */
export async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  await once(probe, 'close');
  return port;
}
