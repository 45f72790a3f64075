'use strict';

/** How this tab connects: server, namespace, transport, parser. */
class Choices {
  static openedAsFile = location.protocol === 'file:';

  changed = new Signal();
  #kept = new Kept('sessionStorage', 'waggle.choices', {
    server: Choices.openedAsFile ? 'http://localhost:3000' : location.origin,
    namespace: '/',
    transport: 'auto',
    parser: 'common',
  });

  get server() { return this.#kept.value.server; }
  get namespace() { return this.#kept.value.namespace; }
  get transport() { return this.#kept.value.transport; }
  get parser() { return this.#kept.value.parser; }

  get transports() {
    return this.transport === 'auto' ? ['polling', 'websocket'] : [this.transport];
  }

  set(name, value) {
    const cleaned = name === 'server' ? value.trim().replace(/\/+$/, '') : value;
    if (this.#kept.value[name] === cleaned) return;
    this.#kept.value = { ...this.#kept.value, [name]: cleaned };
    this.changed.fire(name);
  }
}
