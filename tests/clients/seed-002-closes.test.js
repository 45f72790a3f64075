// How the driver app's sockets end: each close code arrives, every time, whatever the app is just
// sending; and a socket lives as long as its token, or as the login session that is refreshed.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import WebSocket from 'ws';

import { SECRET, logIn, newDriver, newDrivers, resign, v1 } from './drivers-people.js';
import { connectDriver, driverSocket } from './raw-sockets.js';
import { inTime } from './sockets.js';
import { STORES, startServer } from './server.js';

const TIMES = 200;
const PARTS = 10;

/** What an app with much to say sends on and on, until the socket closes. */
const CHATTER = JSON.stringify({ type: 'location_update', data: { latitude: 28.7041, longitude: 77.1025, accuracy: 10.5, speed: 25.5 } });

/** Has `socket` send on and on, three frames every `pause` ms: as fast as they are taken, no faster. */
function chatter(socket, pause = 2) {
  const say = () => {
    if (socket.socket.readyState !== WebSocket.OPEN) return;
    for (let n = 0; n < 2; n += 1) socket.socket.send(CHATTER);
    socket.socket.send(CHATTER, () => setTimeout(say, pause));
  };
  say();
  return socket;
}

/** All of `times`, a part of them at once. */
async function inParts(times, work) {
  for (let n = 0; n < times; n += times / PARTS) {
    await Promise.all(Array.from({ length: times / PARTS }, (_, m) => work(n + m)));
  }
}

/** How often the sockets ended with which code. */
async function codes(sockets) {
  const ends = await Promise.all(sockets.map((socket) => inTime(socket.closed, 'close', 30_000)));
  return tally(ends);
}

function tally(ends) {
  const counts = {};
  for (const { code } of ends) counts[code] = (counts[code] ?? 0) + 1;
  return counts;
}

