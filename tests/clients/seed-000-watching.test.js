// Who may watch a driver on seed 000's dashboards, and what is not there in production.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { CADENCES, dashboard, update, watch } from './dashboards.js';
import { ADMIN, SECRET, createOrder, logInAdmin, newDriver, v1 } from './drivers-people.js';
import { call, register } from './people.js';
import { STORES, startServer } from './server.js';

for (const { store, skip } of STORES) {
  describe(`who may watch, ${store}`, { skip }, () => {
    let server;
    before(async () => { server = await startServer({ store, env: { ...CADENCES, ...ADMIN, WATCH_POLICY: 'parties' } }); });
    after(() => server?.close());

    it('is, with parties, who has a part in an order of the driver, for as long as that is under way', async () => {
      const [admin, driver, customer, stranger] = await Promise.all([
        logInAdmin(server), newDriver(server), register(server, 'customer'), register(server, 'stranger'),
      ]);
      const [boss, own, owner, other] = await Promise.all([admin, driver, customer, stranger].map(({ token }) => dashboard(server, token)));
      const sees = async (socket, lat) => {
        await update(server, driver.token, { lat, long: 1 });
        await socket.heard.find('location', (at) => at.lat === lat);
      };
      const refused = async (socket) => {
        const already = socket.heard.all('error').length;
        watch(socket, driver.username);
        await socket.heard.until('error', () => socket.heard.all('error').length > already);
        assert.equal(socket.heard.all('error').at(-1).code, 'forbidden');
      };
      for (const socket of [owner, other]) await refused(socket);
      for (const socket of [boss, own]) {
        watch(socket, driver.username);
        await socket.heard.find('offline');
      }

      const { body } = await call(server, 'POST', '/api/orders', { token: customer.token, body: { items: ['Tea'] } });
      const { _id: id } = body.data.order;
      await v1(server, 'POST', `/orders/${id}/assign`, { token: admin.token, body: { driver_id: driver.number } });
      watch(owner, driver.username);
      await sees(owner, 10);
      await refused(other);

      for (const status of ['out_for_delivery', 'delivered']) await v1(server, 'PUT', `/orders/${id}/status`, { token: driver.token, body: { status } });
      await owner.heard.count('error', 2);
      assert.equal(owner.heard.all('error').at(-1).code, 'forbidden');
      for (const socket of [boss, own]) await sees(socket, socket === boss ? 20 : 30);
      assert.deepEqual(owner.heard.all('location').filter(({ lat }) => lat > 10), []);
      assert.deepEqual(other.heard.all('location'), []);
      await refused(owner);

      const again = await createOrder(server, admin, { driver });
      await refused(owner);
      await v1(server, 'POST', `/orders/${again.id}/cancel`, { token: admin.token, body: {} });
      await Promise.all([boss, own, owner, other].map((socket) => socket.close()));
    });
  });

  describe(`in production, ${store}`, { skip }, () => {
    it('there are no demo drivers, and not everyone may watch', async () => {
      const server = await startServer({ store, env: { ...ADMIN, APP_ENV: 'production', JWT_SECRET: SECRET } });
      try {
        assert.equal((await call(server, 'POST', '/login', { body: { username: 'driver1', password: 'pass1' } })).status, 401);
        const [driver, stranger] = await Promise.all([newDriver(server), register(server, 'stranger')]);
        const client = await dashboard(server, stranger.token);
        watch(client, driver.username);
        assert.equal((await client.heard.find('error')).code, 'forbidden');
        await client.close();
      } finally {
        await server.close();
      }
    });
  });
}

describe('in production', () => {
  it('a server with demo drivers does not start', async () => {
    const starts = startServer({ env: { APP_ENV: 'production', JWT_SECRET: SECRET, DEMO_DRIVERS: 'on' } });
    await assert.rejects(starts, /DEMO_DRIVERS/);
  });
});
