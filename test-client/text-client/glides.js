'use strict';

/** Where things are on their way from one position to the next, in units of the projection. */
class Glides {
  /** Milliseconds from one position to the next. */
  static DURATION = 900;

  #under = new Map();
  #stillness = matchMedia('(prefers-reduced-motion: reduce)');

  /** Whether anything is on its way. */
  get any() { return this.#under.size > 0; }

  /** Something is at `to` now, after it was at `from`; where the person wants less motion it is there at once. */
  start(thing, from, to) {
    if (this.#stillness.matches || !from) return this.stop(thing);
    const now = performance.now();
    const glide = this.#under.get(thing);
    this.#under.set(thing, { from: glide ? Glides.#at(glide, now) : from, to, began: now });
  }

  stop(thing) {
    this.#under.delete(thing);
  }

  /** Where it is at the time of a frame; `rest` where it is not on its way. */
  spotOf(thing, rest, now) {
    const glide = this.#under.size > 0 && this.#under.get(thing);
    if (!glide) return rest;
    if (now - glide.began < Glides.DURATION) return Glides.#at(glide, now);
    this.#under.delete(thing);
    return rest;
  }

  static #at({ from, to, began }, now) {
    const part = Math.max(0, Math.min(1, (now - began) / Glides.DURATION));
    return { x: from.x + (to.x - from.x) * part, y: from.y + (to.y - from.y) * part };
  }
}
