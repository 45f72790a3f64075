'use strict';

/** The colours of a canvas: those that the style sheet gives to elements that nobody sees, as they are in this theme. */
class Tints {
  static NAMES = ['off', 'online', 'transit', 'pin-ink', 'land', 'ink', 'accent'];

  /** By name. */
  colours = {};
  font = '';
  changed = new Signal();
  #probes;

  constructor(host) {
    this.#probes = Tints.NAMES.map((name) => make('span', { className: `map__tint map__tint--${name}`, attrs: { hidden: '' } }));
    host.append(...this.#probes);
    this.#read();
    new MutationObserver(() => this.#read()).observe(document.documentElement, { attributeFilter: ['data-theme'] });
  }

  #read() {
    this.colours = Object.fromEntries(Tints.NAMES.map((name, index) => [name, getComputedStyle(this.#probes[index]).color]));
    this.font = getComputedStyle(this.#probes[0]).fontFamily;
    this.changed.fire();
  }
}
