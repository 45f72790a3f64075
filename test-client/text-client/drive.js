'use strict';

/** Drives for a driver who sits at a desk: says, step by step, where a car on its way would be. */
class Drive {
  static STEPS = 24;
  /** Metres per second that the car claims; its clock runs faster. */
  static SPEED = 10;
  static AGAIN = 1000;
  /** What keeps a step from being said now, and not for good; a server that stops says `unavailable`. */
  static PASSING = new Set(['lost', 'rate_limited', 'unavailable']);

  changed = new Signal();
  failed = new Signal();
  /** Where the driver was last, here. */
  place = null;
  #route = [];
  #timer;
  #link;

  constructor(link) {
    this.#link = link;
  }

  get isUnderWay() { return this.#route.length > 0; }

  /** Goes from where the driver is, or from `from`, to `to`, with a step every `pace` milliseconds. */
  start(from, to, pace) {
    this.stop();
    this.#route = Drive.route(from, to);
    this.#step(pace);
  }

  stop() {
    clearTimeout(this.#timer);
    this.#route = [];
    this.changed.fire();
  }

  reset() {
    this.stop();
    this.place = null;
  }

  /** Says that the driver is at a place. */
  async be(place, heading, speed) {
    const { lat: latitude, lng: longitude } = place;
    await this.#link.requestOrders('location_update', { latitude, longitude, heading, speed, accuracy: 5, timestamp: new Date().toISOString() });
    this.place = place;
    this.changed.fire();
  }

  async #step(pace) {
    const route = this.#route;
    const [next, after] = route;
    const from = this.place ?? next;
    const heading = distanceOf(from, next) > 1 ? bearingOf(from, next) : bearingOf(next, after ?? next);
    const wait = await this.be(next, heading, after ? Drive.SPEED : 0).then(() => pace, (problem) => this.#onFailure(problem));
    // Stopped meanwhile, or for good.
    if (route !== this.#route || wait === null) return;
    if (wait === pace) route.shift();
    this.changed.fire();
    if (route.length) this.#timer = setTimeout(() => this.#step(pace), wait);
  }

  /** Milliseconds until it is tried again; null for what will not pass. */
  #onFailure(problem) {
    if (Drive.PASSING.has(problem.code)) return (problem.retryAfter ?? 0) * 1000 || Drive.AGAIN;
    this.stop();
    this.failed.fire(problem);
    return null;
  }

  /** Places along blocks of houses, evenly spaced. */
  static route(from, to) {
    const corners = [from];
    for (const part of [1, 2, 3]) {
      const [before, share] = [corners.at(-1), part / 3];
      const lng = from.lng + (to.lng - from.lng) * share;
      corners.push({ lat: before.lat, lng }, { lat: from.lat + (to.lat - from.lat) * share, lng });
    }
    corners.push(to);
    const lengths = corners.slice(1).map((corner, at) => distanceOf(corners[at], corner));
    const whole = lengths.reduce((sum, length) => sum + length, 0);
    return Array.from({ length: Drive.STEPS + 1 }, (_, step) => Drive.#along(corners, lengths, (whole * step) / Drive.STEPS));
  }

  static #along(corners, lengths, metres) {
    let [leg, left] = [0, metres];
    while (leg < lengths.length - 1 && left > lengths[leg]) left -= lengths[leg++];
    const [a, b] = [corners[leg], corners[leg + 1]];
    const share = lengths[leg] ? Math.min(1, left / lengths[leg]) : 1;
    const between = (one, other) => Number((one + (other - one) * share).toFixed(6));
    return { lat: between(a.lat, b.lat), lng: between(a.lng, b.lng) };
  }
}
