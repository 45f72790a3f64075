'use strict';

/** A driver of the fleet, and where they are. */
class FleetDriver {
  /** How long (ms) after the last position came a driver is shown as if offline. */
  static SILENT_AFTER = 600_000;

  username = '';
  name = null;
  status = 'OFFLINE';
  lat = NaN;
  lng = NaN;
  heading = null;
  speed = null;
  accuracy = null;
  /** When the position was, by the phone's clock, in milliseconds since 1970. */
  updatedAt = -Infinity;
  /** When it came, as far as that is known. */
  heardAt = -Infinity;
  /** Where it is in units of the projection, worked out once for all the frames that show it. */
  spot = null;

  constructor(number) {
    this.number = number;
  }

  get label() { return this.name || this.username || `Driver ${this.number}`; }

  isSilent(now) { return now - this.heardAt >= FleetDriver.SILENT_AFTER; }

  /** What the pin is coloured by. */
  look(now) {
    if (this.status === 'OFFLINE' || this.isSilent(now)) return 'off';
    return this.status === 'IN_TRANSIT' ? 'transit' : 'online';
  }

  /** Takes a position, if it is later than what is known; says whether it is. `heardAt` is for one that has just come. */
  place({ lat, lng, heading, speed, accuracy, updated_at: at }, heardAt) {
    const updatedAt = Date.parse(at);
    if (!isPlaced({ lat, lng }) || !(updatedAt > this.updatedAt)) return false;
    Object.assign(this, { lat, lng, heading, speed, accuracy, updatedAt, heardAt: heardAt ?? updatedAt, spot: mercator.project({ lat, lng }) });
    return true;
  }
}

/** All drivers, as the server's list and its events have them, and which of them is looked at. */
class Fleet {
  /** Something changed of a driver, or of many (without one). May be often: listeners only note it. */
  changed = new Signal();
  /** A driver is somewhere else: who, and the spot before (null where there was none). */
  moved = new Signal();
  /** Another driver is looked at, or none. */
  selectedChanged = new Signal();
  /** Somebody is not in the list yet. */
  strangerCame = new Signal();
  /** By number. */
  drivers = new Map();
  /** How many of them are on the map. */
  placed = 0;
  selected = null;

  /** Takes a page of the list; what is known from later events stays. */
  takeListed(rows) {
    for (const { driver_id: number, username, name, status, location } of rows) {
      const driver = this.#driver(number);
      // Events are later than a list that was asked for before them.
      const isKnownBetter = location && Date.parse(location.updated_at) < driver.updatedAt;
      Object.assign(driver, { username, name, status: isKnownBetter ? driver.status : status });
      if (location) this.#place(driver, location);
    }
    this.changed.fire(null);
  }

  /** Takes a `driver_location` that comes `now`. */
  takeLocation(event, now) {
    const isStranger = !this.drivers.has(event.driver_id);
    const driver = this.#driver(event.driver_id);
    driver.status = event.status;
    if (event.username) driver.username = event.username;
    this.#place(driver, event, now);
    this.changed.fire(driver);
    if (isStranger) this.strangerCame.fire();
  }

  /** Forgets drivers, who are not in the list any more. */
  forget(numbers) {
    for (const number of numbers) {
      if (this.drivers.get(number).spot) this.placed--;
      this.drivers.delete(number);
    }
    if (this.selected && !this.drivers.has(this.selected.number)) this.select(null);
    this.changed.fire(null);
  }

  select(driver) {
    if (driver === this.selected) return;
    this.selected = driver;
    this.selectedChanged.fire(driver);
  }

  /** Up to `most` drivers whose number is just this, or whose username or name has it in it. */
  find(words, most) {
    const wanted = words.trim().toLowerCase().replace(/^#/, '');
    if (!wanted) return [];
    const ranked = [[], [], []];
    for (const driver of this.drivers.values()) {
      const rank = Fleet.#rank(driver, wanted);
      if (rank !== null && ranked[rank].length < most) ranked[rank].push(driver);
    }
    return ranked.flat().slice(0, most);
  }

  /** How many there are: `{drivers, inTransit, offline, silent, unplaced}`; who is offline is not silent. */
  count(now) {
    const counts = { drivers: this.drivers.size, inTransit: 0, offline: 0, silent: 0, unplaced: this.drivers.size - this.placed };
    for (const driver of this.drivers.values()) {
      if (driver.status === 'IN_TRANSIT') counts.inTransit++;
      if (driver.status === 'OFFLINE') counts.offline++;
      else if (driver.spot && driver.isSilent(now)) counts.silent++;
    }
    return counts;
  }

  static #rank({ number, username, name }, wanted) {
    const [user, called] = [username.toLowerCase(), (name ?? '').toLowerCase()];
    if (String(number) === wanted || user === wanted) return 0;
    if (user.startsWith(wanted) || called.startsWith(wanted)) return 1;
    return user.includes(wanted) || called.includes(wanted) ? 2 : null;
  }

  #place(driver, location, heardAt) {
    const before = driver.spot;
    if (!driver.place(location, heardAt)) return;
    if (!before) this.placed++;
    this.moved.fire(driver, before);
  }

  #driver(number) {
    let driver = this.drivers.get(number);
    if (!driver) this.drivers.set(number, driver = new FleetDriver(number));
    return driver;
  }
}
