'use strict';

/** Moves a map's camera by wheel, drag, two fingers and keys; a click without a drag picks a place. */
class MapMoves {
  static KEYS = {
    ArrowLeft: (camera) => camera.pan(-60, 0),
    ArrowRight: (camera) => camera.pan(60, 0),
    ArrowUp: (camera) => camera.pan(0, -60),
    ArrowDown: (camera) => camera.pan(0, 60),
    '+': (camera) => camera.zoomBy(1),
    '=': (camera) => camera.zoomBy(1),
    '-': (camera) => camera.zoomBy(-1),
  };

  /** The camera was moved: `pan` or `zoom`. */
  moved = new Signal();
  /** A place was clicked: `{lat, lng}`. */
  picked = new Signal();
  #element;
  #camera;
  #fingers = new Map();
  #travelled = 0;

  constructor(element, camera) {
    this.#element = element;
    this.#camera = camera;
    element.addEventListener('wheel', (event) => this.#onWheel(event), { passive: false });
    element.addEventListener('keydown', (event) => this.#onKey(event));
    element.addEventListener('pointerdown', (event) => this.#onDown(event));
    element.addEventListener('pointermove', (event) => this.#onMove(event));
    element.addEventListener('pointerup', (event) => this.#onUp(event));
    element.addEventListener('pointercancel', ({ pointerId }) => this.#fingers.delete(pointerId));
  }

  #at({ clientX, clientY }) {
    const { left, top } = this.#element.getBoundingClientRect();
    return { x: clientX - left, y: clientY - top };
  }

  #onWheel(event) {
    event.preventDefault();
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 30 : 1;
    this.#camera.zoomBy(Math.max(-1, Math.min(1, (-event.deltaY * lines) / 240)), this.#at(event));
    this.moved.fire('zoom');
  }

  #onKey(event) {
    const move = MapMoves.KEYS[event.key];
    if (!move || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    move(this.#camera);
    this.moved.fire(event.key.startsWith('Arrow') ? 'pan' : 'zoom');
  }

  #onDown(event) {
    if (event.button !== 0) return;
    if (this.#fingers.size === 0) this.#travelled = 0;
    this.#element.setPointerCapture(event.pointerId);
    this.#fingers.set(event.pointerId, this.#at(event));
  }

  #onMove(event) {
    const before = this.#fingers.get(event.pointerId);
    if (!before) return;
    const now = this.#at(event);
    const others = [...this.#fingers].filter(([id]) => id !== event.pointerId).map(([, at]) => at);
    this.#travelled += Math.hypot(now.x - before.x, now.y - before.y);
    this.#fingers.set(event.pointerId, now);
    if (others.length) this.#pinch(others[0], before, now);
    else this.#camera.pan(before.x - now.x, before.y - now.y);
    if (this.#travelled > 4) this.moved.fire(others.length ? 'zoom' : 'pan');
  }

  #pinch(still, before, now) {
    const span = (at) => Math.max(20, Math.hypot(at.x - still.x, at.y - still.y));
    this.#camera.zoomBy(Math.log2(span(now) / span(before)), { x: (still.x + now.x) / 2, y: (still.y + now.y) / 2 });
  }

  #onUp(event) {
    if (!this.#fingers.delete(event.pointerId)) return;
    if (this.#fingers.size === 0 && this.#travelled <= 4) this.picked.fire(this.#camera.toPlace(this.#at(event)));
  }
}
