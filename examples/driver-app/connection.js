// The driver app's connection over the raw WebSocket: orders come in, positions go out, and the
// connection comes back by itself. Runs in React Native, in browsers and in Node: what differs
// between them is passed in.

import { LoggedOut, Tokens } from './tokens.js';

const QUIET = 20_000; // a ping is sent after so long without a frame from the server,
const DEAD = 10_000; // and the connection counts as dead without an answer in so long
const MOST_MISSED = 500; // positions that wait for a connection: what the server takes at once

/**
 * @param url        where the server is: https://api.example.com; the socket is wss:// then
 * @param WebSocket  the platform's
 * @param fetch      the platform's
 * @param tokens     {driverId, access, refresh}
 * @param onTokens   keep the new tokens: called after each refresh
 * @param onOrder    an order is yours. After a lost connection it may come a second time: go by `order_id`
 * @param onCancel   an order is yours no more: {order_id, reason}
 * @param onOffer    an order can be had: answer with `accept` or `reject`
 * @param onOfferGone  ... no more: {order_id}
 * @param onReplaced the driver has connected from another phone: say so, and stay offline
 * @param onLoggedOut  the tokens are worth nothing any more: show the login screen
 * @param onStatus   'connecting', 'online' or 'offline', for the app's badge
 * @param getLocation  gives {latitude, longitude, accuracy?, heading?, speed?, battery_level?}, or null
 * @param locationEvery  milliseconds between positions
 * @param retry      {first, most}: milliseconds to wait for the next try, doubled each time
 */
export function createDriverConnection(options) {
  return new DriverConnection(options);
}

/** A position with its time. Phones write -1 for a heading or a speed that they do not know. */
export function fixOf(location) {
  if (!location) return null;
  const known = Object.entries(location).filter(([name, value]) => !((name === 'heading' || name === 'speed') && value < 0));
  return { ...Object.fromEntries(known), timestamp: new Date().toISOString() };
}

/** The positions that a refusal does not name; it names them as `locations[3].latitude`. */
async function without(locations, refusal) {
  const { details = [] } = await refusal.json().catch(() => ({}));
  const bad = new Set(details.map(({ field }) => Number(/^locations\[(\d+)\]/.exec(field)?.[1])));
  return locations.filter((_, n) => !bad.has(n));
}

class DriverConnection {
  #socket = null;
  #wanted = false;
  #tries = 0;
  #renewed = false;
  #missed = [];
  #timers = {};

  constructor({ url, WebSocket, fetch, tokens, onTokens, getLocation = () => null, locationEvery = 10_000, retry = { first: 1000, most: 30_000 }, ...handlers }) {
    this.tokens = new Tokens({ url, fetch, tokens, onTokens });
    Object.assign(this, { url, WebSocket, getLocation, locationEvery, retry, handlers });
  }

