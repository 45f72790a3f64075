'use strict';

/** Where the driver who is looked at has been: of the last hours as stored, and growing as they move. */
class FleetTrail {
  static HOURS = 2;
  static PAGE = 1000;
  static MOST = 5000;

  changed = new Signal();
  failed = new Signal();
  /** `{lat, lng, at}`, oldest first. */
  points = [];
  #api;
  #fleet;
  #clock;

  constructor({ fleet, clock, api }) {
    [this.#api, this.#fleet, this.#clock] = [api, fleet, clock];
    fleet.selectedChanged.listen(() => this.#start());
    fleet.moved.listen((driver) => { if (driver === fleet.selected) this.#grow(driver); });
  }

  /** Fetches again: after a reconnect some of it was missed. */
  load() {
    const { selected } = this.#fleet;
    if (selected) this.#load(selected).catch((problem) => this.failed.fire(problem));
  }

  #start() {
    this.points = [];
    this.changed.fire();
    this.load();
  }

  #grow({ lat, lng, updatedAt: at }) {
    this.points = [...this.points, { lat, lng, at }].slice(-FleetTrail.MOST);
    this.changed.fire();
  }

  async #load(driver) {
    const stored = [];
    let page;
    let after = new Date(this.#clock.now - FleetTrail.HOURS * 3_600_000).toISOString();
    do {
      page = await this.#api.driverTrail(driver.number, { after, limit: FleetTrail.PAGE });
      stored.push(...page.map(({ lat, lng, timestamp }) => ({ lat, lng, at: Date.parse(timestamp) })));
      after = page.at(-1)?.timestamp;
    } while (page.length === FleetTrail.PAGE);
    if (driver !== this.#fleet.selected) return;
    // What came live meanwhile is later than what was fetched.
    const latest = stored.at(-1)?.at ?? 0;
    this.points = [...stored, ...this.points.filter(({ at }) => at > latest)].slice(-FleetTrail.MOST);
    this.changed.fire();
  }
}
