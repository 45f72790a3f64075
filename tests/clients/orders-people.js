// What customers, drivers and admins do with orders on the page.

import assert from 'node:assert/strict';

import { Tab, eventually } from './browser.js';

export const ADMIN = { ADMIN_EMAIL: 'chief@example.com', ADMIN_PASSWORD: 'chief-password-1' };

export class OrderTab extends Tab {
  order(number) { return this.page.locator(`[data-testid=order-item][data-number="${number}"]`); }

  offer(number) { return this.page.locator(`[data-testid=offer][data-number="${number}"]`); }

  pin(kind) { return this.page.locator(`#order-map [data-testid=map-pin][data-kind=${kind}]`); }

  async registerFor(stem, role) {
    await this.register(stem, role);
    await this.get('to-orders').click();
  }

  async logInAsAdmin() {
    await this.logIn(ADMIN.ADMIN_EMAIL, ADMIN.ADMIN_PASSWORD);
    await this.connected();
    await this.get('to-orders').click();
  }

  /** Places an order of soup at the example places; gives its number. */
  async place({ note = '', places = true } = {}) {
    await this.get('new-order').click();
    await this.get('item-name').fill('Soup');
    await this.get('item-quantity').fill('2');
    await this.get('item-price').fill('4.25');
    if (places) await this.get('use-examples').click();
    await this.get('place-note').fill(note);
    await this.get('place-submit').click();
    await this.get('place-order').waitFor({ state: 'hidden' });
    await this.get('order-name').waitFor();
    return Number((await this.get('order-name').textContent()).replace('Order ', ''));
  }

  async openOrder(number) {
    await this.order(number).click();
    await this.says('order-name', `Order ${number}`);
  }

  async accept(number) {
    await this.offer(number).getByTestId('offer-accept').click();
    await this.says('order-name', `Order ${number}`);
  }

  /** Waits until an element says just this, or what matches. */
  says(testId, words) {
    return eventually(async () => {
      const text = await this.get(testId).textContent();
      if (words instanceof RegExp) assert.match(text, words);
      else assert.equal(text, words);
    });
  }

  isListed(number, status) {
    return this.page.locator(`[data-testid=order-item][data-number="${number}"][data-status=${status}]`).waitFor();
  }

  /** Waits until the driver's pin is somewhere, and gives where. */
  async driverPin() {
    await this.pin('driver').waitFor();
    return this.pin('driver').evaluate(({ dataset }) => ({ lat: Number(dataset.lat), lng: Number(dataset.lng), heading: dataset.heading }));
  }

  /** Waits until the trail has at least so many points. */
  trailOf(least) {
    return eventually(async () => {
      const count = Number(await this.page.locator('#order-map [data-testid=map__trail]').getAttribute('data-count', { timeout: 500 }));
      assert.ok(count >= least, `${count} points`);
    });
  }

  async etaSeconds() {
    await eventually(async () => assert.notEqual(await this.get('order-eta').getAttribute('data-seconds'), ''));
    return Number(await this.get('order-eta').getAttribute('data-seconds'));
  }

  async drive() {
    await this.get('drive-pace').selectOption('250');
    await this.get('drive-start').click();
  }

  /** Waits until the drive is over. */
  arrived() {
    return this.page.locator('[data-testid=drive][data-drives=false]').waitFor();
  }

  /** Says that the driver is at a place. */
  async sayPosition(lat, lng) {
    await this.page.locator('#position-form').evaluate((form) => { form.closest('details').open = true; });
    await this.get('position-lat').fill(String(lat));
    await this.get('position-lng').fill(String(lng));
    await this.get('position-send').click();
    await this.says('position-words', `Last said: ${lat.toFixed(5)}, ${lng.toFixed(5)}`);
  }

  async cancel(reason) {
    await this.get('order-cancel').click();
    await this.get('cancel-reason').fill(reason);
    await this.get('cancel-submit').click();
    await this.says('order-status', 'Cancelled');
  }
}
