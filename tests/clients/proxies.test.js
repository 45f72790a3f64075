// What the files of deploy/ promise besides letting clients through: whose limits count, what is closed, what is logged.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import { after, before, describe, it } from 'node:test';

import { startHaproxy, startNginx } from './proxies.js';
import { startServer } from './server.js';
import { newCertificate } from './tls.js';

const HANDSHAKE = '/socket.io/?EIO=4&transport=polling';
const PROXIES = { nginx: startNginx, HAProxy: (port, certificate) => startHaproxy([port, port], certificate) };

for (const [name, startProxy] of Object.entries(PROXIES)) {
  describe(`the server behind ${name}`, () => {
    let server;
    let proxy;
    let certificate;

    before(async () => {
      certificate = await newCertificate();
      server = await startServer({ env: { TRUSTED_PROXIES: '127.0.0.1', RATE_LIMITS: 'on', RATE_LIMIT_CONNECTS: '3/1m' } });
      proxy = await startProxy(server.port, certificate);
    });

    after(() => Promise.all([proxy?.close(), server?.close()]));

    /** The answer to a request that comes from an address of this machine. */
    async function ask(url, options = {}) {
      const { get } = url.startsWith('https') ? https : http;
      const [answer] = await once(get(url, { ca: certificate.cert, agent: false, ...options }), 'response');
      answer.resume();
      return answer;
    }

    const handshakes = async (times, options) => {
      const statuses = [];
      while (statuses.length < times) statuses.push((await ask(proxy.url + HANDSHAKE, options)).statusCode);
      return statuses;
    };

    it('counts each client by its own address, whatever it says of itself', async () => {
      assert.deepEqual(await handshakes(4, { localAddress: '127.0.0.2' }), [200, 200, 200, 429]);
      assert.deepEqual(await handshakes(1, { localAddress: '127.0.0.2', headers: { 'X-Forwarded-For': '192.0.2.1' } }), [429]);
      assert.deepEqual(await handshakes(1, { localAddress: '127.0.0.3' }), [200]);
    });

    it('keeps metrics to itself', async () => {
      assert.equal((await ask(`${proxy.url}/metrics`)).statusCode, 403);
      assert.equal((await ask(`${server.url}/metrics`)).statusCode, 200);
    });

    if (name !== 'nginx') return;

    it('leads from HTTP to HTTPS', async () => {
      const { statusCode, headers } = await ask(`${proxy.plain}/docs`);
      assert.deepEqual([statusCode, headers.location], [301, 'https://127.0.0.1/docs']);
    });

    it('logs no query, where tokens may stand, also while the server is away', async () => {
      const asked = '/health/live?token=abc.def.ghi';
      assert.equal((await ask(proxy.url + asked)).statusCode, 200);
      await server.stop();
      assert.equal((await ask(proxy.url + asked)).statusCode, 502);
      assert.equal((await ask(proxy.plain + asked)).statusCode, 301);
      const [access, ...others] = await proxy.logs();
      assert.match(access, /GET \/health\/live 200[^]*GET \/health\/live 502/);
      for (const log of [access, ...others]) assert.doesNotMatch(log, /abc\.def\.ghi/);
    });
  });
}
