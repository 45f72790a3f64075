'use strict';

/** What stands around the map of all drivers: how many they are, and how fast they are drawn. */
class FleetMapView {
  /** Milliseconds. Words that change with every frame cannot be read. */
  static EVERY = 250;

  #fleet;
  #map;
  #clock;

  constructor({ fleet, map, clock }) {
    [this.#fleet, this.#map, this.#clock] = [fleet, map, clock];
    setInterval(() => this.#render(), FleetMapView.EVERY);
  }

  #render() {
    const counts = this.#fleet.count(this.#clock.now);
    const line = byId('fleet-count');
    setText(line, fleetWords(counts));
    Object.assign(line.dataset, counts);
    byId('fleet-empty').hidden = !counts.drivers || this.#fleet.placed > 0;
    this.#renderRate();
  }

  #renderRate() {
    const { fps, average, slowest } = this.#map.rate.latest;
    const element = byId('fleet-fps');
    setText(element, fps > 1 ? `${fps} frames/s · ${average.toFixed(1)} ms` : 'nothing moves');
    Object.assign(element.dataset, { fps, ms: average.toFixed(2), slowest: slowest.toFixed(2), frames: this.#map.rate.total });
  }
}
