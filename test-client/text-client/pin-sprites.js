'use strict';

/**
 * Pictures of pins, drawn once and then copied: a row for each look, a column for each heading. Looks differ in shape as well
 * as in colour: who is on the way has a ring around it, who is off is smaller.
 */
class PinSprites {
  static LOOKS = ['off', 'online', 'transit'];
  static HEADINGS = 32;

  #sheet = document.createElement('canvas');
  #cell;

  /** `size` is in CSS pixels, of which each has `ratio` device pixels; `colours` are those of `Tints`. */
  constructor(colours, size, ratio) {
    this.#cell = Math.ceil((size + 4) * ratio);
    this.#sheet.width = this.#cell * (PinSprites.HEADINGS + 1);
    this.#sheet.height = this.#cell * PinSprites.LOOKS.length;
    const context = this.#context;
    for (const [row, look] of PinSprites.LOOKS.entries()) {
      for (let column = 0; column <= PinSprites.HEADINGS; column++) {
        context.setTransform(ratio, 0, 0, ratio, (column + 0.5) * this.#cell, (row + 0.5) * this.#cell);
        const turn = column < PinSprites.HEADINGS ? (column / PinSprites.HEADINGS) * 2 * Math.PI : null;
        if (size < 14) drawSmallPin(context, colours, { look, turn, radius: size / 2 });
        else drawLargePin(context, colours, { look, turn, radius: size / 2 });
      }
    }
  }

  /** The row of a look. */
  static row(look) { return PinSprites.LOOKS.indexOf(look); }

  /** The column of a heading, in degrees; the last is for none. */
  static column(heading) {
    const { HEADINGS } = PinSprites;
    return Number.isFinite(heading) ? Math.round((heading / 360) * HEADINGS) % HEADINGS : HEADINGS;
  }

  /** Puts a pin on `context`, its middle at so many device pixels. */
  put(context, row, heading, x, y) {
    const [cell, half] = [this.#cell, this.#cell >> 1];
    context.drawImage(this.#sheet, PinSprites.column(heading) * cell, row * cell, cell, cell, x - half, y - half, cell, cell);
  }

  /** A pin as a stamp for a picture that is `width` pixels wide. */
  stamp(row, column, width) {
    const [cell, half] = [this.#cell, this.#cell >> 1];
    const pixels = new Uint32Array(this.#context.getImageData(column * cell, row * cell, cell, cell).data.buffer);
    const points = [];
    for (const [index, colour] of pixels.entries()) {
      const [x, y] = [index % cell, Math.floor(index / cell)];
      if (colour >>> 24) points.push({ offset: (y - half) * width + x - half, colour });
    }
    return new PinStamp(points);
  }

  get #context() { return this.#sheet.getContext('2d', { willReadFrequently: true }); }
}

/** A disc with an arrow in it. */
function drawLargePin(context, colours, { look, turn, radius }) {
  const reach = look === 'off' ? radius * 0.76 : radius;
  context.lineWidth = 1.5;
  context.strokeStyle = colours.land;
  context.fillStyle = colours[look];
  fillDisc(context, reach);
  context.stroke();
  context.fillStyle = colours['pin-ink'];
  if (turn === null) fillDisc(context, reach * 0.34);
  else fillArrow(context, turn, reach * 0.62);
  if (look !== 'transit') return;
  context.strokeStyle = colours['pin-ink'];
  context.lineWidth = 1;
  context.beginPath();
  context.arc(0, 0, reach * 0.84, 0, 2 * Math.PI);
  context.stroke();
}

/** Nothing but the arrow, or a dot where it has no heading. */
function drawSmallPin(context, colours, { look, turn, radius }) {
  const reach = look === 'off' ? radius * 0.8 : radius;
  context.lineWidth = 1.5;
  context.strokeStyle = colours.land;
  context.fillStyle = colours[look];
  if (turn !== null) return fillArrow(context, turn, reach * 1.1, true);
  fillDisc(context, reach * 0.7);
  context.stroke();
}

function fillDisc(context, radius) {
  context.beginPath();
  context.arc(0, 0, radius, 0, 2 * Math.PI);
  context.fill();
}

function fillArrow(context, turn, reach, isOutlined = false) {
  context.save();
  context.rotate(turn);
  context.beginPath();
  context.moveTo(0, -reach);
  context.lineTo(reach * 0.74, reach * 0.82);
  context.lineTo(0, reach * 0.42);
  context.lineTo(-reach * 0.74, reach * 0.82);
  context.closePath();
  if (isOutlined) context.stroke();
  context.fill();
  context.restore();
}
