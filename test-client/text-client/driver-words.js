'use strict';

// How drivers and where they are is put into words.

const DRIVER_STATUS_WORDS = { ONLINE: 'Online', IN_TRANSIT: 'On the way', OFFLINE: 'Offline' };

/** What the server's codes mean to somebody who follows a driver. */
const WATCH_PROBLEM_WORDS = {
  not_found: 'There is no driver of that name or number.',
  forbidden: 'You may not follow this driver.',
  rate_limited: 'Too much was asked at once. It goes on in a moment.',
  unavailable: 'The server cannot answer right now.',
  internal: 'Something went wrong on the server.',
};

const countFormat = new Intl.NumberFormat('en');
const countWords = (count, word) => `${countFormat.format(count)} ${word}${count === 1 ? '' : 's'}`;

/** How long ago something was, in words. */
function agoWords(milliseconds) {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  if (seconds < 2) return 'just now';
  if (seconds < 60) return `${seconds} s ago`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ago`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return minutes % 60 ? `${hours} h ${minutes % 60} min ago` : `${hours} h ago`;
  return `${plural(Math.floor(hours / 24), 'day')} ago`;
}

/** A speed, given in metres per second. */
const speedWords = (speed) => (Number.isFinite(speed) ? `${Math.round(speed * 3.6)} km/h` : 'not said');

/** A fleet in one line. */
function fleetWords({ drivers, inTransit, offline, silent, unplaced }) {
  const words = [countWords(drivers, 'driver'), `${countFormat.format(inTransit)} on the way`, `${countFormat.format(offline)} offline`];
  if (silent) words.push(`${countFormat.format(silent)} silent`);
  if (unplaced) words.push(`${countFormat.format(unplaced)} not on the map`);
  return words.join(' · ');
}
