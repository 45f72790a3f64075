'use strict';

// What a map is drawn of: each of these draws one thing of what a camera sees.

/** Makes an element of a drawing. */
function draw(tag, attrs = {}, ...children) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attrs)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** The first of …, 1, 2, 5, 10, 20, … that is at least `least`. */
function roundNumber(least) {
  const power = 10 ** Math.floor(Math.log10(least));
  return power * [1, 2, 5, 10].find((step) => step * power >= least);
}

/** Lines of latitude and longitude with their degrees. */
function drawGrid(camera) {
  const step = Math.min(roundNumber((80 / camera.scale) * 360), 30);
  const places = Math.max(0, Math.ceil(-Math.log10(step) - 1e-9));
  const word = (value, [positive, negative]) => `${Math.abs(value).toFixed(places)}° ${value < 0 ? negative : positive}`;
  const [northWest, southEast] = [camera.toPlace({ x: 0, y: 0 }), camera.toPlace({ x: camera.width, y: camera.height })];
  const lines = [];
  for (let lng = Math.ceil(northWest.lng / step) * step; lng < southEast.lng; lng += step) {
    const { x } = camera.toScreen({ lat: 0, lng });
    lines.push(draw('path', { class: 'map__line', d: `M${x} 0V${camera.height}` }));
    if (x > 60 && x < camera.width - 110) lines.push(label(word(lng, 'EW'), { x: x + 4, y: camera.height - 6 }));
  }
  for (let lat = Math.ceil(southEast.lat / step) * step; lat < northWest.lat; lat += step) {
    const { y } = camera.toScreen({ lat, lng: 0 });
    lines.push(draw('path', { class: 'map__line', d: `M0 ${y}H${camera.width}` }));
    if (y > 20 && y < camera.height - 50) lines.push(label(word(lat, 'NS'), { x: 6, y: y - 4 }));
  }
  return lines;
}

function label(text, { x, y }) {
  const element = draw('text', { class: 'map__degrees', x, y });
  element.textContent = text;
  return element;
}

/** A bar as long as a round number of metres. */
function drawScale(camera) {
  const most = 110 * camera.metresPerPixel;
  const power = 10 ** Math.floor(Math.log10(most));
  const metres = power * [5, 2, 1].find((step) => step * power <= most);
  const [left, bottom] = [12, camera.height - 28];
  const width = metres / camera.metresPerPixel;
  const words = draw('text', { class: 'map__scale-words', x: left + width / 2, y: bottom - 7, 'text-anchor': 'middle', 'data-testid': 'map-scale' });
  words.textContent = distanceWords(metres);
  return [draw('path', { class: 'map__scale', d: `M${left} ${bottom - 5}v5h${width}v-5` }), words];
}

/** Pictures of the ground, where the server names a place to get them from. */
function drawTiles(camera, url) {
  if (!url) return [];
  const zoom = Math.max(0, Math.min(19, Math.round(camera.zoom)));
  const [count, size] = [2 ** zoom, camera.scale / 2 ** zoom];
  const left = camera.middle.x * camera.scale - camera.width / 2;
  const top = camera.middle.y * camera.scale - camera.height / 2;
  const tiles = [];
  for (let y = Math.max(0, Math.floor(top / size)); y < Math.min(count, (top + camera.height) / size); y++) {
    for (let x = Math.floor(left / size); x < (left + camera.width) / size; x++) {
      const column = ((x % count) + count) % count;
      const href = url.replace('{s}', 'abc'[(column + y) % 3]).replace('{z}', zoom).replace('{x}', column).replace('{y}', y);
      tiles.push(draw('image', { href, x: x * size - left, y: y * size - top, width: size + 0.5, height: size + 0.5 }));
    }
  }
  return tiles;
}

/** A line through places. */
function drawLine(camera, places, className) {
  if (places.length < 2) return [];
  const points = places.map((place) => camera.toScreen(place)).map(({ x, y }) => `${x.toFixed(1)},${y.toFixed(1)}`);
  return [draw('polyline', { class: className, points: points.join(' '), 'data-testid': className, 'data-count': places.length })];
}

const PIN_GLYPHS = {
  pickup: 'M-4.6-21h9.2l1 9.5H-5.6zM-2.4-18.6v-2.6a2.4 2.4 0 0 1 4.8 0v2.6',
  dropoff: 'M-6-16.6 0-22l6 5.4M-4.2-17.6v6.4h8.4v-6.4',
};

/** A pin: `{kind, label, lat, lng, heading?, isStale?}`; kinds are pickup, dropoff and driver. */
function drawPin({ kind, label: words, heading }) {
  const name = draw('text', { class: 'map__name', y: kind === 'driver' ? 30 : 15, 'text-anchor': 'middle' });
  name.textContent = words;
  if (kind !== 'driver') {
    return [draw('path', { class: 'map__drop', d: 'M0 0C-3-7-12-9-12-17.5a12 12 0 0 1 24 0C12-9 3-7 0 0z' }),
      draw('path', { class: 'map__glyph', d: PIN_GLYPHS[kind] }), name];
  }
  const isTurned = Number.isFinite(heading);
  const arrow = isTurned ? draw('path', { class: 'map__arrow', d: 'M0-9 6.5 7 0 3.5-6.5 7z', transform: `rotate(${heading})` })
    : draw('circle', { class: 'map__arrow', r: 4.5 });
  return [draw('circle', { class: 'map__halo', r: 15 }), arrow, name];
}
