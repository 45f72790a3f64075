'use strict';

/** Orders as this tab knows them: a customer's, a driver's in hand, or for an admin all. Applies what the server says. */
class Orders {
  static PAGE = 50;

  /** Some order, or the list, has changed. */
  changed = new Signal();
  opened = new Signal();
  /** Something to tell the person: a text. */
  told = new Signal();
  failed = new Signal();
  openId = null;
  /** Only orders of this status are listed; all when empty. */
  status = '';
  loaded = false;
  /** Orders for which no driver is left to be asked. */
  unassigned = new Set();
  #orders = new Map();
  #fetching = new Map();
  #cursor;
  #link;
  #api;
  #session;

  constructor({ link, api, session }) {
    this.#link = link;
    this.#api = api;
    this.#session = session;
    link.on('orderPlaced', (order) => this.take(order));
    link.on('orderAccepted', (order) => this.take(order));
    link.on('orderStatusUpdated', (event) => this.#onStatus(event));
    link.on('orderCancelled', (event) => this.#onCancelled(event));
    link.on('orderUnassigned', ({ orderId }) => this.#onUnassigned(orderId));
    link.on('orderError', ({ message }) => this.failed.fire(new Problem(message)));
    link.ordersConnected.listen(() => this.#restart());
  }

  get me() { return this.#session.me; }
  get role() { return this.me?.role ?? 'user'; }
  get open() { return this.#orders.get(this.openId) ?? null; }
  get hasMore() { return this.#cursor !== undefined; }

  /** Those that the list shows, the newest first. */
  get listed() {
    const wanted = [...this.#orders.values()].filter((order) => this.#isMine(order) && (!this.status || order.status === this.status));
    return wanted.sort((a, b) => b.orderNumber - a.orderNumber);
  }

  /** Whether this person has a part in the order, and may follow it. */
  mayFollow(order) {
    return this.#isMine(order);
  }

  take(order) {
    const known = this.#orders.get(order.id);
    if (known && known.updatedAt > order.updatedAt) return;
    this.#orders.set(order.id, order);
    if (order.driverId) this.unassigned.delete(order.id);
    this.changed.fire(order.id);
  }

  /** Fetches the list anew; of many orders the newest page. */
  async load() {
    const { orders, nextCursor } = await this.#api.orders({ status: this.status, limit: Orders.PAGE });
    Object.assign(this, { loaded: true });
    this.#cursor = nextCursor;
    for (const order of orders) this.take(order);
    this.changed.fire(null);
  }

  async loadMore() {
    const { orders, nextCursor } = await this.#api.orders({ status: this.status, limit: Orders.PAGE, cursor: this.#cursor });
    this.#cursor = nextCursor;
    for (const order of orders) this.take(order);
    this.changed.fire(null);
  }

  filter(status) {
    this.status = status;
    this.changed.fire(null);
    return this.load();
  }

  show(id) {
    this.openId = id;
    this.opened.fire(id);
  }

  /** Sends what is to happen to an order; the server answers with the order as it is then. */
  async act(event, payload) {
    const { order } = await this.#link.requestOrders(event, payload);
    this.take(order);
    return order;
  }

  async assign(id, driverId) {
    this.take((await this.#api.assignOrder(id, { driverId })).order);
  }

  async unassign(id) {
    this.take((await this.#api.unassignOrder(id)).order);
  }

  /** Fetches one order; of several wishes at once the last is answered by a request of its own. */
  fetch(id) {
    const before = this.#fetching.get(id) ?? Promise.resolve();
    const request = before.catch(() => {}).then(() => this.#api.order(id)).then(({ order }) => this.take(order));
    this.#fetching.set(id, request);
    return request;
  }

  reset() {
    this.#orders.clear();
    this.#fetching.clear();
    this.unassigned.clear();
    this.#cursor = undefined;
    Object.assign(this, { loaded: false, status: '' });
    this.show(null);
  }

  #isMine(order) {
    if (this.role === 'admin') return true;
    return [order.userId, order.restaurantId, order.driverId].includes(this.me?._id);
  }

  /** What happened meanwhile: in the list, and to the open order, which may be on no page of it. */
  #restart() {
    this.load().catch((problem) => this.failed.fire(problem));
    if (this.openId) this.fetch(this.openId).catch(() => {});
  }

  /** The event does not carry the order; its status is shown at once, its history as soon as it is here. */
  #onStatus({ orderId, status, timestamp }) {
    const known = this.#orders.get(orderId);
    if (known && known.updatedAt <= timestamp) this.take({ ...known, status, updatedAt: timestamp });
    this.fetch(orderId).catch(() => {});
  }

  #onCancelled({ orderId, orderNumber, reason, cancelledBy }) {
    if (cancelledBy !== this.me?._id) this.told.fire(`Order ${orderNumber} was cancelled${reason ? `: ${reason}` : '.'}`);
    this.fetch(orderId).catch(() => this.#drop(orderId));
  }

  #onUnassigned(orderId) {
    this.unassigned.add(orderId);
    this.changed.fire(orderId);
  }

  /** An order that this person may not see any more: it was taken from them. */
  #drop(id) {
    this.#orders.delete(id);
    if (this.openId === id) this.show(null);
    this.changed.fire(id);
  }
}
