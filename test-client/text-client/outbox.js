'use strict';

/**
 * Messages on their way out. To each person one at a time, in the order written; repeated with the same `clientMsgId`
 * until the server answers, so that each arrives once, whatever happens to the connection.
 */
class Outbox {
  static TRIES = 5;
  static PASSING = new Set(['lost', 'rate_limited', 'unavailable']);

  changed = new Signal();
  /** The server's stored message, as its acknowledgement brings it. */
  acknowledged = new Signal();
  #link;
  #entries = [];

  constructor(link) {
    this.#link = link;
    link.connected.listen(() => this.pump());
  }

  get pending() {
    return this.#entries.some((entry) => entry.state === 'sending');
  }

  /** The unsent messages to one person, oldest first. */
  to(receiverId) {
    return this.#entries.filter((entry) => entry.receiverId === receiverId);
  }

  add(receiverId, content) {
    const clientMsgId = randomId();
    const tempId = `temp-${clientMsgId.slice(0, 12)}`;
    this.#entries.push({ receiverId, content, clientMsgId, tempId, state: 'sending', tries: 0, createdAt: new Date().toISOString() });
    this.changed.fire(receiverId);
    this.pump();
  }

  retry(tempId) {
    const entry = this.#entries.find((candidate) => candidate.tempId === tempId);
    if (entry?.state !== 'failed') return;
    Object.assign(entry, { state: 'sending', tries: 0, reason: undefined });
    this.changed.fire(entry.receiverId);
    this.pump();
  }

  discard(tempId) {
    this.#drop((entry) => entry.tempId === tempId);
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
    if (!this.#link.up) return;
    const busy = new Set();
    for (const entry of this.#entries) {
      if (entry.state !== 'sending' || busy.has(entry.receiverId)) continue;
      busy.add(entry.receiverId);
      if (!entry.inFlight && !entry.waiting) this.#deliver(entry);
    }
  }

  async #deliver(entry) {
    const { receiverId, content, tempId, clientMsgId } = entry;
    entry.inFlight = true;
    entry.tries++;
    try {
      const ack = await this.#link.request('send_message', { receiverId, content, messageType: 'text', tempId, clientMsgId });
      this.acknowledged.fire(this.identify(ack.message, tempId));
    } catch (problem) {
      this.#onFailure(entry, problem);
    }
    entry.inFlight = false;
    this.pump();
  }

  #onFailure(entry, problem) {
    if (!this.#link.up) entry.tries = 0;
    else if (!Outbox.PASSING.has(problem.code) || entry.tries >= Outbox.TRIES) this.#fail(entry, problem);
    else if (problem.code !== 'lost') this.#wait(entry, problem.retryAfter ?? entry.tries);
  }

  #fail(entry, problem) {
    Object.assign(entry, { state: 'failed', reason: problem.message });
    this.changed.fire(entry.receiverId);
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
    for (const { receiverId } of dropped) this.changed.fire(receiverId);
  }
}
