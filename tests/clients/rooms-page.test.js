// Rooms on the test page in Chromium, with three people.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { io } from 'socket.io-client';

import { DESKTOP, PHONE, Tab, eventually } from './browser.js';
import { PASSWORD, call, register } from './people.js';
import { ask, connected } from './sockets.js';
import { OFFLINE, REFUSED, Stage, TYPING_LASTS, UNREACHABLE, fits, shoot } from './stage.js';

const numbered = (count, words) => Array.from({ length: count }, (_, index) => `${words} ${index + 1}`);

/** What a person does with rooms on the page. */
class RoomTab extends Tab {
  room(name) { return this.page.locator(`[data-testid=room-item][data-name="${name}"]`); }

  badge(name) { return this.room(name).getByTestId('unread-badge'); }

  member(username) { return this.page.locator(`[data-testid=member][data-username="${username}"]`); }

  async create(name, { description = '', isPrivate = true } = {}) {
    await this.get('new-room').click();
    await this.get('create-room-name').fill(name);
    await this.get('create-room-description').fill(description);
    if (isPrivate) await this.get('create-room-private').check();
    await this.get('create-room-submit').click();
    await this.isIn(name);
  }

  /** Waits until the room is open and the socket in it. */
  async isIn(name) {
    await eventually(async () => assert.equal(await this.get('peer-name').textContent(), name));
    await this.page.locator('[data-testid=peer-presence][data-online=true]').waitFor();
  }

  async chooseRoom(name) {
    await this.room(name).click();
    await this.isIn(name);
  }

  async openRoom() {
    await this.get('room-open').click();
    await this.get('member').first().waitFor();
  }

  async closeRoom() {
    await this.page.keyboard.press('Escape');
    await this.get('room').waitFor({ state: 'hidden' });
  }

  async inviteLink({ uses = '', expires = 'a week' } = {}) {
    await this.openRoom();
    await this.get('invite-uses').fill(String(uses));
    await this.get('invite-expires').selectOption({ label: expires });
    await this.get('invite-make').click();
    await this.get('invite-made').waitFor();
    const link = await this.get('invite-link').inputValue();
    await this.closeRoom();
    return link;
  }

  async follow(link, name) {
    await this.page.goto(link);
    await this.get('invited-accept').click();
    await this.isIn(name);
  }

  presence(text) {
    return eventually(async () => assert.equal(await this.get('peer-presence').textContent(), text));
  }

  areRead(...counts) {
    return eventually(async () => assert.deepEqual(await this.get('reads').allTextContents(), counts));
  }

  seqs() {
    return this.shown().then((all) => all.map(({ seq }) => seq));
  }
}

