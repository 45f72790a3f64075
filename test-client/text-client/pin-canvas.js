'use strict';

/** The canvas above a map on which pins are drawn, and what is where on it. */
class PinCanvas {
  /** Sizes of pins (px), each with how many there may be in a square of 100 × 100 px for them. */
  static SIZES = [[26, 5], [18, 25], [11, 70], [8, Infinity]];
  /** Up to so many pins in view all have their names. */
  static NAMED = 40;
  /** Pins reach so far (px) into view from outside. */
  static MARGIN = 20;

  /** Colours have changed: everything is to be drawn again. */
  restyled = new Signal();
  element = make('canvas', { className: 'map__sheet', attrs: { 'aria-hidden': 'true' }, data: { testid: 'fleet-canvas' } });
  #tints;
  #sprites = new Map();
  #picture = new PinPicture();
  #ratio = 0;
  /** What is in view, a list for each look from the lowest to the topmost; places in device pixels. */
  #inView = PinSprites.LOOKS.map(() => ({ drivers: [], xs: [], ys: [] }));

  constructor(host, below) {
    below.after(this.element);
    this.#tints = new Tints(host);
    this.#tints.changed.listen(() => {
      this.#forgetSprites();
      this.restyled.fire();
    });
  }

  /** How many pins are in view. */
  get count() { return this.#inView.reduce((sum, { drivers }) => sum + drivers.length, 0); }

  /** Draws those of `drivers` that `camera` sees; `spotOf` and `lookOf` say where and how each is. */
  paint(camera, drivers, { spotOf, lookOf, selected, hovered }) {
    this.#fitTo(camera);
    this.#sort(camera, drivers, spotOf, lookOf);
    const context = this.element.getContext('2d');
    const size = this.#sizeFor(camera);
    this.#picture.begin(this.element, PinCanvas.MARGIN * this.#ratio);
    for (const [row, { drivers, xs, ys }] of this.#inView.entries()) this.#picture.stamp(this.#sprite(size), row, drivers, xs, ys);
    this.#picture.show(context);
    const marked = [selected, hovered === selected ? null : hovered].filter(Boolean).map((driver) => this.#find(driver)).filter(Boolean);
    for (const pin of marked) this.#mark(context, pin, pin.driver === selected);
    this.#name(context, this.count <= PinCanvas.NAMED ? [...marked, ...this.#all()] : marked);
  }

  /** The driver whose pin is nearest to a point, within so many pixels; null where there is none. */
  nearest(point, reach) {
    const [x, y] = [point.x * this.#ratio, point.y * this.#ratio];
    let [best, least] = [null, (reach * this.#ratio) ** 2];
    for (const { drivers, xs, ys } of this.#inView) {
      for (let index = 0; index < drivers.length; index++) {
        const far = (xs[index] - x) ** 2 + (ys[index] - y) ** 2;
        if (far <= least) [best, least] = [drivers[index], far];
      }
    }
    return best;
  }

  /** Where a driver's pin is in CSS pixels; null where it is not in view. */
  pointOf(driver) {
    const pin = this.#find(driver);
    return pin && { x: Math.round(pin.x / this.#ratio), y: Math.round(pin.y / this.#ratio) };
  }

  #fitTo({ width, height }) {
    // Nobody sees the difference beyond two, and every pixel takes time.
    const ratio = Math.min(devicePixelRatio || 1, 2);
    if (ratio !== this.#ratio) this.#forgetSprites();
    this.#ratio = ratio;
    const [wide, high] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (this.element.width !== wide) this.element.width = wide;
    if (this.element.height !== high) this.element.height = high;
  }

  #sort(camera, all, spotOf, lookOf) {
    for (const list of this.#inView) list.drivers.length = list.xs.length = list.ys.length = 0;
    const { scale, middle, width, height } = camera;
    const [ratio, margin] = [this.#ratio, PinCanvas.MARGIN];
    for (const driver of all) {
      const spot = spotOf(driver);
      if (!spot) continue;
      const x = (spot.x - middle.x) * scale + width / 2;
      const y = (spot.y - middle.y) * scale + height / 2;
      if (x < -margin || y < -margin || x > width + margin || y > height + margin) continue;
      const { drivers, xs, ys } = this.#inView[PinSprites.row(lookOf(driver))];
      drivers.push(driver);
      xs.push(Math.round(x * ratio));
      ys.push(Math.round(y * ratio));
    }
  }

  #sizeFor({ width, height }) {
    const dense = this.count / ((width * height) / 10_000);
    return PinCanvas.SIZES.find(([, most]) => dense <= most)[0];
  }

  #sprite(size) {
    if (!this.#sprites.has(size)) this.#sprites.set(size, new PinSprites(this.#tints.colours, size, this.#ratio));
    return this.#sprites.get(size);
  }

  #forgetSprites() {
    this.#sprites.clear();
    this.#picture.forget();
  }

  /** A pin that is looked at, or pointed at, lies above the others. */
  #mark(context, { driver, row, x, y }, isSelected) {
    this.#sprite(26).put(context, row, driver.heading, x, y);
    context.beginPath();
    context.arc(x, y, 17 * this.#ratio, 0, 2 * Math.PI);
    context.lineWidth = (isSelected ? 3 : 1.5) * this.#ratio;
    context.strokeStyle = this.#tints.colours.accent;
    context.stroke();
  }

  /** Writes names below pins, the first ones first; a name for which there is no room is left out. */
  #name(context, pins) {
    const { colours, font } = this.#tints;
    const line = 14 * this.#ratio;
    context.save();
    context.font = `650 ${12 * this.#ratio}px ${font}`;
    context.textAlign = 'center';
    context.lineJoin = 'round';
    context.lineWidth = 3 * this.#ratio;
    context.strokeStyle = colours.land;
    context.fillStyle = colours.ink;
    const taken = [this.#scaleBox];
    for (const { driver, x, y } of pins) {
      const below = y + 30 * this.#ratio;
      const half = context.measureText(driver.label).width / 2;
      const box = { left: x - half, right: x + half, top: below - line, bottom: below };
      if (taken.some((other) => overlap(box, other))) continue;
      taken.push(box);
      context.strokeText(driver.label, x, below);
      context.fillText(driver.label, x, below);
    }
    context.restore();
  }

  /** Where the map has its scale. */
  get #scaleBox() {
    const { height } = this.element;
    return { left: 0, right: 140 * this.#ratio, top: height - 52 * this.#ratio, bottom: height };
  }

  #all() {
    return this.#inView.flatMap(({ drivers, xs, ys }, row) => drivers.map((driver, index) => ({ driver, row, x: xs[index], y: ys[index] })));
  }

  #find(driver) {
    for (const [row, { drivers, xs, ys }] of this.#inView.entries()) {
      const index = drivers.indexOf(driver);
      if (index >= 0) return { driver, row, x: xs[index], y: ys[index] };
    }
    return null;
  }
}

const overlap = (one, other) => one.left < other.right && other.left < one.right && one.top < other.bottom && other.top < one.bottom;
