// The map page in Chromium before an admin: all drivers, who are on plain WebSockets.

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';

import { DESKTOP, PHONE, eventually } from './browser.js';
import { Driver, inParallel } from './drivers.js';
import { MapTab } from './fleet-people.js';
import { ADMIN, OrderTab } from './orders-people.js';
import { call, register } from './people.js';
import { Stage, UNREACHABLE, fits, shoot } from './stage.js';

const ENV = { PRESENCE_GRACE: '300ms', ...ADMIN };
const MINUTE = 60_000;
const AWAY = [UNREACHABLE, /WebSocket/];

/** A place for each of many, so many metres apart. */
const spread = (index, step = 150) => ({ north: ((index % 6) - 2.5) * step, east: (Math.floor(index / 6) - 2) * step });

function startMany(server, count, most = 8) {
  return inParallel(Array.from({ length: count }), most, () => Driver.start(server));
}

/** What the back office asks of the server. */
async function asAdmin(server, method, path, body) {
  const login = await call(server, 'POST', '/api/auth/login', { body: { email: ADMIN.ADMIN_EMAIL, password: ADMIN.ADMIN_PASSWORD } });
  const answer = await call(server, method, path, { token: login.body.data.token, body });
  assert.ok(answer.status < 300, JSON.stringify(answer));
  return answer.body;
}

function placeOrderWith(server, driver) {
  return asAdmin(server, 'POST', '/api/v1/orders', { restaurant_name: 'Kitchen', pickup_address: 'Here 1', delivery_address: 'There 2', driver_id: driver.number });
}

