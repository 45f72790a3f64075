// Seed 000's dashboards, and what moves on them.

import { call } from './people.js';
import { FlatSocket, wsUrl } from './raw-sockets.js';

/** Short for the document's 5 s, 60 s and 10 min. */
export const CADENCES = { WATCH_INTERVAL: '300ms', WATCH_OFFLINE_INTERVAL: '900ms', DRIVER_OFFLINE_AFTER: '3s' };

/** A dashboard that has said who it is, as the document does. */
export async function dashboard(server, token, role = 'client') {
  const socket = await new FlatSocket(wsUrl(server)).opened();
  socket.sendFrame({ type: 'auth', role, token });
  return socket;
}

export const watch = (socket, driverId) => socket.sendFrame({ type: 'watch', driverId });

/** Says where a driver is. */
export function update(server, token, place) {
  return call(server, 'POST', '/driver/update', { token, body: place });
}
