'use strict';

/** The map of the open order, and when it may be there. */
class TripView {
  #orders;
  #follow;
  #map;

  constructor({ orders, follow, config }) {
    this.#orders = orders;
    this.#follow = follow;
    this.#map = new OrderMap(byId('order-map'), 'Map of the order');
    for (const signal of [orders.changed, orders.opened, follow.changed]) signal.listen(() => this.render());
    config.loaded.listen(() => { this.#map.tileUrl = config.tileUrl; });
  }

  render() {
    const { open } = this.#orders;
    if (!open) return;
    const { position, trail } = this.#follow;
    const { pins, way } = orderOnMap(open, position, trail);
    this.#map.show({ pins, trail, way });
    renderEta(byId('order-eta'), open, position);
    const nowhere = !pins.some(isPlaced);
    byId('order-map').hidden = nowhere;
  }
}
