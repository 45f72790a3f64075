'use strict';

/** Which orders are under way with which driver, as far as events have told since the page was opened. */
class FleetOrders {
  changed = new Signal();
  /** By number: `{number, status, driverNumber}`. */
  #orders = new Map();

  /** Takes an `order_update`. */
  take({ order_id: number, status, driver_id: driverNumber }) {
    if (driverNumber === null || driverNumber === undefined || status === 'delivered' || status === 'cancelled') this.#orders.delete(number);
    else this.#orders.set(number, { number, status, driverNumber });
    this.changed.fire();
  }

  of({ number }) {
    return [...this.#orders.values()].filter(({ driverNumber }) => driverNumber === number);
  }
}
