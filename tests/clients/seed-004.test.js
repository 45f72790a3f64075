// The client of the one-to-one chat's own document, typed in as the document shows it: every
// request, every event, every field.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { io } from 'socket.io-client';

import { call } from './people.js';
import { EVENTS, Inbox, connected } from './sockets.js';
import { STORES, startServer } from './server.js';

const ID = /^[0-9a-f]{24}$/;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const JWT = /^eyJ[\w-]+\.[\w-]+\.[\w-]+$/;

/** Every field of `shape` is in `actual`: of its kind, matched by its pattern, or equal to it. */
function shows(actual, shape, where = 'answer') {
  for (const [field, wanted] of Object.entries(shape)) {
    const value = actual?.[field];
    const at = `${where}.${field}`;
    if (wanted instanceof RegExp) assert.match(String(value), wanted, at);
    else if (wanted === Boolean) assert.equal(typeof value, 'boolean', at);
    else if (wanted !== null && typeof wanted === 'object') shows(value, wanted, at);
    else assert.equal(value, wanted, at);
  }
}

/** The document's success envelope. */
function succeeds({ status, body }, code, message, data) {
  assert.equal(status, code, JSON.stringify(body));
  shows(body, { success: true, message, data });
}

for (const { store, skip } of STORES) {
  describe(`the flow of the chat document on ${store}`, { skip }, () => {
    let server;
    let base_url;
    const alice = { username: 'alice', email: 'alice@example.com', password: 'password123' };
    const bob = { username: 'bob', email: 'bob@example.com', password: 'password123' };

    before(async () => {
      server = await startServer({ store });
      base_url = server.url;
    });
    after(() => {
      alice.socket?.close();
      bob.socket?.close();
      return server?.close();
    });

    const shownUser = ({ username, email }, isOnline) => ({ _id: ID, username, email, isOnline, lastSeen: TIME });
    const shownMessage = (content, isRead = false) => ({
      _id: ID,
      sender: { _id: alice.id, username: 'alice', isOnline: true },
      receiver: { _id: bob.id, username: 'bob', isOnline: true },
      content,
      isRead,
      messageType: 'text',
      createdAt: TIME,
    });

    it('registers two users', async () => {
      for (const person of [alice, bob]) {
        const { username, email, password } = person;
        const answer = await call(server, 'POST', '/api/auth/register', { body: { username, email, password } });
        succeeds(answer, 201, 'User registered successfully', { token: JWT, user: { ...shownUser(person, false), createdAt: TIME } });
        person.token = answer.body.data.token;
        person.id = answer.body.data.user._id;
      }
    });

    it('logs in: the same as register', async () => {
      const { email, password } = alice;
      const answer = await call(server, 'POST', '/api/auth/login', { body: { email, password } });
      succeeds(answer, 200, answer.body.message, { token: JWT, user: { ...shownUser(alice, false), createdAt: TIME } });
      assert.equal(answer.body.data.user._id, alice.id);
    });

    it('connects with the token in auth', async () => {
      for (const person of [alice, bob]) {
        person.socket = io(base_url, { auth: { token: person.token }, forceNew: true });
        person.inbox = new Inbox(person.socket, EVENTS);
        await connected(person.socket);
      }
      const status = await alice.inbox.find('user_status', ({ userId }) => userId === bob.id);
      shows(status, { userId: bob.id, isOnline: true, lastSeen: TIME });
    });

    it('fetches the current user', async () => {
      const answer = await call(server, 'GET', '/api/auth/me', { token: alice.token });
      succeeds(answer, 200, 'User profile fetched successfully', { user: shownUser(alice, true) });
    });

    it('fetches all users', async () => {
      const answer = await call(server, 'GET', '/api/auth/users', { token: alice.token });
      succeeds(answer, 200, 'Users fetched successfully', { users: [shownUser(bob, true)] });
      assert.equal(answer.body.data.users.length, 1, 'not the caller');
    });

    it('sends a message', async () => {
      const content = 'Hello, how are you?';
      alice.socket.emit('send_message', { receiverId: bob.id, content, messageType: 'text', tempId: 'temp-123' });
      const sent = await alice.inbox.find('message_sent');
      shows(sent, { message: shownMessage(content), tempId: 'temp-123' });
      const received = await bob.inbox.find('receive_message');
      shows(received, { message: { ...shownMessage(content), _id: sent.message._id } });
      alice.messageId = sent.message._id;
    });

    it('sends a message without the optional fields', async () => {
      alice.socket.emit('send_message', { receiverId: bob.id, content: 'Hello Bob!' });
      const received = await bob.inbox.find('receive_message', ({ message }) => message.content === 'Hello Bob!');
      shows(received, { message: shownMessage('Hello Bob!') });
    });

    it('shows typing', async () => {
      alice.socket.emit('typing_start', { receiverId: bob.id });
      assert.deepEqual(await bob.inbox.find('user_typing', ({ isTyping }) => isTyping), { userId: alice.id, isTyping: true });
      alice.socket.emit('typing_stop', { receiverId: bob.id });
      assert.deepEqual(await bob.inbox.find('user_typing', ({ isTyping }) => !isTyping), { userId: alice.id, isTyping: false });
    });

    it('fetches the conversation', async () => {
      const answer = await call(server, 'GET', `/api/messages/${bob.id}?limit=50&skip=0`, { token: alice.token });
      const messages = [shownMessage('Hello, how are you?'), shownMessage('Hello Bob!')];
      succeeds(answer, 200, 'Conversation fetched successfully', { messages, count: 2 });
      const skipped = await call(server, 'GET', `/api/messages/${bob.id}?limit=50&skip=1`, { token: alice.token });
      succeeds(skipped, 200, 'Conversation fetched successfully', { messages: messages.slice(0, 1), count: 1 });
    });

    it('counts what is unread', async () => {
      const ofBob = await call(server, 'GET', '/api/messages/unread/count', { token: bob.token });
      succeeds(ofBob, 200, 'Unread count fetched successfully', { unreadCount: 2 });
      const ofAlice = await call(server, 'GET', '/api/messages/unread/count', { token: alice.token });
      succeeds(ofAlice, 200, 'Unread count fetched successfully', { unreadCount: 0 });
    });

    it('marks one message as read', async () => {
      bob.socket.emit('message_read', { messageId: alice.messageId, senderId: alice.id });
      const receipt = await alice.inbox.find('message_read_receipt');
      shows(receipt, { messageId: alice.messageId, readerId: bob.id, readAt: TIME });
      const count = await call(server, 'GET', '/api/messages/unread/count', { token: bob.token });
      succeeds(count, 200, 'Unread count fetched successfully', { unreadCount: 1 });
    });

    it('marks all messages as read', async () => {
      const answer = await call(server, 'PUT', `/api/messages/read/${alice.id}`, { token: bob.token });
      succeeds(answer, 200, 'Messages marked as read', { modifiedCount: 1 });
      await alice.inbox.count('message_read_receipt', 2);
      const history = await call(server, 'GET', `/api/messages/${alice.id}`, { token: bob.token });
      shows(history.body.data.messages, [shownMessage('Hello, how are you?', true), shownMessage('Hello Bob!', true)]);
      const count = await call(server, 'GET', '/api/messages/unread/count', { token: bob.token });
      succeeds(count, 200, 'Unread count fetched successfully', { unreadCount: 0 });
    });

    it('tells of errors', async () => {
      alice.socket.emit('send_message', { receiverId: bob.id, content: '' });
      const problem = await alice.inbox.find('error');
      assert.equal(typeof problem.message, 'string');
      assert.equal(problem.code, 'validation_failed');
    });

    it('refuses a connection without a token', async () => {
      const stranger = io(base_url, { forceNew: true });
      await assert.rejects(connected(stranger), { message: 'Authentication error: no token provided' });
      stranger.close();
    });

    it('tells when somebody goes', async () => {
      bob.socket.close();
      const status = await alice.inbox.find('user_status', ({ userId, isOnline }) => userId === bob.id && !isOnline);
      shows(status, { userId: bob.id, isOnline: false, lastSeen: TIME });
    });
  });
}
