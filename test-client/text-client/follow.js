'use strict';

/** Follows the open order: where its driver is, and was. After a reconnect, or with another driver, it starts again. */
class Follow {
  changed = new Signal();
  failed = new Signal();
  /** As `driverLocation` has it; null where nothing is known. */
  position = null;
  trail = [];
  #followed = null;
  #link;
  #api;
  #orders;

  constructor({ link, api, orders }) {
    this.#link = link;
    this.#api = api;
    this.#orders = orders;
    link.on('driverLocation', (event) => this.#onLocation(event));
    link.ordersConnected.listen(() => this.#start());
    orders.opened.listen(() => this.#look());
    orders.changed.listen((id) => { if (id === orders.openId) this.#look(); });
  }

  /** What is followed: another driver, or the end, makes it another trip. */
  get #wanted() {
    const { open } = this.#orders;
    return open && this.#orders.mayFollow(open) ? JSON.stringify([open.id, open.driverId, hasEnded(open)]) : null;
  }

  #look() {
    if (this.#wanted !== this.#followed) this.#start();
  }

  #start() {
    const [before] = JSON.parse(this.#followed ?? '[null]');
    this.#followed = this.#wanted;
    const [id, driverId, ended] = JSON.parse(this.#followed ?? '[null]');
    if (before && before !== id && this.#link.ordersUp) this.#link.requestOrders('untrackOrder', { orderId: before }).catch(() => {});
    if (before !== id || !driverId || ended) Object.assign(this, { position: null });
    if (before !== id || !driverId) this.trail = [];
    this.changed.fire();
    if (id && this.#link.ordersUp) this.#load(id, ended).catch((problem) => this.#onFailure(problem));
  }

  async #load(id, ended) {
    const followed = this.#followed;
    const tracked = ended ? { position: null } : await this.#link.requestOrders('trackOrder', { orderId: id });
    if (tracked.order) this.#orders.take(tracked.order);
    const points = await this.#points(id);
    if (followed !== this.#followed) return;
    // What came live meanwhile is later than what was fetched.
    const latest = points.at(-1)?.timestamp ?? '';
    this.trail = [...points.map(placeOf), ...this.trail.filter(({ timestamp }) => timestamp > latest)];
    this.#take(tracked.position);
    this.changed.fire();
  }

  async #points(id) {
    const all = [];
    let more = true;
    while (more) {
      const page = await this.#api.trail(id, { after: all.at(-1)?.timestamp });
      all.push(...page.points);
      more = page.more;
    }
    return all;
  }

  #onLocation(event) {
    if (event.orderId !== this.#orders.openId) return;
    this.trail = [...this.trail, placeOf(event)];
    this.#take(event);
    this.changed.fire();
  }

  #take(position) {
    if (position && position.timestamp >= (this.position?.timestamp ?? '')) this.position = { ...position, ...placeOf(position) };
  }

  /** A connection that is lost comes back by itself, and this starts again. */
  #onFailure(problem) {
    if (problem.code !== 'lost') this.failed.fire(problem);
  }
}

const placeOf = ({ latitude, longitude, timestamp }) => ({ lat: latitude, lng: longitude, timestamp });
