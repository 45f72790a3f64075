'use strict';

/** What the states of the connection are called, with the detail. */
const LINK_WORDS = {
  offline: () => 'Not connected',
  connecting: (detail) => (detail ? `Connecting: ${detail}` : 'Connecting…'),
  connected: (detail) => `Connected via ${detail}`,
  reconnecting: (detail) => (detail ? `Reconnecting… (${detail})` : 'Reconnecting…'),
  refused: (detail) => `Refused: ${detail}`,
};

/**
 * The Socket.IO connection: opens, watches, cuts and reopens it. It knows events by name only.
 * With the namespace `/chat` it joins `/rooms`, `/presence` and `/orders` too, over the same transport.
 */
class Link {
  static LONGEST_WAIT = 15_000;

  /** `{name, detail}`; name is offline, connecting, connected, reconnecting or refused. */
  state = { name: 'offline', detail: '' };
  stateChanged = new Signal();
  connected = new Signal();
  /** The socket that carries rooms is connected: the same one, or that of `/rooms`. */
  roomsConnected = new Signal();
  /** The same of the socket that carries orders. */
  ordersConnected = new Signal();
  disconnected = new Signal();

  #session;
  #choices;
  #api;
  #log;
  #handlers = {};
  #socket = null;
  #surfaces = null;
  #cursors = () => ({});
  #refusals = 0;
  #renewed = false;
  #retryTimer;
  #generation = 0;

  constructor(session, choices, api, log) {
    this.#session = session;
    this.#choices = choices;
    this.#api = api;
    this.#log = log;
  }

  get up() {
    return this.#socket?.connected ?? false;
  }

  get ordersUp() {
    return this.#surfaces?.orders.connected ?? false;
  }

  get roomsUp() {
    return this.#surfaces?.rooms.connected ?? false;
  }

  on(event, handler) {
    this.#handlers[event] = handler;
  }

  /** `cursors` says, at every connect, from where to resume. */
  resumeFrom(cursors) {
    this.#cursors = cursors;
  }

