// The official Socket.IO clients against the server, on both stores: every transport, version and
// parser in which they come, as their users use them.

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { io as ioV4 } from 'socket.io-client';
import { io as ioV3 } from 'socket.io-client-3';
import ioV2 from 'socket.io-client-2';
import msgpack from 'socket.io-msgpack-parser';

import { call, register, registerPair } from './people.js';
import { EVENTS, Inbox, ROOM_EVENTS, ask, connected, happens } from './sockets.js';
import { STORES, startServer } from './server.js';

const TRANSPORTS = {
  websocket: ['websocket'],
  polling: ['polling'],
  'polling, then websocket': ['polling', 'websocket'],
};
const BURST = 50;

/** How each version of the client is given its token. */
const VERSIONS = {
  4: (url, token, options) => ioV4(url, { auth: { token }, forceNew: true, ...options }),
  3: (url, token, options) => ioV3(url, { query: { token }, forceNew: true, ...options }),
  2: openV2,
};

/** Version 2 would send the query as a part of the namespace, too; a manager of one's own does not. */
function openV2(url, token, options) {
  const { origin, pathname } = new URL(url);
  if (pathname === '/') return ioV2(origin, { query: { token }, forceNew: true, ...options });
  return new ioV2.Manager(origin, { query: { token }, ...options }).socket(pathname);
}

/** How often a burst is repeated: where clients mostly are, twenty times. */
function roundsOf(version, transports) {
  if (version !== 4) return 2;
  return transports.length === 1 ? 20 : 5;
}

let open = [];

function track(socket) {
  open.push(socket);
  return socket;
}

/** A socket of somebody, and its inbox. */
function attach(server, { token }, { version = 4, namespace = '/', ...options } = {}) {
  const socket = track(VERSIONS[version](server.url + namespace, token, options));
  return { socket, inbox: new Inbox(socket, [...EVENTS, ...ROOM_EVENTS]) };
}

async function join(...attachment) {
  const joined = attach(...attachment);
  await connected(joined.socket);
  return joined;
}

async function upgraded({ socket }) {
  if (socket.io.engine.transport.name !== 'websocket') await happens(socket.io.engine, 'upgrade');
  assert.equal(socket.io.engine.transport.name, 'websocket');
}

const contents = (payloads) => payloads.map(({ message }) => message.content);

function closeSockets() {
  for (const socket of open) socket.close();
  open = [];
}

/** Sends one message each way, and checks who is told what. */
async function converse(alice, bob, aliceTab, bobTab) {
  const ack = await ask(aliceTab.socket, 'send_message', { receiverId: bob.id, content: 'Hello Bob!', tempId: 'temp-1' });
  assert.equal(ack.ok, true, JSON.stringify(ack));
  assert.equal(ack.tempId, 'temp-1');
  const sent = await aliceTab.inbox.find('message_sent');
  const received = await bobTab.inbox.find('receive_message');
  assert.deepEqual(sent, { message: ack.message, tempId: 'temp-1' });
  assert.deepEqual(received, { message: ack.message });
  assert.equal(received.message.sender._id, alice.id);
  assert.equal(received.message.receiver._id, bob.id);
  bobTab.socket.emit('send_message', { receiverId: alice.id, content: 'Hello Alice!' });
  const answer = await aliceTab.inbox.find('receive_message');
  assert.equal(answer.message.content, 'Hello Alice!');
  assert.equal(answer.message.seq, ack.message.seq + 1);
}

/** One round: a new socket fires its sends the moment it is connected. */
async function burst(server, alice, bob, receiver, options, round) {
  const expected = Array.from({ length: BURST }, (_, number) => `round ${round}, number ${number + 1}`);
  const before = receiver.inbox.all('receive_message').length;
  const sender = attach(server, alice, options);
  const acks = [];
  sender.socket.once('connect', () => {
    for (const content of expected) {
      sender.socket.emit('send_message', { receiverId: bob.id, content }, (ack) => acks.push(ack));
    }
  });
  await sender.inbox.count('message_sent', BURST);
  await receiver.inbox.until('the whole round', () => receiver.inbox.all('receive_message').length >= before + BURST);
  const received = receiver.inbox.all('receive_message').slice(before);
  assert.deepEqual(contents(received), expected);
  assert.deepEqual(received.map(({ message }) => message.seq), received.map((_, index) => before + index + 1));
  // The last ack leaves after the last `message_sent`.
  await ask(sender.socket, 'typing_stop', { receiverId: bob.id });
  assert.deepEqual(acks.map((ack) => ack.ok), expected.map(() => true));
  assert.deepEqual(contents(acks), expected);
  sender.socket.close();
}

