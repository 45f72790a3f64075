'use strict';

/** Which side of the page is shown: the chat, or the orders. */
class SwitchView {
  static SIDES = ['chat', 'orders'];

  changed = new Signal();
  #kept = new Kept('sessionStorage', 'waggle.side', 'chat');

  constructor() {
    for (const side of SwitchView.SIDES) byId(`to-${side}`).addEventListener('click', () => this.show(side));
  }

  get side() { return this.#kept.value; }

  show(side) {
    this.#kept.value = side;
    this.render(true);
    this.changed.fire(side);
  }

  /** Shows the side, or for who is not logged in none. */
  render(signedIn) {
    byId('sides').hidden = !signedIn;
    for (const side of SwitchView.SIDES) {
      const shown = signedIn && side === this.side;
      byId(side).hidden = !shown;
      byId(`to-${side}`).toggleAttribute('aria-current', shown);
    }
    document.body.dataset.view = signedIn ? this.side : 'entry';
  }
}