describe('all drivers on the map page', () => {
  const stage = new Stage(ENV);
  const drivers = [];
  let tab;
  const open = async (options) => {
    const opened = await stage.open({ path: '/map.html', ...options }, MapTab);
    await opened.logInOnMap();
    await opened.connected();
    await opened.shows(drivers.length);
    return opened;
  };
  before(async () => {
    drivers.push(...await startMany(stage.server, 30));
    for (const [index, driver] of drivers.entries()) driver.say(spread(index));
  });
  after(() => drivers.forEach((driver) => driver.close()));
  beforeEach(async () => { tab = await open(); });
  afterEach(() => tab.context.close());

  it('shows them all, and how many they are', async () => {
    await tab.says('fleet-count', /^30 drivers · 0 on the way · 0 offline$/);
    assert.match(await tab.get('map-scale').textContent(), /^\d+ k?m$/);
    assert.ok(Number((await tab.data('fleet-fps')).frames) > 0);
    await tab.close();
  });

  it('moves who moves', async () => {
    await tab.look(drivers[3].username);
    for (const north of [40, 80]) await tab.isAt(drivers[3].say({ north, east: 20, speed: 10 }));
    await tab.says('card-speed', /^36 km\/h$/);
    await tab.says('card-age', /^(just now|\d+ s ago)$/);
    await tab.isPainted('online');
    await tab.close();
  });

  it('adds who comes, with their name once the list has it', async () => {
    const comer = await Driver.start(stage.server, 'late');
    drivers.push(comer);
    await comer.call('PATCH', '/api/auth/me', { name: 'Late Larry' });
    comer.say({ north: 10, east: 10 });
    await tab.shows(drivers.length);
    await tab.look('late larry');
    await tab.says('card-username', new RegExp(`^${comer.username}$`));
    await tab.close();
  });

  it('greys who goes offline, and no more when they come back', async () => {
    const [driver] = drivers;
    await tab.look(driver.username);
    await tab.isPainted('online');
    driver.close();
    await tab.tells('fleet-card', { status: 'OFFLINE', look: 'off' });
    await tab.says('fleet-count', / 1 offline$/);
    await tab.isPainted('off');
    await driver.connect();
    driver.say(spread(0));
    await tab.tells('fleet-card', { status: 'ONLINE', look: 'online' });
    await tab.isPainted('online');
    await tab.close();
  });

  it('greys who is silent for ten minutes, by its own clock', async () => {
    await tab.look(drivers[1].username);
    await tab.page.clock.setFixedTime(Date.now() + 11 * MINUTE);
    await tab.tells('fleet-card', { status: 'ONLINE', look: 'off' });
    await tab.isPainted('off');
    await tab.says('fleet-count', new RegExp(` ${drivers.length} silent$`));
    await tab.says('card-status', /^Online, but silent$/);
    drivers[1].say(spread(1));
    await tab.tells('fleet-card', { look: 'online' });
    await tab.says('fleet-count', new RegExp(` ${drivers.length - 1} silent$`));
    await tab.close();
  });

  it('opens whose pin is clicked, and closes on the ground and by Escape', async () => {
    await tab.look(drivers[7].number);
    await tab.isInTheMiddle();
    await tab.get('card-close').click();
    await tab.get('fleet-card').waitFor({ state: 'hidden' });
    const { x, y, width, height } = await tab.get('fleet-canvas').boundingBox();
    await tab.page.mouse.move(x + width / 2, y + height / 2);
    await tab.tells('fleet-canvas', { hovered: drivers[7].username });
    await tab.page.mouse.click(x + width / 2, y + height / 2);
    await tab.tells('fleet-card', { username: drivers[7].username });
    await tab.page.mouse.click(x + 300, y + height - 30);
    await tab.get('fleet-card').waitFor({ state: 'hidden' });
    await tab.look(drivers[7].number);
    await tab.page.keyboard.press('Escape');
    await tab.get('fleet-card').waitFor({ state: 'hidden' });
    await tab.close();
  });

  it('finds by keys, and says when there is nobody', async () => {
    await tab.get('fleet-search').fill('nobody-of-this-name');
    await tab.says('fleet-found', /Nobody/);
    await tab.get('fleet-search').fill('driver-');
    await eventually(async () => assert.equal(await tab.get('fleet-result').count(), 8));
    const second = await tab.get('fleet-result').nth(1).getAttribute('data-username');
    await tab.get('fleet-search').press('ArrowDown');
    await tab.get('fleet-search').press('Enter');
    await tab.tells('fleet-card', { username: second });
    await tab.close();
  });

  it('draws the trail as it was, and as it grows', async () => {
    const driver = drivers[8];
    for (const north of [10, 20, 30, 40]) {
      const place = driver.say({ north, east: 500 });
      await eventually(async () => {
        const trail = await asAdmin(stage.server, 'GET', `/api/v1/drivers/${driver.number}/trail`);
        assert.equal(trail.at(-1)?.lat, place.lat);
      });
    }
    await tab.look(driver.username);
    await tab.trailOf(5);
    const { trail } = await tab.data('fleet-card');
    driver.say({ north: 50, east: 500 });
    await tab.tells('fleet-card', { trail: Number(trail) + 1 });
    await tab.trailOf(Number(trail) + 1);
    await tab.close();
  });

  it('keeps in the middle who is followed, until the map is dragged', async () => {
    const driver = drivers[9];
    await tab.look(driver.username);
    await tab.get('card-follow').click();
    for (const east of [2000, 4000]) {
      await tab.isAt(driver.say({ north: east / 2, east }));
      await tab.isInTheMiddle();
    }
    await tab.get('map-canvas').focus();
    await tab.page.keyboard.press('+');
    await tab.isInTheMiddle();
    await tab.tells('fleet-card', { following: true });
    await tab.page.keyboard.press('ArrowLeft');
    await tab.tells('fleet-card', { following: false });
    await tab.isAt(driver.say({ east: 4100 }));
    await tab.isInTheMiddle(false);
    driver.say(spread(9));
    await tab.close();
  });

  it('shows who is on the way, and with which order', async () => {
    const driver = drivers[10];
    await tab.look(driver.username);
    const order = await placeOrderWith(stage.server, driver);
    await tab.page.locator(`[data-testid=card-order][data-number="${order.order_id}"]`).waitFor();
    await tab.tells('fleet-card', { status: 'IN_TRANSIT', look: 'transit' });
    await tab.isPainted('transit');
    await tab.says('fleet-count', /· 1 on the way ·/);
    for (const status of ['out_for_delivery', 'delivered']) await driver.call('PUT', `/api/v1/orders/${order.order_id}/status`, { status });
    await tab.get('card-order').waitFor({ state: 'detached' });
    await tab.tells('fleet-card', { status: 'ONLINE', look: 'online' });
    await tab.close();
  });

  it('goes on after the server was away', async () => {
    await tab.look(drivers[11].username);
    assert.equal(await stage.server.stop(), 0);
    await tab.disconnected();
    await stage.server.start();
    await tab.connected();
    // Nobody of them is back yet.
    await tab.says('fleet-count', new RegExp(` ${drivers.length} offline$`));
    await tab.isPainted('off');
    await inParallel(drivers, 8, (driver) => driver.connect());
    for (const [index, driver] of drivers.entries()) driver.say(spread(index));
    await tab.isAt(drivers[11].say(spread(11, 160)));
    await tab.says('fleet-count', / 0 offline$/);
    await tab.isPainted('online');
    await tab.close(...AWAY);
  });

  it('is for admins only, and says so', async () => {
    const stranger = await stage.open({ path: '/map.html' }, MapTab);
    await stranger.logInAs(await register(stage.server));
    await stranger.says('notice', /admins only/);
    await stranger.get('login-submit').waitFor();
    await stranger.close();
    await tab.close();
  });

  it('is a click away from the orders', async () => {
    const orders = await stage.open({}, OrderTab);
    await orders.logInAsAdmin();
    const [page] = await Promise.all([orders.context.waitForEvent('page'), orders.get('fleet-map-page').click()]);
    await page.locator(`[data-testid=fleet-canvas][data-shown="${drivers.length}"]`).waitFor();
    await orders.close();
    await tab.close();
  });

  for (const [device, viewport] of Object.entries({ desktop: DESKTOP, phone: PHONE })) {
    for (const colorScheme of ['light', 'dark']) {
      it(`looks right on a ${device}, ${colorScheme}`, async () => {
        const looker = await open({ viewport, colorScheme });
        const picture = async (name) => {
          await fits(looker);
          await shoot(looker, `fleet-${name}-${device}-${colorScheme}`);
        };
        const driver = drivers[12];
        const order = await placeOrderWith(stage.server, driver);
        drivers[13].close();
        await looker.says('fleet-count', /· 1 on the way · 1 offline$/);
        await picture('all');
        await looker.get('fleet-search').fill('driver');
        await looker.get('fleet-result').first().waitFor();
        await picture('search');
        await looker.look(driver.username);
        await looker.get('card-follow').click();
        for (const [north, east] of [[0, 0], [80, 30], [160, 100], [230, 240], [260, 400]]) await looker.isAt(driver.say({ north, east, heading: 60 }));
        await looker.trailOf(5);
        await looker.page.locator(`[data-testid=card-order][data-number="${order.order_id}"]`).waitFor({ state: 'attached' });
        await picture('followed');
        await looker.close();
        await asAdmin(stage.server, 'POST', `/api/v1/orders/${order.order_id}/cancel`, { reason: 'Enough seen' });
        await drivers[13].connect();
        await tab.close();
      });
    }
  }
});

