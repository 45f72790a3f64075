'use strict';

// How orders are put into words.

const ORDER_STEPS = ['pending', 'preparing', 'outForDelivery', 'delivered'];
const STATUS_WORDS = {
  pending: 'Waiting for a driver',
  preparing: 'Being prepared',
  outForDelivery: 'On its way',
  delivered: 'Delivered',
  cancelled: 'Cancelled',
};
/** Statuses as `/api/v1` spells them, where it spells them otherwise. */
const V1_STATUSES = { out_for_delivery: 'outForDelivery' };
/** What a driver does to bring an order a step further. */
const NEXT_STEPS = {
  preparing: { status: 'outForDelivery', words: 'Picked up, on my way' },
  outForDelivery: { status: 'delivered', words: 'Delivered' },
};

const isUnderWay = ({ status }) => status === 'preparing' || status === 'outForDelivery';
const hasEnded = ({ status }) => status === 'delivered' || status === 'cancelled';
const itemsWords = ({ items }) => items.map(({ name, quantity }) => (quantity > 1 ? `${quantity} × ${name}` : name)).join(', ');
const placeWords = (place) => (place ? [place.name, place.address].filter(Boolean).join(', ') : 'not said');

function distanceWords(metres) {
  if (metres < 1000) return `${Math.round(metres)} m`;
  const kilometres = metres / 1000;
  return `${kilometres < 10 ? Number(kilometres.toFixed(1)) : Math.round(kilometres)} km`;
}

function durationWords(seconds) {
  if (seconds < 60) return 'less than a minute';
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** What is expected of a trip, in words that say that it is a guess. */
function etaWords({ etaSeconds, distanceLeftKm }) {
  const words = [];
  if (Number.isFinite(etaSeconds)) words.push(`There in about ${durationWords(etaSeconds)}`);
  if (Number.isFinite(distanceLeftKm)) words.push(`${distanceWords(distanceLeftKm * 1000)} to go`);
  return words.length ? `${words.join(' · ')} (estimate, as the crow flies)` : 'No estimate: the drop-off is not on the map.';
}

/** Pins and lines of an order, as a map shows them. */
function orderOnMap(order, position, trail) {
  const { pickup, dropoff, driver } = order;
  const pins = [{ ...pickup, kind: 'pickup', label: pickup?.name ?? 'Pickup' }, { ...dropoff, kind: 'dropoff', label: 'Drop-off' }];
  if (position) pins.push({ ...position, kind: 'driver', label: driver ? displayName(driver) : 'Driver' });
  const ahead = order.status === 'outForDelivery' ? [position, dropoff] : [isUnderWay(order) ? position : null, pickup, dropoff];
  return { pins, trail, way: hasEnded(order) ? [] : ahead.filter(Boolean) };
}
