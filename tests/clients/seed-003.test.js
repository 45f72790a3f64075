// The client of the rooms messaging document, typed in as the document shows it, while the client
// of the one-to-one chat's document talks on the same server: both on `/`, neither disturbed.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { io } from 'socket.io-client';

import { call, register } from './people.js';
import { Inbox, ROOM_EVENTS, ask, connected, inTime } from './sockets.js';
import { STORES, startServer } from './server.js';

const ID = /^[0-9a-f]{24}$/;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const TRANSPORTS = { websocket: ['websocket'], polling: ['polling'] };

/** What only one-to-one chat says. */
const OF_CHAT = ['message_sent', 'user_typing', 'message_read_receipt', 'error'];

/** Remembers what the document's client prints. */
class Printed {
  lines = [];
  #waiting = new Set();

  log = (...line) => this.#take(line);
  warn = (...line) => this.#take(line);

  all(name) { return this.lines.filter(([first]) => first === name).map(([, payload]) => payload); }

  /** The first line of `name` that `matches`, when it is there. */
  async find(name, matches = () => true) {
    const found = () => this.all(name).find(matches);
    if (!found()) {
      await inTime(new Promise((resolve) => {
        const look = () => {
          if (!found()) return;
          this.#waiting.delete(look);
          resolve();
        };
        this.#waiting.add(look);
      }), `${name} (so far: ${this.lines.map(([first]) => first).join(', ')})`);
    }
    return found();
  }