for (const { store, skip } of STORES) {
  describe(`how sockets end, ${store}`, { skip }, () => {
    let server;
    let drivers;

    before(async () => {
      server = await startServer({ store, env: { JWT_SECRET: SECRET } });
      drivers = await newDrivers(server, TIMES / PARTS);
    });

    after(() => server?.close());

    it(`4001, ${TIMES} times of ${TIMES}`, async () => {
      const ends = [];
      const expired = drivers.map((driver) => resign(driver.token, { exp: Math.floor(Date.now() / 1000) - 5 }));
      await inParts(TIMES, async (n) => {
        const who = n % drivers.length;
        const socket = driverSocket(server, drivers[who], { token: [expired[who], 'garbage', null][n % 3] });
        socket.socket.on('open', () => chatter(socket));
        ends.push(await socket.end());
      });
      assert.deepEqual(tally(ends), { 4001: TIMES });
      assert.ok(ends.every(({ reason }) => reason === 'Authentication failed'));
    });

    it(`4003 to the first of two connections, ${TIMES} times of ${TIMES}`, async () => {
      const ends = [];
      const last = await Promise.all(drivers.map(async (driver) => {
        let current = chatter(await connectDriver(server, driver));
        for (let n = 0; n < PARTS; n += 1) {
          const next = chatter(await connectDriver(server, driver));
          ends.push(await current.end());
          current = next;
        }
        return current;
      }));
      assert.deepEqual(tally(ends), { 4003: TIMES });
      await Promise.all(last.map(async (socket) => {
        await socket.settle();
        assert.equal((await socket.close()).code, 1000);
      }));
    });

    it('4003 to the first of two that come at once, and one is left', async () => {
      for (const driver of drivers) {
        const both = [1, 2].map(() => driverSocket(server, driver));
        await Promise.all(both.map((socket) => socket.opened()));
        assert.equal((await inTime(Promise.race(both.map((socket) => socket.closed)), 'close')).code, 4003);
        const [left, ...more] = both.filter((socket) => socket.socket.readyState === WebSocket.OPEN);
        assert.deepEqual(more, []);
        await left.settle();
        await left.close();
      }
    });

    it(`1000 when the app goes offline, ${TIMES} times of ${TIMES}`, async () => {
      const ends = [];
      await inParts(TIMES, async (n) => {
        const socket = chatter(await connectDriver(server, drivers[n % drivers.length]));
        ends.push(await socket.close());
      });
      assert.deepEqual(tally(ends), { 1000: TIMES });
    });

    it(`1009 for a frame over 64 KiB, ${TIMES} times of ${TIMES}`, async () => {
      const large = JSON.stringify({ type: 'ping', data: 'x'.repeat(65_536) });
      const ends = [];
      await inParts(TIMES, async (n) => {
        const socket = await connectDriver(server, drivers[n % drivers.length]);
        socket.socket.send(large);
        chatter(socket);
        ends.push(await socket.end());
      });
      assert.deepEqual(tally(ends), { 1009: TIMES });
    });

    it('takes a frame of 64 KiB', async () => {
      const frame = (length) => JSON.stringify({ type: 'ping', filler: 'x'.repeat(length) });
      const largest = frame(65_536 - frame(0).length);
      assert.equal(largest.length, 65_536);
      const socket = await connectDriver(server, drivers[0]);
      socket.socket.send(largest);
      await socket.heard.find('pong');
      await socket.close();
    });

    it('closes with a code what is no text and what is no WebSocket', async () => {
      const text = await connectDriver(server, drivers[0]);
      text.socket.send(Buffer.from([0xff, 0xfe]), { binary: false });
      assert.equal((await text.end()).code, 1007);
      const wrong = await connectDriver(server, drivers[0]);
      // A frame that is not masked.
      wrong.socket._socket.write(Buffer.from([0x81, 0x02, 0x7b, 0x7d]));
      assert.equal((await wrong.end()).code, 1002);
    });
  });

  describe(`when a server stops, ${store}`, { skip }, () => {
    it(`1001 to all ${TIMES}`, async () => {
      const server = await startServer({ store });
      try {
        const drivers = await newDrivers(server, TIMES);
        const sockets = await Promise.all(drivers.map((driver) => connectDriver(server, driver)));
        // More than can be written down before the end.
        sockets.forEach((socket) => chatter(socket, 5));
        const [stopped, ends] = await Promise.all([server.stop(), codes(sockets)]);
        assert.equal(stopped, 0);
        assert.deepEqual(ends, { 1001: TIMES });
        for (const socket of sockets) assert.equal(socket.heard.all('server_shutdown').length, 1);
      } finally {
        await server.close();
      }
    });
  });

  describe(`when an app says nothing, ${store}`, { skip }, () => {
    it(`4008 to all ${TIMES}, and not to who sends something`, async () => {
      const server = await startServer({ store, env: { DRIVER_IDLE_TIMEOUT: '3s' } });
      try {
        const [busy, ...drivers] = await newDrivers(server, TIMES + 1);
        const active = chatter(await connectDriver(server, busy), 200);
        const sockets = await Promise.all(drivers.map((driver) => connectDriver(server, driver)));
        assert.deepEqual(await codes(sockets), { 4008: TIMES });
        await active.settle();
        assert.equal((await active.close()).code, 1000);
      } finally {
        await server.close();
      }
    });
  });

  describe(`a token's end, ${store}`, { skip }, () => {
    let server;
    let expiry;
    before(async () => { server = await startServer({ store, env: { JWT_EXPIRES_IN: '2m', JWT_SECRET: SECRET } }); });
    after(() => server?.close());

    /** A driver's socket whose token ends in some seconds. */
    function connectBriefly(driver) {
      expiry ??= Math.ceil(Date.now() / 1000) + 5;
      return connectDriver(server, driver, { token: resign(driver.token, { exp: expiry }) });
    }

    it('ends the socket with 4001 unless the app refreshes its token, by REST or over the socket', async () => {
      const [byRest, bySocket, neither] = await newDrivers(server, 3);
      const { token } = await logIn(server, bySocket);
      const sockets = await Promise.all([byRest, bySocket, neither].map(connectBriefly));
      const [rest, socket, left] = sockets.map((one) => chatter(one));
      assert.equal(Date.parse((await left.heard.find('token_expiring')).expiresAt), 1000 * expiry);

      const fresh = await v1(server, 'POST', '/auth/refresh', { body: { refresh_token: byRest.refreshToken } });
      socket.sendFrame({ type: 'refresh_token', id: 7, data: { token } });
      assert.deepEqual((await socket.heard.find('ack')).ok, true);

      assert.equal((await left.end()).code, 4001);
      assert.equal(left.heard.all('token_expired').length, 1);
      await Promise.all([rest.settle(), socket.settle()]);
      await Promise.all([rest.close(), socket.close()]);
      await (await connectDriver(server, byRest, { token: fresh.access_token })).close();
    });

    it('says no to a refresh with somebody else’s token, and with none', async () => {
      const [driver, other] = await newDrivers(server, 2);
      const socket = await connectDriver(server, driver);
      for (const [n, data] of [{ token: other.token }, {}, { token: 'garbage' }].entries()) {
        socket.send('refresh_token', data);
        await socket.heard.count('error', n + 1);
      }
      await socket.settle();
      await socket.close();
    });
  });
}
