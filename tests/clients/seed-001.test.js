// The clients of the order tracking document: a customer and three drivers who connect with the
// token in the query, as the document says, and use the events that its clients know.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { io } from 'socket.io-client';

import { call, register } from './people.js';
import { Inbox, ORDER_EVENTS, ask, connected } from './sockets.js';
import { STORES, startServer } from './server.js';

const ID = /^[0-9a-f]{24}$/;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

const GROCERIES = {
  items: [{ name: 'Milk', quantity: 2, price: 1.25 }, { name: 'Bread', quantity: 1, price: 3.5 }, 'A lemon'],
  total: 6.5,
  pickup: { name: 'Corner Shop', address: 'Market Square 1', lat: 52.52, lng: 13.4 },
  dropoff: { address: 'Elm Street 9', lat: 52.53, lng: 13.41 },
  note: 'Ring twice',
};

/** One of the document's clients: connected, with everything it has heard. */
class Client {
  static async connect(server, person, { namespace, transports }) {
    const socket = io(server.url + namespace, { query: { token: person.token }, transports, forceNew: true });
    const client = new Client();
    client.person = person;
    client.socket = socket;
    client.heard = new Inbox(socket, ORDER_EVENTS);
    await connected(socket);
    return client;
  }

  /** Emits as the document's clients do: without a callback. */
  emit(event, payload) { this.socket.emit(event, payload); }

  ask(event, payload) { return ask(this.socket, event, payload); }

  close() { this.socket.disconnect(); }
}

