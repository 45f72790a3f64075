'use strict';

/** A map of a few places: pins, a driver among them, the trail behind and the way ahead. */
class OrderMap extends MapSurface {
  #pins = [];
  #trail = [];
  #way = [];

  constructor(host, label) {
    super(host, label, ['lines', 'pins']);
  }

  /** Shows `pins` (as `drawPin` has them), the `trail` behind and the `way` ahead, both lists of places. */
  show({ pins, trail = [], way = [] }) {
    const before = this.#key;
    [this.#pins, this.#trail, this.#way] = [pins.filter(isPlaced), trail.filter(isPlaced), way.filter(isPlaced)];
    const strayed = this.#pins.some((pin) => !this.camera.sees(pin));
    if (this.#key !== before) this.held = false;
    if (!this.held && (strayed || this.#key !== before)) this.fitCamera();
    this.renderSoon();
  }

  places() {
    return [...this.#pins, ...this.#trail];
  }

  paint() {
    this.layers.lines.replaceChildren(...drawLine(this.camera, this.#way, 'map__way'), ...drawLine(this.camera, this.#trail, 'map__trail'));
    this.layers.pins.replaceChildren(...this.#pins.map((pin) => this.#pin(pin)));
  }

  /** What the map is about; where drivers are is not. */
  get #key() {
    return JSON.stringify(this.#pins.filter(({ kind }) => kind !== 'driver').map(({ lat, lng }) => [lat, lng]));
  }

  #pin(pin) {
    const { x, y } = this.camera.toScreen(pin);
    return draw('g', {
      class: `map__pin map__pin--${pin.kind}`,
      transform: `translate(${x.toFixed(1)} ${y.toFixed(1)})`,
      'data-testid': 'map-pin',
      'data-kind': pin.kind,
      'data-lat': pin.lat,
      'data-lng': pin.lng,
      'data-heading': pin.heading ?? '',
      'data-stale': Boolean(pin.isStale),
    }, ...drawPin(pin));
  }
}
