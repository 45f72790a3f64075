'use strict';

/** The sockets of one connection: the first one, and in the namespace `/chat` those beside it, over the same transport. */
class Surfaces {
  static ACK_TIMEOUT = 8000;

  #main;
  #beside = new Map();
  #log;

  constructor(main, log) {
    this.#main = main;
    this.#log = log;
  }

  get main() { return this.#main; }
  get orders() { return this.#beside.get('/orders') ?? this.#main; }
  get rooms() { return this.#beside.get('/rooms') ?? this.#main; }

  /** Every socket that carries messages. */
  get carriers() { return [...new Set([this.#main, this.rooms])]; }

  /** The socket that a payload goes to. */
  of(payload) {
    return payload.roomId ? this.rooms : this.#main;
  }

  open(namespace, auth) {
    const socket = this.#main.io.socket(namespace, { auth });
    this.#beside.set(namespace, socket);
    socket.on('connect_error', (failure) => this.#log.add('note', `${namespace} connect_error`, failure.message));
    return socket;
  }

  /** Brings back the sockets beside that were refused. */
  revive() {
    for (const socket of this.#beside.values()) if (!socket.active) socket.connect();
  }

  close() {
    for (const socket of [...this.#beside.values(), this.#main]) socket.off().offAny().offAnyOutgoing().disconnect();
  }

  /** Emits and waits for the acknowledgement; fails with a `Problem` (code `lost` when no answer came). */
  ask(socket, event, payload) {
    if (!socket.connected) return Promise.reject(Surfaces.lost('Not connected.'));
    return new Promise((resolve, reject) => {
      socket.timeout(Surfaces.ACK_TIMEOUT).emit(event, payload, (failure, ack) => {
        this.#log.add(failure ? 'note' : 'in', `ack ${event}`, failure ? failure.message : ack);
        if (failure) reject(Surfaces.lost('No answer in time.'));
        else if (ack?.ok) resolve(ack);
        else reject(new Problem(ack?.error?.message ?? 'Refused.', ack?.error));
      });
    });
  }

  static lost(words) {
    return new Problem(words, { code: 'lost' });
  }
}