/** A private room of the first, with the others in it. */
async function makeRoom(server, owner, ...members) {
  const made = await call(server, 'POST', '/rooms', { token: owner.token, body: { name: 'Room', isPrivate: true } });
  const { id } = made.body.data.room;
  const { body } = await call(server, 'POST', `/rooms/${id}/invite`, { token: owner.token });
  for (const { token } of members) {
    assert.equal((await call(server, 'POST', `/rooms/${id}/join?invite=${body.data.invite}`, { token })).status, 200);
  }
  return id;
}

/** One round: a new socket joins and fires its sends the moment it is connected. */
async function roomBurst(server, alice, roomId, receiver, options, round) {
  const expected = Array.from({ length: BURST }, (_, number) => `round ${round}, number ${number + 1}`);
  const before = receiver.inbox.all('receive_message').length;
  const sender = attach(server, alice, options);
  const acks = [];
  sender.socket.once('connect', () => {
    sender.socket.emit('join_room', { roomId }, (ack) => acks.push(ack));
    for (const content of expected) sender.socket.emit('send_message', { roomId, content }, (ack) => acks.push(ack));
  });
  await receiver.inbox.until('the whole round', () => receiver.inbox.all('receive_message').length >= before + BURST);
  const own = await sender.inbox.count('receive_message', BURST);
  const received = receiver.inbox.all('receive_message').slice(before);
  assert.deepEqual(received, own);
  assert.deepEqual(received.map(({ content }) => content), expected);
  assert.deepEqual(received.map(({ seq }) => seq), received.map((_, index) => before + index + 1));
  await ask(sender.socket, 'typing', { roomId, isTyping: false });
  assert.deepEqual(acks.map(({ ok }) => ok), [true, ...expected.map(() => true)]);
  assert.equal(acks[0].roomId, roomId);
  assert.deepEqual(contents(acks.slice(1)), expected);
  assert.deepEqual(sender.inbox.all('message_sent'), [], 'without a tempId the message itself is the answer');
  sender.socket.close();
}

