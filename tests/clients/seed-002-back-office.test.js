// The driver app's back office: its REST routes, and its live feed.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { ADMIN, BURGERS, assertSnakeCase, createOrder, logInAdmin, newDriver, newDrivers, refused, v1 } from './drivers-people.js';
import { call, register } from './people.js';
import { RawSocket, connectAdmin, connectDriver, wsUrl } from './raw-sockets.js';
import { STORES, startServer } from './server.js';

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

for (const { store, skip } of STORES) {
  describe(`the back office on ${store}`, { skip }, () => {
    let server;
    let admin;
    let driver;
    let customer;
    let feed;

    before(async () => {
      server = await startServer({ store, env: ADMIN });
      [admin, driver, customer] = await Promise.all([logInAdmin(server), newDriver(server), register(server, 'customer')]);
      feed = await connectAdmin(server, admin);
    });

    after(async () => {
      await feed?.close();
      await server?.close();
    });

    const as = (who, body) => ({ token: who.token, body });

    it('lets nobody else in', async () => {
      for (const who of [driver, customer]) {
        for (const [method, path, body] of [
          ['POST', '/orders', BURGERS], ['GET', '/orders'], ['POST', '/orders/1/assign', { driver_id: 1 }], ['POST', '/orders/1/unassign'],
          ['POST', '/pools', { order_ids: [1], driver_id: 1 }], ['GET', '/drivers'], ['GET', '/drivers/1/trail'],
          ['PATCH', '/drivers/1/status', { status: 'online' }],
        ]) await refused(server, method, path, 403, 'forbidden', as(who, body));
        const socket = new RawSocket(`${wsUrl(server)}/api/v1/ws/admin?token=${who.token}`);
        assert.equal((await socket.end()).code, 4001);
      }
      await refused(server, 'POST', '/orders/1/cancel', 403, 'forbidden', as(driver, {}));
      assert.equal((await new RawSocket(`${wsUrl(server)}/api/v1/ws/admin`).end()).code, 4001);
    });

    it('follows an order live: placed, assigned, unassigned, assigned anew, cancelled', async () => {
      const [one, two] = await newDrivers(server, 2);
      const order = await createOrder(server, admin);
      await v1(server, 'POST', `/orders/${order.id}/assign`, as(admin, { driver_id: one.username, earnings: 9.5 }));
      const back = await v1(server, 'POST', `/orders/${order.id}/unassign`, as(admin));
      // What was said of one driver's earnings does not hold for the next; what was said at first does.
      assert.deepEqual([back.status, back.driver_id, back.earnings], ['pending', null, 45.5]);
      await refused(server, 'POST', `/orders/${order.id}/unassign`, 409, 'conflict', as(admin));
      const anew = await v1(server, 'POST', `/orders/${order.order_id}/assign`, as(admin, { driver_id: two.id }));
      assert.deepEqual([anew.driver_id, anew.earnings], [two.number, 45.5]);
      assert.equal((await v1(server, 'POST', `/orders/${order.id}/cancel`, as(admin, { reason: 'Closed' }))).status, 'cancelled');
      const mine = ({ order_id }) => order_id === order.order_id;
      await feed.heard.find('order_update', (update) => mine(update) && update.status === 'cancelled');
      const updates = feed.heard.all('order_update').filter(mine);
      assert.deepEqual(updates.map(({ previous_status, status, driver_id }) => [previous_status, status, driver_id]), [
        [null, 'pending', null], ['pending', 'preparing', one.number], ['preparing', 'pending', null],
        ['pending', 'preparing', two.number], ['preparing', 'cancelled', two.number],
      ]);
      assert.ok(updates.every(({ id, timestamp }) => id === order.id && TIME.test(timestamp)));
    });

    it('checks what it is sent', async () => {
      const { details } = await refused(server, 'POST', '/orders', 400, 'validation_failed', as(admin, { pickup_lat: 91, earnings: -1 }));
      const fields = details.map(({ field }) => field);
      for (const field of ['restaurant_name', 'pickup_address', 'delivery_address', 'pickup_lat', 'pickup_lng', 'earnings']) {
        assert.ok(fields.includes(field), field);
      }
      const { order_id } = await createOrder(server, admin);
      await refused(server, 'POST', '/orders', 404, 'not_found', as(admin, { ...BURGERS, driver_id: 999_999 }));
      await refused(server, 'POST', `/orders/${order_id}/assign`, 404, 'not_found', as(admin, { driver_id: 999_999 }));
      await refused(server, 'POST', `/orders/${order_id}/assign`, 404, 'not_found', as(admin, { driver_id: customer.id }));
      await refused(server, 'POST', `/orders/${order_id}/assign`, 400, 'validation_failed', as(admin, {}));
      await v1(server, 'POST', `/orders/${order_id}/cancel`, as(admin, { reason: 'A test' }));
      await refused(server, 'POST', `/orders/${order_id}/cancel`, 409, 'conflict', as(admin, {}));
    });

    it('lists orders by status and page', async () => {
      const pending = await v1(server, 'GET', '/orders?status=cancelled&limit=1', as(admin));
      assert.deepEqual([pending.length, pending[0].status], [1, 'cancelled']);
      const [first, second] = await v1(server, 'GET', '/orders?limit=2', as(admin));
      assert.ok(first.order_id > second.order_id);
      assert.deepEqual(await v1(server, 'GET', `/orders?limit=1&before=${first.order_id}`, as(admin)), [second]);
      await refused(server, 'GET', '/orders?status=outForDelivery', 400, 'validation_failed', as(admin));
    });

    it('gives a pool all of its orders, or none', async () => {
      const person = await newDriver(server);
      const orders = await Promise.all([1, 2, 3].map(() => createOrder(server, admin)));
      const order_ids = orders.map(({ order_id }) => order_id);
      const taken = await createOrder(server, admin, { driver });
      for (const [ids, status, code] of [[[...order_ids, taken.order_id], 409, 'conflict'], [[...order_ids, 999_999], 404, 'not_found'], [[], 400, 'validation_failed']]) {
        await refused(server, 'POST', '/pools', status, code, as(admin, { order_ids: ids, driver_id: person.number }));
      }
      assert.deepEqual(await v1(server, 'GET', '/orders/assigned', as(person)), []);
      const pool = await v1(server, 'POST', '/pools', { ...as(admin, { order_ids, driver_id: person.number }), expected: 201 });
      assertSnakeCase(pool);
      assert.deepEqual([pool.driver_id, pool.failed], [person.number, []]);
      assert.deepEqual(pool.orders.map(({ order_id }) => order_id), order_ids);
    });

    it('sees every driver, where they are and what they are at, live too', async () => {
      const person = await newDriver(server);
      const app = await connectDriver(server, person);
      const mine = ({ driver_id }) => driver_id === person.number;
      const heard = (status) => feed.heard.find('driver_location', (at) => mine(at) && at.status === status);
      const place = { latitude: 52.52, longitude: 13.4, heading: 90, speed: 7, accuracy: 3 };
      app.send('location_update', place);
      const { updated_at, ...live } = await heard('ONLINE');
      assert.match(updated_at, TIME);
      assert.deepEqual(live, { driver_id: person.number, username: person.username, status: 'ONLINE', lat: 52.52, lng: 13.4, heading: 90, speed: 7, accuracy: 3 });
      const order = await createOrder(server, admin, { driver: person });
      await heard('IN_TRANSIT');
      const listed = async () => (await v1(server, 'GET', '/drivers?limit=1000', as(admin))).find(mine);
      assert.deepEqual([(await listed()).status, (await listed()).available], ['IN_TRANSIT', true]);
      await v1(server, 'POST', `/orders/${order.id}/cancel`, as(admin, {}));
      assert.deepEqual(await v1(server, 'PATCH', `/drivers/${person.username}/status`, as(admin, { status: 'offline' })),
        { driver_id: person.number, status: 'offline', connected: true });
      await heard('OFFLINE');
      const row = await listed();
      assertSnakeCase(row);
      assert.deepEqual(Object.keys(row).toSorted(), ['available', 'driver_id', 'id', 'image', 'location', 'name', 'status', 'username']);
      assert.deepEqual([row.status, row.available, row.id], ['OFFLINE', false, person.id]);
      await v1(server, 'PATCH', `/drivers/${person.number}/status`, as(admin, { status: 'online' }));
      assert.equal((await v1(server, 'GET', '/driver/profile', as(person))).status, 'online');
      await refused(server, 'PATCH', '/drivers/999999/status', 404, 'not_found', as(admin, { status: 'online' }));
      await refused(server, 'GET', '/drivers/999999/trail', 404, 'not_found', as(admin));
      await app.close();
    });

    it('pages through drivers and trails', async () => {
      const numbers = [];
      for (let after = 0; ;) {
        const page = await v1(server, 'GET', `/drivers?limit=3&after=${after}`, as(admin));
        numbers.push(...page.map(({ driver_id }) => driver_id));
        if (page.length < 3) break;
        after = numbers.at(-1);
      }
      assert.deepEqual(numbers, numbers.toSorted((a, b) => a - b));
      assert.equal(new Set(numbers).size, numbers.length);
      assert.ok(numbers.includes(driver.number));
      await refused(server, 'GET', '/drivers?limit=0', 400, 'validation_failed', as(admin));

      const start = Date.now() - 10_000;
      const locations = [0, 1, 2].map((n) => ({ latitude: n, longitude: n, timestamp: new Date(start + n).toISOString() }));
      await v1(server, 'POST', '/driver/locations', as(driver, { locations }));
      const [first] = await v1(server, 'GET', `/drivers/${driver.number}/trail?limit=1`, as(admin));
      assert.equal(first.lat, 0);
      const rest = await v1(server, 'GET', `/drivers/${driver.number}/trail?after=${first.timestamp}`, as(admin));
      assert.deepEqual(rest.map(({ lat }) => lat), [1, 2]);
    });

    it('answers the feed’s ping', async () => {
      await feed.settle();
      feed.send('location_update', { latitude: 1, longitude: 1 });
      assert.ok(['not_found', 'forbidden'].includes((await feed.heard.find('error')).code));
      const other = await call(server, 'GET', '/api/v1/nothing', as(admin));
      assert.deepEqual([other.status, other.body.code, typeof other.body.detail], [404, 'not_found', 'string']);
    });
  });
}
