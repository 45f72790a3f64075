'use strict';

/** `map.html?driver=…`: one driver, by username, number or ID, for anybody who is logged in. */
class DriverPage {
  prompt = 'Log in to follow the driver';
  element = byId('watch');
  complained = new Signal();
  link;

  constructor(driver, { session, choices, log, api, config }) {
    const watch = new Watch({ driver, session, choices, api, log });
    this.link = watch.link;
    new WatchView({ watch, config });
  }

  async enter() {
    this.link.open();
  }
}
