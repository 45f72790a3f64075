// Raw WebSockets of the tests, as the driver app and the dashboards open them: with the `ws` client.

import { EventEmitter, once } from 'node:events';
import WebSocket from 'ws';

import { Inbox, inTime } from './sockets.js';

/** What the driver app's and the back office's sockets are sent. */
const TYPES = [
  'connected', 'pong', 'ack', 'order_assigned', 'order_cancelled', 'new_order', 'order_removed', 'order_update',
  'driver_location', 'error', 'token_expiring', 'token_expired', 'server_shutdown',
];

/** A socket with frames `{type, data}`: remembers all it hears, and how it ended. */
export class RawSocket {
  #frames = new EventEmitter();

  constructor(url, options) {
    this.socket = new WebSocket(url, options);
    this.heard = new Inbox({ on: (name, take) => this.#frames.on(name, take) }, this.names);
    this.socket.on('message', (text) => this.#take(JSON.parse(text)));
    this.socket.on('error', (problem) => { this.problem = problem; });
    /** Resolves to `{code, reason}`. */
    this.closed = new Promise((resolve) => {
      this.socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() }));
    });
  }

  get names() { return TYPES; }

  /** Waits until the handshake is done. */
  async opened() {
    if (this.socket.readyState === WebSocket.OPEN) return this;
    await inTime(Promise.race([once(this.socket, 'open'), this.#refused()]), 'open');
    return this;
  }

  send(type, data) { this.sendFrame({ type, data }); }

  sendFrame(frame) { this.socket.send(JSON.stringify(frame)); }

  /** Sends `ping` and waits for the answer: what was sent before has been looked at. */
  async settle() {
    const before = this.heard.all('pong').length;
    this.send('ping');
    await this.heard.until('pong', () => this.heard.all('pong').length > before);
  }

  /** How it ended, when it has. */
  end() { return inTime(this.closed, 'close'); }

  /** Ends it as an app would that its user closes. */
  close() {
    this.socket.close(1000);
    return this.end();
  }

  /** Ends it as a phone that has lost its network: without a word. */
  cut() { this.socket.terminate(); }

  /** What an inbox files a frame under. */
  sort({ type, data }) { return [type, data]; }

  async #refused() {
    await this.closed;
    throw new Error(`the socket did not open: ${this.problem?.message ?? 'closed'}`);
  }

  #take(frame) {
    const [name, payload] = this.sort(frame);
    // An 'error' that nobody listens to would throw.
    if (this.#frames.listenerCount(name) === 0) throw new Error(`a frame that no test knows: ${JSON.stringify(frame)}`);
    this.#frames.emit(name, payload);
  }
}

/** Seed 000's socket: its frames are flat, and what the server sends has no type. */
export class FlatSocket extends RawSocket {
  get names() { return ['location', 'offline', 'error']; }

  sort(frame) {
    if ('error' in frame) return ['error', frame];
    return ['errorCode' in frame ? 'offline' : 'location', frame];
  }
}

/** The address of a server, or of something before it, for sockets. */
export function wsUrl(server) { return server.url.replace('http', 'ws'); }

/** A driver's socket; `as` is how the address names the driver, a `token` of `null` is none. */
export function driverSocket(server, driver, { as = driver.number, token = driver.token, ...options } = {}) {
  const query = token === null ? '' : `?token=${encodeURIComponent(token)}`;
  return new RawSocket(`${wsUrl(server)}/api/v1/ws/driver/${as}${query}`, options);
}

/** A driver's socket that has said `connected`. */
export async function connectDriver(server, driver, options) {
  const socket = driverSocket(server, driver, options);
  await socket.opened();
  await socket.heard.find('connected');
  return socket;
}

/** The back office's socket. */
export async function connectAdmin(server, admin) {
  const socket = new RawSocket(`${wsUrl(server)}/api/v1/ws/admin?token=${admin.token}`);
  await socket.opened();
  await socket.heard.find('connected');
  return socket;
}
