'use strict';

/** For admins: the drivers on a map, as long as no order is open; and their names where one is chosen. */
class FleetView {
  static RADIUS = 50_000;
  static EVERY = 5000;

  #orders;
  #api;
  #link;
  #map = null;
  #tileUrl = null;
  #centre = null;

  constructor({ orders, api, link, config }) {
    this.#orders = orders;
    this.#api = api;
    this.#link = link;
    for (const signal of [orders.opened, orders.changed]) signal.listen(() => this.#render());
    config.loaded.listen(() => {
      this.#tileUrl = config.tileUrl;
      if (this.#map) this.#map.tileUrl = config.tileUrl;
    });
    setInterval(() => this.load(), FleetView.EVERY);
    onSubmit('fleet-form', async ({ lat, lng }) => {
      this.#centre = { lat: Number(lat), lng: Number(lng) };
      await this.#show();
    });
  }

  /** Asks where the drivers are, while somebody looks. */
  load() {
    if (byId('fleet').checkVisibility() || byId('order-assign').checkVisibility()) this.#show().catch(() => {});
  }

  reset() {
    this.#centre = null;
  }

  #render() {
    const wasHidden = byId('fleet').hidden;
    byId('fleet').hidden = this.#orders.role !== 'admin' || Boolean(this.#orders.open);
    if (wasHidden && !byId('fleet').hidden && this.#link.ordersUp) this.load();
  }

  /** Around the newest order that is on the map, unless another place was asked for. */
  get #around() {
    const placed = this.#orders.listed.flatMap(({ pickup, dropoff }) => [pickup, dropoff]).find(isPlaced);
    return this.#centre ?? placed ?? mercator.unproject(new MapCamera().middle);
  }

  async #show() {
    const { lat, lng } = this.#around;
    const { drivers } = await this.#api.driversNearby({ lat, lng, radius: FleetView.RADIUS });
    if (!this.#map) {
      this.#map = new OrderMap(byId('fleet-map'), 'Map of the drivers');
      this.#map.tileUrl = this.#tileUrl;
    }
    const pins = drivers.map((near) => ({ ...near, ...placeOf(near), kind: 'driver', label: displayName(near.driver) }));
    this.#map.show({ pins });
    setText(byId('fleet-words'), drivers.length ? `${plural(drivers.length, 'driver')} within ${distanceWords(FleetView.RADIUS)}` : `No driver has said where they are, within ${distanceWords(FleetView.RADIUS)}.`);
    byId('fleet-list').replaceChildren(...drivers.map((near) => this.#row(near)));
    byId('driver-names').replaceChildren(...drivers.map(({ driver }) => make('option', { attrs: { value: driver.username } })));
  }

  #row({ driver, available, distance, timestamp }) {
    const state = available ? 'available' : 'not available';
    return make('li', { className: 'fleet__driver', data: { testid: 'fleet-driver', username: driver.username, available: String(available) } },
      make('span', { className: 'person__name', text: displayName(driver) }),
      make('span', { className: 'fleet__state', text: `${state} · ${distanceWords(distance)} away · ${clockTime(timestamp)}` }));
  }
}
