'use strict';

/** What a driver is offered, and whether they want to be. */
class Offers {
  changed = new Signal();
  failed = new Signal();
  /** Whether the server offers orders; null until it has said so. */
  available = null;
  /** Where the driver was last, for the server. */
  position = null;
  #offers = new Map();
  /** The server takes a driver who connects to be available; who is not stays so here. */
  #wish = new Kept('sessionStorage', 'waggle.available', true);
  #link;
  #api;
  #orders;

  constructor({ link, api, orders }) {
    this.#link = link;
    this.#api = api;
    this.#orders = orders;
    link.on('newOrder', (order) => this.#put(order));
    link.on('removeOrder', ({ orderId }) => this.#drop(orderId));
    link.ordersConnected.listen(() => this.#restart());
  }

  /** Those that can be had, the oldest first. */
  get all() {
    return [...this.#offers.values()].sort((a, b) => a.orderNumber - b.orderNumber);
  }

  /** Shown at once, as offers may come before the server's answer; and taken back if that is a refusal. */
  async setAvailable(wish) {
    const before = this.available;
    this.available = wish;
    try {
      await this.#link.requestOrders('setAvailability', { available: wish });
      this.#wish.value = wish;
      if (!wish) this.#offers.clear();
    } catch (problem) {
      this.available = before;
      throw problem;
    } finally {
      this.changed.fire();
    }
  }

  async accept(id) {
    await this.#act('orderAccept', { orderId: id });
    this.#orders.show(id);
  }

  reject(id, reason) {
    return this.#act('orderReject', { orderId: id, reason: reason || undefined });
  }

  reset() {
    this.#offers.clear();
    this.#wish.value = true;
    Object.assign(this, { available: null, position: null });
    this.changed.fire();
  }

  /** An order that another driver got is no offer any more, even where that is not told here. */
  async #act(event, payload) {
    try {
      await this.#orders.act(event, payload);
      this.#drop(payload.orderId);
    } catch (problem) {
      if (problem.code === 'conflict' || problem.code === 'not_found') this.#drop(payload.orderId);
      throw problem;
    }
  }

  #put(order) {
    this.#offers.set(order.id, order);
    this.changed.fire();
  }

  #drop(id) {
    this.#offers.delete(id);
    this.changed.fire();
  }

  /** The server tells a driver who connects what can be had, after this. */
  #restart() {
    this.#offers.clear();
    this.changed.fire();
    if (this.#orders.role === 'driver') this.#load().catch((problem) => this.failed.fire(problem));
  }

  async #load() {
    if (!this.#wish.value) await this.setAvailable(false);
    const { available, position } = await this.#api.driver();
    Object.assign(this, { available, position: position && placeOf(position) });
    this.changed.fire();
  }
}
