'use strict';

// Where places are on a flat map: Web Mercator, in a square one unit wide, and what lies between places.

const EARTH_AROUND = 40_075_016.686;
const EARTH_RADIUS = EARTH_AROUND / (2 * Math.PI);
const radians = (degrees) => (degrees * Math.PI) / 180;
const degrees = (angle) => (angle * 180) / Math.PI;

const mercator = {
  /** Degrees beyond which nothing is on the map. */
  LIMIT: 85.0511,

  project({ lat, lng }) {
    const sin = Math.sin(radians(Math.max(-mercator.LIMIT, Math.min(mercator.LIMIT, lat))));
    return { x: lng / 360 + 0.5, y: 0.5 - Math.log((1 + sin) / (1 - sin)) / (4 * Math.PI) };
  },

  unproject({ x, y }) {
    const lng = ((((x - 0.5) % 1) + 1.5) % 1 - 0.5) * 360;
    return { lat: degrees(Math.atan(Math.sinh(Math.PI * (1 - 2 * y)))), lng };
  },

  /** Metres that the whole width of the map is at a latitude. */
  width: (lat) => EARTH_AROUND * Math.cos(radians(lat)),
};

/** Metres between two places. */
function distanceOf(from, to) {
  const half = (angle) => Math.sin(radians(angle) / 2) ** 2;
  const part = half(to.lat - from.lat) + Math.cos(radians(from.lat)) * Math.cos(radians(to.lat)) * half(to.lng - from.lng);
  return 2 * EARTH_RADIUS * Math.asin(Math.min(1, Math.sqrt(part)));
}

/** Degrees clockwise from north in which one place lies from another. */
function bearingOf(from, to) {
  const turn = radians(to.lng - from.lng);
  const [a, b] = [radians(from.lat), radians(to.lat)];
  const angle = Math.atan2(Math.sin(turn) * Math.cos(b), Math.cos(a) * Math.sin(b) - Math.sin(a) * Math.cos(b) * Math.cos(turn));
  return Math.round((degrees(angle) + 360) % 360);
}

/** Whether something has a place on the map. */
const isPlaced = (place) => Number.isFinite(place?.lat) && Number.isFinite(place?.lng);
