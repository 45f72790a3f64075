'use strict';

/**
 * A WebSocket of JSON frames, without Socket.IO. It comes back by itself, after pauses that grow, and also where the server
 * has said nothing for too long. A token that is refused is renewed once; refused again, somebody has to log in.
 */
class RawLink {
  static FIRST_PAUSE = 500;
  static LONGEST_PAUSE = 15_000;
  static BEAT = 25_000;
  /** How often (ms) it is looked whether the server is silent. */
  static LISTEN = 5_000;
  static TOKEN_REFUSED = 4001;

  /** `{name, detail}`, as that of `Link`. */
  state = { name: 'offline', detail: '' };
  stateChanged = new Signal();
  /** The socket is open; whether the server accepts who it is of is not known yet. */
  opened = new Signal();
  /** A frame came. */
  received = new Signal();

  #path;
  #session;
  #choices;
  #api;
  #log;
  #beat;
  #silence;
  #socket = null;
  #failures = 0;
  #renewed = false;
  #heardAt = 0;
  #timers = {};

  /**
   * `path` gives the path of the socket at every connect; `beat` is a frame to send every 25 seconds, where there is one;
   * `silence` is how long (ms) the server may say nothing.
   */
  constructor({ path, beat = null, silence, session, choices, api, log }) {
    [this.#path, this.#beat, this.#silence] = [path, beat, silence];
    [this.#session, this.#choices, this.#api, this.#log] = [session, choices, api, log];
    addEventListener('online', () => { if (this.state.name === 'reconnecting') this.#connect(); });
  }

  open() {
    this.close();
    this.#show('connecting');
    this.#connect();
  }

  close() {
    this.#drop();
    this.#failures = 0;
    this.#renewed = false;
    if (this.state.name !== 'offline') this.#show('offline');
  }

  /** Sends a frame; dropped when there is no connection. */
  send(frame) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(frame));
  }

  /** The server has taken the token: whoever reads the frames knows by which of them. */
  accepted() {
    [this.#failures, this.#renewed] = [0, false];
    if (this.state.name !== 'connected') this.#show('connected', 'websocket');
  }

  /** The server has refused the token. */
  async refused(reason) {
    this.#drop();
    const mayRenew = !this.#renewed && this.#session.refreshToken;
    this.#show(mayRenew ? 'reconnecting' : 'refused', `token: ${reason}`);
    if (!mayRenew) return;
    this.#renewed = true;
    await this.#api.refresh().then(() => this.#connect(), (problem) => this.#onNotRenewed(problem));
  }

  #onNotRenewed(problem) {
    this.#log.add('note', 'refresh failed', problem.message);
    if (problem.code !== 'unreachable') return this.#show('refused', `token: ${problem.message}`);
    // It was not asked, so it may be asked again.
    this.#renewed = false;
    this.#retryLater(problem.message);
  }

  #connect() {
    this.#drop();
    const socket = new WebSocket(this.#choices.server.replace(/^http/, 'ws') + this.#path());
    this.#socket = socket;
    const listen = (event, act) => socket.addEventListener(event, (what) => { if (socket === this.#socket) act(what); });
    listen('open', () => this.#onOpen());
    listen('message', ({ data }) => this.#onMessage(data));
    listen('close', (event) => this.#onClose(event));
    this.#listenForSilence();
  }

  #onOpen() {
    this.#log.add('note', 'websocket open');
    if (this.#beat) this.#timers.beat = setInterval(() => this.send(this.#beat), RawLink.BEAT);
    this.opened.fire();
  }

  #onMessage(data) {
    this.#heardAt = performance.now();
    let frame;
    try {
      frame = JSON.parse(data);
    } catch {
      return this.#log.add('note', 'not JSON', data);
    }
    this.received.fire(frame);
  }

  #onClose({ code, reason }) {
    this.#log.add('note', 'websocket closed', { code, reason });
    if (code === RawLink.TOKEN_REFUSED) this.refused(reason || 'refused');
    else this.#retryLater(reason || (code === 1001 ? 'server is going down' : 'connection lost'));
  }

  #listenForSilence() {
    this.#heardAt = performance.now();
    this.#timers.silence = setInterval(() => {
      if (performance.now() - this.#heardAt > this.#silence) this.#retryLater('no answer');
    }, RawLink.LISTEN);
  }

  #retryLater(why) {
    this.#drop();
    this.#show('reconnecting', why);
    const pause = Math.min(RawLink.FIRST_PAUSE * 2 ** this.#failures++, RawLink.LONGEST_PAUSE);
    // Not all at the same moment, after a server was away.
    this.#timers.retry = setTimeout(() => this.#connect(), pause * (0.75 + Math.random() / 2));
  }

  #drop() {
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
    clearTimeout(this.#timers.retry);
    for (const timer of ['beat', 'silence']) clearInterval(this.#timers[timer]);
  }

  #show(name, detail = '') {
    this.state = { name, detail };
    this.stateChanged.fire(this.state);
  }
}
