// Servers are replaced while clients write: no acked message is lost, none is stored twice, and nobody is left behind.
//
// Two processes share a MongoDB behind HAProxy, which nginx without its paid parts could not do: it asks nobody for their
// health, and has no cookie that keeps a polling client at its process. There is no relay between processes yet: what
// is written on one reaches sockets on the other only by `sync`, so everybody is brought up to date by `sync` at the end.
// One process on the embedded store restarts in place, behind nginx.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { ADMIN, SECRET, logInAdmin, newDriver, v1 } from './drivers-people.js';
import { call, register } from './people.js';
import { startHaproxy, startNginx } from './proxies.js';
import { Chatter, Phone } from './rolling-people.js';
import { STORES, freshDatabase, startServer } from './server.js';
import { inTime } from './sockets.js';
import { newCertificate } from './tls.js';

const WAYS = [['websocket'], ['polling'], ['polling', 'websocket']];
const CHATTERS_OF_A_WAY = 4;
const DRIVERS = 6;
/** How long everybody writes before a server is replaced, and after the last, in ms. */
const LOAD_FOR = 1500;
const ENDS_WITHIN = 10_000;
const ENV = { ...ADMIN, JWT_SECRET: SECRET, TRUSTED_PROXIES: '127.0.0.1' };

/** Replaces each of `servers` in turn while everybody writes and drives through the proxy at `url`. */
async function replaceUnderLoad(t, { servers, url, ca, proxyIsReady = () => true }) {
  const [server] = servers;
  const admin = await logInAdmin(server);
  const chatters = [];
  for (const transports of WAYS.flatMap((way) => Array(CHATTERS_OF_A_WAY).fill(way))) {
    chatters.push(new Chatter(url, ca, await register(server), transports));
  }
  const phones = [];
  while (phones.length < DRIVERS) phones.push(new Phone(url, ca, await newDriver(server)));
  t.after(() => chatters.forEach(({ socket }) => socket.close()));

  let isOver = false;
  const load = Promise.all([
    ...chatters.map((chatter, index) => chatter.write(chatters[(index + 1) % chatters.length], () => isOver)),
    ...phones.map((phone) => phone.drive(() => isOver)),
  ]);
  const stops = [];
  for (const one of servers) {
    await until('everybody is there', () => [...chatters, ...phones].every(({ isThere }) => isThere));
    await until('the proxy is ready', proxyIsReady);
    await Promise.race([load, sleep(LOAD_FOR)]);
    stops.push(await replaceOne(one));
  }
  await until('everybody is back', () => [...chatters, ...phones].every(({ isThere }) => isThere));
  await Promise.race([load, sleep(LOAD_FOR)]);
  isOver = true;
  await inTime(load, 'every send acked, every driver back', 20_000);

  for (const { exit, took } of stops) {
    assert.equal(exit, 0);
    assert.ok(took < ENDS_WITHIN, `${took} ms to end`);
  }
  assert.deepEqual(chatters.flatMap(({ stranded }) => stranded), []);
  for (const { socket } of chatters) assert.deepEqual([socket.active, socket.connected], [true, true]);
  const stored = await checkMessages(server, chatters);
  const points = await checkPositions(server, admin, phones);
  for (const phone of phones) {
    assert.ok(phone.codes.length > 0 && phone.codes.every((code) => code === 1001), `closed with ${phone.codes}`);
  }
  const sum = (all, of) => all.reduce((total, one) => total + of(one), 0);
  t.diagnostic(`stops: ${stops.map(({ exit, took }) => `exit ${exit} in ${took} ms`).join(', ')}`);
  t.diagnostic(`messages: ${sum(chatters, ({ acked }) => acked.size)} acked, ${stored} stored`);
  t.diagnostic(`sent again: ${sum(chatters, ({ unavailable }) => unavailable)} refused as unavailable, ${sum(chatters, ({ unanswered }) => unanswered)} not answered`);
  t.diagnostic(`${chatters.length} clients connected ${sum(chatters, ({ connects }) => connects)} times; none stranded`);
  t.diagnostic(`positions: ${sum(phones, ({ tries }) => tries)} sent, ${sum(phones, ({ acked }) => acked.size)} acked, ${points} stored`);
  t.diagnostic(`${phones.length} drivers closed with 1001 ${sum(phones, ({ codes }) => codes.length)} times, refused ${sum(phones, ({ refusals }) => refusals)} times, all back`);
}