for (const { store, skip } of STORES) {
  describe(`clients on ${store}`, { skip }, () => {
    let server;
    before(async () => { server = await startServer({ store, env: { PRESENCE_GRACE: '300ms' } }); });
    after(() => server?.close());
    afterEach(closeSockets);

    describe('the way in', () => {
      for (const [name, transports] of Object.entries(TRANSPORTS)) {
        it(`takes a token in auth, in a header, in the query, over ${name}`, async () => {
          const { token } = await register(server);
          const ways = [
            { auth: { token } },
            { auth: { token: `Bearer ${token}` } },
            { auth: (answer) => answer({ token }) },
            { extraHeaders: { Authorization: `Bearer ${token}` } },
            { query: { token } },
          ];
          for (const way of ways) {
            await connected(track(ioV4(server.url, { forceNew: true, transports, ...way })));
          }
        });

        it(`refuses none, a bad one and an ended one, over ${name}`, async () => {
          const { token } = await register(server);
          assert.equal((await call(server, 'POST', '/api/auth/logout', { token })).status, 200);
          const refusals = [
            [{}, 'Authentication error: no token provided'],
            [{ token: 'not.a.token' }, 'Authentication error: invalid token'],
            [{ token }, 'Authentication error: invalid token'],
          ];
          for (const [auth, words] of refusals) {
            for (const namespace of ['/', '/chat', '/presence']) {
              const socket = track(ioV4(server.url + namespace, { forceNew: true, transports, auth }));
              await assert.rejects(connected(socket), { message: words });
              assert.equal(socket.active, false, 'a refusal is final');
            }
          }
        });
      }

      it('refuses an unknown namespace and keeps the connection', async () => {
        const { token } = await register(server);
        const known = track(ioV4(server.url, { auth: { token } }));
        const unknown = track(known.io.socket('/nowhere', { auth: { token } }));
        await assert.rejects(connected(unknown), { message: 'Invalid namespace' });
        await connected(known);
        assert.equal((await ask(known, 'sync', {})).ok, true);
      });
    });

    for (const [version, name] of [2, 3, 4].flatMap((number) => Object.keys(TRANSPORTS).map((way) => [number, way]))) {
      it(`lets version ${version} chat over ${name}`, async () => {
        const transports = TRANSPORTS[name];
        const [alice, bob] = await registerPair(server);
        const aliceTab = await join(server, alice, { version, transports });
        const bobTab = await join(server, bob, { version, transports });
        await converse(alice, bob, aliceTab, bobTab);
        if (transports.length === 1) return;
        await Promise.all([upgraded(aliceTab), upgraded(bobTab)]);
        await converse(alice, bob, await join(server, alice, { version, transports }), await join(server, bob, { version, transports }));
      });

      it(`takes ${BURST} sends right after connect in order, version ${version} over ${name}`, async () => {
        const transports = TRANSPORTS[name];
        const [alice, bob] = await registerPair(server);
        const receiver = await join(server, bob, { version, transports });
        const rounds = roundsOf(version, transports);
        for (let round = 1; round <= rounds; round++) {
          await burst(server, alice, bob, receiver, { version, transports }, round);
        }
        const { body } = await call(server, 'GET', `/api/messages/${bob.id}?limit=200`, { token: alice.token });
        const newest = body.data.messages.map(({ seq }) => seq);
        assert.deepEqual(newest, newest.map((_, index) => rounds * BURST - newest.length + index + 1));
      });
    }

    for (const [version, name] of [2, 3, 4].flatMap((number) => Object.keys(TRANSPORTS).map((way) => [number, way]))) {
      it(`takes join_room and ${BURST} sends to a room right after connect in order, version ${version} over ${name}`, async () => {
        const transports = TRANSPORTS[name];
        const [alice, bob] = await registerPair(server);
        const roomId = await makeRoom(server, alice, bob);
        const receiver = await join(server, bob, { version, transports });
        assert.equal((await ask(receiver.socket, 'join_room', { roomId })).ok, true);
        const rounds = Math.min(roundsOf(version, transports), 5);
        for (let round = 1; round <= rounds; round++) await roomBurst(server, alice, roomId, receiver, { version, transports }, round);
        const { body } = await call(server, 'GET', `/rooms/${roomId}/messages?pageSize=200`, { token: alice.token });
        assert.equal(body.data.total, rounds * BURST);
      });
    }

    for (const version of [2, 3, 4]) {
      it(`has /rooms beside /chat, version ${version}`, async () => {
        const [alice, bob] = await registerPair(server);
        const roomId = await makeRoom(server, alice, bob);
        const [rooms, chat, bobRooms] = [
          await join(server, alice, { version, namespace: '/rooms' }),
          await join(server, alice, { version, namespace: '/chat' }),
          await join(server, bob, { version, namespace: '/rooms' }),
        ];
        for (const { socket } of [rooms, bobRooms]) assert.equal((await ask(socket, 'join_room', { roomId })).ok, true);
        await rooms.inbox.find('user_joined', ({ userId }) => userId === bob.id);
        const ack = await ask(bobRooms.socket, 'send_message', { roomId, content: 'Hello room!', tempId: 'temp-1' });
        assert.deepEqual([ack.ok, ack.tempId], [true, 'temp-1']);
        for (const { inbox } of [rooms, bobRooms]) assert.deepEqual(await inbox.find('receive_message'), ack.message);
        assert.deepEqual(await bobRooms.inbox.find('message_sent'), { message: ack.message, tempId: 'temp-1' });
        assert.equal((await ask(rooms.socket, 'message_read', { roomId, messageId: ack.message.id })).ok, true);
        const receipt = await bobRooms.inbox.find('message_receipt');
        assert.deepEqual([receipt.messageId, receipt.recipientId, receipt.status, receipt.roomId], [ack.message.id, alice.id, 'read', roomId]);
        assert.deepEqual(chat.inbox.names, []);
        assert.equal((await ask(chat.socket, 'join_room', { roomId })).error.code, 'not_found');
      });
    }

    it('acks every room event, and tells of failures under the names of each surface', async () => {
      const [alice, bob] = await registerPair(server);
      const roomId = await makeRoom(server, alice);
      const { socket, inbox } = await join(server, alice);
      const stranger = await join(server, bob);
      const asked = [
        ['join_room', {}, 'validation_failed'],
        ['send_message', { roomId, content: 'Not in it' }, 'forbidden'],
        ['send_message', { roomId, receiverId: bob.id, content: 'To whom?' }, 'validation_failed'],
        ['typing', { roomId, isTyping: true }, 'forbidden'],
        ['join_room', { roomId }, 'ok'],
        ['send_message', { roomId, content: '' }, 'validation_failed'],
        ['mark_messages_read', { roomId, messageIds: [] }, 'validation_failed'],
        ['message_read', { roomId, messageId: bob.id }, 'not_found'],
        ['send_message', { roomId, content: 'Here' }, 'ok'],
        ['leave_room', { roomId }, 'ok'],
        ['leave_room', { roomId }, 'ok'],
      ];
      const acks = await Promise.all(asked.map(([event, payload]) => ask(socket, event, payload)));
      assert.deepEqual(acks.map(({ ok, error }) => (ok ? 'ok' : error.code)), asked.map(([, , outcome]) => outcome));
      assert.deepEqual(inbox.all('join_room_error').map(({ code }) => code), ['validation_failed']);
      assert.deepEqual(inbox.all('error').map(({ code }) => code), ['validation_failed']);
      assert.equal((await ask(stranger.socket, 'join_room', { roomId })).error.code, 'not_found');
      assert.equal((await stranger.inbox.find('join_room_error')).code, 'not_found');
    });

    it('stores once what is repeated in a room', async () => {
      const [alice, bob] = await registerPair(server);
      const roomId = await makeRoom(server, alice, bob);
      const { socket, inbox } = await join(server, alice);
      await ask(socket, 'join_room', { roomId });
      const send = (payload) => ask(socket, 'send_message', { content: 'once', clientMsgId: 'once-1', ...payload });
      const first = await send({ roomId });
      assert.deepEqual((await send({ roomId })).message, first.message);
      assert.equal((await send({ roomId, content: 'other' })).error.code, 'conflict');
      assert.equal((await send({ receiverId: bob.id })).error.code, 'conflict');
      await inbox.count('receive_message', 1);
      assert.equal(first.message.clientMsgId, 'once-1');
    });

    it('says nothing more to a member who was removed', async () => {
      const [alice, bob] = await registerPair(server);
      const roomId = await makeRoom(server, alice, bob);
      const [owner, gone] = [await join(server, alice), await join(server, bob)];
      for (const { socket } of [owner, gone]) await ask(socket, 'join_room', { roomId });
      let number = 0;
      const stream = setInterval(() => owner.socket.emit('send_message', { roomId, content: `number ${++number}` }), 5);
      await gone.inbox.until('some', () => gone.inbox.all('receive_message').length > 10);
      assert.equal((await call(server, 'DELETE', `/rooms/${roomId}/members/${bob.id}`, { token: alice.token })).status, 200);
      const left = await gone.inbox.find('left_room');
      assert.deepEqual([left.roomId, left.reason], [roomId, 'removed']);
      await owner.inbox.find('user_left', ({ userId }) => userId === bob.id);
      await new Promise((resolve) => setTimeout(resolve, 200));
      clearInterval(stream);
      assert.equal(gone.inbox.names.lastIndexOf('receive_message') < gone.inbox.names.indexOf('left_room'), true);
      assert.equal((await ask(gone.socket, 'send_message', { roomId, content: 'Still here?' })).error.code, 'not_found');
    });

    for (const [name, transports] of Object.entries(TRANSPORTS)) {
      // As the README has it: what is written between connecting and joining is asked for once more.
      it(`resumes a room by auth.sync, join_room and sync after the transport was closed, over ${name}`, async () => {
        const [alice, bob] = await registerPair(server);
        const roomId = await makeRoom(server, alice, bob);
        const writer = await join(server, alice, { transports: ['websocket'] });
        await ask(writer.socket, 'join_room', { roomId });
        const known = { [roomId]: 0 };
        let missedOne;
        const auth = async (answer) => {
          await missedOne;
          answer({ token: bob.token, sync: { conversations: known } });
        };
        const reader = await join(server, bob, { transports, auth, reconnectionDelay: 200, randomizationFactor: 0 });
        await reader.inbox.find('sync');
        reader.socket.emit('join_room', { roomId });
        await reader.inbox.find('joined_room');
        const send = (number) => ask(writer.socket, 'send_message', { roomId, content: `number ${number}` });
        for (let number = 1; number <= 3; number++) await send(number);
        await reader.inbox.count('receive_message', 3);
        known[roomId] = 3;
        if (transports.length > 1) await upgraded(reader);

        reader.socket.io.engine.close();
        const sends = [];
        const write = () => {
          sends.push(send(sends.length + 4));
          return sends.at(-1);
        };
        missedOne = write();
        const stream = setInterval(write, 10);
        await reader.inbox.count('sync', 2);
        await write();
        reader.socket.emit('join_room', { roomId });
        const [, { lastSeq, unreadCount }] = await reader.inbox.count('joined_room', 2);
        clearInterval(stream);
        const total = 3 + (await Promise.all(sends)).length;
        await send(total + 1);
        await reader.inbox.find('receive_message', ({ seq }) => seq === total + 1);
        const seqs = (messages) => messages.map(({ seq }) => seq);
        const first = seqs(reader.inbox.all('sync')[1].messages);
        assert.equal(first[0], 4);
        assert.ok(lastSeq > first.at(-1), 'messages were written between connecting and joining');
        assert.equal(unreadCount, lastSeq);
        const { messages } = await ask(reader.socket, 'sync', { conversations: { [roomId]: first.at(-1) } });
        const missed = [...first, ...seqs(messages)];
        assert.deepEqual(missed, Array.from({ length: total - 2 }, (_, index) => index + 4));
        const live = seqs(reader.inbox.all('receive_message')).slice(3);
        assert.ok(live[0] <= lastSeq + 1, 'from joining on everything comes live');
        assert.deepEqual(live, missed.slice(live[0] - 4));
      });
    }

    it('refuses versions 2 and 3 without a token in words of their own', async () => {
      for (const version of [2, 3]) {
        const socket = track(VERSIONS[version](server.url, 'not.a.token', {}));
        await assert.rejects(connected(socket), /invalid token/);
      }
    });

    for (const version of [2, 3, 4]) {
      it(`has the namespaces /chat and /presence beside each other, version ${version}`, async () => {
        const [alice, bob] = await registerPair(server);
        const chat = await join(server, alice, { version, namespace: '/chat' });
        const presence = await join(server, alice, { version, namespace: '/presence' });
        const bobChat = await join(server, bob, { version, namespace: '/chat' });
        await presence.inbox.find('user_status', (status) => status.userId === bob.id && status.isOnline);
        await converse(alice, bob, chat, bobChat);
        assert.deepEqual(presence.inbox.names.filter((event) => event !== 'user_status'), []);
        assert.deepEqual(chat.inbox.all('user_status'), []);
        const elsewhere = await ask(presence.socket, 'send_message', { receiverId: bob.id, content: 'Here?' });
        assert.equal(elsewhere.error.code, 'not_found');
        bobChat.socket.close();
        const status = await presence.inbox.find('user_status', ({ userId, isOnline }) => userId === bob.id && !isOnline);
        assert.equal(status.status, 'offline');
      });
    }

    it('takes the query of a namespace from version 2', { todo: 'the engine takes it for a part of the namespace' }, async () => {
      const { token } = await register(server);
      const socket = track(ioV2(`${server.url}/chat`, { query: { token }, forceNew: true }));
      await connected(socket, 2000);
    });

    it('shares one connection among namespaces', async () => {
      const [alice, bob] = await registerPair(server);
      const bobTab = await join(server, bob, { namespace: '/chat' });
      const chat = track(ioV4(`${server.url}/chat`, { auth: { token: alice.token }, transports: ['websocket'] }));
      const presence = track(chat.io.socket('/presence', { auth: { token: alice.token } }));
      const inbox = new Inbox(chat, EVENTS);
      await Promise.all([connected(chat), connected(presence)]);
      await converse(alice, bob, { socket: chat, inbox }, bobTab);
      const subscribed = await ask(presence, 'presence_subscribe', { userIds: [bob.id] });
      assert.equal(subscribed.presence[0].isOnline, true);
      presence.disconnect();
      assert.equal((await ask(chat, 'sync', {})).ok, true, 'the other namespace goes on');
    });

    it('brings a message to every tab once', async () => {
      const [alice, bob] = await registerPair(server);
      const aliceTabs = [await join(server, alice), await join(server, alice, { transports: ['polling'] }), await join(server, alice, { namespace: '/chat' })];
      const bobTabs = [await join(server, bob), await join(server, bob, { version: 2 }), await join(server, bob, { namespace: '/chat' })];
      for (const content of ['one', 'two', 'three']) {
        assert.equal((await ask(aliceTabs[0].socket, 'send_message', { receiverId: bob.id, content })).ok, true);
      }
      for (const tab of [...bobTabs, ...aliceTabs.slice(1)]) {
        assert.deepEqual(contents(await tab.inbox.count('receive_message', 3)), ['one', 'two', 'three']);
        assert.deepEqual(tab.inbox.all('message_sent'), []);
      }
      assert.deepEqual(contents(aliceTabs[0].inbox.all('message_sent')), ['one', 'two', 'three']);
      assert.deepEqual(aliceTabs[0].inbox.all('receive_message'), []);
    });

    it('counts somebody with several tabs as online until the last one is gone', async () => {
      const [alice, bob] = await registerPair(server);
      const watcher = await join(server, alice);
      const tabs = [await join(server, bob), await join(server, bob)];
      await watcher.inbox.find('user_status', ({ userId, isOnline }) => userId === bob.id && isOnline);
      const ofBob = () => watcher.inbox.all('user_status').filter(({ userId }) => userId === bob.id).map(({ isOnline }) => isOnline);
      tabs[0].socket.close();
      await new Promise((resolve) => setTimeout(resolve, 800));
      assert.deepEqual(ofBob(), [true]);
      tabs[1].socket.close();
      await watcher.inbox.find('user_status', ({ userId, isOnline }) => userId === bob.id && !isOnline);
      assert.deepEqual(ofBob(), [true, false]);
    });

    it('acks every event, so that retries never stall', async () => {
      const [alice, bob] = await registerPair(server);
      const { socket } = await join(server, alice, { retries: 3, ackTimeout: 20_000 });
      const sent = [];
      socket.onAnyOutgoing((event) => sent.push(event));
      const asked = [
        ['send_message', [{ receiverId: bob.id, content: 'first' }], 'ok'],
        ['no_such_event', [{ any: 'thing' }], 'not_found'],
        ['send_message', [], 'validation_failed'],
        ['send_message', ['not an object'], 'validation_failed'],
        ['send_message', [{ receiverId: { $gt: '' }, content: ['x'] }], 'validation_failed'],
        ['send_message', [{ receiverId: bob.id, content: Buffer.from('binary') }], 'validation_failed'],
        ['message_read', [{ messageId: bob.id }], 'not_found'],
        ['typing_start', [{ receiverId: bob.id }], 'ok'],
        ['sync', [{}], 'ok'],
        ['send_message', [{ receiverId: bob.id, content: 'last' }], 'ok'],
      ];
      const outcomes = await Promise.all(asked.map(([event, payload]) => new Promise((resolve) => {
        socket.emit(event, ...payload, (failure, ack) => resolve(failure ? 'no ack' : ack.ok ? 'ok' : ack.error.code));
      })));
      assert.deepEqual(outcomes, asked.map(([, , outcome]) => outcome));
      assert.deepEqual(sent, asked.map(([event]) => event), 'nothing had to be repeated');
      const { body } = await call(server, 'GET', `/api/messages/${bob.id}`, { token: alice.token });
      assert.deepEqual(body.data.messages.map(({ content }) => content), ['first', 'last']);
    });

    it('stores once what a client with retries repeats over reconnects', async () => {
      const [alice, bob] = await registerPair(server);
      const { socket } = await join(server, alice, { retries: 10, ackTimeout: 2000, reconnectionDelay: 50, transports: ['websocket'] });
      const expected = Array.from({ length: 20 }, (_, number) => `retried ${number + 1}`);
      const acks = await Promise.all(expected.map((content, index) => new Promise((resolve, reject) => {
        socket.emit('send_message', { receiverId: bob.id, content, clientMsgId: `once-${index}` }, (failure, ack) => {
          if (failure) return reject(failure);
          // The connection goes the moment the next send is on its way.
          if (index % 4 === 0) setImmediate(() => socket.io.engine.close());
          resolve(ack);
        });
      })));
      assert.deepEqual(contents(acks), expected);
      const { body } = await call(server, 'GET', `/api/messages/${bob.id}?limit=200`, { token: alice.token });
      assert.deepEqual(body.data.messages.map(({ content, seq }) => [content, seq]), expected.map((content, index) => [content, index + 1]));
    });

    for (const [name, transports] of Object.entries(TRANSPORTS)) {
      it(`resumes by auth.sync after the transport was closed, over ${name}`, async () => {
        const [alice, bob] = await registerPair(server);
        const writer = await join(server, alice, { transports: ['websocket'] });
        const known = {};
        let missedOne;
        const auth = async (answer) => {
          await missedOne;
          answer({ token: bob.token, sync: { conversations: known } });
        };
        const reader = await join(server, bob, { transports, auth, reconnectionDelay: 200, randomizationFactor: 0 });
        reader.socket.on('receive_message', ({ message }) => { known[message.conversationId] = message.seq; });
        assert.deepEqual(await reader.inbox.find('sync'), { messages: [], more: false });
        const send = (number) => ask(writer.socket, 'send_message', { receiverId: bob.id, content: `number ${number}` });
        for (let number = 1; number <= 3; number++) await send(number);
        await reader.inbox.count('receive_message', 3);
        if (transports.length > 1) await upgraded(reader);

        reader.socket.io.engine.close();
        assert.equal(reader.socket.connected, false);
        missedOne = send(4);
        const sends = [missedOne];
        const stream = setInterval(() => sends.push(send(sends.length + 4)), 10);
        await happens(reader.socket, 'connect');
        assert.notEqual(reader.socket.recovered, true, 'resuming needs nothing of the engine');
        await new Promise((resolve) => setTimeout(resolve, 100));
        clearInterval(stream);
        const total = 3 + (await Promise.all(sends)).length;

        const arrivals = () => reader.inbox.names.filter((event) => ['sync', 'receive_message'].includes(event));
        const seen = () => [...reader.inbox.all('sync').flatMap(({ messages }) => messages), ...contentsOf(reader)];
        await reader.inbox.until('the last message', () => seen().some(({ seq }) => seq === total));
        assert.equal(arrivals()[4], 'sync', 'what was missed comes before anything live');
        const missed = reader.inbox.all('sync')[1].messages.map(({ seq }) => seq);
        const live = contentsOf(reader).map(({ seq }) => seq).slice(3);
        assert.equal(missed[0], 4);
        const beyond = live.filter((seq) => seq > missed.at(-1));
        assert.deepEqual([...missed, ...beyond], Array.from({ length: total - 3 }, (_, index) => index + 4));
      });
    }
  });

  describe(`msgpack clients on ${store}`, { skip }, () => {
    let server;
    before(async () => { server = await startServer({ store, env: { SOCKET_PARSER: 'msgpack' } }); });
    after(() => server?.close());
    afterEach(closeSockets);

    for (const [name, transports] of Object.entries(TRANSPORTS)) {
      it(`chat over ${name}, bursts included`, async () => {
        const [alice, bob] = await registerPair(server);
        const options = { transports, parser: msgpack };
        const receiver = await join(server, bob, options);
        await burst(server, alice, bob, receiver, options, 1);
        const { socket, inbox } = await join(server, alice, options);
        await converse(alice, bob, { socket, inbox }, await join(server, bob, options));
        const refused = await ask(socket, 'send_message', { receiverId: bob.id });
        assert.equal(refused.error.code, 'validation_failed');
        assert.deepEqual(refused.error.details.map(({ field }) => field), ['content']);
        assert.equal((await ask(socket, 'no_such_event')).error.code, 'not_found');
        const { messages } = await ask(socket, 'sync', { conversations: {} , since: new Date(0).toISOString() });
        assert.equal(messages.length, BURST + 2);
        const roomId = await makeRoom(server, alice, bob);
        assert.equal((await ask(receiver.socket, 'join_room', { roomId })).ok, true);
        const roomReceiver = { inbox: new Inbox(receiver.socket, ['receive_message']) };
        await roomBurst(server, alice, roomId, roomReceiver, options, 1);
      });
    }

    it('refuses a bad token in the same words', async () => {
      const socket = track(ioV4(server.url, { parser: msgpack, forceNew: true, auth: { token: 'not.a.token' } }));
      await assert.rejects(connected(socket), { message: 'Authentication error: invalid token' });
    });
  });
}

function contentsOf(tab) {
  return tab.inbox.all('receive_message').map(({ message }) => message);
}
