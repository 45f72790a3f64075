// What people do on the map page with all drivers, and with one.

import assert from 'node:assert/strict';

import { Tab, eventually } from './browser.js';
import { ADMIN } from './orders-people.js';
import { PASSWORD } from './people.js';

export class MapTab extends Tab {
  async logInOnMap(identity = ADMIN.ADMIN_EMAIL, password = ADMIN.ADMIN_PASSWORD) {
    await this.get('login-email').fill(identity);
    await this.get('login-password').fill(password);
    await this.get('login-submit').click();
  }

  async logInAs({ username }) {
    await this.logInOnMap(username, PASSWORD);
  }

  /** What an element says in its data attributes. */
  data(testId) {
    return this.get(testId).evaluate(({ dataset }) => ({ ...dataset }));
  }

  /** Waits until an element says all of this in its data attributes. */
  tells(testId, wanted) {
    return eventually(async () => {
      const told = await this.data(testId);
      for (const [name, value] of Object.entries(wanted)) assert.equal(told[name], String(value), `${testId}: ${name}`);
    });
  }

  says(testId, words) {
    return eventually(async () => assert.match(await this.get(testId).textContent(), words));
  }

  /** Waits until so many drivers are drawn. */
  shows(count) {
    return this.tells('fleet-canvas', { drivers: count, shown: count });
  }

  /** Finds a driver with the search, and opens them. */
  async look(words) {
    await this.get('fleet-search').fill(String(words));
    await this.get('fleet-result').first().waitFor();
    await this.get('fleet-search').press('Enter');
    await this.get('fleet-card').waitFor();
  }

  /** Waits until the driver looked at, or followed, is at a place. */
  isAt({ lat, lng }, testId = 'fleet-card') {
    return eventually(async () => {
      const told = await this.data(testId);
      assert.ok(Math.abs(told.lat - lat) < 1e-6 && Math.abs(told.lng - lng) < 1e-6, `at ${told.lat}, ${told.lng}, not ${lat}, ${lng}`);
    });
  }

  /** Waits until the pin looked at is in the middle of the map, or no more. */
  isInTheMiddle(wanted = true) {
    return eventually(async () => {
      const { selectedX, selectedY } = await this.data('fleet-canvas');
      const { width, height } = await this.get('fleet-canvas').boundingBox();
      const isSo = selectedX !== '' && Math.hypot(selectedX - width / 2, selectedY - height / 2) < 3;
      assert.equal(isSo, wanted, `at ${selectedX}, ${selectedY} of ${width} × ${height}`);
    });
  }

  /** Waits until the pin looked at, which goes north, is painted in the colour of a look. */
  isPainted(look) {
    return eventually(async () => assert.equal(await this.#paint(), look));
  }

  #paint() {
    return this.get('fleet-canvas').evaluate((canvas) => {
      const { selectedX, selectedY } = canvas.dataset;
      // Beside the arrow in the middle.
      const [red, green, blue] = canvas.getContext('2d').getImageData(selectedX - 7, selectedY, 1, 1).data;
      const looks = ['off', 'online', 'transit'];
      return looks.find((name) => getComputedStyle(document.querySelector(`.map__tint--${name}`)).color === `rgb(${red}, ${green}, ${blue})`) ?? `rgb(${red}, ${green}, ${blue})`;
    });
  }

  /** Waits until the trail has at least so many points. */
  trailOf(least) {
    return eventually(async () => {
      const count = Number(await this.page.locator('[data-testid=map__trail]').getAttribute('data-count', { timeout: 500 }));
      assert.ok(count >= least, `${count} points`);
    });
  }
}
