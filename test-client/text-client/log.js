'use strict';

/** Everything that went over the wire, newest last, bounded, without secrets. */
class EventLog {
  static LIMIT = 500;

  added = new Signal();
  cleared = new Signal();
  entries = [];
  #next = 1;

  /** `direction` is `in`, `out` or `note` (what the connection itself did). */
  add(direction, name, payload) {
    const entry = { id: this.#next++, at: new Date().toISOString(), direction, name: redact(name), payload: redact(payload) };
    this.entries.push(entry);
    const dropped = this.entries.length > EventLog.LIMIT ? this.entries.shift() : null;
    this.added.fire(entry, dropped);
  }

  clear() {
    this.entries = [];
    this.cleared.fire();
  }
}

const SECRET_NAME = /token|password|secret|authorization/i;
const JWT = /eyJ[\w-]+\.[\w-]+\.[\w-]*/g;

/** A copy without tokens and passwords, wherever they stand. */
function redact(value) {
  if (typeof value === 'string') return value.replace(JWT, '[redacted]');
  if (Array.isArray(value)) return value.map(redact);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) =>
    [name, SECRET_NAME.test(name) && typeof inner === 'string' ? '[redacted]' : redact(inner)]));
}
