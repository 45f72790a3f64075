// The REST routes of the driver app.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { ADMIN, assertSnakeCase, createOrder, logInAdmin, newDriver, newDrivers, refused, v1 } from './drivers-people.js';
import { PASSWORD, register } from './people.js';
import { connectDriver } from './raw-sockets.js';
import { STORES, startServer } from './server.js';

const ID = /^[0-9a-f]{24}$/;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** What every order has, whether something is known there or not. */
const ORDER_FIELDS = [
  'created_at', 'customer_name', 'customer_phone', 'delivery_address', 'delivery_lat', 'delivery_lng', 'distance_km', 'driver_id',
  'earnings', 'id', 'items', 'note', 'order_id', 'order_total', 'pickup_address', 'pickup_lat', 'pickup_lng', 'restaurant_name',
  'status', 'updated_at',
];

for (const { store, skip } of STORES) {
  describe(`the driver app's REST on ${store}`, { skip }, () => {
    let server;
    let admin;
    let driver;
    let customer;

    before(async () => {
      server = await startServer({ store, env: ADMIN });
      [admin, driver, customer] = await Promise.all([logInAdmin(server), newDriver(server), register(server, 'customer')]);
    });

    after(() => server?.close());

    const as = (who, body) => ({ token: who.token, body });

    describe('accounts', () => {
      it('logs in by name and by address', async () => {
        for (const name of [{ username: driver.username }, { email: driver.email }, { username: driver.email }]) {
          const body = await v1(server, 'POST', '/auth/login', { body: { ...name, password: PASSWORD } });
          assert.match(body.access_token, /^eyJ/);
          assert.equal(typeof body.refresh_token, 'string');
          assert.equal(body.token_type, 'bearer');
          assert.ok(Number.isInteger(body.expires_in) && body.expires_in > 0);
          assert.equal(body.driver.driver_id, driver.number);
          assert.equal(body.driver.id, driver.id);
          assert.ok(!('success' in body) && !('data' in body));
        }
        assert.equal(admin.body.driver, null);
      });

      it('refuses a wrong password like a wrong name', async () => {
        const wrong = [{ username: driver.username, password: 'wrong-password' }, { username: 'nobody-at-all', password: PASSWORD }];
        const answers = [];
        for (const body of wrong) answers.push((await refused(server, 'POST', '/auth/login', 401, 'unauthenticated', { body })).detail);
        assert.equal(answers[0], answers[1]);
        await refused(server, 'POST', '/auth/login', 400, 'validation_failed', { body: {} });
      });

      it('refreshes', async () => {
        const person = await newDriver(server);
        const body = await v1(server, 'POST', '/auth/refresh', { body: { refresh_token: person.refreshToken } });
        assert.notEqual(body.refresh_token, person.refreshToken);
        assert.equal(body.token_type, 'bearer');
        assert.equal((await v1(server, 'GET', '/driver/profile', { token: body.access_token })).driver_id, person.number);
        await refused(server, 'POST', '/auth/refresh', 401, 'unauthenticated', { body: { refresh_token: 'nonsense' } });
        await refused(server, 'POST', '/auth/refresh', 400, 'validation_failed', { body: { refreshToken: person.refreshToken } });
      });

      it('gives the profile', async () => {
        const profile = await v1(server, 'GET', '/driver/profile', as(driver));
        assertSnakeCase(profile);
        assert.match(profile.id, ID);
        assert.match(profile.created_at, TIME);
        assert.deepEqual([profile.driver_id, profile.username, profile.email, profile.status],
          [driver.number, driver.username, driver.email, 'offline']);
        await refused(server, 'GET', '/driver/profile', 403, 'forbidden', as(customer));
        await refused(server, 'GET', '/driver/profile', 401, 'unauthenticated');
      });

      it('goes online and offline; who is offline is offered nothing', async () => {
        const app = await connectDriver(server, driver);
        assert.deepEqual(await v1(server, 'PUT', '/driver/status', as(driver, { status: 'offline' })),
          { driver_id: driver.number, status: 'offline', connected: true });
        const order = await createOrder(server, admin);
        await app.settle();
        assert.deepEqual(app.heard.all('new_order'), []);
        assert.deepEqual(await v1(server, 'PUT', '/driver/status', as(driver, { status: 'online' })),
          { driver_id: driver.number, status: 'online', connected: true });
        const offer = await app.heard.find('new_order');
        assert.equal(offer.order_id, order.order_id);
        assertSnakeCase(offer);
        await v1(server, 'POST', `/orders/${order.id}/cancel`, as(admin, {}));
        await refused(server, 'PUT', '/driver/status', 400, 'validation_failed', as(driver, { status: 'asleep' }));
        await app.close();
      });

      it('takes positions of a phone that was offline, each once, and does not move the driver back', async () => {
        const person = await newDriver(server);
        const start = Date.now() - 60_000;
        const at = (n) => new Date(start + n * 1000).toISOString();
        const app = await connectDriver(server, person);
        app.send('location_update', { latitude: 1, longitude: 1 });
        await app.settle();
        const locations = [3, 1, 2, 1].map((n) => ({ latitude: 10 + n, longitude: n, timestamp: at(n).replace(/\d{3}Z/, '000Z') }));
        assert.deepEqual(await v1(server, 'POST', '/driver/locations', as(person, { locations })), { accepted: 3 });
        await v1(server, 'POST', '/driver/locations', as(person, { locations }));
        const trail = await v1(server, 'GET', `/drivers/${person.number}/trail`, as(admin));
        assert.deepEqual(trail.filter(({ lat }) => lat > 10).map(({ lat }) => lat), [11, 12, 13]);
        const [{ location }] = await v1(server, 'GET', `/drivers?after=${person.number - 1}&limit=1`, as(admin));
        assert.ok(location === null || location.lat === 1, JSON.stringify(location));
        for (const bad of [[], [{ latitude: 1, longitude: 1 }], [{ latitude: 91, longitude: 1, timestamp: at(1) }], Array(501).fill(locations[0])]) {
          const { details } = await refused(server, 'POST', '/driver/locations', 400, 'validation_failed', as(person, { locations: bad }));
          assert.match(details[0].field, /^locations/);
        }
        await app.close();
      });
    });

    describe('orders', () => {
      it('lists the assigned ones, follows them step by step, and counts what they earn', async () => {
        const person = await newDriver(server);
        assert.deepEqual(await v1(server, 'GET', '/orders/assigned', as(person)), []);
        const [first, second] = [await createOrder(server, admin, { driver: person }), await createOrder(server, admin, { driver: person, earnings: 4.25 })];
        const assigned = await v1(server, 'GET', '/orders/assigned', as(person));
        assert.deepEqual(assigned.map(({ order_id }) => order_id), [second.order_id, first.order_id]);
        assertSnakeCase(assigned);
        for (const order of assigned) assert.deepEqual(Object.keys(order).toSorted(), ORDER_FIELDS);
        assert.deepEqual(await v1(server, 'GET', `/orders/${first.id}`, as(person)), assigned[1]);

        for (const order of [first, second]) {
          for (const status of ['out_for_delivery', 'delivered']) {
            const named = status === 'delivered' ? order.id : order.order_id;
            assert.equal((await v1(server, 'PUT', `/orders/${named}/status`, as(person, { status }))).status, status);
          }
        }
        await refused(server, 'PUT', `/orders/${first.id}/status`, 409, 'conflict', as(person, { status: 'preparing' }));
        await refused(server, 'PUT', `/orders/${first.id}/status`, 400, 'validation_failed', as(person, { status: 'outForDelivery' }));
        await refused(server, 'PUT', `/orders/${first.id}/status`, 404, 'not_found', as(driver, { status: 'delivered' }));
        assert.deepEqual(await v1(server, 'GET', '/orders/assigned', as(person)), []);

        const date = new Date().toISOString().slice(0, 10);
        const today = await v1(server, 'GET', '/earnings/today', as(person));
        assert.deepEqual(today, { date, total: 49.75, orders: 2, currency: 'USD' });
        const history = await v1(server, 'GET', '/earnings/history?limit=3', as(person));
        assert.deepEqual(Object.keys(history).toSorted(), ['currency', 'days', 'orders', 'total']);
        assert.deepEqual([history.total, history.orders, history.days.length], [49.75, 2, 3]);
        assert.deepEqual(history.days[0], { date, total: 49.75, orders: 2 });
        assert.deepEqual((await v1(server, 'GET', '/earnings/today', as(driver))).total, 0);
      });

      it('counts a day in the driver’s time zone, between two days', async () => {
        for (const tz of ['Asia/Kolkata', 'Pacific/Kiritimati', 'Pacific/Pago_Pago']) {
          const { date } = await v1(server, 'GET', `/earnings/today?tz=${tz}`, as(driver));
          assert.equal(date, new Intl.DateTimeFormat('en-CA', { timeZone: tz, dateStyle: 'short' }).format());
        }
        const { days } = await v1(server, 'GET', '/earnings/history?from=2024-02-27&to=2024-03-01&tz=Asia/Kolkata', as(driver));
        assert.deepEqual(days.map(({ date }) => date), ['2024-03-01', '2024-02-29', '2024-02-28', '2024-02-27']);
        for (const query of ['tz=Mars/Base', 'from=2024-03-01&to=2024-02-01', 'from=2024-02-30', 'limit=0', 'limit=many']) {
          await refused(server, 'GET', `/earnings/history?${query}`, 400, 'validation_failed', as(driver));
        }
        for (const path of ['/earnings/today', '/earnings/history', '/orders/assigned']) {
          await refused(server, 'GET', path, 403, 'forbidden', as(customer));
        }
      });

      it('accepts and rejects', async () => {
        const [one, two] = await newDrivers(server, 2);
        const order = await createOrder(server, admin);
        assert.equal(order.status, 'pending');
        assert.equal(order.driver_id, null);
        assert.equal((await v1(server, 'POST', `/orders/${order.order_id}/reject`, as(one, { reason: 'Too far' }))).status, 'pending');
        const accepted = await v1(server, 'POST', `/orders/${order.order_id}/accept`, as(two));
        assert.deepEqual([accepted.status, accepted.driver_id], ['preparing', two.number]);
        await refused(server, 'POST', `/orders/${order.order_id}/accept`, 409, 'conflict', as(driver));
        await refused(server, 'POST', '/orders/999999/accept', 404, 'not_found', as(driver));
        await refused(server, 'POST', `/orders/${order.order_id}/accept`, 403, 'forbidden', as(customer));
      });
    });
  });
}
