// Drivers of the tests, as the driver app has them: a plain WebSocket on which they say where they are.

import WebSocket from 'ws';

import { call, register } from './people.js';
import { inTime } from './sockets.js';

/** The corner of the streets that drivers of tests start from. */
export const START = { lat: 48.2085, lng: 16.3731 };

export class Driver {
  #server;
  #socket = null;
  /** When they last said where they are: no two positions are of one time. */
  #saidAt = 0;

  /** Registers a driver, and lets them be online. */
  static async start(server, stem = 'driver') {
    const driver = new Driver(server, await register(server, stem, 'driver'));
    await driver.connect();
    return driver;
  }

  constructor(server, account) {
    this.#server = server;
    Object.assign(this, account);
  }

  /** Resolves when the server has said who it takes this for. */
  connect() {
    const url = `${this.#server.url.replace('http', 'ws')}/api/v1/ws/driver/${this.username}?token=${this.token}`;
    const socket = new WebSocket(url);
    this.#socket = socket;
    return inTime(new Promise((resolve, reject) => {
      socket.once('error', reject);
      socket.once('close', (code) => reject(new Error(`closed with ${code}`)));
      socket.on('message', (text) => {
        const { type, data } = JSON.parse(text);
        if (type !== 'connected') return;
        this.number = data.driver_id;
        resolve(this);
      });
    }), `connected of ${this.username}`).finally(() => socket.on('error', () => {}));
  }

  /** Says where they are: as many metres north and east of the start, going where `heading` says. */
  say({ north = 0, east = 0, heading = 0, speed = 10 } = {}) {
    const [latitude, longitude] = [START.lat + north / 111_320, START.lng + east / 74_200];
    this.#saidAt = Math.max(Date.now(), this.#saidAt + 1);
    const data = { latitude, longitude, heading, speed, timestamp: new Date(this.#saidAt).toISOString() };
    this.#socket.send(JSON.stringify({ type: 'location_update', data }));
    return { lat: latitude, lng: longitude };
  }

  /** Says `times` times where they are, as `placeOf` has it, so many milliseconds apart; resolves after the last. */
  drive(times, every, placeOf) {
    return new Promise((resolve) => {
      let time = 0;
      const timer = setInterval(() => {
        this.say(placeOf(time++));
        if (time < times) return;
        clearInterval(timer);
        resolve();
      }, every);
    });
  }

  /** Goes offline. */
  close() {
    this.#socket.close();
  }

  /** A request of this driver's app. */
  async call(method, path, body) {
    const answer = await call(this.#server, method, path, { token: this.token, body });
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  }
}

/** Runs `act` for each of `things`, no more than `most` at a time; gives what came of it. */
export async function inParallel(things, most, act) {
  const results = [];
  const waiting = [...things.entries()];
  const work = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) results[next[0]] = await act(next[1], next[0]);
  };
  await Promise.all(Array.from({ length: most }, work));
  return results;
}
