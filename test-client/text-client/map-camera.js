'use strict';

/** What part of the world a map shows: its middle, how near, and how large in pixels. */
class MapCamera {
  static NEAREST = 18;
  static FURTHEST = 3;
  static TILE = 256;

  width = 1;
  height = 1;
  zoom = 12;
  /** In units of the projection. */
  middle = mercator.project({ lat: 48.2082, lng: 16.3738 });

  /** Pixels that the whole world is wide. */
  get scale() { return MapCamera.TILE * 2 ** this.zoom; }
  get metresPerPixel() { return mercator.width(mercator.unproject(this.middle).lat) / this.scale; }
  get centre() { return { x: this.width / 2, y: this.height / 2 }; }

  toScreen(place) {
    const { x, y } = mercator.project(place);
    return { x: (x - this.middle.x) * this.scale + this.width / 2, y: (y - this.middle.y) * this.scale + this.height / 2 };
  }

  toPlace({ x, y }) {
    return mercator.unproject(this.#unitsAt({ x, y }));
  }

  pan(right, down) {
    const { x, y } = this.middle;
    this.middle = { x: x + right / this.scale, y: Math.max(0, Math.min(1, y + down / this.scale)) };
  }

  /** Nearer by so many steps; what is at `point` stays there. */
  zoomBy(steps, point = this.centre) {
    const before = this.#unitsAt(point);
    this.zoom = Math.max(MapCamera.FURTHEST, Math.min(MapCamera.NEAREST, this.zoom + steps));
    const after = this.#unitsAt(point);
    this.middle = { x: this.middle.x + before.x - after.x, y: this.middle.y + before.y - after.y };
  }

  /** Shows all of these places, with room around them: so many pixels in all, to the sides and above and below. */
  fit(places, { across = 160, along = 150 } = {}) {
    const points = places.map((place) => mercator.project(place));
    const [xs, ys] = [points.map(({ x }) => x), points.map(({ y }) => y)];
    const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
    const room = { x: Math.max(40, this.width - across), y: Math.max(40, this.height - along) };
    const fits = Math.min(room.x / Math.max(right - left, 1e-9), room.y / Math.max(bottom - top, 1e-9));
    this.middle = { x: (left + right) / 2, y: (top + bottom) / 2 };
    this.zoom = Math.max(MapCamera.FURTHEST, Math.min(16, Math.log2(fits / MapCamera.TILE)));
    // Below is the scale.
    this.pan(0, 6);
  }

  /** Whether a place is on the map, and not at its very edge. */
  sees(place) {
    const { x, y } = this.toScreen(place);
    return x > 16 && y > 34 && x < this.width - 16 && y < this.height - 16;
  }

  #unitsAt({ x, y }) {
    return { x: this.middle.x + (x - this.width / 2) / this.scale, y: this.middle.y + (y - this.height / 2) / this.scale };
  }
}
