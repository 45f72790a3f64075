// Those who write all the time while servers are replaced: official clients, and drivers on raw WebSockets.

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { io } from 'socket.io-client';

import { location } from './drivers-people.js';
import { driverSocket } from './raw-sockets.js';

/** Sends of one client that wait for their ack at the same time. */
const IN_FLIGHT = 3;

/** Somebody who writes to `receiver` all the time with the official client, and keeps all they are told. */
export class Chatter {
  /** The ids of acked messages, by `clientMsgId`. */
  acked = new Map();
  unavailable = 0;
  unanswered = 0;
  connects = 0;
  stranded = [];
  #seen = new Map();

  constructor(url, ca, { id, token }, transports) {
    this.id = id;
    this.token = token;
    // A cookie tells the proxy which process a polling client is at.
    this.socket = io(url, {
      ca, transports, forceNew: true, withCredentials: true, reconnectionDelay: 100, reconnectionDelayMax: 1000,
      auth: (answer) => answer({ token, sync: { conversations: this.known } }),
    });
    this.socket.on('connect', () => { this.connects++; });
    for (const event of ['disconnect', 'connect_error']) {
      this.socket.on(event, (reason) => { if (!this.socket.active) this.stranded.push(`${event}: ${reason.message ?? reason}`); });
    }
    this.socket.on('sync', ({ messages }) => messages.forEach((message) => this.#take(message)));
    this.socket.on('receive_message', ({ message }) => this.#take(message));
  }

  get isThere() { return this.socket.connected; }

  /** How far each conversation is known without a gap. */
  get known() {
    return Object.fromEntries([...this.#seen].map(([conversation, seqs]) => {
      let last = 0;
      while (seqs.has(last + 1)) last++;
      return [conversation, last];
    }));
  }

  /** The ids of all messages that this client was told of. */
  get told() { return new Set([...this.#seen.values()].flatMap((seqs) => [...seqs.values()])); }

  /** Writes until told to stop: what was not acked is sent again. */
  async write(receiver, isOver) {
    let number = 0;
    await Promise.all(Array.from({ length: IN_FLIGHT }, async () => {
      while (!isOver()) {
        await this.#send(receiver, `${this.id}-${++number}`);
        await sleep(10);
      }
    }));
  }

  /** Asks for what no process has told this client. */
  async catchUp() {
    for (;;) {
      const { ok, messages, more } = await this.socket.timeout(5000).emitWithAck('sync', { conversations: this.known });
      assert.equal(ok, true);
      messages.forEach((message) => this.#take(message));
      if (!more) return;
    }
  }

  async #send(receiver, clientMsgId) {
    for (;;) {
      const sent = this.socket.timeout(3000).emitWithAck('send_message', { receiverId: receiver.id, content: clientMsgId, clientMsgId });
      const ack = await sent.catch(() => null);
      if (ack?.ok) {
        this.#take(ack.message);
        this.acked.set(clientMsgId, ack.message.id);
        return;
      }
      if (ack) {
        assert.equal(ack.error.code, 'unavailable', JSON.stringify(ack));
        this.unavailable++;
      } else {
        this.unanswered++;
      }
      await sleep(50);
    }
  }

  #take({ id, conversationId, seq }) {
    if (!this.#seen.has(conversationId)) this.#seen.set(conversationId, new Map());
    this.#seen.get(conversationId).set(seq, id);
  }
}

/** A driver who says all the time where they are on a raw WebSocket, and opens another when it closes. */
export class Phone {
  /** The times of the positions that were acked. */
  acked = new Set();
  tries = 0;
  isThere = false;
  codes = [];
  refusals = 0;

  constructor(url, ca, driver) {
    Object.assign(this, { url, ca, driver });
  }

  async drive(isOver) {
    let timestamp = Date.now();
    while (!isOver()) {
      const socket = driverSocket(this, this.driver, { ca: this.ca });
      try {
        await socket.opened();
        await Promise.race([socket.heard.find('connected'), this.#ended(socket)]);
        this.isThere = true;
        while (!isOver()) timestamp = await this.#say(socket, timestamp);
        await socket.close();
      } catch (problem) {
        this.isThere = false;
        if (problem.code) this.codes.push(problem.code);
        else this.refusals++;
        await sleep(100);
      }
    }
  }

  /** Resolves to the time of the next position, when this one was acked. */
  async #say(socket, at) {
    this.tries++;
    const timestamp = new Date(at).toISOString();
    const acks = socket.heard.all('ack').length;
    socket.sendFrame({ type: 'location_update', id: timestamp, data: location({ timestamp }) });
    await Promise.race([socket.heard.until('ack', () => socket.heard.all('ack').length > acks), this.#ended(socket)]);
    const ack = socket.heard.all('ack').at(-1);
    if (!ack.ok) {
      assert.equal(ack.error.code, 'unavailable', JSON.stringify(ack));
      await Promise.race([sleep(50), this.#ended(socket)]);
      return at;
    }
    this.acked.add(timestamp);
    await Promise.race([sleep(20), this.#ended(socket)]);
    return Math.max(Date.now(), at + 1);
  }

  /** Fails with the code when the socket is closed. */
  async #ended(socket) {
    const { code } = await socket.closed;
    throw Object.assign(new Error('closed'), { code });
  }
}
