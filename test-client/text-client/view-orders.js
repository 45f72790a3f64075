'use strict';

/** The list of orders: a customer's, a driver's in hand and done, an admin's all. */
class OrdersView {
  static EMPTY = {
    user: 'No orders yet. Place one, and a driver with this page open can take it.',
    driver: 'No orders in hand. Accept an offer, and it is here.',
    restaurant: 'No orders yet.',
    admin: 'No orders yet.',
  };

  #orders;
  #config;
  #items = new Map();

  constructor({ orders, config }) {
    this.#orders = orders;
    this.#config = config;
    for (const signal of [orders.changed, orders.opened, config.loaded]) signal.listen(() => this.render());
    byId('order-filter').addEventListener('change', ({ target }) => this.#attempt(orders.filter(target.value)));
    byId('orders-more').addEventListener('click', () => this.#attempt(orders.loadMore()));
  }

  render() {
    const { listed, role, loaded, status, hasMore } = this.#orders;
    byId('orders').dataset.role = role;
    byId('new-order').hidden = role !== 'user';
    setText(byId('orders-title'), { user: 'Your orders', driver: 'Your orders', restaurant: 'Your orders', admin: 'All orders' }[role]);
    if (byId('order-filter').value !== status) byId('order-filter').value = status;
    arrange(byId('order-list'), listed.map((order) => this.#item(order)));
    byId('orders-empty').hidden = !loaded || listed.length > 0;
    setText(byId('orders-empty'), status ? 'No order is like that now.' : OrdersView.EMPTY[role]);
    byId('orders-more').hidden = !hasMore;
  }

  reset() {
    this.#items.clear();
    byId('order-list').replaceChildren();
  }

  #item(order) {
    if (!this.#items.has(order.id)) this.#items.set(order.id, this.#build(order));
    const item = this.#items.get(order.id);
    item.button.toggleAttribute('aria-current', order.id === this.#orders.openId);
    Object.assign(item.button.dataset, { status: order.status, unassigned: String(this.#orders.unassigned.has(order.id)) });
    setText(item.what, itemsWords(order));
    setText(item.total, this.#config.money(order.total));
    setText(item.status, this.#orders.unassigned.has(order.id) ? 'No driver is free' : STATUS_WORDS[order.status]);
    item.status.dataset.status = order.status;
    return item.row;
  }

  #build({ id, orderNumber, createdAt }) {
    const parts = {
      what: make('span', { className: 'person__preview' }),
      total: make('span', { className: 'order__total' }),
      status: make('span', { className: 'status', data: { testid: 'order-item-status' } }),
    };
    const name = make('span', { className: 'person__name', text: `Order ${orderNumber}` });
    const time = make('time', { className: 'person__time', text: shortTime(createdAt), attrs: { datetime: createdAt } });
    const button = make('button', { className: 'person order', data: { testid: 'order-item', orderId: id, number: orderNumber }, attrs: { type: 'button' } },
      make('span', { className: 'person__line' }, name, time),
      make('span', { className: 'person__line' }, parts.what, parts.total),
      make('span', { className: 'person__line' }, parts.status));
    button.addEventListener('click', () => this.#orders.show(id));
    return { ...parts, button, row: make('li', {}, button) };
  }

  #attempt(request) {
    request.catch((problem) => this.#orders.failed.fire(problem));
  }
}
