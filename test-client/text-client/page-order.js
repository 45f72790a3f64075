'use strict';

/** `map.html?order=…`: one order, by its ID or number. */
class OrderPage {
  prompt = 'Log in to follow the order';
  element = byId('order');
  complained = new Signal();
  link;
  #wanted;
  #api;
  #orders;

  constructor(wanted, { session, choices, log, api, config }) {
    [this.#wanted, this.#api] = [wanted, api];
    this.link = new Link(session, choices, api, log);
    this.#orders = new Orders({ link: this.link, api, session });
    const follow = new Follow({ link: this.link, api, orders: this.#orders });
    new TripView({ orders: this.#orders, follow, config });
    this.#orders.changed.listen(() => this.#render());
    for (const { failed } of [this.#orders, follow]) failed.listen((problem) => this.complained.fire(problem));
    this.#orders.told.listen((text) => this.complained.fire({ message: text }));
  }

  /** Fails with a `Problem` where there is nothing to show. */
  async enter() {
    const { order } = await this.#api.order(this.#wanted);
    this.#orders.take(order);
    this.#orders.show(order.id);
    this.link.open();
  }

  #render() {
    const { open } = this.#orders;
    if (!open) return;
    document.title = `waggle · order ${open.orderNumber}`;
    setText(byId('order-name'), `Order ${open.orderNumber}`);
    setText(byId('order-status'), STATUS_WORDS[open.status]);
    Object.assign(byId('order-status'), { hidden: false }).dataset.status = open.status;
    renderSteps(byId('order-steps'), open);
  }
}
