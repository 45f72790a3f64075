'use strict';

/** The server's time, as this computer's clock may be wrong. */
class ServerClock {
  #ahead = 0;

  /** The server has just said what time it is. */
  set(time) {
    const at = Date.parse(time);
    if (Number.isFinite(at)) this.#ahead = at - Date.now();
  }

  /** Milliseconds since 1970. */
  get now() { return Date.now() + this.#ahead; }
}
