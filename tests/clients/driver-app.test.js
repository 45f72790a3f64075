// The example of a driver app, over the raw WebSocket and over Socket.IO, against a server that
// goes and comes back.

import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { after, afterEach, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { io } from 'socket.io-client';
import WebSocket from 'ws';

import { createDriverConnection } from '../../examples/driver-app/connection.js';
import { createDriverSocket } from '../../examples/driver-app/socketio.js';
import { ADMIN, SECRET, createOrder, logInAdmin, newDriver, resign, v1 } from './drivers-people.js';
import { Inbox } from './sockets.js';
import { STORES, startServer } from './server.js';

const HANDLERS = ['onTokens', 'onOrder', 'onCancel', 'onOffer', 'onOfferGone', 'onReplaced', 'onLoggedOut', 'onStatus'];
const PLACE = { latitude: 28.7041, longitude: 77.1025, accuracy: 10.5 };

const KINDS = {
  'connection.js': (options) => createDriverConnection({ WebSocket, ...options }),
  'socketio.js': (options) => createDriverSocket({ io, ...options }),
};

const apps = [];

/** An app of a driver who has pressed "Online": with everything it was told. */
function start(create, server, driver, options = {}) {
  const told = new EventEmitter();
  const heard = new Inbox(told, HANDLERS);
  const handlers = Object.fromEntries(HANDLERS.map((name) => [name, (payload) => told.emit(name, payload)]));
  const tokens = { driverId: driver.number, access: driver.token, refresh: driver.refreshToken };
  const app = create({
    url: server.url, fetch, tokens, locationEvery: 100, retry: { first: 100, most: 400 }, getLocation: () => PLACE, ...handlers, ...options,
  });
  apps.push(app);
  app.goOnline();
  return { app, heard };
}

/** Waits until the app has been `status` `count` times. */
function until({ heard }, status, count = 1) {
  return heard.until(`${status}, ${count} times`, () => heard.all('onStatus').filter((one) => one === status).length >= count);
}

async function eventually(what, holds) {
  const deadline = Date.now() + 8000;
  while (!await holds()) {
    assert.ok(Date.now() < deadline, what);
    await sleep(20);
  }
}

for (const { store, skip } of STORES) {
  describe(`the example of a driver app on ${store}`, { skip }, () => {
    let server;
    let admin;

    before(async () => {
      server = await startServer({ store, env: { ...ADMIN, JWT_SECRET: SECRET, PRESENCE_GRACE: '300ms' } });
      admin = await logInAdmin(server);
    });

    after(() => server?.close());
    afterEach(() => apps.splice(0).forEach((app) => app.goOffline()));

    const trail = (driver) => v1(server, 'GET', `/drivers/${driver.number}/trail`, { token: admin.token });
    const status = async (driver) => (await v1(server, 'GET', `/drivers?after=${driver.number - 1}&limit=1`, { token: admin.token }))[0].status;

    for (const [file, create] of Object.entries(KINDS)) {
      describe(file, () => {
        it('reports where the driver is, and hears of orders and cancellations', async () => {
          const driver = await newDriver(server);
          const phone = start(create, server, driver);
          await until(phone, 'online');
          const order = await createOrder(server, admin, { driver });
          const assigned = await phone.heard.find('onOrder');
          assert.deepEqual([assigned.order_id, assigned.earnings], [order.order_id, 45.5]);
          await v1(server, 'POST', `/orders/${order.id}/cancel`, { token: admin.token, body: { reason: 'Customer cancelled' } });
          assert.deepEqual(await phone.heard.find('onCancel'), { order_id: order.order_id, id: order.id, reason: 'Customer cancelled' });
          await eventually('three positions', async () => (await trail(driver)).length >= 3);
          assert.equal(await status(driver), 'ONLINE');
          phone.app.goOffline();
          await eventually('offline', async () => await status(driver) === 'OFFLINE');
        });

        it('comes back after a restart of the server', async () => {
          const driver = await newDriver(server);
          const phone = start(create, server, driver);
          await until(phone, 'online');
          await server.stop();
          await until(phone, 'connecting', 2);
          await server.start();
          const order = await createOrder(server, admin, { driver });
          await phone.heard.find('onOrder', ({ id }) => id === order.id);
          await until(phone, 'online', 2);
          assert.deepEqual(phone.heard.all('onTokens'), []);
        });

        it('buys a new token when its own has ended, and keeps it', async () => {
          const driver = await newDriver(server);
          const expired = resign(driver.token, { exp: Math.floor(Date.now() / 1000) - 5 });
          const phone = start(create, server, { ...driver, token: expired });
          const { driverId, access, refresh } = await phone.heard.find('onTokens');
          await until(phone, 'online');
          assert.equal(driverId, driver.number);
          assert.notEqual(refresh, driver.refreshToken);
          assert.equal((await v1(server, 'GET', '/driver/profile', { token: access })).driver_id, driver.number);
          assert.equal(phone.heard.all('onTokens').length, 1);
        });

        it('buys one in time, and stays connected past the end of the old one', async () => {
          const driver = await newDriver(server);
          const exp = Math.ceil(Date.now() / 1000) + 2;
          const phone = start(create, server, { ...driver, token: resign(driver.token, { exp }) });
          await phone.heard.find('onTokens');
          await until(phone, 'online');
          await eventually('the token’s end', async () => await trail(driver) && Date.now() > 1000 * exp + 1500);
          const order = await createOrder(server, admin, { driver });
          await phone.heard.find('onOrder', ({ id }) => id === order.id);
          assert.equal(phone.heard.all('onStatus').filter((one) => one === 'online').length, 1);
        });

        it('accepts and rejects what it is offered', async () => {
          const driver = await newDriver(server);
          const phone = start(create, server, driver);
          await until(phone, 'online');
          const [first, second] = [await createOrder(server, admin), await createOrder(server, admin)];
          await phone.heard.find('onOffer', ({ id }) => id === second.id);
          phone.app.reject(first.id, 'Too far');
          await phone.heard.find('onOfferGone', ({ id }) => id === first.id);
          phone.app.accept(second.id);
          await phone.heard.find('onOrder', ({ id }) => id === second.id);
          await v1(server, 'POST', `/orders/${first.id}/cancel`, { token: admin.token, body: {} });
        });

        it('stops when the tokens are worth nothing', async () => {
          const driver = await newDriver(server);
          const phone = start(create, server, { ...driver, token: 'garbage', refreshToken: 'garbage' });
          await phone.heard.find('onLoggedOut');
          assert.equal(phone.heard.all('onStatus').at(-1), 'offline');
          assert.deepEqual(phone.heard.all('onTokens'), []);
        });
      });
    }

    describe('connection.js alone', () => {
      const create = KINDS['connection.js'];

      it('stays away when the driver has connected from another phone', async () => {
        const driver = await newDriver(server);
        const first = start(create, server, driver);
        await until(first, 'online');
        const second = start(create, server, driver);
        await first.heard.find('onReplaced');
        const order = await createOrder(server, admin, { driver });
        await second.heard.find('onOrder', ({ id }) => id === order.id);
        await eventually('a second of the second phone', async () => (await trail(driver)).length >= 10);
        assert.deepEqual(first.heard.all('onStatus'), ['connecting', 'online', 'offline']);
        assert.deepEqual(first.heard.all('onOrder'), []);
        assert.deepEqual(second.heard.all('onReplaced'), []);
      });

      it('fills the gap in the trail when it was away', async () => {
        const driver = await newDriver(server);
        const places = [];
        let nowhere = 0;
        const getLocation = () => {
          // An iPhone that knows no heading says -1.
          places.push({ ...PLACE, latitude: places.length / 1000, heading: -1 });
          if (places.length === nowhere) places.at(-1).latitude = 91;
          return places.at(-1);
        };
        const phone = start(create, server, driver, { getLocation });
        await until(phone, 'online');
        await server.stop();
        const before = places.length;
        nowhere = before + 2; // one that the server does not take keeps the others not back
        await eventually('three more positions', () => places.length > before + 4);
        await server.start();
        await until(phone, 'online', 2);
        await eventually('all of them', async () => {
          const there = new Set((await trail(driver)).map(({ lat }) => lat));
          return [places[before], ...places.slice(before + 2, before + 4)].every(({ latitude }) => there.has(latitude));
        });
      });
    });
  });
}
