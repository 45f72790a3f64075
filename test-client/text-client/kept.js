'use strict';

/** One JSON value in browser storage; when storage is blocked it lives as long as the page. */
class Kept {
  #storage;
  #key;
  #value;

  constructor(storageName, key, initial) {
    this.#key = key;
    this.#value = initial;
    try {
      this.#storage = window[storageName];
      const text = this.#storage.getItem(key);
      if (text !== null) this.#value = JSON.parse(text);
    } catch {
      this.#storage = undefined;
    }
  }

  get value() {
    return this.#value;
  }

  set value(value) {
    this.#value = value;
    try {
      this.#storage?.setItem(this.#key, JSON.stringify(value));
    } catch {
      this.#storage = undefined;
    }
  }
}
