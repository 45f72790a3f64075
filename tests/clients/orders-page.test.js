// Orders on the test page in Chromium: a customer, a driver and an admin.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';

import { DESKTOP, PHONE, eventually } from './browser.js';
import { ADMIN, OrderTab } from './orders-people.js';
import { PASSWORD } from './people.js';
import { OFFLINE, REFUSED, Stage, UNREACHABLE, fits, shoot } from './stage.js';

const ENV = { PRESENCE_GRACE: '300ms', CURRENCY: 'EUR', ...ADMIN };

describe('orders on the page', () => {
  const stage = new Stage(ENV);
  const openTab = (options) => stage.open(options, OrderTab);
  let customer;
  let driver;
  let admin;
  let number;
  beforeEach(async () => {
    [customer, driver, admin] = await Promise.all([openTab(), openTab(), openTab()]);
    await Promise.all([customer.registerFor('carl'), driver.registerFor('dora', 'driver'), admin.logInAsAdmin()]);
    await driver.says('available-words', /^Available/);
  });
  afterEach(async () => {
    await Promise.all([customer, driver, admin].map((tab) => tab.context.close()));
  });

  const closeAll = (...expected) => Promise.all([customer, driver, admin].map((tab) => tab.close(...expected)));

  async function accepted() {
    number = await customer.place();
    await driver.accept(number);
    await customer.says('order-status', 'Being prepared');
  }

  async function onItsWay() {
    await accepted();
    await driver.sayPosition(48.2085, 16.3731);
    await driver.get('order-next').click();
    await customer.says('order-status', 'On its way');
  }

  it('lets a customer place one, and shows it to all three', async () => {
    number = await customer.place({ note: 'Ring twice' });
    assert.match(await customer.get('order-total').textContent(), /€\s?8\.50|8,50\s?€/);
    await customer.says('order-note', 'Ring twice');
    await customer.says('order-pickup', /Kolmgasse Kitchen/);
    await customer.isListed(number, 'pending');
    await driver.offer(number).waitFor();
    await admin.isListed(number, 'pending');
    for (const kind of ['pickup', 'dropoff']) await customer.pin(kind).waitFor();
    await closeAll();
  });

  it('shows at the field what is wrong with an order, and keeps the rest', async () => {
    await customer.get('new-order').click();
    await customer.get('item-name').fill('Soup');
    await customer.get('item-quantity').fill('0');
    await customer.get('pickup-lat').fill('95');
    await customer.get('place-submit').click();
    await customer.get('place-error').waitFor();
    for (const field of ['item-quantity', 'pickup-address', 'pickup-lat']) assert.equal(await customer.get(field).getAttribute('aria-invalid'), 'true', field);
    assert.equal(await customer.get('item-name').inputValue(), 'Soup');
    await closeAll();
  });

  it('takes places from clicks on the map', async () => {
    await customer.get('new-order').click();
    const map = customer.page.locator('#place-map [data-testid=map-canvas]');
    await map.click({ position: { x: 120, y: 90 } });
    await map.click({ position: { x: 260, y: 150 } });
    for (const [field, about] of [['pickup-lat', 48], ['pickup-lng', 16], ['dropoff-lat', 48], ['dropoff-lng', 16]]) {
      assert.ok(Math.abs(Number(await customer.get(field).inputValue()) - about) < 1, field);
    }
    await closeAll();
  });

  it('shows in all three windows who has accepted', async () => {
    await accepted();
    for (const tab of [customer, driver, admin]) await tab.isListed(number, 'preparing');
    await customer.says('order-driver', driver.username);
    await driver.offer(number).waitFor({ state: 'detached' });
    await admin.openOrder(number);
    await admin.says('order-driver', driver.username);
    await closeAll();
  });

  it('offers no more what was turned down', async () => {
    number = await customer.place();
    await driver.offer(number).getByTestId('offer-reject').click();
    await driver.offer(number).waitFor({ state: 'detached' });
    await driver.page.reload();
    await driver.connected();
    await driver.says('available-words', /^Available/);
    const second = await customer.place();
    await driver.offer(second).waitFor();
    assert.equal(await driver.offer(number).count(), 0);
    await admin.openOrder(number);
    await admin.says('order-rejections', 'by 1 driver');
    await closeAll();
  });

  it('offers nothing to a driver who is not available, also after a reconnect', async () => {
    await driver.page.locator('#available').uncheck();
    await driver.says('available-words', /^Not available/);
    await driver.get('cut').click();
    await driver.disconnected();
    await driver.connected();
    await driver.says('available-words', /^Not available/);
    number = await customer.place();
    await admin.isListed(number, 'pending');
    assert.equal(await driver.offer(number).count(), 0);
    await driver.page.locator('#available').check();
    await driver.offer(number).waitFor();
    await closeAll();
  });

  it('moves the pin, the trail and the estimate as the driver drives', async () => {
    await onItsWay();
    const [before, first] = [await customer.driverPin(), await customer.etaSeconds()];
    await driver.drive();
    await customer.trailOf(5);
    await eventually(async () => assert.notDeepEqual(await customer.driverPin(), before));
    assert.notEqual((await customer.driverPin()).heading, '');
    await driver.arrived();
    await eventually(async () => assert.ok(await customer.etaSeconds() < first));
    await eventually(async () => assert.ok(Math.abs((await customer.driverPin()).lng - 16.3868) < 1e-4));
    await customer.says('order-eta', /estimate/);
    await closeAll();
  });

  it('takes an order all the way', async () => {
    await onItsWay();
    await driver.get('order-next').click();
    for (const tab of [customer, driver, admin]) await tab.isListed(number, 'delivered');
    await customer.says('order-status', 'Delivered');
    await eventually(async () => assert.deepEqual(
      await customer.get('order-entry').evaluateAll((all) => all.map(({ dataset }) => dataset.status)),
      ['pending', 'preparing', 'outForDelivery', 'delivered'],
    ));
    assert.equal(await customer.get('order-cancel').isVisible(), false);
    await closeAll();
  });

  it('lets customer and driver talk in the room of the order', async () => {
    await accepted();
    for (const tab of [customer, driver]) {
      await tab.get('order-chat').click();
      await tab.says('peer-name', `Order ${number}`);
      await tab.page.locator('[data-testid=peer-presence][data-online=true]').waitFor();
    }
    await customer.write('Second floor, please.');
    await driver.reads('Second floor, please.');
    await driver.write('Five minutes.');
    await customer.reads('Second floor, please.', 'Five minutes.');
    await closeAll();
  });

  it('tells all of a cancellation, with the reason', async () => {
    await accepted();
    await customer.cancel('Changed my mind');
    for (const tab of [driver, admin]) await tab.isListed(number, 'cancelled');
    await driver.says('order-history', /Changed my mind/);
    await driver.get('notice').waitFor();
    await closeAll();
  });

  it('takes a cancelled offer off the list', async () => {
    number = await customer.place();
    await driver.offer(number).waitFor();
    await customer.cancel('');
    await driver.offer(number).waitFor({ state: 'detached' });
    await closeAll();
  });

  it('lets an admin assign, take away, and cancel', async () => {
    number = await customer.place();
    await admin.openOrder(number);
    await admin.get('assign-driver').fill('nobody-by-this-name');
    await admin.get('assign-submit').click();
    await admin.get('assign-error').waitFor();
    await admin.get('assign-driver').fill(driver.username);
    await admin.get('assign-submit').click();
    await admin.says('order-driver', driver.username);
    await driver.isListed(number, 'preparing');
    await admin.get('order-unassign').click();
    await admin.get('order-unassign').click();
    await admin.says('order-driver', 'nobody yet');
    await driver.order(number).waitFor({ state: 'detached' });
    await customer.says('order-status', 'Waiting for a driver');
    await admin.cancel('Closed today');
    await customer.says('order-history', /Closed today/);
    await closeAll(REFUSED(404));
  });

  it('filters by status, and shows admins where drivers are', async () => {
    await onItsWay();
    await admin.get('order-filter').selectOption('outForDelivery');
    await admin.isListed(number, 'outForDelivery');
    await admin.get('order-filter').selectOption('cancelled');
    await admin.order(number).waitFor({ state: 'detached' });
    await admin.get('order-filter').selectOption('');
    await admin.page.locator(`[data-testid=fleet-driver][data-username="${driver.username}"]`).waitFor();
    await closeAll();
  });

  it('goes on after the network was away', async () => {
    await onItsWay();
    await customer.context.setOffline(true);
    await customer.disconnected();
    await driver.sayPosition(48.212, 16.38);
    await driver.get('order-next').click();
    await driver.says('order-status', 'Delivered');
    await customer.context.setOffline(false);
    await customer.connected();
    await customer.says('order-status', 'Delivered');
    await closeAll(OFFLINE, UNREACHABLE);
  });

  it('goes on after the server was away, in the middle of a drive', async () => {
    await onItsWay();
    await driver.drive();
    await customer.trailOf(4);
    assert.equal(await stage.server.stop(), 0);
    await Promise.all([customer, driver, admin].map((tab) => tab.disconnected()));
    await stage.server.start();
    await Promise.all([customer, driver, admin].map((tab) => tab.connected()));
    await driver.arrived();
    await eventually(async () => assert.ok(Math.abs((await customer.driverPin()).lng - 16.3868) < 1e-4));
    await driver.get('order-next').click();
    await customer.says('order-status', 'Delivered');
    await admin.isListed(number, 'delivered');
    await closeAll(UNREACHABLE, /WebSocket/);
  });

  it('follows one order on the map page', async () => {
    await onItsWay();
    const [page] = await Promise.all([customer.context.waitForEvent('page'), customer.get('order-map-page').click()]);
    await page.locator('[data-testid=state][data-state=connected]').waitFor();
    await page.locator('[data-testid=map-pin][data-kind=driver]').waitFor();
    assert.equal(await page.getByTestId('order-name').textContent(), `Order ${number}`);
    await driver.sayPosition(48.212, 16.38);
    await page.locator('[data-testid=map-pin][data-kind=driver][data-lat="48.212"]').waitFor();
    assert.match(await page.getByTestId('map-scale').textContent(), /^\d+ k?m$/);
    await closeAll();
  });

  it('asks on the map page who does not know the server yet, and moves by keys', async () => {
    await onItsWay();
    const phone = await openTab({ path: `/map.html?order=${number}` });
    await phone.get('login-email').fill(customer.username);
    await phone.get('login-password').fill(PASSWORD);
    await phone.get('login-submit').click();
    await phone.pin('driver').waitFor();
    const at = () => phone.pin('dropoff').getAttribute('transform');
    const before = await at();
    await phone.get('map-canvas').focus();
    await phone.page.keyboard.press('ArrowLeft');
    await eventually(async () => assert.notEqual(await at(), before));
    await phone.page.keyboard.press('0');
    await eventually(async () => assert.equal(await at(), before));
    await phone.close();
    await closeAll();
  });

  for (const [device, viewport] of Object.entries({ desktop: DESKTOP, phone: PHONE })) {
    for (const colorScheme of ['light', 'dark']) {
      it(`looks right on a ${device}, ${colorScheme}`, async () => {
        const all = [customer, driver, admin];
        const size = (window) => Promise.all(all.map(({ page }) => page.setViewportSize(window)));
        for (const tab of all) {
          await tab.get('log-toggle').click();
          await tab.page.emulateMedia({ colorScheme });
        }
        await size(viewport);
        const picture = async (tab, name) => {
          await fits(tab);
          await shoot(tab, `orders-${name}-${device}-${colorScheme}`);
        };
        await picture(customer, 'customer-none');
        await picture(driver, 'driver-none');
        await customer.get('new-order').click();
        await customer.get('use-examples').click();
        await picture(customer, 'place');
        await customer.get('place-order').getByLabel('Close').click();
        await size(DESKTOP);
        await onItsWay();
        for (const [lat, lng] of [[48.21, 16.3731], [48.21, 16.379], [48.2135, 16.379]]) await driver.sayPosition(lat, lng);
        await customer.trailOf(4);
        await size(viewport);
        await picture(customer, 'customer');
        await picture(driver, 'driver');
        if (device === 'phone') for (const tab of [customer, driver]) await tab.get('order-back').click();
        await customer.place();
        await driver.get('offer').first().waitFor();
        await picture(driver, 'driver-offers');
        await admin.get('fleet-driver').first().waitFor();
        await picture(admin, 'admin');
        await admin.openOrder(number);
        await admin.trailOf(4);
        await picture(admin, 'admin-order');
        await admin.page.goto(`${stage.server.url}/map.html?order=${number}`);
        await admin.trailOf(4);
        await picture(admin, 'map');
        await closeAll();
      });
    }
  }
});
