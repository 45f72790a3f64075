// The REST routes of the driver app and of its back office, and the back office's live feed.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { ADMIN, BURGERS, createOrder, logInAdmin, newDriver, newDrivers, refused, v1 } from './drivers-people.js';
import { PASSWORD, call, register } from './people.js';
import { RawSocket, connectAdmin, connectDriver, wsUrl } from './raw-sockets.js';
import { STORES, startServer } from './server.js';

const ID = /^[0-9a-f]{24}$/;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** What every order has, whether something is known there or not. */
const ORDER_FIELDS = [
  'created_at', 'customer_name', 'customer_phone', 'delivery_address', 'delivery_lat', 'delivery_lng', 'distance_km', 'driver_id',
  'earnings', 'id', 'items', 'note', 'order_id', 'order_total', 'pickup_address', 'pickup_lat', 'pickup_lng', 'restaurant_name',
  'status', 'updated_at',
];

/** Whether everything in an answer is called in snake_case. */
function assertSnakeCase(value) {
  if (Array.isArray(value)) value.forEach(assertSnakeCase);
  else if (value && typeof value === 'object') {
    for (const [name, inner] of Object.entries(value)) {
      assert.match(name, /^[a-z]+(_[a-z]+)*$/);
      assertSnakeCase(inner);
    }
  }
}

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
        const at = (n) => new Date(Date.now() - 60_000 + n * 1000).toISOString();
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

    describe('the back office', () => {
      let feed;
      before(async () => { feed = await connectAdmin(server, admin); });
      after(() => feed.close());

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
        assert.equal((await v1(server, 'POST', `/orders/${order.id}/unassign`, as(admin))).driver_id, null);
        await refused(server, 'POST', `/orders/${order.id}/unassign`, 409, 'conflict', as(admin));
        const anew = await v1(server, 'POST', `/orders/${order.order_id}/assign`, as(admin, { driver_id: two.id, earnings: 8 }));
        assert.deepEqual([anew.driver_id, anew.earnings], [two.number, 8]);
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
  });
}
