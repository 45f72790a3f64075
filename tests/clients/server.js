// Runs the built server for a test: on a port of its own, with a store of its own.

import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import https from 'node:https';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));

const BINARY = path.resolve(REPOSITORY, process.env.WAGGLE_BIN ?? 'target/debug/waggle');
const MONGODB_URI = process.env.WAGGLE_TEST_MONGODB_URI;
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
};

/** Starts a server with an empty store, and a certificate where there is one, and waits until it is ready. */
export async function startServer({ store = 'embedded', env = {}, certificate } = {}) {
  const dataDir = await mkdtemp(path.join(tmpdir(), 'waggle-clients-'));
  const storeEnv = store === 'mongodb' ? { MONGODB_URI: freshDatabase() } : {};
  const tlsEnv = certificate ? { TLS_CERT: path.join(dataDir, 'cert.pem'), TLS_KEY: path.join(dataDir, 'key.pem') } : {};
  const port = await freePort();
  const url = `${certificate ? 'https' : 'http'}://127.0.0.1:${port}`;
  const server = new Server(url, dataDir, { ...DEFAULTS, PUBLIC_URL: url, ...storeEnv, ...tlsEnv, ...env, DATA_DIR: dataDir, PORT: String(port) });
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

  constructor(url, dataDir, env) {
    this.url = url;
    this.#dataDir = dataDir;
    this.#env = env;
  }

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
    await this.stop();
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
    const { get } = this.#ca ? https : http;
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

function freshDatabase() {
  const uri = new URL(MONGODB_URI);
  uri.pathname = `/waggle_clients_${randomBytes(6).toString('hex')}`;
  return uri.toString();
}

async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  await once(probe, 'close');
  return port;
}