  /** The driver has pressed "Online". */
  goOnline() {
    if (this.#wanted) return;
    this.#wanted = true;
    this.#timers.location = setInterval(() => this.#reportLocation(), this.locationEvery);
    this.#connect();
  }

  /** The driver has pressed "Offline": the server is told with 1000. */
  goOffline() {
    this.#wanted = false;
    Object.values(this.#timers).forEach((timer) => clearTimeout(timer));
    this.#drop(1000);
    this.#tell('onStatus', 'offline');
  }

  accept(orderId) { return this.#send('accept_order', { order_id: orderId }); }

  reject(orderId, reason) { return this.#send('reject_order', { order_id: orderId, reason }); }

  #connect() {
    this.#tell('onStatus', 'connecting');
    const { driverId, access } = this.tokens;
    const address = `${this.url.replace(/^http/, 'ws')}/api/v1/ws/driver/${driverId}`;
    const socket = new this.WebSocket(`${address}?token=${encodeURIComponent(access)}`);
    this.#socket = socket;
    // A socket that was given up must not be heard any more.
    const ifCurrent = (handle) => (event) => { if (this.#socket === socket) handle(event); };
    socket.onmessage = ifCurrent(({ data }) => this.#receive(JSON.parse(data)));
    socket.onclose = ifCurrent(({ code }) => this.#closed(code));
    socket.onerror = () => {}; // `onclose` follows
    this.#listen();
  }

  #receive({ type, data }) {
    this.#listen();
    switch (type) {
      case 'connected':
        [this.#tries, this.#renewed] = [0, false];
        this.#tell('onStatus', 'online');
        this.#uploadMissed();
        this.#reportLocation();
        break;
      case 'order_assigned': return this.#tell('onOrder', data);
      case 'order_cancelled': return this.#tell('onCancel', data);
      case 'new_order': return this.#tell('onOffer', data);
      case 'order_removed': return this.#tell('onOfferGone', data);
      // In time, so that the socket stays. If it fails, 4001 will bring us back here.
      case 'token_expiring': this.tokens.renew().catch(() => {}); break;
      case 'error': console.warn('waggle:', data.code, data.message); break;
      default: // `pong`, and what servers to come may send
    }
  }

  #closed(code) {
    this.#socket = null;
    clearTimeout(this.#timers.quiet);
    if (code === 4003) return this.#stop('onReplaced');
    if (code === 4001) return this.#renewAndConnect();
    return this.#connectLater(); // 1001, 1006, 1013, 4008: the network, or the server
  }

  async #renewAndConnect() {
    // A token that is new and refused all the same: asking for more of them leads nowhere.
    if (this.#renewed) return this.#stop('onLoggedOut');
    try {
      await this.tokens.renew();
      this.#renewed = true;
      if (this.#wanted) this.#connect();
    } catch (problem) {
      if (problem instanceof LoggedOut) return this.#stop('onLoggedOut');
      this.#connectLater();
    }
  }

  #connectLater() {
    if (!this.#wanted) return;
    this.#tell('onStatus', 'connecting');
    const wait = Math.min(this.retry.most, this.retry.first * 2 ** this.#tries++);
    // Not all phones at once when the server has restarted.
    this.#timers.connect = setTimeout(() => this.#connect(), wait * (0.5 + Math.random() / 2));
  }

  #stop(why) {
    this.goOffline();
    this.#tell(why);
  }

  /** Notices a connection that has died without a word, as they do in tunnels. */
  #listen() {
    clearTimeout(this.#timers.quiet);
    this.#timers.quiet = setTimeout(() => {
      this.#send('ping');
      this.#timers.quiet = setTimeout(() => {
        this.#drop();
        this.#connectLater();
      }, DEAD);
    }, QUIET);
  }

  #drop(code) {
    const socket = this.#socket;
    this.#socket = null;
    socket?.close(code);
  }

  #reportLocation() {
    const fix = fixOf(this.getLocation());
    if (!fix) return;
    if (!this.#send('location_update', fix)) this.#missed = [...this.#missed, fix].slice(-MOST_MISSED);
  }

  /** Fills the gap in the trail. */
  async #uploadMissed() {
    if (this.#missed.length === 0) return;
    const locations = this.#missed;
    this.#missed = [];
    const answer = await this.tokens.post('/driver/locations', { locations }).catch(() => null);
    if (answer?.ok) return;
    // One that cannot be stored keeps none of the others back. The server knows each position by its time, so that
    // none is there twice.
    const good = answer?.status === 400 ? await without(locations, answer) : locations;
    const shrunk = good.length < locations.length;
    if (!answer || answer.status >= 429 || shrunk) this.#missed = [...good, ...this.#missed].slice(-MOST_MISSED);
    if (shrunk) await this.#uploadMissed();
  }

  /** Whether a frame could be sent. */
  #send(type, data) {
    if (this.#socket?.readyState !== 1) return false;
    this.#socket.send(JSON.stringify({ type, data }));
    return true;
  }

  #tell(handler, ...what) { this.handlers[handler]?.(...what); }
}
