// The driver app of the document "WebSocket Integration Requirements": who gets in, what it sends,
// many at once, and wss://. Orders, how sockets end, REST and the back office have files of their own.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import WebSocket from 'ws';

import { ADMIN, SECRET, createOrder, location, logInAdmin, newDriver, newDrivers, resign, trail } from './drivers-people.js';
import { call, register } from './people.js';
import { RawSocket, connectDriver, driverSocket, wsUrl } from './raw-sockets.js';
import { inTime } from './sockets.js';
import { STORES, startServer } from './server.js';
import { startTls } from './tls.js';

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

for (const { store, skip } of STORES) {
  describe(`seed 002 on ${store}`, { skip }, () => {
    let server;
    let admin;
    let driver;
    let app;

    before(async () => {
      server = await startServer({ store, env: { ...ADMIN, JWT_SECRET: SECRET } });
      [admin, driver] = await Promise.all([logInAdmin(server), newDriver(server)]);
    });

    after(() => server?.close());

    describe('who gets in', () => {
      it('accepts a valid token, and says so before anything else', async () => {
        app = await connectDriver(server, driver);
        assert.equal(app.heard.names[0], 'connected');
        const [{ driver_id, server_time }] = app.heard.all('connected');
        assert.equal(driver_id, driver.number);
        assert.match(server_time, TIME);
        await app.close();
      });

      it('knows the driver by number, id and username', async () => {
        for (const as of [driver.number, driver.id, driver.username]) {
          const socket = await connectDriver(server, driver, { as });
          assert.equal(socket.heard.all('connected')[0].driver_id, driver.number);
          await socket.close();
        }
      });

      it('accepts the token as a header too', async () => {
        const headers = { Authorization: `Bearer ${driver.token}` };
        const socket = new RawSocket(`${wsUrl(server)}/api/v1/ws/driver/${driver.number}`, { headers });
        await socket.heard.find('connected');
        await socket.close();
      });

      it('closes with 4001 whoever has no token of that driver', async () => {
        const [other, customer] = await Promise.all([newDriver(server), register(server, 'customer')]);
        const now = Math.floor(Date.now() / 1000);
        const [head, payload, signature] = driver.token.split('.');
        const none = `${Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url')}.${payload}.`;
        const wrong = {
          missing: null, empty: '', garbage: 'not-a-token', forged: resign(driver.token, {}, 'another secret'.repeat(4)), none,
          'cut off': `${head}.${payload}.${signature.slice(2)}`, expired: resign(driver.token, { iat: now - 100, exp: now - 10 }),
          'another driver’s': other.token, 'a customer’s': customer.token, 'an admin’s': admin.token,
        };
        for (const [what, token] of Object.entries(wrong)) {
          const socket = driverSocket(server, driver, { token });
          await socket.opened();
          assert.equal((await socket.end()).code, 4001, what);
          assert.deepEqual(socket.heard.names, [], what);
        }
        // The token is right, and of no use at another address.
        for (const as of [other.number, 999_999, 'nobody']) {
          assert.equal((await driverSocket(server, driver, { as }).end()).code, 4001, String(as));
        }
      });

      it('closes with 4001 a driver whose session has ended, and who is in', async () => {
        const leaving = await newDriver(server);
        const socket = await connectDriver(server, leaving);
        assert.equal((await call(server, 'POST', '/api/auth/logout', { token: leaving.token, body: {} })).status, 200);
        assert.equal((await socket.end()).code, 4001);
        assert.equal((await driverSocket(server, leaving).end()).code, 4001);
      });

      it('keeps tokens out of the log', () => {
        assert.match(server.log, /\/api\/v1\/ws\/driver\//);
        assert.doesNotMatch(server.log, /eyJ/);
      });
    });

    describe('what the app sends', () => {
      before(async () => { app = await connectDriver(server, driver); });
      after(() => app.close());

      it('answers ping with pong', async () => {
        app.send('ping');
        assert.match((await app.heard.find('pong')).timestamp, TIME);
      });

      it('answers pings of the protocol, as load balancers and clients send them', async () => {
        app.socket.ping('are you there');
        const [payload] = await inTime(once(app.socket, 'pong'), 'pong');
        assert.equal(payload.toString(), 'are you there');
      });

      it('saves location updates, without a word', async () => {
        const sent = location();
        app.send('location_update', sent);
        await app.settle();
        const [point, ...more] = await trail(server, admin, driver, 1);
        assert.deepEqual(more, []);
        assert.deepEqual({ ...point, timestamp: Date.parse(point.timestamp) }, {
          lat: 28.7041, lng: 77.1025, accuracy: 10.5, heading: 180, speed: 25.5, timestamp: Date.parse(sent.timestamp),
        });
        assert.deepEqual(app.heard.all('error'), []);
      });

      it('saves every one of many at once', async () => {
        const start = Date.now() - 60_000;
        for (let n = 0; n < 100; n += 1) app.send('location_update', location({ timestamp: new Date(start + n).toISOString() }));
        await app.settle();
        const points = await trail(server, admin, driver, 101);
        assert.equal(points.length, 101);
        assert.deepEqual(app.heard.all('error'), []);
      });

      it('takes 0, 0 and the edges of the world, and needs no more than a place', async () => {
        const places = [[0, 0], [90, 180], [-90, -180]];
        for (const [latitude, longitude] of places) {
          app.send('location_update', { latitude, longitude });
          await app.settle();
        }
        assert.deepEqual(app.heard.all('error'), []);
        const points = await trail(server, admin, driver, 104);
        assert.deepEqual(points.slice(-3).map(({ lat, lng }) => [lat, lng]), places);
      });

      it('says what is wrong with a frame, and stays', async () => {
        const ahead = new Date(Date.now() + 120_000).toISOString();
        const wrong = [
          ['{nope', 'malformed'], ['[]', 'validation_failed'], ['{}', 'validation_failed'], ['{"type":7}', 'validation_failed'],
          ['{"type":"dance"}', 'not_found'], ['{"type":"location_update"}', 'validation_failed'],
          ...[{ latitude: 90.1 }, { longitude: -180.1 }, { latitude: 'north' }, { accuracy: -1 }, { heading: 361 }, { speed: -1 },
            { battery_level: 101 }, { timestamp: 'yesterday' }, { timestamp: ahead }]
            .map((fields) => [JSON.stringify({ type: 'location_update', data: location(fields) }), 'validation_failed']),
          [Buffer.from('{"type":"ping"}'), 'malformed'],
        ];
        for (const [frame, code] of wrong) {
          const already = app.heard.all('error').length;
          app.socket.send(frame);
          await app.heard.until('error', () => app.heard.all('error').length > already);
          const error = app.heard.all('error').at(-1);
          assert.equal(error.code, code, String(frame));
          assert.ok(error.message);
        }
        await app.settle();
        // A good one last, of another moment than the first: those before it are saved by then, if they are.
        app.send('location_update', location({ timestamp: new Date().toISOString() }));
        assert.equal((await trail(server, admin, driver, 105)).length, 105);
      });
    });

    it('holds many drivers at once, each with their orders', async () => {
      const many = await newDrivers(server, 100);
      const sockets = await Promise.all(many.map((one) => connectDriver(server, one)));
      const orders = await Promise.all(many.map((one) => createOrder(server, admin, { driver: one })));
      sockets.forEach((socket) => socket.send('location_update', location()));
      await Promise.all(sockets.map(async (socket, n) => {
        assert.equal((await socket.heard.find('order_assigned')).id, orders[n].id);
        await socket.settle();
        assert.equal(socket.heard.all('order_assigned').length, 1);
        assert.deepEqual(socket.heard.all('error'), []);
      }));
      await Promise.all(many.map(async (one) => assert.equal((await trail(server, admin, one, 1)).length, 1)));
      await Promise.all(sockets.map((socket) => socket.close()));
    });

    describe('wss://, through a terminator with a certificate', () => {
      let tls;
      before(async () => { tls = await startTls(server); });
      after(() => tls?.close());

      it('connects, sends and is sent', async () => {
        const person = await newDriver(server);
        const socket = await connectDriver(tls, person, { ca: tls.certificate });
        assert.match(socket.socket.url, /^wss:/);
        socket.send('location_update', location());
        const order = await createOrder(server, admin, { driver: person });
        await socket.heard.find('order_assigned', ({ id }) => id === order.id);
        await socket.settle();
        assert.equal((await trail(server, admin, person, 1)).length, 1);
        assert.equal((await socket.close()).code, 1000);
      });

      it('is closed with the same codes', async () => {
        assert.equal((await driverSocket(tls, driver, { token: 'wrong', ca: tls.certificate }).end()).code, 4001);
        const first = await connectDriver(tls, driver, { ca: tls.certificate });
        const second = await connectDriver(tls, driver, { ca: tls.certificate });
        assert.equal((await first.end()).code, 4003);
        await second.close();
      });
    });
  });

  describe(`seed 002 with limits, ${store}`, { skip }, () => {
    it('limits how often one address connects', async () => {
      const server = await startServer({ store, env: { RATE_LIMITS: 'on', RATE_LIMIT_CONNECTS: '3/1m' } });
      try {
        const driver = await newDriver(server);
        for (let n = 0; n < 3; n += 1) await (await connectDriver(server, driver)).close();
        const refusal = new WebSocket(`${wsUrl(server)}/api/v1/ws/driver/${driver.number}?token=${driver.token}`);
        const [, answer] = await inTime(once(refusal, 'unexpected-response'), 'refusal');
        assert.equal(answer.statusCode, 429);
        assert.ok(Number(answer.headers['retry-after']) > 0);
        answer.destroy();
      } finally {
        await server.close();
      }
    });
  });
}
