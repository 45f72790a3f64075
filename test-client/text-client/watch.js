'use strict';

/**
 * Follows one driver over the WebSocket `/`, as a dashboard does: authenticates, watches, and knows what came of it. What the
 * driver did before the page was opened is not part of the trail.
 */
class Watch {
  /** Where nothing moves the server says so every 60 seconds. */
  static SILENCE = 150_000;
  static TOKEN_CODES = ['unauthenticated', 'token_expired'];

  changed = new Signal();
  /** `{username, name, lat, lng, heading, speed, at, heardAt}`, times in milliseconds since 1970; null before the first. */
  position = null;
  /** `{lat, lng}`, oldest first. */
  trail = [];
  /** Where the driver is offline: `{lastUpdate}`, a time or null. */
  offline = null;
  /** What the server refused: `{message, code}`. */
  problem = null;
  link;
  #driver;

  constructor({ driver, session, choices, api, log }) {
    this.#driver = driver;
    this.link = new RawLink({ path: () => '/', silence: Watch.SILENCE, session, choices, api, log });
    this.link.opened.listen(() => {
      this.link.send({ type: 'auth', role: 'client', token: session.token });
      this.link.send({ type: 'watch', driverId: driver });
    });
    this.link.received.listen((frame) => this.#onFrame(frame));
  }

  get driver() { return this.#driver; }

  #onFrame(frame) {
    if (Watch.TOKEN_CODES.includes(frame.code)) return this.link.refused(frame.error);
    this.link.accepted();
    if (frame.errorCode === 'OFFLINE_DRIVER') this.offline = { lastUpdate: frame.lastUpdate };
    else if (frame.error) this.problem = { message: frame.error, code: frame.code };
    else if (isPlaced({ lat: frame.lat, lng: frame.long })) this.#take(frame);
    this.changed.fire();
  }

  #take({ username, name, lat, long: lng, heading, speed, lastUpdate }) {
    const before = this.position;
    const isElsewhere = !before || before.lat !== lat || before.lng !== lng;
    const at = Date.parse(lastUpdate);
    this.position = { username, name, lat, lng, heading: heading ?? Watch.#heading(before, { lat, lng }), speed, at, heardAt: Date.now() };
    if (isElsewhere) this.trail = [...this.trail, { lat, lng }];
    [this.offline, this.problem] = [null, null];
  }

  /** Where to somebody goes who does not say it. */
  static #heading(before, place) {
    if (!before) return undefined;
    return before.lat === place.lat && before.lng === place.lng ? before.heading : bearingOf(before, place);
  }
}
