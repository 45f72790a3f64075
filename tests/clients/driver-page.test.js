// The map page in Chromium before anybody: one driver, and what becomes of the tokens of who looks.

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';

import { DESKTOP, PHONE, eventually } from './browser.js';
import { Driver } from './drivers.js';
import { MapTab } from './fleet-people.js';
import { ADMIN } from './orders-people.js';
import { register } from './people.js';
import { REFUSED, Stage, UNREACHABLE, fits, shoot } from './stage.js';

const ENV = { PRESENCE_GRACE: '300ms', ...ADMIN };
const AWAY = [UNREACHABLE, /WebSocket/];

describe('one driver on the map page', () => {
  const stage = new Stage({ ...ENV, WATCH_INTERVAL: '500ms', WATCH_OFFLINE_INTERVAL: '500ms', DRIVER_OFFLINE_AFTER: '3s' });
  let driver;
  let tab;
  let saying;
  const open = async (who, options) => {
    const opened = await stage.open({ path: `/map.html?driver=${who}`, ...options }, MapTab);
    await opened.logInAs(await register(stage.server, 'watcher'));
    await opened.connected();
    return opened;
  };
  beforeEach(async () => { driver = await Driver.start(stage.server, 'josh'); });
  afterEach(async () => {
    rest();
    driver.close();
    await tab?.context.close();
  });

  /** Says the same again and again, as a phone does that waits at a light; gives where that is. */
  const keepSaying = (place) => {
    rest();
    saying = setInterval(() => driver.say(place), 500);
    return driver.say(place);
  };
  const rest = () => clearInterval(saying);

  it('follows them, with the trail since it was opened', async () => {
    keepSaying({ north: 0 });
    tab = await open(driver.username);
    for (const north of [50, 100, 150]) await tab.isAt(keepSaying({ north, east: north / 2, speed: 5 }), 'watch');
    await tab.tells('watch', { look: 'live' });
    await tab.says('watch-name', new RegExp(`^${driver.username}$`));
    await tab.says('watch-words', /^Position (just now|\d s ago) · 18 km\/h$/);
    await tab.trailOf(4);
    await tab.page.locator('[data-testid=map-pin][data-kind=driver][data-stale=false]').waitFor();
    await tab.close();
  });

  it('says who is offline, since when, and that they are back', async () => {
    keepSaying({ north: 0 });
    tab = await open(driver.number);
    await tab.tells('watch', { look: 'live' });
    rest();
    await tab.tells('watch', { look: 'off' });
    assert.ok(Date.now() - Date.parse((await tab.data('watch')).lastUpdate) < 60_000);
    await tab.says('watch-words', /^Has been offline for a while\. Last position /);
    await tab.page.locator('[data-testid=map-pin][data-kind=driver][data-stale=true]').waitFor();
    keepSaying({ north: 20 });
    await tab.tells('watch', { look: 'live', lastUpdate: '' });
    await tab.page.locator('[data-testid=map-pin][data-stale=false]').waitFor();
    await tab.close();
  });

  it('says of whom nothing is known, and who does not exist', async () => {
    tab = await open(driver.username);
    await tab.tells('watch', { look: 'off', lastUpdate: '' });
    await tab.says('watch-words', /has never said/);
    const other = await open('nobody-by-this-name');
    await other.tells('watch', { look: 'wrong', code: 'not_found' });
    await other.says('watch-words', /no driver of that name/);
    await other.close();
    await tab.close();
  });

  it('goes on after the server was away', async () => {
    tab = await open(driver.username);
    await tab.isAt(driver.say({ north: 10 }), 'watch');
    assert.equal(await stage.server.stop(), 0);
    await tab.disconnected();
    await stage.server.start();
    await tab.connected();
    await driver.connect();
    await tab.isAt(driver.say({ north: 30 }), 'watch');
    await tab.trailOf(2);
    await tab.close(...AWAY);
  });

  for (const [device, viewport] of Object.entries({ desktop: DESKTOP, phone: PHONE })) {
    for (const colorScheme of ['light', 'dark']) {
      it(`looks right on a ${device}, ${colorScheme}`, async () => {
        tab = await open(driver.username, { viewport, colorScheme });
        for (const [north, east] of [[0, 0], [80, 30], [160, 100], [230, 240], [260, 400]]) await tab.isAt(driver.say({ north, east, heading: 60 }), 'watch');
        await fits(tab);
        await shoot(tab, `watch-live-${device}-${colorScheme}`);
        await tab.tells('watch', { look: 'off' });
        await fits(tab);
        await shoot(tab, `watch-offline-${device}-${colorScheme}`);
        await tab.close();
      });
    }
  }
});

describe('tokens on the map page', () => {
  const stage = new Stage({ ...ENV, JWT_EXPIRES_IN: '4s' });
  let driver;
  let tab;
  before(async () => { driver = await Driver.start(stage.server); });
  after(() => driver?.close());
  afterEach(() => tab?.context.close());

  const token = () => tab.page.evaluate(() => JSON.parse(sessionStorage.getItem('waggle.session')).token);
  const ended = (jwt) => {
    const { exp } = JSON.parse(Buffer.from(jwt.split('.')[1], 'base64url'));
    return eventually(async () => assert.ok(Date.now() > (exp + 1) * 1000));
  };

  it('are renewed while it is connected', async () => {
    tab = await stage.open({ path: '/map.html' }, MapTab);
    await tab.logInOnMap();
    await tab.connected();
    const first = await token();
    await ended(first);
    assert.notEqual(await token(), first);
    await tab.tells('state', { state: 'connected' });
    await tab.close();
  });

  for (const [what, path] of [['all drivers', '/map.html'], ['one driver', '/map.html?driver=1']]) {
    it(`are renewed where they ended while the server was away: ${what}`, async () => {
      tab = await stage.open({ path }, MapTab);
      await tab.logInOnMap();
      await tab.connected();
      assert.equal(await stage.server.stop(), 0);
      await tab.disconnected();
      await ended(await token());
      await stage.server.start();
      await tab.connected();
      await tab.close(...AWAY);
    });

    it(`that nobody renews lead to the login: ${what}`, async () => {
      tab = await stage.open({ path }, MapTab);
      await tab.logInOnMap();
      await tab.connected();
      // As the page asks, which renews a token that has ended meanwhile.
      await tab.page.evaluate(() => api.logout());
      await tab.get('login-submit').waitFor();
      await tab.logInOnMap();
      await tab.connected();
      await tab.close(REFUSED(401));
    });
  }
});
