'use strict';

/** One driver on a map, followed. */
class WatchView {
  /** Milliseconds. */
  static EVERY = 1000;

  #watch;
  #map;
  #shown = '';

  constructor({ watch, config }) {
    this.#watch = watch;
    this.#map = new OrderMap(byId('watch-map'), 'Map of the driver');
    config.loaded.listen(() => { this.#map.tileUrl = config.tileUrl; });
    watch.changed.listen(() => {
      this.#renderMap();
      this.#renderWords();
    });
    setInterval(() => this.#renderWords(), WatchView.EVERY);
    this.#renderWords();
  }

  #renderMap() {
    const { position, trail } = this.#watch;
    if (position) this.#map.show({ pins: [{ ...position, kind: 'driver', label: this.#name, isStale: this.#look !== 'live' }], trail });
  }

  get #name() {
    const { position, driver } = this.#watch;
    return position?.name || position?.username || driver;
  }

  /** The server says again and again where somebody is who is live; where it does not, the connection is gone. */
  get #isOld() {
    const { position } = this.#watch;
    return position !== null && Date.now() - position.heardAt >= FleetDriver.SILENT_AFTER;
  }

  #renderWords() {
    const { position, trail, offline, problem } = this.#watch;
    const look = this.#look;
    document.title = `waggle · ${this.#name}`;
    setText(byId('watch-name'), this.#name);
    const status = byId('watch-status');
    setText(status, { live: 'Live', off: 'Offline', waiting: 'Waiting', wrong: 'Not possible' }[look]);
    status.dataset.look = look;
    setText(byId('watch-words'), problem ? WATCH_PROBLEM_WORDS[problem.code] ?? problem.message : this.#words);
    byId('watch-map').hidden = !position;
    Object.assign(byId('watch').dataset, { look, lat: position?.lat ?? '', lng: position?.lng ?? '', trail: trail.length, lastUpdate: offline?.lastUpdate ?? '', code: problem?.code ?? '' });
    // A pin turns grey by age alone.
    if (look !== this.#shown) this.#renderMap();
    this.#shown = look;
  }

  get #look() {
    const { position, offline, problem } = this.#watch;
    if (problem) return 'wrong';
    if (offline || this.#isOld) return 'off';
    return position ? 'live' : 'waiting';
  }

  get #words() {
    const { position, offline } = this.#watch;
    if (offline) return offline.lastUpdate ? `Has been offline for a while. Last position ${this.#ago(Date.parse(offline.lastUpdate))}, ${dateTime(offline.lastUpdate)}.` : 'Is offline, and has never said where they are.';
    if (!position) return 'The driver has not said yet where they are.';
    const words = [`Position ${this.#ago(position.at)}`];
    if (Number.isFinite(position.speed)) words.push(speedWords(position.speed));
    return words.join(' · ');
  }

  #ago(at) {
    return agoWords(Date.now() - at);
  }
}
