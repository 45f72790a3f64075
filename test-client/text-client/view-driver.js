'use strict';

/** What a driver has besides the orders in hand: whether new ones are wanted, offers, and where they are. */
class DriverView {
  #offers;
  #orders;
  #config;
  #drive;
  #rows = new Map();

  constructor({ offers, orders, config, drive }) {
    this.#offers = offers;
    this.#orders = orders;
    this.#config = config;
    this.#drive = drive;
    for (const signal of [offers.changed, orders.changed, config.loaded]) signal.listen(() => this.render());
    drive.changed.listen(() => this.#renderPlace());
    byId('available').addEventListener('change', ({ target }) => this.#attempt(offers.setAvailable(target.checked)).then(() => this.render()));
    onSubmit('position-form', ({ latitude, longitude }) => this.#say(latitude, longitude));
    setInterval(() => this.#renderTimes(), 1000);
  }

  render() {
    const isDriver = this.#orders.role === 'driver';
    byId('driver-panel').hidden = !isDriver;
    if (!isDriver) return;
    const { available, all } = this.#offers;
    byId('available').checked = available === true;
    byId('available').disabled = available === null;
    setText(byId('available-words'), available ? 'Available: new orders are offered to you' : 'Not available: no new orders are offered');
    arrange(byId('offer-list'), all.map((order) => this.#row(order)));
    byId('offers-empty').hidden = all.length > 0;
    setText(byId('offers-empty'), available ? 'Nothing to be had now. New orders appear here.' : 'Switch to available to be offered orders.');
    setText(byId('offer-count'), all.length ? String(all.length) : '');
    this.#renderTimes();
    this.#renderPlace();
  }

  #row(order) {
    const says = JSON.stringify([order.updatedAt, order.offerExpiresAt, this.#config.money(1)]);
    if (this.#rows.get(order.id)?.says !== says) this.#rows.set(order.id, { says, element: this.#build(order) });
    return this.#rows.get(order.id).element;
  }

  #build(order) {
    const { id, orderNumber, offerExpiresAt, earnings, distanceKm, pickup, dropoff } = order;
    const button = (text, className, testid, act) => {
      const element = make('button', { className, text, data: { testid }, attrs: { type: 'button' } });
      element.append(make('span', { className: 'sr-only', text: ` order ${orderNumber}` }));
      element.addEventListener('click', () => this.#attempt(act()));
      return element;
    };
    const pay = [`${this.#config.money(earnings)} for you`];
    if (distanceKm !== null) pay.push(distanceWords(distanceKm * 1000));
    return make('li', { className: 'offer', data: { testid: 'offer', orderId: id, number: orderNumber } },
      make('p', { className: 'person__line' }, make('span', { className: 'person__name', text: `Order ${orderNumber}` }),
        offerExpiresAt ? make('time', { className: 'offer__time', data: { testid: 'offer-left' }, attrs: { datetime: offerExpiresAt } }) : null),
      make('p', { className: 'offer__what', text: itemsWords(order) }),
      make('p', { className: 'offer__way', text: `${placeWords(pickup)} → ${placeWords(dropoff)}` }),
      make('p', { className: 'offer__pay', text: pay.join(' · ') }),
      make('div', { className: 'offer__actions' },
        button('Accept', 'button', 'offer-accept', () => this.#offers.accept(id)),
        button('Turn down', 'button button--quiet', 'offer-reject', () => this.#offers.reject(id))));
  }

  #renderTimes() {
    for (const element of byId('offer-list').querySelectorAll('time')) {
      const seconds = Math.max(0, Math.ceil((new Date(element.dateTime) - Date.now()) / 1000));
      setText(element, `${seconds} s left`);
    }
  }

  #renderPlace() {
    const place = this.#drive.place ?? this.#offers.position;
    setText(byId('position-words'), place ? `Last said: ${place.lat.toFixed(5)}, ${place.lng.toFixed(5)}` : 'You have not said yet where you are.');
  }

  async #say(latitude, longitude) {
    const number = (text) => (text === '' ? undefined : Number(text));
    await this.#drive.be({ lat: number(latitude), lng: number(longitude) });
  }

  #attempt(request) {
    return request.catch((problem) => this.#orders.failed.fire(problem));
  }
}