  #take(line) {
    this.lines.push(line);
    for (const look of [...this.#waiting]) look();
  }
}

/** The document's example. Filled in: the address, the token, the room; and how it connects, which is the test's. */
function exampleClient(address, token, roomId, connection) {
  const console = new Printed();

  const socket = io(address, {
    auth: { token },
    ...connection,
  });

  socket.on('connect', () => {
    console.log('connected', socket.id);

    // join a room (must already be a member)
    socket.emit('join_room', { roomId });
  });

  // join results
  socket.on('joined_room', (data) => {
    console.log('joined_room', data);
    // data: { roomId, presence: [...], unreadCount, timestamp }
  });

  socket.on('join_room_error', (err) => {
    console.warn('join_room_error', err);
  });

  // send a message
  function sendMessage(content) {
    socket.emit('send_message', { roomId, content });
  }

  // typing indicator
  function setTyping(isTyping) {
    socket.emit('typing', { roomId, isTyping });
  }

  // receive message and optionally mark as read
  socket.on('receive_message', (message) => {
    console.log('receive_message', message);
    // explicit read receipt for a single message
    socket.emit('message_read', { roomId, messageId: message.id });
  });

  // bulk mark read (e.g., upon opening the chat history)
  function markBulkRead(messageIds) {
    socket.emit('mark_messages_read', { roomId, messageIds });
  }

  // receipts
  socket.on('message_receipt', (r) => {
    // { messageId, recipientId, status: 'read', timestamp }
    console.log('message_receipt', r);
  });

  socket.on('messages_read', (r) => {
    // { recipientId, messageCount, timestamp }
    console.log('messages_read', r);
  });

  // presence and activity
  socket.on('user_status', (s) => console.log('user_status', s));
  socket.on('user_joined', (s) => console.log('user_joined', s));
  socket.on('user_left', (s) => console.log('user_left', s));
  socket.on('typing', (t) => console.log('typing', t));

  // errors / limits
  socket.on('message_error', (err) => {
    // { message, retryAfter?, remaining?, errors? }
    console.warn('message_error', err);
  });

  // leave room
  function leaveRoom() {
    socket.emit('leave_room', { roomId });
  }

  // Besides the example: whatever else arrives.
  socket.onAny((name, payload) => { if (OF_CHAT.includes(name)) console.warn(`stray ${name}`, payload); });

  return { socket, printed: console, sendMessage, setTyping, markBulkRead, leaveRoom };
}

/** The one-to-one chat document's client, which knows nothing of rooms. */
class ChatClient {
  constructor(address, token, connection) {
    this.socket = io(address, { auth: { token }, ...connection });
    this.inbox = new Inbox(this.socket, ['receive_message', 'message_sent', 'user_status', 'user_typing', 'message_read_receipt', 'error', ...ROOM_EVENTS]);
  }
}

for (const { store, skip } of STORES) {
  for (const [name, transports] of Object.entries(TRANSPORTS)) {
    describe(`the flow of the rooms document beside the chat document's, on ${store}, over ${name}`, { skip }, () => {
      const connection = { transports, forceNew: true };
      let server;
      let people;
      let roomId;
      const clients = {};
      const chats = {};
      let talking;
      let talk = 0;
      let soup;

      before(async () => {
        server = await startServer({ store, env: { PRESENCE_GRACE: '300ms' } });
        const [olga, mia, noah, alice, bob] = await Promise.all(['olga', 'mia', 'noah', 'alice', 'bob'].map((stem) => register(server, stem)));
        people = { olga, mia, noah, alice, bob };
      });
      after(async () => {
        clearInterval(talking);
        for (const { socket } of [...Object.values(clients), ...Object.values(chats)]) socket.close();
        await server?.close();
      });

      const rest = (person, method, path, body) => call(server, method, path, { token: people[person].token, body });

      /** A REST answer's data. */
      async function data(answer, status = 200) {
        const { status: got, body } = await answer;
        assert.equal(got, status, JSON.stringify(body));
        assert.equal(body.success, true);
        return body.data;
      }

      async function start(person) {
        clients[person] = exampleClient(server.url, people[person].token, roomId, connection);
        return clients[person].printed.find('joined_room');
      }

      it('starts the one-to-one chat that goes on meanwhile', async () => {
        for (const person of ['alice', 'bob']) {
          chats[person] = new ChatClient(server.url, people[person].token, connection);
          await connected(chats[person].socket);
        }
        chats.bob.socket.on('receive_message', ({ message }) => chats.bob.socket.emit('message_read', { messageId: message._id, senderId: message.sender._id }));
        talking = setInterval(() => {
          talk++;
          chats.alice.socket.emit('typing_start', { receiverId: people.bob.id });
          chats.alice.socket.emit('send_message', { receiverId: people.bob.id, content: `talk ${talk}`, messageType: 'text', tempId: `temp-${talk}` });
        }, 20);
      });

      it('creates a room, lists it, and lets nobody else see it', async () => {
        const { room } = await data(rest('olga', 'POST', '/rooms', { name: 'Kitchen', description: 'Who cooks', isPrivate: true }), 201);
        for (const [field, wanted] of Object.entries({ name: 'Kitchen', description: 'Who cooks', isPrivate: true, ownerId: people.olga.id, memberCount: 1 })) {
          assert.equal(room[field], wanted, field);
        }
        assert.match(room.id, ID);
        assert.match(room.createdAt, TIME);
        roomId = room.id;
        const stranger = await rest('mia', 'POST', `/rooms/${roomId}/join`);
        assert.equal(stranger.status, 404);
      });

      it('joins with an invite', async () => {
        const { invite, expiresAt } = await data(rest('olga', 'POST', `/rooms/${roomId}/invite`), 201);
        assert.match(expiresAt, TIME);
        for (const person of ['mia', 'noah', 'bob']) {
          assert.equal((await data(rest(person, 'POST', `/rooms/${roomId}/join?invite=${invite}`))).roomId, roomId);
        }
        const { members, count } = await data(rest('olga', 'GET', `/rooms/${roomId}/members`));
        assert.equal(count, 4);
        assert.deepEqual(members.map(({ user }) => user.username), ['olga', 'mia', 'noah', 'bob'].map((person) => people[person].username));
      });

      it('joins the room on connect, and tells those who are there', async () => {
        const joined = await start('olga');
        assert.equal(joined.roomId, roomId);
        assert.equal(joined.unreadCount, 0);
        assert.match(joined.timestamp, TIME);
        assert.deepEqual(joined.presence.map(({ userId, status }) => [userId, status]).filter(([, status]) => status === 'online').map(([userId]) => userId).sort(), [people.olga.id, people.bob.id].sort());
        await start('mia');
        const came = await clients.olga.printed.find('user_joined', ({ userId }) => userId === people.mia.id);
        assert.equal(came.status, 'online');
        assert.match(came.timestamp, TIME);
        const status = await clients.olga.printed.find('user_status', ({ userId }) => userId === people.mia.id);
        assert.equal(status.status, 'online');
        assert.match(status.timestamp, TIME);
        assert.ok('lastSeen' in status);
      });

      it('refuses the room to who is not a member', async () => {
        const stranger = exampleClient(server.url, people.alice.token, roomId, connection);
        const error = await stranger.printed.find('join_room_error');
        assert.equal(typeof error.message, 'string');
        assert.equal(error.code, 'not_found');
        assert.equal(error.roomId, roomId);
        stranger.socket.close();
      });

      it('sends, and marks as read what arrives', async () => {
        clients.olga.sendMessage('Soup?');
        for (const person of ['olga', 'mia']) {
          const message = await clients[person].printed.find('receive_message', ({ content }) => content === 'Soup?');
          assert.match(message.id, ID);
          assert.equal(message.room_id, roomId);
          assert.match(message.timestamp, TIME);
          assert.equal(message.sender.username, people.olga.username);
          assert.equal(message.sender.id, people.olga.id);
          assert.equal(message.seq, 1);
          soup = message.id;
        }
        for (const person of ['olga', 'mia']) {
          const receipt = await clients[person].printed.find('message_receipt', ({ messageId }) => messageId === soup);
          assert.equal(receipt.recipientId, people.mia.id);
          assert.equal(receipt.status, 'read');
          assert.match(receipt.timestamp, TIME);
        }
      });

      it('shows typing to the others only', async () => {
        clients.mia.setTyping(true);
        const typing = await clients.olga.printed.find('typing', ({ isTyping }) => isTyping);
        assert.equal(typing.userId, people.mia.id);
        assert.match(typing.timestamp, TIME);
        clients.mia.setTyping(false);
        await clients.olga.printed.find('typing', ({ isTyping }) => !isTyping);
        assert.deepEqual(clients.mia.printed.all('typing'), []);
      });

      it('marks all as read for who joins later', async () => {
        clients.mia.sendMessage('Bread, too');
        await clients.olga.printed.find('message_receipt', ({ messageId }) => messageId !== soup);
        assert.equal((await start('noah')).unreadCount, 2);
        const read = await clients.olga.printed.find('messages_read', ({ recipientId }) => recipientId === people.noah.id);
        assert.equal(read.messageCount, 2);
        assert.match(read.timestamp, TIME);
        const { receipts, summary } = await data(rest('olga', 'GET', `/rooms/${roomId}/messages/${soup}/receipts`));
        assert.deepEqual(summary, { totalRecipients: 3, readCount: 2 });
        for (const receipt of receipts) {
          assert.equal(receipt.read, receipt.userId !== people.bob.id);
          assert.match(receipt.deliveredAt, TIME);
        }
      });

      it('marks in bulk, once', async () => {
        clients.noah.leaveRoom();
        await clients.olga.printed.find('user_left', ({ userId }) => userId === people.noah.id);
        for (const content of ['one', 'two', 'three']) clients.olga.sendMessage(content);
        await clients.mia.printed.find('receive_message', ({ content }) => content === 'three');
        const ids = clients.mia.printed.all('receive_message').slice(-3).map(({ id }) => id);
        clients.noah.markBulkRead(ids);
        clients.noah.markBulkRead(ids);
        const ofNoah = () => clients.olga.printed.all('messages_read').filter(({ recipientId }) => recipientId === people.noah.id);
        await clients.olga.printed.find('messages_read', ({ recipientId, messageCount }) => recipientId === people.noah.id && messageCount === 3);
        await ask(clients.noah.socket, 'mark_messages_read', { roomId, messageIds: ids });
        assert.deepEqual(ofNoah().map(({ messageCount }) => messageCount), [2, 3]);
        assert.deepEqual(clients.noah.printed.all('receive_message'), [], 'who left the room is told nothing of what is said there');
        assert.ok(!clients.olga.printed.all('user_status').some(({ userId, status }) => userId === people.noah.id && status === 'offline'), 'leaving is not going offline');
      });

      it('lists the messages, newest first, and marks them as read', async () => {
        const page = await data(rest('bob', 'GET', `/rooms/${roomId}/messages?page=1&pageSize=2`));
        assert.deepEqual(page.messages.map(({ content }) => content), ['three', 'two']);
        assert.deepEqual([page.page, page.pageSize, page.total, page.totalPages], [1, 2, 5, 3]);
        const read = await clients.olga.printed.find('messages_read', ({ recipientId }) => recipientId === people.bob.id);
        assert.equal(read.messageCount, 2);
      });

      it('tells who is there', async () => {
        const { presence, summary } = await data(rest('olga', 'GET', `/rooms/${roomId}/presence`));
        assert.equal(presence.length, 4);
        assert.deepEqual([summary.totalUsers, summary.onlineUsers, summary.offlineUsers], [4, 4, 0]);
        clients.mia.socket.close();
        await clients.olga.printed.find('user_status', ({ userId, status }) => userId === people.mia.id && status === 'offline');
        await clients.olga.printed.find('user_left', ({ userId }) => userId === people.mia.id);
      });

      it('tells of errors', async () => {
        clients.olga.sendMessage('');
        const error = await clients.olga.printed.find('message_error');
        assert.equal(typeof error.message, 'string');
        assert.equal(error.code, 'validation_failed');
        assert.equal(error.roomId, roomId);
        assert.deepEqual(error.errors.map(({ field }) => field), ['content']);
        clients.noah.sendMessage('Not in the room any more');
        assert.equal((await clients.noah.printed.find('message_error')).code, 'forbidden');
      });

      it('has disturbed neither', async () => {
        clearInterval(talking);
        assert.ok(talk > 10, `only ${talk} messages`);
        const expected = Array.from({ length: talk }, (_, index) => `talk ${index + 1}`);
        const { alice, bob } = chats;
        await alice.inbox.count('message_sent', talk);
        await bob.inbox.count('receive_message', talk);
        await alice.inbox.count('message_read_receipt', talk);
        assert.deepEqual(bob.inbox.all('receive_message').map(({ message }) => message.content), expected);
        assert.deepEqual(alice.inbox.all('message_sent').map(({ tempId }) => tempId), expected.map((_, index) => `temp-${index + 1}`));
        assert.ok(bob.inbox.all('user_typing').every(({ userId }) => userId === people.alice.id));
        assert.ok(bob.inbox.all('user_typing').length > 0);
        for (const { inbox } of [alice, bob]) {
          assert.deepEqual(inbox.all('error'), []);
          assert.deepEqual(alice.inbox.all('receive_message'), []);
        }
        assert.deepEqual(alice.inbox.names.filter((event) => ROOM_EVENTS.includes(event)), []);
        // Bob is a member, too, and hears of his own reading; his socket never joined the room.
        assert.deepEqual(bob.inbox.names.filter((event) => ROOM_EVENTS.includes(event)), ['messages_read']);
        for (const [person, { printed }] of Object.entries(clients)) {
          if (!printed) continue;
          assert.deepEqual(printed.lines.filter(([first]) => first.startsWith('stray')), [], person);
          assert.deepEqual(printed.all('receive_message').filter(({ content }) => content?.startsWith('talk')), [], person);
        }
        const unread = await data(rest('bob', 'GET', '/api/messages/unread/count'));
        assert.deepEqual(unread.byConversation, { [roomId]: 3 });
      });
    });
  }
}
