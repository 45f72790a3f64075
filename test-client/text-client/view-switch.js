'use strict';

/** Which side of the page is shown: the chat, the orders, or, to admins, what they do with the server. */
class SwitchView {
  static SIDES = ['chat', 'orders', 'admin'];

  changed = new Signal();
  #kept = new Kept('sessionStorage', 'waggle.side', 'chat');
  #isAdmin = false;

  constructor() {
    for (const side of SwitchView.SIDES) byId(`to-${side}`).addEventListener('click', () => this.show(side));
  }

  get side() { return this.#kept.value === 'admin' && !this.#isAdmin ? 'chat' : this.#kept.value; }

  show(side) {
    this.#kept.value = side;
    this.render(true, this.#isAdmin);
  }

  /** Shows the side, or for who is not logged in none. */
  render(signedIn, isAdmin) {
    this.#isAdmin = isAdmin;
    byId('sides').hidden = !signedIn;
    byId('to-admin').hidden = !isAdmin;
    for (const side of SwitchView.SIDES) {
      const shown = signedIn && side === this.side;
      byId(side).hidden = !shown;
      byId(`to-${side}`).toggleAttribute('aria-current', shown);
    }
    const view = signedIn ? this.side : 'entry';
    if (document.body.dataset.view === view) return;
    document.body.dataset.view = view;
    this.changed.fire(view);
  }
}