describe('rooms on the page', () => {
  const stage = new Stage(TYPING_LASTS);
  const openTab = (options) => stage.open(options, RoomTab);

  describe('with three in a private room', () => {
    let alice;
    let bob;
    let carol;
    let link;
    beforeEach(async () => {
      [alice, bob, carol] = await Promise.all([openTab(), openTab(), openTab()]);
      await Promise.all([alice.register('alice'), bob.register('bob'), carol.register('carol')]);
      await alice.create('Kitchen', { description: 'Who cooks what' });
      link = await alice.inviteLink();
      for (const tab of [bob, carol]) await tab.follow(link, 'Kitchen');
      await alice.presence('3 members · 3 online · 3 here · private');
    });
    afterEach(() => Promise.all([alice, bob, carol].map((tab) => tab.context.close())));

    const closeAll = (...expected) => Promise.all([alice, bob, carol].map((tab) => tab.close(...expected)));

    it('lets them talk, and counts who has read what', async () => {
      for (const tab of [bob, carol]) assert.equal(tab.page.url(), `${stage.server.url}/`, 'the invite does not stay in the address');
      await carol.choose(bob);
      await alice.write('Soup?');
      await bob.reads('Soup?');
      await alice.areRead('read by 1 of 2');
      await eventually(async () => assert.equal(await carol.badge('Kitchen').getAttribute('data-count'), '1'));
      assert.equal(await carol.room('Kitchen').getByTestId('preview').textContent(), `${alice.username}: Soup?`);
      await alice.allOwnAre('sent');
      await carol.chooseRoom('Kitchen');
      await carol.badge('Kitchen').waitFor({ state: 'hidden' });
      await alice.areRead('read by 2 of 2');
      await alice.allOwnAre('read');

      await carol.write('Bread.');
      await bob.write('And tea.');
      await alice.reads('Soup?', 'Bread.', 'And tea.');
      assert.deepEqual(await alice.get('message-sender').allTextContents(), [carol.username, bob.username]);
      for (const tab of [bob, carol]) await tab.areRead('read by 2 of 2');

      await alice.get('reads').click();
      await eventually(async () => assert.equal(await alice.get('reads-title').textContent(), 'Read by 2 of 2'));
      for (const tab of [bob, carol]) {
        assert.match(await alice.page.locator(`[data-testid=receipt][data-username="${tab.username}"]`).textContent(), /read .*\d/);
      }
      await alice.page.keyboard.press('Escape');
      await closeAll();
    });

    it('shows all who type', async () => {
      for (const tab of [alice, bob, carol]) await tab.letTypingLast();
      const shown = () => alice.page.locator('#typing-text').textContent();
      await bob.get('message-input').pressSequentially('Hm');
      await eventually(async () => assert.equal(await shown(), `${bob.username} is typing`));
      await carol.get('message-input').pressSequentially('Well');
      await eventually(async () => assert.equal(await shown(), `${bob.username} and ${carol.username} are typing`));
      assert.equal(await alice.room('Kitchen').getByTestId('preview').textContent(), `${bob.username} and ${carol.username} are typing`);
      await bob.get('message-input').press('Enter');
      await alice.reads('Hm');
      await eventually(async () => assert.equal(await shown(), `${carol.username} is typing`));
      await carol.get('message-input').fill('');
      await alice.get('typing').waitFor({ state: 'hidden' });
      await closeAll();
    });

    it('comes back complete after messages in the absence, and joins again', async () => {
      await alice.write('before');
      await bob.reads('before');
      await bob.context.setOffline(true);
      await bob.disconnected();
      await alice.presence('3 members · 2 online · 2 here · private');
      const missed = numbered(10, 'missed');
      for (const text of missed) await alice.write(text);
      await alice.allAreStored();
      await bob.write('written offline');
      assert.deepEqual((await bob.shown()).at(-1).state, 'sending');
      await bob.context.setOffline(false);
      await bob.connected();
      const whole = ['before', ...missed, 'written offline'];
      for (const tab of [alice, bob, carol]) {
        await tab.reads(...whole);
        await tab.allOwnAre('read');
        assert.deepEqual(await tab.seqs(), whole.map((_, index) => index + 1));
      }
      await alice.presence('3 members · 3 online · 3 here · private');
      await closeAll(OFFLINE);
    });

    it('counts what was missed in a room that is not looked at', async () => {
      await bob.choose(alice);
      await bob.context.setOffline(true);
      await bob.disconnected();
      for (const text of numbered(3, 'missed')) await alice.write(text);
      await alice.allAreStored();
      await bob.context.setOffline(false);
      await bob.connected();
      await eventually(async () => assert.equal(await bob.badge('Kitchen').getAttribute('data-count'), '3'));
      await carol.reads(...numbered(3, 'missed'));
      await alice.areRead(...Array(3).fill('read by 1 of 2'));
      await alice.write('and one');
      await eventually(async () => assert.equal(await bob.badge('Kitchen').getAttribute('data-count'), '4'));
      await bob.chooseRoom('Kitchen');
      await bob.reads(...numbered(3, 'missed'), 'and one');
      await alice.areRead(...Array(4).fill('read by 2 of 2'));
      await closeAll(OFFLINE);
    });

    it('keeps writing through a cut connection and a restart', async () => {
      const texts = numbered(8, 'through');
      for (const [index, text] of texts.entries()) {
        await alice.write(text);
        if (index % 3 === 1) await alice.page.evaluate(() => document.getElementById('cut').click());
      }
      for (const tab of [alice, bob, carol]) await tab.reads(...texts);
      assert.equal(await stage.server.stop(), 0);
      await alice.disconnected();
      await alice.write('meanwhile');
      await stage.server.start();
      for (const tab of [alice, bob, carol]) {
        await tab.connected();
        await tab.reads(...texts, 'meanwhile');
      }
      await alice.allOwnAre('read');
      await closeAll(UNREACHABLE, REFUSED(503), REFUSED(400), /WebSocket connection to .* failed/);
    });

    it('is in the same room after a reload, also in /chat and /rooms', async () => {
      await bob.page.reload();
      await bob.connected();
      await bob.isIn('Kitchen');
      await bob.get('options').click();
      await bob.get('namespace').selectOption('/chat');
      await bob.connected();
      await bob.isIn('Kitchen');
      await bob.write('Over here');
      await alice.reads('Over here');
      await alice.write('I see');
      await bob.reads('Over here', 'I see');
      await bob.areRead('read by 2 of 2');
      await bob.choose(alice);
      await bob.write('And between us');
      await alice.choose(bob);
      await alice.reads('And between us');
      await closeAll();
    });

    it('lets the owner rename, give roles and remove', async () => {
      await alice.openRoom();
      await alice.get('room-rename').fill('Great Kitchen');
      await alice.get('room-save').click();
      await alice.get('room-saved').waitFor();
      for (const tab of [bob, carol]) await tab.isIn('Great Kitchen');
      await alice.member(bob.username).getByTestId('change-role').click();
      await alice.page.locator(`[data-testid=member][data-username="${bob.username}"][data-role=admin]`).waitFor();
      await bob.openRoom();
      await eventually(async () => assert.equal(await bob.get('room-kind').textContent(), 'Private room · you are an admin'));
      assert.equal(await bob.member(alice.username).getByTestId('remove-member').count(), 0);
      assert.equal(await bob.member(carol.username).getByTestId('remove-member').count(), 1);

      await alice.member(carol.username).getByTestId('remove-member').click();
      assert.match(await alice.member(carol.username).getByTestId('remove-member').textContent(), /Really remove/);
      await alice.member(carol.username).getByTestId('remove-member').click();
      await carol.get('no-conversation').waitFor();
      assert.match(await carol.get('notice').textContent(), /You were removed from the room “Great Kitchen”/);
      assert.equal(await carol.room('Great Kitchen').count(), 0);
      for (const tab of [alice, bob]) await eventually(async () => assert.equal(await tab.get('member').count(), 2));
      await alice.closeRoom();
      await alice.write('Without carol');
      await bob.closeRoom();
      await bob.reads('Without carol');

      await alice.openRoom();
      await alice.member(bob.username).getByTestId('hand-over').click();
      await alice.member(bob.username).getByTestId('hand-over').click();
      await eventually(async () => assert.equal(await alice.get('room-kind').textContent(), 'Private room · you are an admin'));
      await alice.get('room-leave').click();
      await alice.get('room-leave').click();
      await alice.get('no-conversation').waitFor();
      assert.ok(await alice.get('notice').isHidden(), 'who leaves was not removed');
      await bob.presence('1 member · 1 online · 1 here · private');
      await bob.openRoom();
      assert.equal(await bob.get('room-kind').textContent(), 'Private room · you are its owner');
      await bob.get('room-delete').click();
      await bob.get('room-delete').click();
      await bob.get('no-conversation').waitFor();
      // Whose membership ends may just have been asking who else is in the room.
      await closeAll(REFUSED(404));
    });

    it('closes a room that is deleted, and one lost while away', async () => {
      await bob.context.setOffline(true);
      await bob.disconnected();
      await alice.openRoom();
      await alice.get('room-delete').click();
      await alice.get('room-delete').click();
      await carol.get('no-conversation').waitFor();
      assert.match(await carol.get('notice').textContent(), /The room “Kitchen” was deleted/);
      await bob.context.setOffline(false);
      await bob.get('no-conversation').waitFor();
      assert.equal(await bob.room('Kitchen').count(), 0);
      await closeAll(OFFLINE, REFUSED(404));
    });

    it('takes an invite back', async () => {
      await alice.openRoom();
      await alice.get('revoke-invite').click();
      await eventually(async () => assert.equal(await alice.get('invite-item').count(), 0));
      await alice.closeRoom();
      const dave = await openTab({ path: `/${new URL(link).search}` });
      await dave.get('entry-note').waitFor();
      assert.ok(!dave.page.url().includes('invite'));
      await dave.register('dave');
      await dave.get('invited').waitFor();
      await dave.get('invited-error').waitFor();
      await dave.get('invited-decline').click();
      await dave.close(REFUSED(403));
      await closeAll();
    });
  });

  it('offers an invite to who registers first, once', async () => {
    const alice = await openTab();
    await alice.register('alice');
    await alice.create('Garden');
    const link = new URL(await alice.inviteLink({ uses: 1, expires: 'an hour' }));
    const bob = await openTab({ path: `/${link.search}` });
    await bob.register('bob');
    assert.match(await bob.get('invited').textContent(), /Garden.*A private room · 1 member/s);
    await bob.get('invited-decline').click();
    await bob.page.reload();
    await bob.connected();
    assert.ok(await bob.get('invited').isHidden(), 'not again');
    await bob.get('find-room').click();
    await bob.get('join-room-where').fill('no room');
    await bob.get('join-room-submit').click();
    await bob.get('join-room-error').waitFor();
    await bob.get('join-room-where').fill(link.href);
    await bob.get('join-room-submit').click();
    await bob.isIn('Garden');
    const text = await bob.get('log-list').textContent();
    assert.doesNotMatch(text, /eyJ[\w-]+\.[\w-]+/, 'the invite is kept out of the log');
    await Promise.all([alice, bob].map((tab) => tab.close()));
  });

  it('joins a public room by its id, and by keyboard alone', async () => {
    const owner = await register(stage.server, 'owner');
    const { body } = await call(stage.server, 'POST', '/rooms', { token: owner.token, body: { name: 'Hall' } });
    const tab = await openTab();
    await tab.register('guest');
    await tab.get('find-room').focus();
    await tab.page.keyboard.press('Enter');
    await tab.page.keyboard.type(body.data.room.id);
    await tab.page.keyboard.press('Enter');
    await tab.isIn('Hall');
    await tab.page.keyboard.type('By hand');
    await tab.page.keyboard.press('Enter');
    await tab.reads('By hand');
    await tab.get('room-open').focus();
    await tab.page.keyboard.press('Enter');
    await tab.member(owner.username).waitFor();
    await tab.page.keyboard.press('Escape');
    await tab.get('room').waitFor({ state: 'hidden' });
    assert.equal(await tab.page.evaluate(() => document.activeElement.id), 'room-open');
    await tab.close();
  });

  it('shows a long history as it is scrolled, and is the same in two tabs', async () => {
    const [writer, reader] = await Promise.all(['writer', 'reader'].map((stem) => register(stage.server, stem)));
    const { body: { data: { room } } } = await call(stage.server, 'POST', '/rooms', { token: writer.token, body: { name: 'Library' } });
    assert.equal((await call(stage.server, 'POST', `/rooms/${room.id}/join`, { token: reader.token })).status, 200);
    const socket = io(stage.server.url, { auth: { token: writer.token }, transports: ['websocket'], forceNew: true });
    await connected(socket);
    assert.equal((await ask(socket, 'join_room', { roomId: room.id })).ok, true);
    const texts = numbered(120, 'line');
    const send = (content) => ask(socket, 'send_message', { roomId: room.id, content });
    for (const { ok } of await Promise.all(texts.map(send))) assert.equal(ok, true);
    const tabs = await Promise.all([openTab(), openTab()]);
    for (const tab of tabs) {
      await tab.logIn(reader.email, PASSWORD);
      await tab.connected();
      await eventually(async () => assert.equal(await tab.badge('Library').getAttribute('data-count'), '120'));
    }
    await tabs[0].chooseRoom('Library');
    await eventually(async () => assert.deepEqual(await tabs[0].texts(), texts.slice(-50)));
    for (const tab of tabs) await tab.badge('Library').waitFor({ state: 'hidden' });
    await eventually(async () => {
      await tabs[0].get('history').evaluate((element) => { element.scrollTop = 0; });
      assert.deepEqual(await tabs[0].texts(), texts);
    });
    assert.equal(await tabs[0].get('history-edge').textContent(), 'This is where it began.');
    await send('seen in one');
    await tabs[0].get('jump').click();
    await tabs[0].reads(...texts, 'seen in one');
    await eventually(async () => assert.equal(await tabs[1].room('Library').getByTestId('preview').textContent(), `${writer.username}: seen in one`));
    await tabs[1].badge('Library').waitFor({ state: 'hidden' });
    await tabs[0].write('from one tab');
    await tabs[1].chooseRoom('Library');
    await eventually(async () => assert.deepEqual((await tabs[1].texts()).slice(-2), ['seen in one', 'from one tab']));
    socket.close();
    for (const tab of tabs) await tab.close();
  });

  it('shows what the server refuses in place', async () => {
    const tab = await openTab();
    await tab.register('alice');
    await tab.get('new-room').click();
    await tab.get('create-room-submit').click();
    await tab.get('create-room-error').waitFor();
    assert.equal(await tab.page.locator('#create-room-form [aria-invalid]').count(), 1);
    await tab.page.keyboard.press('Escape');
    await tab.create('Study', { isPrivate: false });
    await tab.openRoom();
    await tab.get('invite-uses').fill('0');
    await tab.get('invite-make').click();
    await tab.get('invite-error').waitFor();
    await tab.close(REFUSED(400));
  });

  for (const [device, viewport] of [['desktop', DESKTOP], ['phone', PHONE]]) {
    for (const colorScheme of ['light', 'dark']) {
      it(`looks right on a ${device}, ${colorScheme}`, async () => {
        const [worker, drone] = await Promise.all(['worker', 'drone'].map((stem) => register(stage.server, stem)));
        const tab = await openTab({ viewport, colorScheme });
        const picture = (name) => shoot(tab, `rooms-${name}-${device}-${colorScheme}`);
        const isSound = async () => {
          await fits(tab);
          const parts = await tab.page.locator('body').ariaSnapshot();
          assert.doesNotMatch(parts, /^ *- (button|link|textbox|searchbox|checkbox|combobox|spinbutton|dialog|region)(:| \[|$)/m, 'everything has a name');
        };
        await tab.register('queen');
        const me = { id: (await tab.get('me-id').textContent()).trim(), token: await tab.page.evaluate(() => session.token) };
        const rooms = {};
        for (const name of ['Meadow report', 'A room with quite a long name, longer than the list is wide']) {
          const { body } = await call(stage.server, 'POST', '/rooms', { token: me.token, body: { name, description: 'Where to fly today, and what is in bloom', isPrivate: true } });
          rooms[name] = body.data.room.id;
        }
        const roomId = rooms['Meadow report'];
        const { body: { data: { invite } } } = await call(stage.server, 'POST', `/rooms/${roomId}/invite`, { token: me.token, body: { maxUses: 5 } });
        const sockets = [];
        for (const { token } of [worker, drone]) {
          assert.equal((await call(stage.server, 'POST', `/rooms/${roomId}/join?invite=${invite}`, { token })).status, 200);
          const socket = io(stage.server.url, { auth: { token }, transports: ['websocket'], forceNew: true });
          await connected(socket);
          assert.equal((await ask(socket, 'join_room', { roomId })).ok, true);
          sockets.push(socket);
        }
        await ask(sockets[0], 'send_message', { roomId, content: 'Clover behind the hill, forty degrees from the sun.' });
        await ask(sockets[0], 'send_message', { roomId, content: 'Thyme, too.' });
        await ask(sockets[1], 'send_message', { roomId, content: 'And lime trees along the river, in full bloom since this morning. Bring everybody who can carry something.' });
        await tab.page.reload();
        await tab.connected();
        await tab.badge('Meadow report').waitFor();
        await isSound();
        await picture('list');
        await tab.chooseRoom('Meadow report');
        await tab.write('Good. Go, all of you.');
        await tab.write('I stay here, as ever.');
        await tab.allOwnAre('sent');
        const ids = (await tab.messages.evaluateAll((all) => all.map(({ dataset }) => dataset.id))).slice(-2);
        await ask(sockets[0], 'mark_messages_read', { roomId, messageIds: ids });
        await ask(sockets[1], 'message_read', { roomId, messageId: ids[0] });
        await tab.areRead('read by 2 of 2', 'read by 1 of 2');
        for (const socket of sockets) await ask(socket, 'typing', { roomId, isTyping: true });
        await eventually(async () => assert.match(await tab.page.locator('#typing-text').textContent(), /are typing/));
        await isSound();
        await picture('room');
        await tab.get('reads').last().click();
        await tab.get('receipt').first().waitFor();
        await isSound();
        await picture('receipts');
        await tab.page.keyboard.press('Escape');
        await tab.openRoom();
        await tab.get('invite-make').click();
        await tab.get('invite-made').waitFor();
        await isSound();
        await tab.get('members').scrollIntoViewIfNeeded();
        await tab.page.evaluate(() => { document.getElementById('room-scroll').scrollTop = 0; });
        await picture('members');
        await tab.get('room-delete').scrollIntoViewIfNeeded();
        await picture('settings');
        await tab.closeRoom();
        if (viewport === PHONE) await tab.get('back').click();
        await tab.get('new-room').click();
        await isSound();
        await picture('new');
        await tab.page.keyboard.press('Escape');
        const other = await register(stage.server, 'stranger');
        const { body: { data: theirs } } = await call(stage.server, 'POST', '/rooms', { token: other.token, body: { name: 'Orchard', description: 'Apples and pears', isPrivate: true } });
        const { body: { data: asked } } = await call(stage.server, 'POST', `/rooms/${theirs.room.id}/invite`, { token: other.token });
        await tab.page.goto(`${stage.server.url}/?invite=${asked.invite}&room=${theirs.room.id}`);
        await tab.get('invited-accept').waitFor();
        await isSound();
        await picture('invited');
        for (const socket of sockets) socket.close();
        await tab.close();
      });
    }
  }
});

describe('rooms on the page with a server that limits', () => {
  // The third is refused for eight seconds after the first: enough to get there, and less than the patience of a tab.
  const stage = new Stage({ RATE_LIMITS: 'on', RATE_LIMIT_JOINS: '2/16s', RATE_LIMIT_SENDS: '2/16s' });

  it('says so in place, waits, and goes on', async () => {
    const tab = await stage.open({}, RoomTab);
    await tab.register('alice');
    for (const name of ['One', 'Two']) await tab.create(name);
    await tab.get('new-room').click();
    await tab.get('create-room-name').fill('Three');
    await tab.get('create-room-submit').click();
    await tab.get('room-problem').waitFor();
    assert.match(await tab.get('room-problem').textContent(), /^\s*You are not in the room: /);
    await tab.write('waits for the room');
    await tab.isIn('Three');
    await tab.get('room-problem').waitFor({ state: 'hidden' });
    await tab.reads('waits for the room');
    for (const text of ['second', 'third']) await tab.write(text);
    await tab.get('message-problem').waitFor();
    assert.match(await tab.get('message-problem').textContent(), /Again in \d seconds?\.$/);
    await tab.allAreStored();
    await tab.reads('waits for the room', 'second', 'third');
    await tab.close();
  });
});
