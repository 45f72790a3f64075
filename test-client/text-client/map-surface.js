'use strict';

/**
 * What every map has: a camera that people move, the ground with its degrees, a scale, and buttons. It is drawn here,
 * without any service. What lies on it is drawn by those that extend it: `paint` draws, `places` says where all of it is.
 */
class MapSurface {
  /** A place was clicked: `{lat, lng}`. */
  picked = new Signal();
  camera = new MapCamera();
  svg;
  layers = {};
  /** True once a person has moved the map; it then stays where it is. */
  held = false;
  #tileUrl = null;
  #seen = '';
  #due = false;

  /** Draws into `host`; `label` says to screen readers what is on it, `names` are its own layers from the ground up. */
  constructor(host, label, names) {
    const all = ['tiles', 'grid', ...names, 'scale'];
    for (const name of all) this.layers[name] = draw('g', { class: `map__${name}` });
    this.svg = draw('svg', { class: 'map__canvas', tabindex: 0, role: 'application', 'aria-roledescription': 'map', 'aria-label': label, 'data-testid': 'map-canvas' });
    this.svg.append(...all.map((name) => this.layers[name]));
    host.classList.add('map');
    host.append(this.svg, this.#buttons());
    const moves = new MapMoves(this.svg, this.camera);
    moves.moved.listen((how) => this.hold(how));
    moves.picked.listen((place) => this.picked.fire(place));
    this.svg.addEventListener('keydown', ({ key }) => { if (key === '0') this.fit(); });
    new ResizeObserver(([{ contentRect }]) => this.#resize(contentRect)).observe(this.svg);
  }

  set tileUrl(url) {
    this.#tileUrl = url;
    this.renderSoon();
  }

  /** Everywhere that something is. */
  places() { return []; }

  /** Aims the camera, where it follows something; called before each drawing, with the time of the frame. */
  aim() {}

  /** Draws what lies on the ground; `isMoved` says whether the camera sees something else than before. */
  paint() {}

  /** Shows everything again, and from here on what strays. */
  fit() {
    this.held = false;
    this.fitCamera();
    this.renderSoon();
  }

  fitCamera() {
    const places = this.places();
    if (places.length) this.camera.fit(places);
  }

  /** A person has moved the map: `how` is `pan` or `zoom`. */
  hold() {
    this.held = true;
    this.renderSoon();
  }

  renderSoon() {
    if (this.#due) return;
    this.#due = true;
    requestAnimationFrame((now) => {
      this.#due = false;
      this.#render(now);
    });
  }

  #resize({ width, height }) {
    if (!width || !height) return;
    Object.assign(this.camera, { width, height });
    if (!this.held) this.fitCamera();
    this.renderSoon();
  }

  #render(now) {
    this.aim(now);
    const { camera } = this;
    const seen = [camera.zoom, camera.middle.x, camera.middle.y, camera.width, camera.height, this.#tileUrl].join();
    const isMoved = seen !== this.#seen;
    this.#seen = seen;
    if (isMoved) this.#renderGround();
    this.paint(now, isMoved);
  }

  #renderGround() {
    this.layers.tiles.replaceChildren(...drawTiles(this.camera, this.#tileUrl));
    this.layers.grid.replaceChildren(...drawGrid(this.camera));
    this.layers.scale.replaceChildren(...drawScale(this.camera));
  }

  #buttons() {
    const button = (text, name, act) => {
      const element = make('button', { className: 'map__button', text, attrs: { type: 'button', 'aria-label': name, title: name } });
      element.addEventListener('click', act);
      return element;
    };
    const zoom = (steps) => () => {
      this.camera.zoomBy(steps);
      this.hold('zoom');
    };
    return make('div', { className: 'map__buttons' },
      button('+', 'Nearer', zoom(1)), button('−', 'Further', zoom(-1)), button('⤢', 'Show everything', () => this.fit()));
  }
}
