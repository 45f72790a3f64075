'use strict';

/**
 * Keeps the fleet as the server has it: live by the admin's WebSocket, and whole by the list. The list is fetched once the
 * socket is open, at every connect: what changes between the two comes by the socket, so that nothing is missed.
 */
class FleetFeed {
  static PAGE = 1000;
  static STRANGERS_WAIT = 1000;
  static SILENCE = 60_000;

  failed = new Signal();
  /** The whole list is there, again after each reconnect. */
  loaded = new Signal();
  link;
  #session;
  #api;
  #fleet;
  #orders;
  #clock;
  #load = 0;
  #lastListed = 0;
  #strangers = null;

  constructor({ fleet, orders, clock, session, choices, api, log }) {
    [this.#session, this.#api, this.#fleet, this.#orders, this.#clock] = [session, api, fleet, orders, clock];
    this.link = new RawLink({
      path: () => `/api/v1/ws/admin?token=${encodeURIComponent(session.token)}`,
      beat: { type: 'ping' },
      silence: FleetFeed.SILENCE,
      session, choices, api, log,
    });
    this.link.received.listen((frame) => this.#onFrame(frame));
    fleet.strangerCame.listen(() => this.#askForStrangers());
  }

  #onFrame({ type, data }) {
    if (type === 'driver_location') this.#fleet.takeLocation(data, this.#clock.now);
    else if (type === 'order_update') this.#orders.take(data);
    else if (type === 'connected') this.#onConnected(data);
    // Renewing the tokens lengthens the life of the login session's sockets.
    else if (type === 'token_expiring' && this.#session.refreshToken) this.#api.refresh().catch(() => {});
    else if (type === 'error') this.failed.fire(new Problem(data.message, data));
  }

  #onConnected({ server_time: time }) {
    this.#clock.set(time);
    this.link.accepted();
    this.#loadAll().catch((problem) => this.failed.fire(problem));
  }

  async #loadAll() {
    const load = ++this.#load;
    const before = [...this.#fleet.drivers.keys()];
    const listed = await this.#loadAfter(undefined, load);
    if (!listed) return;
    const there = new Set(listed);
    this.#fleet.forget(before.filter((number) => !there.has(number)));
    this.loaded.fire();
  }

  /** Fetches the list from one driver on; gives the numbers, or null where a later load has begun. */
  async #loadAfter(after, load) {
    const numbers = [];
    let page;
    do {
      page = await this.#api.drivers({ limit: FleetFeed.PAGE, after: numbers.at(-1) ?? after });
      if (load !== this.#load) return null;
      this.#fleet.takeListed(page);
      numbers.push(...page.map(({ driver_id: number }) => number));
    } while (page.length === FleetFeed.PAGE);
    this.#lastListed = Math.max(this.#lastListed, ...numbers.slice(-1));
    return numbers;
  }

  /** Who has registered since has a higher number. */
  #askForStrangers() {
    this.#strangers ??= setTimeout(() => {
      this.#strangers = null;
      this.#loadAfter(this.#lastListed, this.#load).catch(() => {});
    }, FleetFeed.STRANGERS_WAIT);
  }
}
