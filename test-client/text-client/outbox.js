'use strict';

/**
 * Messages on their way out. To each person and into each room one at a time, in the order written; repeated with the same `clientMsgId`
 * until the server answers, so that each arrives once, whatever happens to the connection.
 */
class Outbox {
  static TRIES = 5;
  static PASSING = new Set(['lost', 'rate_limited', 'unavailable']);

  changed = new Signal();
  /** The server's stored message, as its acknowledgement brings it. */
  acknowledged = new Signal();
  #link;
  #isIn;
  #entries = [];

  /** `isIn` says whether the socket is in a room, which sending there takes. */
  constructor(link, isIn) {
    this.#link = link;
    this.#isIn = isIn;
    link.connected.listen(() => this.pump());
  }

  get pending() {
    return this.#entries.some((entry) => entry.state === 'sending');
  }

  /** The unsent messages of one conversation, oldest first. */
  to(key) {
    return this.#entries.filter((entry) => entry.key === key);
  }

  add({ key, address }, content) {
    const clientMsgId = randomId();
    const tempId = `temp-${clientMsgId.slice(0, 12)}`;
    this.#entries.push({ key, address, content, clientMsgId, tempId, state: 'sending', tries: 0, createdAt: new Date().toISOString() });
    this.changed.fire(key);
    this.pump();
  }

  retry(tempId) {
    const entry = this.#entries.find((candidate) => candidate.tempId === tempId);
    if (entry?.state !== 'failed') return;
    Object.assign(entry, { state: 'sending', tries: 0, reason: undefined });
    this.changed.fire(entry.key);
    this.pump();
  }

  discard(tempId) {
    this.#drop((entry) => entry.tempId === tempId);
  }

  /** Forgets what waits for a conversation that is over. */
  abandon(key) {
    this.#drop((entry) => entry.key === key);
  }

  clear() {
    this.#entries = [];
  }

  /** The stored message with the `clientMsgId` it was sent under, should the server not repeat it. */
  identify(message, tempId) {
    const entry = this.#entries.find((candidate) => candidate.tempId === tempId);
    return entry ? { ...message, clientMsgId: entry.clientMsgId } : message;
  }

  /** The server has this message: whatever waits under its `clientMsgId` is done. */
  settle(message) {
    this.#drop((entry) => entry.clientMsgId === message.clientMsgId);
  }

  pump() {
    const busy = new Set();
    for (const entry of this.#entries) {
      if (entry.state !== 'sending' || busy.has(entry.key)) continue;
      busy.add(entry.key);
      if (!entry.inFlight && !entry.waiting && this.#canGo(entry)) this.#deliver(entry);
    }
  }

  #canGo({ address }) {
    return address.roomId ? this.#isIn(address.roomId) : this.#link.up;
  }

  async #deliver(entry) {
    const { address, content, tempId, clientMsgId } = entry;
    entry.inFlight = true;
    entry.tries++;
    try {
      const ack = await this.#link.request('send_message', { ...address, content, messageType: 'text', tempId, clientMsgId });
      this.acknowledged.fire(this.identify(ack.message, tempId));
    } catch (problem) {
      this.#onFailure(entry, problem);
    }
    entry.inFlight = false;
    this.pump();
  }

  #onFailure(entry, problem) {
    if (!this.#canGo(entry)) entry.tries = 0;
    else if (!Outbox.PASSING.has(problem.code) || entry.tries >= Outbox.TRIES) this.#fail(entry, problem);
    else if (problem.code !== 'lost') this.#wait(entry, problem.retryAfter ?? entry.tries);
  }

  #fail(entry, problem) {
    Object.assign(entry, { state: 'failed', reason: problem.message });
    this.changed.fire(entry.key);
  }

  #wait(entry, seconds) {
    entry.waiting = true;
    setTimeout(() => {
      entry.waiting = false;
      this.pump();
    }, seconds * 1000);
  }

  #drop(matches) {
    const dropped = this.#entries.filter(matches);
    this.#entries = this.#entries.filter((entry) => !dropped.includes(entry));
    for (const { key } of dropped) this.changed.fire(key);
  }
}
