'use strict';

/** One pin as the pixels that are not transparent, each by how far it is from the middle in a picture. */
class PinStamp {
  /** From this opacity on nobody sees what is below. */
  static SOLID = 240;

  #solid;
  #soft;

  /** `points` are `{offset, colour}`, colours as a picture holds them: red in the lowest byte, opacity in the highest. */
  constructor(points) {
    const isSolid = ({ colour }) => colour >>> 24 >= PinStamp.SOLID;
    this.#solid = PinStamp.#packed(points.filter(isSolid));
    this.#soft = PinStamp.#packed(points.filter((point) => !isSolid(point)));
  }

  static #packed(points) {
    return { offsets: Int32Array.from(points, ({ offset }) => offset), colours: Uint32Array.from(points, ({ colour }) => colour) };
  }

  /** Leaves the pin on `pixels`, with its middle `at`. */
  press(pixels, at) {
    const { offsets, colours } = this.#solid;
    for (let index = 0; index < offsets.length; index++) pixels[at + offsets[index]] = colours[index];
    const soft = this.#soft;
    for (let index = 0; index < soft.offsets.length; index++) {
      const where = at + soft.offsets[index];
      pixels[where] = blend(soft.colours[index], pixels[where]);
    }
  }
}

/** One colour over another; both may be transparent. Red and blue are worked out together, in 256ths. */
function blend(over, under) {
  const below = under >>> 24;
  if (below === 0) return over;
  const above = over >>> 24;
  const opacity = above + ((below * (255 - above) + 127) / 255 | 0);
  const weight = (above << 8) / opacity | 0;
  const rest = 256 - weight;
  const redAndBlue = ((over & 0xff00ff) * weight + (under & 0xff00ff) * rest) >>> 8 & 0xff00ff;
  const green = ((over & 0xff00) * weight + (under & 0xff00) * rest) >>> 8 & 0xff00;
  return (opacity << 24 | redAndBlue | green) >>> 0;
}

/**
 * The pins of a frame as one picture. Copying pixels by hand is several times as fast as letting a canvas do it where there is
 * no graphics processor, and fast enough where there is one. The picture is larger than the canvas all around, so that no
 * pin at its edge has to be cut.
 */
class PinPicture {
  #image = null;
  #pixels = null;
  #border = 0;
  #stamps = new Map();

  /** A new frame for `canvas`, with pins that may reach `border` pixels out of it. */
  begin({ width, height }, border) {
    // A pin in the border reaches out of that by half of itself.
    const wide = Math.ceil(border * 2);
    if (this.#image?.width === width + 2 * wide && this.#image.height === height + 2 * wide) return this.#pixels.fill(0);
    this.forget();
    this.#border = wide;
    this.#image = new ImageData(width + 2 * wide, height + 2 * wide);
    this.#pixels = new Uint32Array(this.#image.data.buffer);
  }

  /** Leaves pins of one row of `sprites` on the picture, each at its place. */
  stamp(sprites, row, drivers, xs, ys) {
    if (!this.#stamps.has(sprites)) this.#stamps.set(sprites, PinSprites.LOOKS.map(() => []));
    const stamps = this.#stamps.get(sprites)[row];
    const [width, border] = [this.#image.width, this.#border];
    for (let index = 0; index < drivers.length; index++) {
      const at = (ys[index] + border) * width + xs[index] + border;
      const column = PinSprites.column(drivers[index].heading);
      (stamps[column] ??= sprites.stamp(row, column, width)).press(this.#pixels, at);
    }
  }

  /** Shows it in place of what was there. */
  show(context) {
    context.putImageData(this.#image, -this.#border, -this.#border);
  }

  /** Forgets how sprites look. */
  forget() {
    this.#stamps.clear();
  }
}
