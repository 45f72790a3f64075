'use strict';

/** The driver who is looked at: who they are, how they move, what they carry. */
class FleetCard {
  /** Milliseconds. */
  static EVERY = 250;

  #fleet;
  #orders;
  #trail;
  #map;
  #clock;
  #card = byId('fleet-card');

  constructor({ fleet, orders, trail, map, clock }) {
    [this.#fleet, this.#orders, this.#trail, this.#map, this.#clock] = [fleet, orders, trail, map, clock];
    for (const signal of [fleet.selectedChanged, trail.changed, map.followingChanged]) signal.listen(() => this.#render());
    orders.changed.listen(() => this.#renderOrders());
    fleet.selectedChanged.listen(() => this.#renderOrders());
    setInterval(() => this.#render(), FleetCard.EVERY);
    byId('card-follow').addEventListener('click', () => this.#map.follow(!this.#map.isFollowing));
    byId('card-close').addEventListener('click', () => this.#fleet.select(null));
    byId('fleet').addEventListener('keydown', ({ key, target }) => {
      if (key === 'Escape' && target !== byId('fleet-search')) this.#fleet.select(null);
    });
  }

  #render() {
    const { selected: driver } = this.#fleet;
    this.#card.hidden = !driver;
    if (!driver) return;
    const now = this.#clock.now;
    setText(byId('card-name'), driver.label);
    this.#renderStatus(driver, now);
    setText(byId('card-username'), driver.username);
    setText(byId('card-number'), String(driver.number));
    setText(byId('card-speed'), speedWords(driver.speed));
    setText(byId('card-age'), driver.spot ? agoWords(now - driver.updatedAt) : 'never');
    setText(byId('card-place'), driver.spot ? `${driver.lat.toFixed(5)}, ${driver.lng.toFixed(5)}` : 'not said yet');
    setText(byId('card-trail'), countWords(this.#trail.points.length, 'position'));
    byId('card-page').href = `map.html?driver=${encodeURIComponent(driver.username || driver.number)}`;
    byId('card-follow').disabled = !driver.spot;
    byId('card-follow').setAttribute('aria-pressed', String(this.#map.isFollowing));
    setText(byId('card-follow'), this.#map.isFollowing ? 'Following' : 'Follow');
    this.#tell(driver, now);
  }

  #renderStatus(driver, now) {
    const isSilent = driver.status !== 'OFFLINE' && driver.spot && driver.isSilent(now);
    const status = byId('card-status');
    setText(status, isSilent ? `${DRIVER_STATUS_WORDS[driver.status]}, but silent` : DRIVER_STATUS_WORDS[driver.status] ?? driver.status);
    status.dataset.look = driver.look(now);
  }

  #tell(driver, now) {
    const told = {
      driverId: driver.number,
      username: driver.username,
      status: driver.status,
      look: driver.look(now),
      lat: driver.spot ? driver.lat : '',
      lng: driver.spot ? driver.lng : '',
      trail: this.#trail.points.length,
      following: this.#map.isFollowing,
    };
    for (const [name, value] of Object.entries(told)) if (this.#card.dataset[name] !== String(value)) this.#card.dataset[name] = value;
  }

  #renderOrders() {
    const { selected: driver } = this.#fleet;
    const orders = driver ? this.#orders.of(driver) : [];
    byId('card-orders-none').hidden = orders.length > 0;
    byId('card-orders').replaceChildren(...orders.map(({ number, status }) =>
      make('li', { className: 'driver-card__order', data: { testid: 'card-order', number, status } },
        make('a', { text: `Order ${number}`, attrs: { href: `map.html?order=${encodeURIComponent(number)}` } }),
        make('span', { className: 'status', text: STATUS_WORDS[V1_STATUSES[status] ?? status] ?? status }))));
  }
}
