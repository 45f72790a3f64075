'use strict';

/** The open order: how far it is, what and where, who brings it, what happened. */
class OrderView {
  #orders;
  #config;
  #actions;

  constructor({ orders, config, actions }) {
    this.#orders = orders;
    this.#config = config;
    this.#actions = actions;
    for (const signal of [orders.changed, orders.opened, config.loaded]) signal.listen(() => this.render());
    byId('order-back').addEventListener('click', () => orders.show(null));
  }

  render() {
    const { open } = this.#orders;
    byId('order-none').hidden = Boolean(open) || this.#orders.role === 'admin';
    byId('order-open').hidden = !open;
    byId('orders').dataset.pane = open ? 'order' : 'list';
    if (!open) return;
    setText(byId('order-name'), `Order ${open.orderNumber}`);
    setText(byId('order-status'), STATUS_WORDS[open.status]);
    byId('order-status').dataset.status = open.status;
    byId('order-map-page').href = `map.html?order=${encodeURIComponent(open.id)}`;
    renderSteps(byId('order-steps'), open);
    byId('order-facts').replaceChildren(...this.#facts(open));
    byId('order-items').replaceChildren(...this.#items(open));
    byId('order-history').replaceChildren(...open.history.map((entry) => this.#entry(open, entry)));
    this.#actions.render(open);
  }

  #facts(order) {
    const { driver, pickup, dropoff, distanceKm, earnings, note, createdAt, rejections } = order;
    const facts = [
      ['Driver', driver ? displayName(driver) : 'nobody yet', 'order-driver'],
      ['Pickup', placeWords(pickup), 'order-pickup'],
      ['Drop-off', placeWords(dropoff), 'order-dropoff'],
      ['Distance', distanceKm === null ? 'not known' : `${distanceWords(distanceKm * 1000)} as the crow flies`, 'order-distance'],
      ['Driver earns', this.#config.money(earnings), 'order-earnings'],
      ['Placed', dateTime(createdAt), 'order-placed'],
    ];
    if (note) facts.push(['Note', note, 'order-note']);
    if (rejections.length) facts.push(['Turned down', `by ${plural(rejections.length, 'driver')}`, 'order-rejections']);
    return facts.flatMap(([name, text, testid]) => [make('dt', { text: name }), make('dd', { text, data: { testid } })]);
  }

  #items({ items, total }) {
    const row = (name, amount, className) => make('li', { className, data: { testid: 'order-line' } }, make('span', { text: name }), make('span', { text: amount }));
    const lines = items.map(({ name, quantity, price }) =>
      row(`${quantity} × ${name}`, price === null ? '–' : this.#config.money(price * quantity), 'bill__line'));
    return [...lines, make('li', { className: 'bill__line bill__total' }, make('span', { text: 'Total' }), make('span', { text: this.#config.money(total), data: { testid: 'order-total' } }))];
  }

  #entry(order, { status, at, by, reason }) {
    const words = [STATUS_WORDS[status], `by ${this.#who(order, by)}`];
    if (reason) words.push(`“${reason}”`);
    return make('li', { className: 'history__entry', data: { testid: 'order-entry', status } },
      make('time', { text: dateTime(at), attrs: { datetime: at } }), make('span', { text: words.join(' · ') }));
  }

  #who({ userId, history }, by) {
    if (by === this.#orders.me._id) return 'you';
    if (by === userId) return 'the customer';
    return history.some(({ driverId }) => driverId === by) ? 'the driver' : 'the back office';
  }
}