describe('a thousand drivers on the map page', () => {
  const stage = new Stage(ENV);

  it('draws them all as they move', { timeout: 180_000 }, async (test) => {
    const drivers = await startMany(stage.server, 1000, 32);
    const tab = await stage.open({ path: '/map.html', reducedMotion: 'no-preference' }, MapTab);
    await tab.logInOnMap();
    await tab.connected();
    const placeOf = (index, second) => ({ north: ((index % 40) - 20) * 60 + second * 12, east: (Math.floor(index / 40) - 12) * 90 });
    for (const [index, driver] of drivers.entries()) driver.say(placeOf(index, 0));
    await tab.shows(1000);
    const [before, began] = [Number((await tab.data('fleet-fps')).frames), performance.now()];
    await Promise.all(drivers.map((driver, index) => driver.drive(10, 1000, (second) => placeOf(index, second + 1))));
    const { frames, ms, slowest } = await tab.data('fleet-fps');
    const rate = (frames - before) / ((performance.now() - began) / 1000);
    test.diagnostic(`1,000 drivers: ${rate.toFixed(1)} frames/s, ${ms} ms a frame, ${slowest} ms at most in the last second`);
    assert.ok(frames > before);
    await tab.says('fleet-count', /^1,000 drivers · 0 on the way · 0 offline$/);
    await tab.shows(1000);
    await shoot(tab, 'fleet-thousand');
    await tab.close();
    for (const driver of drivers) driver.close();
  });
});
