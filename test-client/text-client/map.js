'use strict';

/** A map of its own drawing, without any service: places, a driver, the trail behind and the way ahead. */
class OrderMap {
  /** A place was clicked: `{lat, lng}`. */
  picked = new Signal();
  #camera = new MapCamera();
  #svg;
  #layers = {};
  #pins = [];
  #trail = [];
  #way = [];
  #tileUrl = null;
  /** True once a person has moved the map; it then stays where it is. */
  #held = false;
  #due = false;

  /** Draws into `host`; `label` says to screen readers what is on it. */
  constructor(host, label) {
    const names = ['tiles', 'grid', 'lines', 'pins', 'scale'];
    for (const name of names) this.#layers[name] = draw('g', { class: `map__${name}` });
    this.#svg = draw('svg', { class: 'map__canvas', tabindex: 0, role: 'application', 'aria-roledescription': 'map', 'aria-label': label, 'data-testid': 'map-canvas' });
    this.#svg.append(...names.map((name) => this.#layers[name]));
    host.classList.add('map');
    host.append(this.#svg, this.#buttons());
    const moves = new MapMoves(this.#svg, this.#camera);
    moves.moved.listen(() => this.#hold());
    moves.picked.listen((place) => this.picked.fire(place));
    this.#svg.addEventListener('keydown', ({ key }) => { if (key === '0') this.fit(); });
    new ResizeObserver(([{ contentRect }]) => this.#resize(contentRect)).observe(this.#svg);
  }

  set tileUrl(url) {
    this.#tileUrl = url;
    this.#renderSoon();
  }

  /** Shows `pins` (as `drawPin` has them), the `trail` behind and the `way` ahead, both lists of places. */
  show({ pins, trail = [], way = [] }) {
    const before = this.#key;
    [this.#pins, this.#trail, this.#way] = [pins.filter(isPlaced), trail.filter(isPlaced), way.filter(isPlaced)];
    const strayed = this.#pins.some((pin) => !this.#camera.sees(pin));
    if (this.#key !== before) this.#held = false;
    if (!this.#held && (strayed || this.#key !== before)) this.#fitCamera();
    this.#renderSoon();
  }

  /** Shows everything again, and from here on what strays. */
  fit() {
    this.#held = false;
    this.#fitCamera();
    this.#renderSoon();
  }

  /** What the map is about; where drivers are is not. */
  get #key() {
    return JSON.stringify(this.#pins.filter(({ kind }) => kind !== 'driver').map(({ lat, lng }) => [lat, lng]));
  }

  #fitCamera() {
    const places = [...this.#pins, ...this.#trail];
    if (places.length) this.#camera.fit(places);
  }

  #hold() {
    this.#held = true;
    this.#renderSoon();
  }

  #resize({ width, height }) {
    if (!width || !height) return;
    Object.assign(this.#camera, { width, height });
    if (!this.#held) this.#fitCamera();
    this.#renderSoon();
  }

  #renderSoon() {
    if (this.#due) return;
    this.#due = true;
    requestAnimationFrame(() => {
      this.#due = false;
      this.#render();
    });
  }

  #render() {
    const camera = this.#camera;
    this.#layers.tiles.replaceChildren(...drawTiles(camera, this.#tileUrl));
    this.#layers.grid.replaceChildren(...drawGrid(camera));
    this.#layers.lines.replaceChildren(...drawLine(camera, this.#way, 'map__way'), ...drawLine(camera, this.#trail, 'map__trail'));
    this.#layers.pins.replaceChildren(...this.#pins.map((pin) => this.#pin(pin)));
    this.#layers.scale.replaceChildren(...drawScale(camera));
  }

  #pin(pin) {
    const { x, y } = this.#camera.toScreen(pin);
    return draw('g', {
      class: `map__pin map__pin--${pin.kind}`,
      transform: `translate(${x.toFixed(1)} ${y.toFixed(1)})`,
      'data-testid': 'map-pin',
      'data-kind': pin.kind,
      'data-lat': pin.lat,
      'data-lng': pin.lng,
      'data-heading': pin.heading ?? '',
    }, ...drawPin(pin));
  }

  #buttons() {
    const button = (text, name, act) => {
      const element = make('button', { className: 'map__button', text, attrs: { type: 'button', 'aria-label': name, title: name } });
      element.addEventListener('click', act);
      return element;
    };
    const zoom = (steps) => () => {
      this.#camera.zoomBy(steps);
      this.#hold();
    };
    return make('div', { className: 'map__buttons' },
      button('+', 'Nearer', zoom(1)), button('−', 'Further', zoom(-1)), button('⤢', 'Show everything', () => this.fit()));
  }
}