  async open() {
    this.close();
    const generation = this.#generation;
    this.#show('connecting');
    try {
      const io = await loadClient(this.#choices.parser);
      if (generation === this.#generation) this.#connect(io);
    } catch (problem) {
      this.#show('refused', problem.message);
    }
  }

  close() {
    this.#generation++;
    clearTimeout(this.#retryTimer);
    this.#surfaces?.close();
    if (this.state.name !== 'offline') this.#show('offline');
    this.#socket = null;
    this.#surfaces = null;
    this.#refusals = 0;
    this.#renewed = false;
  }

  /** Closes the transport underneath, as a lost network would. */
  cut() {
    this.#log.add('note', 'connection cut by hand');
    this.#socket?.io.engine?.close();
  }

  /** Emits without waiting; dropped when there is no connection. */
  tell(event, payload) {
    const socket = this.#surfaces?.of(payload);
    if (socket?.connected) socket.emit(event, payload);
  }

  /** Emits and waits for the acknowledgement; fails with a `Problem` (code `lost` when no answer came). */
  async request(event, payload) {
    if (!this.#surfaces) throw Surfaces.lost('Not connected.');
    return this.#surfaces.ask(this.#surfaces.of(payload), event, payload);
  }

  /** As `request`, over the socket that carries orders. */
  async requestOrders(event, payload) {
    if (!this.#surfaces) throw Surfaces.lost('Not connected.');
    return this.#surfaces.ask(this.#surfaces.orders, event, payload);
  }

  /** The same of every socket that carries messages; gives the answers. */
  async requestEach(event, payload) {
    return Promise.all(this.#surfaces?.carriers.map((socket) => this.#surfaces.ask(socket, event, payload)) ?? []);
  }

  #connect(io) {
    const { server, namespace, transports } = this.#choices;
    const auth = (answer) => answer({ token: this.#session.token, sync: this.#cursors() });
    this.#socket = io(server + namespace, { auth, transports, forceNew: true });
    this.#surfaces = new Surfaces(this.#socket, this.#log);
    this.#watch(this.#socket);
    this.#socket.on('connect', () => this.#onConnect());
    this.#socket.on('disconnect', (reason) => this.#onDisconnect(reason));
    this.#socket.on('connect_error', (failure) => this.#onConnectError(failure));
    this.#socket.io.on('reconnect_attempt', (attempt) => this.#log.add('note', 'reconnect attempt', { attempt }));
    if (namespace === '/chat') this.#openBeside(auth);
  }

  #openBeside(auth) {
    const rooms = this.#surfaces.open('/rooms', auth);
    rooms.on('connect', () => this.roomsConnected.fire());
    this.#watch(rooms, '/rooms ');
    const orders = this.#surfaces.open('/orders', (answer) => answer({ token: this.#session.token }));
    orders.on('connect', () => this.ordersConnected.fire());
    this.#watch(orders, '/orders ');
    this.#watch(this.#surfaces.open('/presence', (answer) => answer({ token: this.#session.token })), '/presence ');
  }

  #watch(socket, prefix = '') {
    socket.onAny((event, payload) => {
      this.#log.add('in', prefix + event, payload);
      this.#handlers[event]?.(payload);
    });
    socket.onAnyOutgoing((event, payload) => this.#log.add('out', prefix + event, payload));
  }

  #onConnect() {
    this.#refusals = 0;
    this.#renewed = false;
    this.#surfaces.revive();
    const { engine } = this.#socket.io;
    this.#log.add('note', 'connect', { namespace: this.#choices.namespace, transport: engine.transport.name });
    engine.on('upgrade', (transport) => {
      this.#log.add('note', 'upgrade', { transport: transport.name });
      this.#show('connected', transport.name);
    });
    this.#show('connected', engine.transport.name);
    this.connected.fire();
    if (this.#surfaces.rooms === this.#socket) this.roomsConnected.fire();
    if (this.#surfaces.orders === this.#socket) this.ordersConnected.fire();
  }

  #onDisconnect(reason) {
    this.#log.add('note', 'disconnect', reason);
    this.#show('reconnecting', reason);
    this.disconnected.fire();
    if (!this.#socket.active) this.#retryLater();
  }

  #onConnectError(failure) {
    this.#log.add('note', 'connect_error', failure.message);
    if (this.#socket.active) this.#onUnreachable();
    else if (failure.message.startsWith('Authentication error')) this.#onTokenRefused(failure.message);
    else this.#onRefused(failure.message);
  }

  /** The Socket.IO client keeps trying by itself. */
  #onUnreachable() {
    this.#show(this.state.name === 'connecting' ? 'connecting' : 'reconnecting', 'server not reachable');
  }

  /** An old token is renewed once; a token that stays refused is final. */
  async #onTokenRefused(reason) {
    this.#show('refused', reason);
    if (this.#renewed || !this.#session.refreshToken) return;
    this.#renewed = true;
    const generation = this.#generation;
    await this.#api.refresh().then(() => {
      if (generation === this.#generation) this.#socket.connect();
    }, (problem) => {
      this.#log.add('note', 'refresh failed', problem.message);
      // Banned, say.
      if (generation === this.#generation && problem.code === 'forbidden') this.#show('refused', problem.message);
    });
  }

  /** Any other refusal (a server that is going down says "Invalid namespace") may pass: asks again, less and less often. */
  #onRefused(reason) {
    this.#show('refused', reason);
    this.#retryLater();
  }

  #retryLater() {
    clearTimeout(this.#retryTimer);
    const wait = Math.min(1000 * 2 ** this.#refusals++, Link.LONGEST_WAIT);
    this.#retryTimer = setTimeout(() => {
      this.#show('reconnecting', this.state.detail);
      this.#socket.connect();
    }, wait);
  }

  #show(name, detail = '') {
    this.state = { name, detail };
    this.stateChanged.fire(this.state);
  }
}
