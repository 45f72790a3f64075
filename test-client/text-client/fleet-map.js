'use strict';

/**
 * A map of very many drivers. Pins are no elements but copied onto a canvas, all of them once for each frame in which something
 * changed, however much it was; between two positions they glide.
 */
class FleetMap extends MapSurface {
  /** Within so many pixels a click is meant for a pin. */
  static REACH = 18;
  /** How near a driver is shown who was looked for. */
  static NEAR = 15;
  /** How often (ms) pins are looked at that only grow old. */
  static AGEING = 5000;

  /** A driver was clicked, or with null none. */
  chosen = new Signal();
  /** The driver who is looked at is kept in the middle, or no more. */
  followingChanged = new Signal();
  rate = new FrameRate();
  #fleet;
  #trail;
  #clock;
  #pins;
  #glides = new Glides();
  #pointer = null;
  #isFollowing = false;
  #fitted = 0;
  #isTrailDue = true;

  constructor(host, label, { fleet, trail, clock }) {
    super(host, label, ['lines']);
    [this.#fleet, this.#trail, this.#clock] = [fleet, trail, clock];
    this.#pins = new PinCanvas(host, this.svg);
    this.#pins.restyled.listen(() => this.renderSoon());
    this.picked.listen((place) => this.chosen.fire(this.#pins.nearest(this.camera.toScreen(place), FleetMap.REACH)));
    for (const event of ['pointermove', 'pointerleave']) this.svg.addEventListener(event, (what) => this.#point(what));
    fleet.changed.listen(() => this.renderSoon());
    fleet.moved.listen((driver, before) => this.#glides.start(driver, before, driver.spot));
    fleet.selectedChanged.listen(() => this.follow(false));
    trail.changed.listen(() => {
      this.#isTrailDue = true;
      this.renderSoon();
    });
    setInterval(() => this.renderSoon(), FleetMap.AGEING);
  }

  get isFollowing() { return this.#isFollowing; }

  places() {
    return [...this.#fleet.drivers.values()].filter(({ spot }) => spot);
  }

  fit() {
    this.follow(false);
    super.fit();
  }

  fitCamera() {
    const places = this.places();
    if (places.length) this.camera.fit(places, { across: 110, along: 80 });
    this.#fitted = this.#fleet.placed;
  }

  /** Who drags the map does not follow any more; who zooms does. */
  hold(how) {
    super.hold(how);
    if (how === 'pan') this.follow(false);
  }

  /** Keeps the driver who is looked at in the middle, or no more. */
  follow(isFollowing) {
    this.renderSoon();
    if (isFollowing === this.#isFollowing) return;
    this.#isFollowing = isFollowing;
    if (isFollowing) this.held = true;
    this.followingChanged.fire(isFollowing);
  }

  /** Goes to a driver, near enough to tell them from others. */
  goTo({ spot }) {
    if (!spot) return;
    this.camera.middle = { ...spot };
    this.camera.zoom = Math.max(this.camera.zoom, FleetMap.NEAR);
    this.hold('zoom');
  }

  aim(now) {
    const { selected, placed } = this.#fleet;
    if (this.#isFollowing && selected?.spot) this.camera.middle = { ...this.#glides.spotOf(selected, selected.spot, now) };
    else if (!this.held && placed > this.#fitted) this.fitCamera();
  }

  paint(now, isMoved) {
    const began = performance.now();
    const { selected, drivers } = this.#fleet;
    if (isMoved || this.#isTrailDue) this.layers.lines.replaceChildren(...drawLine(this.camera, this.#trail.points, 'map__trail'));
    this.#isTrailDue = false;
    const time = this.#clock.now;
    const hovered = this.#pointer && this.#pins.nearest(this.#pointer, FleetMap.REACH);
    this.#pins.paint(this.camera, drivers.values(), {
      spotOf: (driver) => this.#glides.spotOf(driver, driver.spot, now),
      lookOf: (driver) => driver.look(time),
      selected,
      hovered,
    });
    this.#tell(selected, hovered);
    this.rate.add(performance.now() - began);
    if (this.#glides.any) this.renderSoon();
  }

  /** What a canvas shows cannot be read; this can. */
  #tell(selected, hovered) {
    const point = selected && this.#pins.pointOf(selected);
    const told = {
      drivers: this.#fleet.placed,
      shown: this.#pins.count,
      hovered: hovered?.username ?? '',
      selectedX: point?.x ?? '',
      selectedY: point?.y ?? '',
    };
    const { dataset } = this.#pins.element;
    for (const [name, value] of Object.entries(told)) if (dataset[name] !== String(value)) dataset[name] = value;
    this.svg.classList.toggle('map__canvas--over', Boolean(hovered));
  }

  #point({ type, pointerType, clientX, clientY }) {
    const { left, top } = this.svg.getBoundingClientRect();
    this.#pointer = type === 'pointermove' && pointerType === 'mouse' ? { x: clientX - left, y: clientY - top } : null;
    this.renderSoon();
  }
}
