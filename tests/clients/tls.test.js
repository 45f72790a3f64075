// The server ends TLS itself: every kind of client gets in, and a new certificate disturbs nobody.

import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { request } from 'node:https';
import { connect as connectTcp } from 'node:net';
import { json } from 'node:stream/consumers';
import { after, afterEach, before, describe, it } from 'node:test';
import { connect } from 'node:tls';
import { io } from 'socket.io-client';
import WebSocket from 'ws';

import { PASSWORD, uniqueName } from './people.js';
import { startServer } from './server.js';
import { inTime } from './sockets.js';
import { newCertificate } from './tls.js';

describe('TLS in process', () => {
  let server;
  let certificate;
  let alice;
  let bob;

  before(async () => {
    certificate = await newCertificate();
    server = await startServer({ certificate });
    [alice, bob] = await Promise.all([register('alice'), register('bob')]);
  });

  after(() => server?.close());

  async function register(stem, role) {
    const username = uniqueName(stem);
    const asked = request(`${server.url}/api/auth/register`, {
      method: 'POST', ca: certificate.cert, headers: { 'Content-Type': 'application/json' },
    });
    asked.end(JSON.stringify({ username, email: `${username}@example.com`, password: PASSWORD, role }));
    const [answer] = await once(asked, 'response');
    const { data } = await json(answer);
    assert.equal(answer.statusCode, 201);
    return { id: data.user._id, number: data.user.driverId, token: data.token };
  }

  const sockets = new Set();
  afterEach(() => sockets.forEach((socket) => socket.close()));

  async function join(person, options) {
    const socket = io(server.url, { ca: certificate.cert, auth: { token: person.token }, forceNew: true, ...options });
    sockets.add(socket);
    const failed = new Promise((_, reject) => { socket.on('connect_error', reject); });
    await inTime(Promise.race([new Promise((resolve) => { socket.on('connect', resolve); }), failed]), 'connect');
    return socket;
  }

  /** The fingerprint of the certificate that a new connection is shown. */
  async function shown() {
    const socket = connect({ port: Number(new URL(server.url).port), host: '127.0.0.1', rejectUnauthorized: false });
    await once(socket, 'secureConnect');
    const { fingerprint256 } = socket.getPeerCertificate();
    socket.destroy();
    return fingerprint256;
  }

  const fingerprint = ({ cert }) => new X509Certificate(cert).fingerprint256;

  for (const transports of [['websocket'], ['polling'], ['polling', 'websocket']]) {
    it(`carries the chat of the official client over ${transports.join(', then ')}`, async () => {
      const [one, other] = await Promise.all([join(alice, { transports }), join(bob, { transports })]);
      const arrived = once(other, 'receive_message');
      const content = 'x'.repeat(5000);
      const ack = await one.timeout(5000).emitWithAck('send_message', { receiverId: bob.id, content });
      assert.equal(ack.ok, true);
      assert.equal((await inTime(arrived, 'receive_message'))[0].message.content, content);
    });
  }

  it('carries the driver app over wss', async () => {
    const driver = await register('driver', 'driver');
    const url = `${server.url.replace('http', 'ws')}/api/v1/ws/driver/${driver.id}?token=${driver.token}`;
    const socket = new WebSocket(url, { ca: certificate.cert });
    const [first] = await inTime(once(socket, 'message'), 'connected');
    assert.equal(JSON.parse(first).type, 'connected');
    socket.close(1000);
    assert.equal((await inTime(once(socket, 'close'), 'close'))[0], 1000);
  });

  it('tells who speaks plain HTTP', async () => {
    const asked = httpRequest(`${server.url.replace('https', 'http')}/health/live`).end();
    const [answer] = await inTime(once(asked, 'response'), 'answer');
    assert.equal(answer.statusCode, 400);
    let text = '';
    for await (const part of answer) text += part;
    assert.match(text, /HTTPS/);
  });

  it('speaks HTTP/1.1 alone, and no TLS before 1.2', async () => {
    const port = Number(new URL(server.url).port);
    const options = { port, host: '127.0.0.1', rejectUnauthorized: false };
    const socket = connect({ ...options, ALPNProtocols: ['h2', 'http/1.1'] });
    await once(socket, 'secureConnect');
    assert.equal(socket.alpnProtocol, 'http/1.1');
    socket.destroy();
    const old = connect({ ...options, maxVersion: 'TLSv1.1', minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' });
    await assert.rejects(once(old, 'secureConnect'));
  });

  it('waits for a handshake no longer than TLS_HANDSHAKE_TIMEOUT', async () => {
    const hasty = await startServer({ certificate: await newCertificate(), env: { TLS_HANDSHAKE_TIMEOUT: '500ms' } });
    try {
      const port = Number(new URL(hasty.url).port);
      // Nothing at all; and the first byte of a handshake that does not go on.
      await Promise.all([[], [0x16]].map(async (bytes) => {
        const socket = connectTcp({ port, host: '127.0.0.1' });
        socket.on('error', () => {}).resume().write(Buffer.from(bytes));
        await inTime(once(socket, 'close'), 'close');
      }));
    } finally {
      await hasty.close();
    }
  });

  it('takes a new certificate on SIGHUP, keeps a good one in the place of a bad one, and drops nobody', async () => {
    const socket = await join(alice, { transports: ['websocket'] });
    socket.on('disconnect', (reason) => assert.fail(`disconnected: ${reason}`));
    assert.equal(await shown(), fingerprint(certificate));

    await server.install({ ...certificate, key: 'no key' });
    server.hangUp();
    await server.logged(/cannot be renewed.*TLS_KEY/);
    assert.equal(await shown(), fingerprint(certificate));

    const fresh = await newCertificate();
    await server.install(fresh);
    server.hangUp();
    await server.logged(/a new TLS certificate is used/);
    assert.equal(await shown(), fingerprint(fresh));
    const ack = await socket.timeout(5000).emitWithAck('send_message', { receiverId: bob.id, content: 'still here' });
    assert.equal(ack.ok, true);
    socket.off('disconnect');
  });

  it('refuses to start with a key of another certificate, and names it', async () => {
    const other = await newCertificate();
    await assert.rejects(startServer({ certificate: { ...certificate, key: other.key } }), /TLS_CERT and TLS_KEY/);
  });
});
