// Sockets of the tests: they remember everything they are sent, and are closed with the test.

import assert from 'node:assert/strict';

const PATIENCE = 10_000;

/** Fails when `promise` takes too long. */
export function inTime(promise, what, patience = PATIENCE) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: nothing after ${patience} ms`)), patience);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** What a socket was sent, in order, by event. */
export class Inbox {
  #events = [];
  #waiting = new Set();

  constructor(socket, names) {
    for (const name of names) socket.on(name, (payload) => this.#take(name, payload));
  }

  /** The payloads of `name` so far. */
  all(name) {
    return this.#events.filter((event) => event.name === name).map((event) => event.payload);
  }

  /** The names of all events so far. */
  get names() { return this.#events.map((event) => event.name); }

  /** The first payload of `name` that `matches`, when it is there. */
  async find(name, matches = () => true) {
    await this.until(`${name}`, () => this.all(name).some(matches));
    return this.all(name).find(matches);
  }

  /** The payloads of `name`, when there are `count`. */
  async count(name, count) {
    await this.until(`${count} ${name}`, () => this.all(name).length >= count);
    assert.equal(this.all(name).length, count, `more ${name} than expected`);
    return this.all(name);
  }

  until(what, holds) {
    if (holds()) return Promise.resolve();
    const arrived = new Promise((resolve) => {
      const look = () => {
        if (!holds()) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
    });
    return inTime(arrived, `${what} (so far: ${this.names.join(', ')})`);
  }

  #take(name, payload) {
    this.#events.push({ name, payload });
    for (const look of [...this.#waiting]) look();
  }
}

/** Every event that the chat surface sends. */
export const EVENTS = [
  'message_sent', 'receive_message', 'user_typing', 'message_read_receipt', 'user_status', 'sync', 'error',
  'token_expiring', 'token_expired', 'server_shutdown',
];

/** And every one that only rooms send. */
export const ROOM_EVENTS = [
  'joined_room', 'left_room', 'typing', 'user_joined', 'user_left', 'room_updated', 'message_receipt', 'messages_read',
  'join_room_error', 'message_error',
];

/** Every event that orders and drivers send. */
export const ORDER_EVENTS = [
  'orderPlaced', 'newOrder', 'orderAccepted', 'removeOrder', 'orderStatusUpdated', 'orderCancelled', 'orderUnassigned',
  'driverLocation', 'pong', 'orderError',
];

/** Waits for `event` of a socket of any client version. */
export function happens(socket, event) {
  return inTime(new Promise((resolve) => socket.once(event, resolve)), event);
}

/** Connects, or fails with what the server said. */
export function connected(socket, patience) {
  if (socket.connected) return Promise.resolve();
  return inTime(new Promise((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('connect_error', reject);
    // What version 2 calls it.
    socket.once('error', (problem) => reject(problem instanceof Error ? problem : new Error(JSON.stringify(problem))));
  }), 'connect', patience);
}

/** Emits and waits for the ack; works with every version of the client. */
export function ask(socket, event, ...payload) {
  return inTime(new Promise((resolve) => socket.emit(event, ...payload, resolve)), `ack of ${event}`);
}
