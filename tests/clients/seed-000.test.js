// The dashboards of the document "Real-Time Driver Location Server": its example flow word for
// word, both cadences, and who is told what is wrong.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { CADENCES, dashboard, update, watch } from './dashboards.js';
import { ADMIN, SECRET, newDriver, resign } from './drivers-people.js';
import { call, register } from './people.js';
import { FlatSocket, wsUrl } from './raw-sockets.js';
import { inTime } from './sockets.js';
import { STORES, startServer } from './server.js';

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const OFFLINE_MESSAGE = 'Driver has been offline for a while now';

/** Logs a demo driver in: the token. */
async function logIn(server, username, password) {
  const { status, body } = await call(server, 'POST', '/login', { body: { username, password } });
  assert.equal(status, 200, JSON.stringify(body));
  return body;
}

/** The times of the next `count` payloads of `name` after those that are there. */
async function arrivals(socket, name, count) {
  const times = [];
  const already = socket.heard.all(name).length;
  for (let n = 1; n <= count; n += 1) {
    await socket.heard.until(name, () => socket.heard.all(name).length >= already + n);
    times.push(Date.now());
  }
  return times;
}

for (const { store, skip } of STORES) {
  describe(`seed 000 on ${store}`, { skip }, () => {
    let server;
    let token;

    before(async () => {
      server = await startServer({ store, env: { ...CADENCES, ...ADMIN, DEMO_DRIVERS: 'on', JWT_SECRET: SECRET } });
      ({ token } = await logIn(server, 'driver1', 'pass1'));
    });

    after(() => server?.close());

    describe('the example flow', () => {
      let client;
      after(() => client?.close());

      it('logs in each of the three drivers', async () => {
        for (const [username, password, name] of [['driver1', 'pass1', 'Josh'], ['driver2', 'pass2', 'Ana'], ['driver3', 'pass3', 'Mike']]) {
          const body = await logIn(server, username, password);
          assert.deepEqual(body, { token: body.token, driver: { id: username, username, name, image: `${username}.png` } });
          const { iat, exp, driverId } = JSON.parse(Buffer.from(body.token.split('.')[1], 'base64url'));
          assert.deepEqual([exp - iat, driverId], [300, username]);
        }
      });

      it('takes the driver’s place', async () => {
        const { status, body } = await update(server, token, { lat: 40.7128, long: 74.006 });
        assert.deepEqual([status, body], [200, { success: true }]);
      });

      it('tells a client that watches where the driver is, at once', async () => {
        client = await dashboard(server, token);
        watch(client, 'driver1');
        const { lastUpdate, ...location } = await client.heard.find('location');
        assert.match(lastUpdate, TIME);
        assert.deepEqual(location, { username: 'driver1', name: 'Josh', lat: 40.7128, long: 74.006, heading: null, speed: null });
        assert.deepEqual(client.heard.names.filter((name) => name !== 'location'), []);
      });

      it('tells of every move, by socket and by REST, at once', async () => {
        const driver = await dashboard(server, token, 'driver');
        driver.sendFrame({ type: 'locationUpdate', lat: 40.8, long: 74.1 });
        await client.heard.find('location', ({ lat, long }) => lat === 40.8 && long === 74.1);
        await update(server, token, { lat: 0, long: 0 });
        await client.heard.find('location', ({ lat, long }) => lat === 0 && long === 0);
        assert.deepEqual(driver.heard.names, []);
        await driver.close();
      });

      it('tells again and again, then that the driver is offline, less often, then of the next move', async () => {
        const start = Date.now();
        await update(server, token, { lat: 1, long: 1 });
        await client.heard.find('location', ({ lat }) => lat === 1);
        // Anything may arrive late, and nothing early: so times are counted from what is known to be before.
        const [, , third] = await arrivals(client, 'location', 3);
        assert.ok(third - start >= 600, `${third - start} ms`);
        const offline = await client.heard.find('offline', ({ lastUpdate }) => Date.parse(lastUpdate) >= start);
        assert.match(offline.lastUpdate, TIME);
        assert.deepEqual([offline.errorCode, offline.errorMessage, offline.username], ['OFFLINE_DRIVER', OFFLINE_MESSAGE, 'driver1']);
        const since = Date.parse(offline.lastUpdate);
        assert.ok(Date.now() - since >= 3000);
        const locations = client.heard.all('location').length;
        const [, fifth] = await arrivals(client, 'offline', 2);
        assert.ok(fifth - since >= 3000 + 2 * 900, `${fifth - since} ms`);
        assert.equal(client.heard.all('location').length, locations);
        await update(server, token, { lat: 2, long: 2 });
        await client.heard.find('location', ({ lat }) => lat === 2);
      });

      it('tells nothing more after unwatch', async () => {
        client.sendFrame({ type: 'unwatch', driverId: 'driver1' });
        // Frames are taken in their order: this one’s answer comes after all that was told before.
        watch(client, 'driver2');
        await client.heard.find('offline', ({ username }) => username === 'driver2');
        const before = client.heard.all('location').length;
        await update(server, token, { lat: 3, long: 3 });
        await arrivals(client, 'offline', 1);
        assert.equal(client.heard.all('location').length, before);
      });
    });

    it('says that a driver is offline of whom nothing was ever heard, with lastUpdate null', async () => {
      const client = await dashboard(server, token);
      watch(client, 'driver3');
      assert.deepEqual(await client.heard.find('offline'),
        { errorCode: 'OFFLINE_DRIVER', errorMessage: OFFLINE_MESSAGE, lastUpdate: null, username: 'driver3' });
      await client.close();
    });

    it('watches several drivers, by number and id too', async () => {
      const [one, two] = await Promise.all([newDriver(server), newDriver(server)]);
      const client = await dashboard(server, (await register(server, 'client')).token);
      watch(client, one.number);
      watch(client, two.id);
      for (const { username } of [one, two]) await client.heard.find('offline', (gone) => gone.username === username);
      await Promise.all([one, two].map((driver, n) => update(server, driver.token, { lat: n, long: n })));
      for (const { username } of [one, two]) {
        assert.equal((await client.heard.find('location', (at) => at.username === username)).name, username);
      }
      await client.close();
    });

    it('shares drivers with the driver app: what one surface is told the other shows', async () => {
      const driver = await newDriver(server);
      const client = await dashboard(server, token);
      watch(client, driver.username);
      await client.heard.find('offline');
      const timestamp = new Date().toISOString();
      await call(server, 'POST', '/api/drivers/me/location', { token: driver.token, body: { latitude: 5, longitude: 6, heading: 90, speed: 3, timestamp } });
      const { heading, speed, lastUpdate } = await client.heard.find('location', ({ lat }) => lat === 5);
      assert.deepEqual([heading, speed, lastUpdate], [90, 3, timestamp]);
      await client.close();
    });

    describe('what is wrong', () => {
      const refusal = ({ status, body }, wanted, code) => {
        assert.deepEqual([status, body.code, typeof body.error], [wanted, code, 'string']);
        assert.ok(!('success' in body));
      };

      it('answers 401 without a token, 403 with one that is no good', async () => {
        const place = { lat: 1, long: 1 };
        const expired = resign(token, { exp: Math.floor(Date.now() / 1000) - 1 });
        refusal(await update(server, undefined, place), 401, 'unauthenticated');
        refusal(await update(server, 'garbage', place), 403, 'unauthenticated');
        refusal(await update(server, resign(token, {}, 'x'.repeat(40)), place), 403, 'unauthenticated');
        refusal(await update(server, expired, place), 403, 'token_expired');
        refusal(await update(server, (await register(server, 'client')).token, place), 403, 'forbidden');
      });

      it('refuses a wrong login, and who does not drive', async () => {
        const client = await register(server, 'client');
        const logins = [
          [{ username: 'driver1', password: 'wrong' }, 401, 'unauthenticated'], [{ username: 'nobody', password: 'pass1' }, 401, 'unauthenticated'],
          [{ username: 'driver1' }, 400, 'validation_failed'], [{ username: client.username, password: 'password123' }, 403, 'forbidden'],
        ];
        for (const [body, status, code] of logins) refusal(await call(server, 'POST', '/login', { body }), status, code);
      });

      it('takes no place that there is not', async () => {
        for (const place of [{ lat: 90.1, long: 0 }, { lat: 0, long: -180.1 }, { lat: 1 }, {}, { lat: '1', long: 1 }]) {
          refusal(await update(server, token, place), 400, 'validation_failed');
        }
        for (const place of [{ lat: 0, long: 0 }, { lat: -90, long: 180 }]) assert.equal((await update(server, token, place)).status, 200);
      });

      it('answers frames that it cannot read, or that are not allowed, and stays', async () => {
        const [client, driver] = await Promise.all([dashboard(server, (await register(server, 'client')).token), dashboard(server, token)]);
        const wrong = [
          [client, '{nope', 'malformed'], [client, '7', 'validation_failed'], [client, '{}', 'validation_failed'],
          [client, '{"type":"dance"}', 'not_found'], [client, '{"type":"watch"}', 'validation_failed'],
          [client, '{"type":"watch","driverId":"nobody-here"}', 'not_found'],
          [client, '{"type":"locationUpdate","lat":1,"long":1}', 'forbidden'],
          [driver, '{"type":"locationUpdate","lat":91,"long":1}', 'validation_failed'], [driver, '{"type":"locationUpdate"}', 'validation_failed'],
        ];
        for (const [socket, frame, code] of wrong) {
          const already = socket.heard.all('error').length;
          socket.socket.send(frame);
          await socket.heard.until('error', () => socket.heard.all('error').length > already);
          const error = socket.heard.all('error').at(-1);
          assert.deepEqual([error.code, typeof error.error], [code, 'string'], frame);
        }
        watch(client, 'driver1');
        await inTime(Promise.race([client.heard.find('location'), client.heard.find('offline')]), 'an answer');
        await Promise.all([client.close(), driver.close()]);
      });

      it('lets nobody do anything before auth, and lets them try again', async () => {
        const socket = await new FlatSocket(wsUrl(server)).opened();
        const tries = [{ type: 'watch', driverId: 'driver1' }, { type: 'auth', role: 'client' }, { type: 'auth', role: 'client', token: 'garbage' },
          { type: 'auth', role: 'client', token: resign(token, { exp: 1 }) }];
        for (const [n, frame] of tries.entries()) {
          socket.sendFrame(frame);
          const error = (await socket.heard.count('error', n + 1)).at(-1);
          assert.match(error.code, /^(unauthenticated|token_expired)$/);
          assert.equal(typeof error.error, 'string');
        }
        socket.sendFrame({ type: 'auth', role: 'client', token });
        watch(socket, 'driver3');
        await socket.heard.find('offline');
        await socket.close();
      });

      it('closes with 4001 who does not say who they are within 10 s', async () => {
        const start = Date.now();
        const socket = await new FlatSocket(wsUrl(server)).opened();
        const { code } = await inTime(socket.closed, 'close', 15_000);
        assert.equal(code, 4001);
        assert.ok(Date.now() - start > 9500, `${Date.now() - start} ms`);
      });
    });

    it('lets a socket outlive its token: it has said once who it is', async () => {
      const brief = resign(token, { exp: Math.ceil(Date.now() / 1000) + 4 });
      const { exp } = JSON.parse(Buffer.from(brief.split('.')[1], 'base64url'));
      const client = await dashboard(server, brief);
      watch(client, 'driver1');
      await client.heard.until('something after the token’s end', () => client.heard.names.length > 0 && Date.now() > 1000 * exp + 1000);
      await update(server, token, { lat: 7, long: 8 });
      await client.heard.find('location', ({ lat }) => lat === 7);
      await client.close();
    });

    it('shows the page to those who ask for one at the same address', async () => {
      const answer = await fetch(`${server.url}/`);
      assert.equal(answer.status, 200);
      assert.match(answer.headers.get('content-type'), /^text\/html/);
    });
  });
}
