// The driver app of the document "WebSocket Integration Requirements": its socket, and every line
// of its testing checklist. How sockets end is in seed-002-closes.test.js, REST in seed-002-rest.test.js.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import { io } from 'socket.io-client';
import WebSocket from 'ws';

import { ADMIN, BURGERS, SECRET, createOrder, logInAdmin, newDriver, newDrivers, resign, v1 } from './drivers-people.js';
import { call, register } from './people.js';
import { RawSocket, connectDriver, driverSocket, wsUrl } from './raw-sockets.js';
import { Inbox, connected, inTime } from './sockets.js';
import { STORES, startServer } from './server.js';
import { startTls } from './tls.js';

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** What the app sends every ten seconds, as the document shows it, but now. */
const location = (fields) => ({
  latitude: 28.7041, longitude: 77.1025, accuracy: 10.5, heading: 180.0, speed: 25.5, battery_level: 75,
  timestamp: new Date().toISOString().replace(/\.\d+Z/, 'Z'), ...fields,
});

/** Where a driver was, when the server has saved `count` points: it may take a second. */
async function trail(server, admin, driver, count) {
  const deadline = Date.now() + 2000;
  for (;;) {
    const points = await v1(server, 'GET', `/drivers/${driver.number}/trail`, { token: admin.token });
    if (points.length >= count || Date.now() > deadline) return points;
  }
}

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
        // A good one last: those before it are saved by then, if they are.
        app.send('location_update', location());
        assert.equal((await trail(server, admin, driver, 105)).length, 105);
      });
    });

    describe('what the app is sent', () => {
      let other;
      before(async () => {
        other = await newDriver(server);
        app = await connectDriver(server, driver);
      });
      after(() => app.close());

      it('an order that an admin assigns, within a second', async () => {
        const order = await createOrder(server, admin);
        const start = Date.now();
        await v1(server, 'POST', `/orders/${order.order_id}/assign`, { token: admin.token, body: { driver_id: driver.number } });
        const assigned = await app.heard.find('order_assigned', ({ order_id }) => order_id === order.order_id);
        assert.ok(Date.now() - start < 1000, `${Date.now() - start} ms`);
        assert.equal(typeof assigned.order_id, 'number');
        assert.match(assigned.id, /^[0-9a-f]{24}$/);
        for (const [field, value] of Object.entries(BURGERS)) assert.equal(assigned[field], value, field);
        assert.equal(assigned.status, 'preparing');
        assert.equal(assigned.driver_id, driver.number);
        assert.equal(assigned.distance_km, null);
      });

      it('an order with everything the back office knows of it', async () => {
        const order = await createOrder(server, admin, {
          driver, earnings: 12.25, pickup_lat: 12.9352, pickup_lng: 77.6245, delivery_lat: 12.9719, delivery_lng: 77.6412,
          customer_name: 'Asha', customer_phone: '+91 80 1234', items: [{ name: 'Whopper', quantity: 2, price: 4.5 }], note: 'Ring twice',
        });
        const assigned = await app.heard.find('order_assigned', ({ order_id }) => order_id === order.order_id);
        assert.deepEqual([assigned.customer_name, assigned.customer_phone, assigned.note], ['Asha', '+91 80 1234', 'Ring twice']);
        assert.deepEqual([assigned.pickup_lat, assigned.pickup_lng, assigned.delivery_lat, assigned.delivery_lng], [12.9352, 77.6245, 12.9719, 77.6412]);
        assert.deepEqual(assigned.items.map(({ name, quantity, price }) => [name, quantity, price]), [['Whopper', 2, 4.5]]);
        assert.deepEqual([assigned.order_total, assigned.earnings], [9, 12.25]);
        assert.ok(assigned.distance_km > 4 && assigned.distance_km < 5, assigned.distance_km);
      });

      it('one order_assigned for each order of a pool', async () => {
        const orders = await Promise.all([1, 2, 3].map(() => createOrder(server, admin)));
        const order_ids = orders.map(({ order_id }) => order_id);
        await v1(server, 'POST', '/pools', { token: admin.token, body: { order_ids, driver_id: driver.number }, expected: 201 });
        await app.settle();
        const heard = app.heard.all('order_assigned').map(({ order_id }) => order_id).filter((id) => order_ids.includes(id));
        assert.deepEqual(heard.toSorted(), order_ids.toSorted());
      });

      it('the cancellation of an admin, of a customer and of a restaurant, with the reason', async () => {
        const byAdmin = await createOrder(server, admin, { driver });
        await v1(server, 'POST', `/orders/${byAdmin.id}/cancel`, { token: admin.token, body: { reason: 'Kitchen on fire' } });
        assert.deepEqual(await app.heard.find('order_cancelled', ({ id }) => id === byAdmin.id),
          { order_id: byAdmin.order_id, id: byAdmin.id, reason: 'Kitchen on fire' });

        const customer = await register(server, 'customer');
        for (const [reason, told] of [[undefined, 'Customer cancelled'], ['Changed my mind', 'Changed my mind']]) {
          const { body } = await call(server, 'POST', '/api/orders', { token: customer.token, body: { items: ['Tea'] } });
          const { _id: id } = body.data.order;
          const offer = await app.heard.find('new_order', (one) => one.id === id);
          app.send('accept_order', { order_id: offer.order_id });
          await app.heard.find('order_assigned', (one) => one.id === id);
          await call(server, 'POST', `/api/orders/${id}/cancel`, { token: customer.token, body: { reason } });
          assert.equal((await app.heard.find('order_cancelled', (one) => one.id === id)).reason, told);
        }
      });

      it('offers, which it can accept and reject, and that they are gone', async () => {
        const rival = await connectDriver(server, other);
        const [first, second] = await Promise.all([1, 2].map(() => createOrder(server, admin)));
        for (const { order_id } of [first, second]) {
          await Promise.all([app, rival].map((socket) => socket.heard.find('new_order', (one) => one.order_id === order_id)));
        }
        app.send('reject_order', { order_id: first.order_id, reason: 'Too far' });
        assert.deepEqual(await app.heard.find('order_removed', ({ id }) => id === first.id), { order_id: first.order_id, id: first.id });
        app.send('accept_order', { order_id: second.order_id });
        await app.heard.find('order_assigned', ({ id }) => id === second.id);
        await rival.heard.find('order_removed', ({ id }) => id === second.id);
        rival.send('accept_order', { order_id: second.order_id });
        assert.equal((await rival.heard.find('error')).code, 'conflict');
        await v1(server, 'POST', `/orders/${first.id}/cancel`, { token: admin.token, body: {} });
        await rival.close();
      });

      it('only its own orders, not another driver’s', async () => {
        const [a, b] = await newDrivers(server, 2);
        const sockets = await Promise.all([a, b].map((one) => connectDriver(server, one)));
        const [ofA, ofB] = await Promise.all([a, b].map((one) => createOrder(server, admin, { driver: one })));
        await v1(server, 'POST', `/orders/${ofA.id}/cancel`, { token: admin.token, body: { reason: 'Closed' } });
        await v1(server, 'POST', `/orders/${ofB.id}/unassign`, { token: admin.token });
        await sockets[0].heard.find('order_cancelled', ({ id }) => id === ofA.id);
        assert.equal((await sockets[1].heard.find('order_cancelled', ({ id }) => id === ofB.id)).reason, 'Unassigned');
        await Promise.all(sockets.map((socket) => socket.settle()));
        for (const [socket, id] of [[sockets[0], ofA.id], [sockets[1], ofB.id]]) {
          for (const event of ['order_assigned', 'order_cancelled']) {
            assert.deepEqual(socket.heard.all(event).map((one) => one.id), [id], event);
          }
        }
        assert.deepEqual(app.heard.all('order_assigned').filter(({ id }) => [ofA.id, ofB.id].includes(id)), []);
        await Promise.all(sockets.map((socket) => socket.close()));
      });

      it('the same on Socket.IO, /orders and /', async () => {
        for (const namespace of ['/', '/orders']) {
          const person = await newDriver(server);
          const socket = io(server.url + namespace, { auth: { token: person.token }, transports: ['websocket'], forceNew: true });
          const heard = new Inbox(socket, ['order_assigned', 'order_cancelled', 'pong']);
          await connected(socket);
          const order = await createOrder(server, admin, { driver: person });
          const assigned = await heard.find('order_assigned');
          for (const field of ['order_id', 'restaurant_name', 'earnings']) assert.equal(assigned[field], order[field]);
          await v1(server, 'POST', `/orders/${order.id}/cancel`, { token: admin.token, body: { reason: 'Sold out' } });
          assert.deepEqual(await heard.find('order_cancelled'), { order_id: order.order_id, id: order.id, reason: 'Sold out' });
          socket.emit('location_update', location());
          socket.emit('ping');
          await heard.find('pong');
          assert.equal((await trail(server, admin, person, 1)).length, 1);
          socket.disconnect();
        }
      });
    });

    describe('a network that goes and comes', () => {
      let lost;
      before(async () => { lost = await newDriver(server); });

      it('tells at the next connect what happened meanwhile, and of one that came and went only that it went', async () => {
        (await connectDriver(server, lost)).cut();
        const [kept, dropped] = await Promise.all([1, 2].map(() => createOrder(server, admin, { driver: lost })));
        await v1(server, 'POST', `/orders/${dropped.id}/cancel`, { token: admin.token, body: { reason: 'Customer cancelled' } });
        const back = await connectDriver(server, lost);
        assert.equal((await back.heard.find('order_assigned')).id, kept.id);
        assert.equal((await back.heard.find('order_cancelled')).id, dropped.id);
        // The answer of `ws` to the server's ping proves that it has them, and comes before this one.
        await back.settle();
        assert.equal(back.heard.names[0], 'connected');
        assert.deepEqual(back.heard.all('order_assigned').map(({ id }) => id), [kept.id]);
        assert.deepEqual(back.heard.all('order_cancelled').map(({ id }) => id), [dropped.id]);
        await back.close();
      });

      it('tells nothing again that has arrived', async () => {
        const again = await connectDriver(server, lost);
        await again.settle();
        assert.deepEqual(again.heard.names.filter((name) => name.startsWith('order_')), []);
        await again.close();
      });

      it('tells again what a dead connection may have swallowed', async () => {
        // A phone without a network: the kernel takes what the server writes, the app never reads it.
        const deaf = await connectDriver(server, lost, { autoPong: false });
        const order = await createOrder(server, admin, { driver: lost });
        await deaf.heard.find('order_assigned', ({ id }) => id === order.id);
        deaf.cut();
        const back = await connectDriver(server, lost);
        await back.heard.find('order_assigned', ({ id }) => id === order.id);
        await back.close();
      });

      it('survives a restart of the server', async () => {
        await server.stop();
        await server.start();
        const back = await connectDriver(server, lost);
        await back.settle();
        await back.close();
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