for (const { store, skip } of STORES) {
  for (const namespace of ['/', '/orders']) {
    for (const transport of ['websocket', 'polling']) {
      describe(`seed 001 on ${namespace}, ${transport}, ${store}`, { skip }, () => {
        let server;
        let customer;
        let drivers;
        let order;

        before(async () => {
          server = await startServer({ store });
          const how = { namespace, transports: [transport] };
          customer = await Client.connect(server, await register(server, 'customer'), how);
          const people = await Promise.all([1, 2, 3].map((n) => register(server, `driver${n}`, 'driver')));
          drivers = await Promise.all(people.map((person) => Client.connect(server, person, how)));
        });

        after(async () => {
          [customer, ...drivers ?? []].forEach((client) => client?.close());
          await server?.close();
        });

        it('refuses a client without a token', async () => {
          const socket = io(server.url + namespace, { transports: [transport], forceNew: true, reconnection: false });
          await assert.rejects(connected(socket), /Authentication error/);
          socket.disconnect();
        });

        it('tells the drivers of a new order, and the customer that it is placed', async () => {
          customer.emit('placeOrder', GROCERIES);
          order = await customer.heard.find('orderPlaced');
          assert.match(order._id, ID);
          assert.equal(order.id, order._id);
          assert.equal(order.orderNumber, 1);
          assert.equal(order.userId, customer.person.id);
          assert.equal(order.status, 'pending');
          assert.deepEqual(order.items.map(({ name, quantity, price }) => [name, quantity, price]),
            [['Milk', 2, 1.25], ['Bread', 1, 3.5], ['A lemon', 1, null]]);
          assert.equal(order.total, 6.5);
          assert.equal(order.pickup.name, 'Corner Shop');
          assert.ok(order.distanceKm > 1.2 && order.distanceKm < 1.4, order.distanceKm);
          assert.deepEqual(order.rejections, []);
          assert.deepEqual(order.history.map(({ status, by }) => [status, by]), [['pending', customer.person.id]]);
          assert.match(order.createdAt, TIME);
          for (const driver of drivers) {
            const offered = await driver.heard.find('newOrder');
            assert.equal(offered._id, order._id);
          }
        });

        it('lets a driver reject it', async () => {
          const rejected = await drivers[0].ask('orderReject', { orderId: order._id, reason: 'Too far' });
          assert.equal(rejected.ok, true);
          assert.equal(rejected.order.rejections[0].driverId, drivers[0].person.id);
        });

        it('gives it to one driver, tells the customer, and takes it from the others', async () => {
          drivers[1].emit('orderAccept', { orderId: order._id });
          for (const client of [customer, drivers[1]]) {
            const accepted = await client.heard.find('orderAccepted');
            assert.equal(accepted.status, 'preparing');
            assert.equal(accepted.driverId, drivers[1].person.id);
            assert.equal(accepted.driver.username, drivers[1].person.username);
          }
          assert.equal((await drivers[2].heard.find('removeOrder')).orderId, order._id);
          drivers[2].emit('orderAccept', { orderId: order._id });
          const refused = await drivers[2].heard.find('orderError');
          assert.equal(refused.code, 'conflict');
          assert.equal(refused.orderId, order._id);
        });

        it('shows the customer where the driver is', async () => {
          const tracked = await customer.ask('trackOrder', { orderId: order._id });
          assert.equal(tracked.ok, true);
          assert.equal(tracked.order.status, 'preparing');
          drivers[1].emit('location_update', { latitude: 52.525, longitude: 13.405, heading: 45, speed: 8 });
          const location = await customer.heard.find('driverLocation');
          assert.equal(location.orderId, order._id);
          assert.equal(location.driverId, drivers[1].person.id);
          assert.deepEqual([location.latitude, location.longitude, location.heading, location.speed], [52.525, 13.405, 45, 8]);
          assert.match(location.timestamp, TIME);
          assert.ok(location.etaSeconds > 0 && location.isEstimate);
        });

        it('follows the status step by step, in the old spelling too', async () => {
          const steps = [['updateOrderStatus', 'preparing', 'outForDelivery'], ['udpateOrderStatus', 'outForDelivery', 'delivered']];
          for (const [event, previousStatus, status] of steps) {
            drivers[1].emit(event, { orderId: order._id, status });
            for (const client of [customer, drivers[1]]) {
              const updated = await client.heard.find('orderStatusUpdated', (one) => one.status === status);
              assert.equal(updated.orderId, order._id);
              assert.equal(updated.previousStatus, previousStatus);
              assert.match(updated.timestamp, TIME);
            }
          }
          const back = await drivers[1].ask('updateOrderStatus', { orderId: order._id, status: 'preparing' });
          assert.equal(back.error.code, 'conflict');
        });

        it('has the whole life of the order by REST', async () => {
          const { body } = await call(server, 'GET', `/api/orders/${order.orderNumber}`, { token: customer.person.token });
          assert.deepEqual(body.data.order.history.map(({ status }) => status),
            ['pending', 'preparing', 'outForDelivery', 'delivered']);
          const trail = await call(server, 'GET', `/api/orders/${order._id}/track`, { token: customer.person.token });
          assert.equal(trail.body.data.points.length, 1);
        });

        it('cancels an order, and tells who was offered it', async () => {
          const { order: second } = await customer.ask('placeOrder', { items: ['Eggs'] });
          await drivers[2].heard.find('newOrder', ({ _id }) => _id === second._id);
          customer.emit('cancelOrder', { orderId: second._id, reason: 'Changed my mind' });
          const cancelled = await customer.heard.find('orderCancelled');
          assert.deepEqual([cancelled.orderId, cancelled.reason, cancelled.cancelledBy],
            [second._id, 'Changed my mind', customer.person.id]);
          await drivers[2].heard.find('removeOrder', ({ orderId }) => orderId === second._id);
        });

        it('tells a driver who connects later of what is still pending', async () => {
          const { order: third } = await customer.ask('placeOrder', { items: ['Tea'] });
          const person = await register(server, 'late', 'driver');
          const late = await Client.connect(server, person, { namespace, transports: [transport] });
          assert.equal((await late.heard.find('newOrder'))._id, third._id);
          late.close();
        });
      });
    }
  }
}
