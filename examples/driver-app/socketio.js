// The same over Socket.IO, for apps that have socket.io-client anyway. It reconnects, backs off and
// notices dead connections by itself; what is left to do is the tokens, and the positions.
//
// Socket.IO has no 4003: several phones of one driver may be connected, and all of them are told.

import { fixOf } from './connection.js';
import { LoggedOut, Tokens } from './tokens.js';

/**
 * @param io  socket.io-client's; the rest as in connection.js
 */
export function createDriverSocket({
  url, io, fetch, tokens, onTokens, getLocation = () => null, locationEvery = 10_000, retry = { first: 1000, most: 30_000 }, ...handlers
}) {
  const pair = new Tokens({ url, fetch, tokens, onTokens });
  const tell = (handler, ...what) => handlers[handler]?.(...what);
  const socket = io(`${url}/orders`, {
    auth: (give) => give({ token: pair.access }), // asked for at each connect, so the token is the newest
    transports: ['websocket'],
    autoConnect: false,
    forceNew: true,
    reconnectionDelay: retry.first,
    reconnectionDelayMax: retry.most,
  });
  let timer = null;
  let renewed = false;

  function reportLocation() {
    const fix = fixOf(getLocation());
    // Lost positions are of no use later: with `volatile` they do not wait for a connection.
    if (fix) socket.volatile.emit('location_update', fix);
  }

  function goOffline() {
    clearInterval(timer);
    timer = null;
    socket.disconnect();
    tell('onStatus', 'offline');
  }

  function logOut() {
    goOffline();
    tell('onLoggedOut');
  }

  /** The server has said no: that is final for socket.io-client, which does not try again. */
  async function renewAndConnect() {
    if (renewed) return logOut();
    try {
      await pair.renew();
      renewed = true;
    } catch (problem) {
      if (problem instanceof LoggedOut) return logOut();
      await new Promise((resolve) => { setTimeout(resolve, retry.most); });
    }
    if (timer) socket.connect();
  }

  socket.on('connect', () => {
    renewed = false;
    tell('onStatus', 'online');
    reportLocation();
  });
  socket.on('disconnect', (reason) => {
    if (timer) tell('onStatus', 'connecting');
    if (reason === 'io server disconnect') renewAndConnect(); // the token has ended
  });
  socket.on('connect_error', ({ message }) => {
    if (message.startsWith('Authentication error')) renewAndConnect();
  });
  socket.on('token_expiring', () => pair.renew().catch(() => {}));
  socket.on('order_assigned', (order) => tell('onOrder', order));
  socket.on('order_cancelled', (order) => tell('onCancel', order));
  socket.on('newOrder', (order) => tell('onOffer', order)); // in the words of /orders: go by its `id`
  socket.on('removeOrder', ({ orderId, orderNumber }) => tell('onOfferGone', { id: orderId, order_id: orderNumber }));

  return {
    goOnline() {
      timer ??= setInterval(reportLocation, locationEvery);
      tell('onStatus', 'connecting');
      socket.connect();
    },
    goOffline,
    accept(orderId) { socket.emit('orderAccept', { orderId }); },
    reject(orderId, reason) { socket.emit('orderReject', { orderId, reason }); },
  };
}
