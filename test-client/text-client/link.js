'use strict';

/**
 * The Socket.IO connection: opens, watches, cuts and reopens it. It knows events by name only.
 * With the namespace `/chat` it joins `/presence` too, over the same transport.
 */
class Link {
  static ACK_TIMEOUT = 8000;
  static LONGEST_WAIT = 15_000;

  /** `{name, detail}`; name is offline, connecting, connected, reconnecting or refused. */
  state = { name: 'offline', detail: '' };
  stateChanged = new Signal();
  connected = new Signal();
  disconnected = new Signal();

  #session;
  #choices;
  #api;
  #log;
  #handlers = {};
  #socket = null;
  #presence = null;
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
    for (const socket of [this.#presence, this.#socket]) socket?.off().offAny().offAnyOutgoing().disconnect();
    if (this.state.name !== 'offline') this.#show('offline');
    this.#socket = null;
    this.#presence = null;
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
    if (this.up) this.#socket.emit(event, payload);
  }

  /** Emits and waits for the acknowledgement; fails with a `Problem` (code `lost` when no answer came). */
  request(event, payload) {
    if (!this.up) return Promise.reject(new Problem('Not connected.', { code: 'lost' }));
    return new Promise((resolve, reject) => {
      this.#socket.timeout(Link.ACK_TIMEOUT).emit(event, payload, (failure, ack) => {
        this.#log.add(failure ? 'note' : 'in', `ack ${event}`, failure ? failure.message : ack);
        if (failure) reject(new Problem('No answer in time.', { code: 'lost' }));
        else if (ack?.ok) resolve(ack);
        else reject(new Problem(ack?.error?.message ?? 'Refused.', ack?.error));
      });
    });
  }

  #connect(io) {
    const { server, namespace, transports } = this.#choices;
    const auth = (answer) => answer({ token: this.#session.token, sync: this.#cursors() });
    this.#socket = io(server + namespace, { auth, transports, forceNew: true });
    this.#watch(this.#socket);
    this.#socket.on('connect', () => this.#onConnect());
    this.#socket.on('disconnect', (reason) => this.#onDisconnect(reason));
    this.#socket.on('connect_error', (failure) => this.#onConnectError(failure));
    this.#socket.io.on('reconnect_attempt', (attempt) => this.#log.add('note', 'reconnect attempt', { attempt }));
    if (namespace === '/chat') this.#joinPresence();
  }

  #joinPresence() {
    this.#presence = this.#socket.io.socket('/presence', { auth: (answer) => answer({ token: this.#session.token }) });
    this.#watch(this.#presence, '/presence ');
    this.#presence.on('connect_error', (failure) => this.#log.add('note', '/presence connect_error', failure.message));
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
    if (this.#presence && !this.#presence.active) this.#presence.connect();
    const { engine } = this.#socket.io;
    this.#log.add('note', 'connect', { namespace: this.#choices.namespace, transport: engine.transport.name });
    engine.on('upgrade', (transport) => {
      this.#log.add('note', 'upgrade', { transport: transport.name });
      this.#show('connected', transport.name);
    });
    this.#show('connected', engine.transport.name);
    this.connected.fire();
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
    }, (problem) => this.#log.add('note', 'refresh failed', problem.message));
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
