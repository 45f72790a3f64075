'use strict';

/** Something that happens, and who wants to know. */
class Signal {
  #listeners = [];

  listen(listener) {
    this.#listeners.push(listener);
  }

  fire(...values) {
    for (const listener of this.#listeners) listener(...values);
  }
}
