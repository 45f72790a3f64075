'use strict';

/** `map.html`: all drivers, for admins. */
class FleetPage {
  prompt = 'Log in as an admin to see all drivers';
  element = byId('fleet');
  complained = new Signal();
  link;

  constructor(_wanted, { session, choices, log, api, config }) {
    document.title = 'waggle · drivers';
    const [fleet, orders, clock] = [new Fleet(), new FleetOrders(), new ServerClock()];
    const feed = new FleetFeed({ fleet, orders, clock, session, choices, api, log });
    const trail = new FleetTrail({ fleet, clock, api });
    const map = new FleetMap(byId('fleet-map'), 'Map of all drivers', { fleet, trail, clock });
    const search = new FleetSearch({ fleet });
    new FleetMapView({ fleet, map, clock });
    new FleetCard({ fleet, orders, trail, map, clock });
    this.link = feed.link;
    feed.loaded.listen(() => {
      this.complained.fire(null);
      trail.load();
    });
    map.chosen.listen((driver) => fleet.select(driver));
    search.picked.listen((driver) => {
      fleet.select(driver);
      map.goTo(driver);
      map.svg.focus();
    });
    config.loaded.listen(() => { map.tileUrl = config.tileUrl; });
    for (const { failed } of [feed, trail]) failed.listen((problem) => this.complained.fire(problem));
  }

  /** Fails with a `Problem` for anybody but admins. */
  async enter(user) {
    if (user.role !== 'admin') throw new Problem('All drivers at once are for admins only. Log in as one, or follow a driver with map.html?driver= and a username.', { code: 'forbidden', status: 403 });
    this.link.open();
  }
}