/** Every acked message is stored once, as it was acked, and both sides know of it; gives how many are stored. */
async function checkMessages(server, chatters) {
  let stored = 0;
  for (const [index, sender] of chatters.entries()) {
    const receiver = chatters[(index + 1) % chatters.length];
    const there = (await conversation(server, sender, receiver)).filter((message) => message.sender._id === sender.id);
    assert.deepEqual(there.map(({ clientMsgId, id }) => [clientMsgId, id]).sort(), [...sender.acked].sort());
    stored += there.length;
    await receiver.catchUp();
    const missed = [...sender.acked.values()].filter((id) => !receiver.told.has(id));
    assert.deepEqual(missed, []);
  }
  return stored;
}

/** All messages between two, the earliest first. */
async function conversation(server, one, other) {
  const all = [];
  for (;;) {
    const after = all.at(-1)?.seq ?? 0;
    const { status, body } = await call(server, 'GET', `/api/messages/${other.id}?limit=200&after=${after}`, { token: one.token });
    assert.equal(status, 200);
    if (body.data.messages.length === 0) return all;
    all.push(...body.data.messages);
  }
}

/** Every acked position is stored once; gives how many are stored. */
async function checkPositions(server, admin, phones) {
  // Those of the last second may be on their way to the disk.
  await sleep(1500);
  let stored = 0;
  for (const { driver, acked } of phones) {
    let times;
    await until('every acked position stored', async () => {
      const trail = await v1(server, 'GET', `/drivers/${driver.number}/trail?limit=5000`, { token: admin.token });
      times = new Set(trail.map(({ timestamp }) => new Date(timestamp).toISOString()));
      assert.equal(times.size, trail.length, 'a position is stored twice');
      return [...acked].every((time) => times.has(time));
    });
    stored += times.size;
  }
  return stored;
}

async function until(what, holds) {
  for (const deadline = Date.now() + 10_000; !await holds(); await sleep(50)) assert.ok(Date.now() < deadline, `not in time: ${what}`);
}

/** Ends a server as an operator would, and starts it again in its place. */
async function replaceOne(server) {
  const began = Date.now();
  const exit = await server.stop();
  const took = Date.now() - began;
  await server.start();
  return { exit, took };
}

describe('two processes on one MongoDB behind HAProxy', { skip: STORES[1].skip }, () => {
  const servers = [];
  let proxy;
  let certificate;

  before(async () => {
    certificate = await newCertificate();
    const env = { ...ENV, MONGODB_URI: freshDatabase() };
    for (let number = 0; number < 2; number++) servers.push(await startServer({ store: 'mongodb', env }));
    proxy = await startHaproxy(servers.map(({ port }) => port), certificate);
  });

  after(() => Promise.all([proxy?.close(), ...servers.map((server) => server.close())]));

  it('are replaced one after the other', async (t) => {
    const proxyIsReady = async () => await proxy.ups() === 2;
    await replaceUnderLoad(t, { servers, url: proxy.url, ca: certificate.cert, proxyIsReady });
  });
});

describe('one process on the embedded store behind nginx', () => {
  let server;
  let proxy;
  let certificate;

  before(async () => {
    certificate = await newCertificate();
    server = await startServer({ env: ENV });
    proxy = await startNginx(server.port, certificate);
  });

  after(() => Promise.all([proxy?.close(), server?.close()]));

  it('restarts in place, twice', async (t) => {
    await replaceUnderLoad(t, { servers: [server, server], url: proxy.url, ca: certificate.cert });
  });
});
