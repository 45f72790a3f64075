'use strict';

/** How many frames were drawn in the last second, and how long (ms) each took. */
class FrameRate {
  static SPAN = 1000;

  /** All since the page was opened. */
  total = 0;
  #frames = [];

  /** A frame was drawn, in so many milliseconds. */
  add(took) {
    this.total++;
    this.#frames.push({ at: performance.now(), took });
    this.#forget();
  }

  /** `{fps, average, slowest}`, the latter two in milliseconds, 0 where nothing was drawn. */
  get latest() {
    this.#forget();
    const times = this.#frames.map(({ took }) => took);
    const average = times.length ? times.reduce((sum, took) => sum + took, 0) / times.length : 0;
    return { fps: times.length, average, slowest: Math.max(0, ...times) };
  }

  #forget() {
    const since = performance.now() - FrameRate.SPAN;
    while (this.#frames.length && this.#frames[0].at < since) this.#frames.shift();
  }
}
