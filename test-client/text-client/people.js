'use strict';

/** The people this tab knows of, and whether they are online. */
class People {
  changed = new Signal();
  loaded = false;
  #byId = new Map();
  #more = false;
  #timer;
  #api;
  #session;

  constructor(api, session) {
    this.#api = api;
    this.#session = session;
  }

  get all() { return [...this.#byId.values()]; }

  get(id) {
    return this.#byId.get(id) ?? { _id: id };
  }

  /** Somebody who was named by a message; never oneself. */
  note(person) {
    if (person._id !== this.#session.me._id && !this.#byId.has(person._id)) this.#byId.set(person._id, person);
  }

  reset() {
    clearTimeout(this.#timer);
    this.#byId.clear();
    this.loaded = false;
  }

  async load(search = '') {
    const { users, nextCursor } = await this.#api.users({ search });
    if (!search) this.#more = Boolean(nextCursor);
    for (const user of users) this.#byId.set(user._id, user);
    this.loaded = true;
    this.changed.fire();
  }

  /** Asks the server only when the list here is not the whole. */
  async search(search) {
    if (search && this.#more) await this.load(search);
  }

  /** Somebody unknown came online: a new account. */
  receiveStatus({ userId, isOnline, lastSeen }) {
    if (userId === this.#session.me._id) return;
    const person = this.#byId.get(userId);
    if (!person) return this.#reloadSoon();
    Object.assign(person, { isOnline, lastSeen });
    this.changed.fire();
  }

  #reloadSoon() {
    if (this.#more) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.load().catch(() => {}), 250);
  }
}
