// The driver app of seed 002: the orders that it is told of, each driver their own, and none is missed.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { io } from 'socket.io-client';

import { ADMIN, BURGERS, createOrder, location, logInAdmin, newDriver, newDrivers, trail, v1 } from './drivers-people.js';
import { call, register } from './people.js';
import { connectDriver } from './raw-sockets.js';
import { Inbox, connected } from './sockets.js';
import { STORES, startServer } from './server.js';

for (const { store, skip } of STORES) {
  describe(`the driver app's orders on ${store}`, { skip }, () => {
    let server;
    let admin;
    let driver;
    let app;

    before(async () => {
      server = await startServer({ store, env: ADMIN });
      [admin, driver] = await Promise.all([logInAdmin(server), newDriver(server)]);
    });

    after(() => server?.close());

    describe('what the app is sent', () => {
      let other;
      before(async () => {
        other = await newDriver(server);
        app = await connectDriver(server, driver);
      });
      after(() => app.close());

      it('an order that an admin assigns, before the admin is answered', async () => {
        const order = await createOrder(server, admin);
        await v1(server, 'POST', `/orders/${order.order_id}/assign`, { token: admin.token, body: { driver_id: driver.number } });
        await app.settle();
        const [assigned] = app.heard.all('order_assigned').filter(({ order_id }) => order_id === order.order_id);
        assert.ok(assigned, app.heard.names.join(', '));
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
  });
}
