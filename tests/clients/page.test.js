// The test page in Chromium, with two people.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { io } from 'socket.io-client';

import { DESKTOP, PHONE, eventually } from './browser.js';
import { PASSWORD, register, registerPair } from './people.js';
import { ask, connected } from './sockets.js';
import { OFFLINE, REFUSED, Stage, TYPING_LASTS, UNREACHABLE, fits, shoot } from './stage.js';

const numbered = (count, words) => Array.from({ length: count }, (_, index) => `${words} ${index + 1}`);

/** Sends messages of one person to another, without a page. */
async function sendAll(server, sender, receiver, texts) {
  const socket = io(server.url, { auth: { token: sender.token }, transports: ['websocket'], forceNew: true });
  await connected(socket);
  const acks = await Promise.all(texts.map((content) => ask(socket, 'send_message', { receiverId: receiver.id, content })));
  assert.ok(acks.every(({ ok }) => ok));
  socket.close();
}

describe('the page', () => {
  const stage = new Stage(TYPING_LASTS);
  const openTab = (options) => stage.open(options);

  describe('with two who have registered', () => {
    let alice;
    let bob;
    beforeEach(async () => {
      [alice, bob] = await Promise.all([openTab(), openTab()]);
      await alice.register('alice');
      await bob.register('bob');
    });
    afterEach(() => Promise.all([alice.context.close(), bob.context.close()]));

    const closeBoth = (...expected) => Promise.all([alice.close(...expected), bob.close(...expected)]);

    async function talk() {
      await alice.choose(bob);
      await bob.choose(alice);
    }

    it('lets them chat', async () => {
      assert.equal(await alice.get('me-name').textContent(), alice.username);
      await talk();
      await alice.write('Hello Bob!');
      await bob.reads('Hello Bob!');
      await bob.write('Hello Alice!');
      await alice.reads('Hello Bob!', 'Hello Alice!');
      await alice.allOwnAre('read');
      await bob.allOwnAre('read');
      await closeBoth();
    });

    it('shows text as text', async () => {
      await talk();
      const text = '<img src=x onerror=alert(1)> Tom & Jerry, 1 < 2\nand <b>a line more</b>';
      await alice.write(text);
      const shown = text.replaceAll('<img', '< img').replaceAll('<b', '< b').replaceAll('</b', '< /b');
      await bob.reads(shown);
      await alice.reads(shown);
      assert.equal(await bob.messages.locator('img, b').count(), 0);
      await closeBoth();
    });

    it('shows who is there', async () => {
      await alice.page.locator(`[data-username="${bob.username}"][data-online=true]`).waitFor();
      await alice.choose(bob);
      assert.equal(await alice.get('peer-presence').textContent(), 'online');
      await bob.close();
      await alice.page.locator(`[data-username="${bob.username}"][data-online=false]`).waitFor();
      await eventually(async () => assert.match(await alice.get('peer-presence').textContent(), /^offline · last seen/));
      await alice.close();
    });

    it('shows who types, and stops', async () => {
      await talk();
      for (const tab of [alice, bob]) await tab.letTypingLast();
      await alice.get('message-input').pressSequentially('Hm, wh');
      await bob.get('typing').waitFor();
      assert.equal(await bob.page.locator('#typing-text').textContent(), `${alice.username} is typing`);
      assert.equal(await bob.person(alice.username).getByTestId('preview').textContent(), 'typing…');
      await alice.get('message-input').fill('');
      await bob.get('typing').waitFor({ state: 'hidden' });
      await alice.get('message-input').pressSequentially('Now');
      await bob.get('typing').waitFor();
      await alice.get('message-input').press('Enter');
      await bob.get('typing').waitFor({ state: 'hidden' });
      await bob.reads('Now');
      await closeBoth();
    });

    it('counts what is unread until it is seen', async () => {
      await alice.choose(bob);
      for (const text of numbered(3, 'unread')) await alice.write(text);
      const badge = bob.person(alice.username).getByTestId('unread-badge');
      await eventually(async () => assert.equal(await badge.getAttribute('data-count'), '3'));
      assert.equal(await bob.get('unread-total').textContent(), '3');
      assert.match(await bob.page.title(), /^\(3\)/);
      await alice.allOwnAre('sent');
      await bob.choose(alice);
      await eventually(async () => assert.doesNotMatch(await bob.page.title(), /\(/));
      for (const mark of [bob.get('unread-total'), badge]) await mark.waitFor({ state: 'hidden' });
      await alice.allOwnAre('read');
      await closeBoth();
    });

    for (const transport of ['websocket', 'polling']) {
      it(`comes back complete after ten messages in its absence, over ${transport}`, async () => {
        await talk();
        await bob.get('options').click();
        await bob.get('transport').selectOption(transport);
        await bob.connected(transport);
        await alice.write('before');
        await bob.reads('before');

        await bob.context.setOffline(true);
        await bob.disconnected();
        const missed = numbered(10, 'missed');
        for (const text of missed) await alice.write(text);
        await alice.allAreStored();
        await bob.write('written offline');
        await bob.write('and another');
        assert.deepEqual((await bob.shown()).slice(1).map(({ state }) => state), ['sending', 'sending']);

        await bob.context.setOffline(false);
        await bob.connected(transport);
        const whole = ['before', ...missed, 'written offline', 'and another'];
        await bob.reads(...whole);
        await alice.reads(...whole);
        // Only what was on the screen counts as read.
        await bob.get('history').evaluate((element) => { element.scrollTop = 0; });
        for (const tab of [alice, bob]) {
          await tab.allOwnAre('read');
          assert.deepEqual((await tab.shown()).map(({ seq }) => seq), whole.map((_, index) => index + 1));
        }
        await closeBoth(OFFLINE);
      });
    }

    it('keeps writing through a cut connection', async () => {
      await talk();
      const texts = numbered(12, 'through');
      for (const [index, text] of texts.entries()) {
        await alice.write(text);
        if (index % 4 === 1) await alice.page.evaluate(() => document.getElementById('cut').click());
      }
      await bob.reads(...texts);
      await alice.reads(...texts);
      await alice.allOwnAre('read');
      await closeBoth();
    });

    it('waits for a server that restarts', async () => {
      await talk();
      await alice.write('before');
      await bob.reads('before');
      assert.equal(await stage.server.stop(), 0);
      await alice.disconnected();
      await alice.write('meanwhile');
      await stage.server.start();
      await bob.connected();
      await bob.reads('before', 'meanwhile');
      await alice.allOwnAre('read');
      await closeBoth(UNREACHABLE, REFUSED(503), REFUSED(400), /WebSocket connection to .* failed/);
    });

    for (const [namespace, transport] of [['/chat', 'websocket'], ['/chat', 'polling'], ['/', 'polling'], ['/chat', 'auto']]) {
      it(`chats in ${namespace} over ${transport}`, async () => {
        await bob.get('options').click();
        await bob.get('namespace').selectOption(namespace);
        await bob.connected();
        await bob.get('transport').selectOption(transport);
        await bob.connected(transport === 'auto' ? 'websocket' : transport);
        await alice.page.locator(`[data-username="${bob.username}"][data-online=true]`).waitFor();
        await talk();
        await alice.write('Hello Bob!');
        await bob.reads('Hello Bob!');
        await bob.write('Hello Alice!');
        await alice.reads('Hello Bob!', 'Hello Alice!');
        await alice.close();
        await bob.page.locator(`[data-username="${alice.username}"][data-online=false]`).waitFor();
        await bob.close();
      });
    }

    it('filters its log, and keeps secrets out of it', async () => {
      await talk();
      await alice.write('find me');
      await alice.reads('find me');
      if (await alice.get('log').isHidden()) await alice.get('log-toggle').click();
      const shown = alice.page.locator('[data-testid=log-entry]:not([hidden])');
      const all = await shown.count();
      await alice.get('log-filter').fill('send_message');
      const names = await shown.evaluateAll((rows) => rows.map(({ dataset }) => dataset.name));
      assert.ok(names.length > 0 && names.length < all);
      for (const name of names) assert.match(name, /send_message/);
      await alice.get('log-filter').fill('');
      assert.ok(await shown.count() >= all);
      for (const row of await alice.get('log-entry').all()) await row.locator('summary').click();
      const text = await alice.get('log-list').textContent();
      assert.match(text, /POST \/api\/auth\/register/);
      assert.match(text, /\[redacted\]/);
      assert.doesNotMatch(text, /eyJ[\w-]+\.[\w-]+/);
      assert.doesNotMatch(text, new RegExp(PASSWORD));
      await alice.get('log-clear').click();
      await eventually(async () => assert.ok(await shown.count() < 3));
      await closeBoth();
    });

    it('is the same person after a reload, in the same conversation', async () => {
      await talk();
      await alice.write('remember');
      await bob.reads('remember');
      await bob.page.reload();
      await bob.connected();
      await bob.reads('remember');
      assert.equal(await bob.get('me-name').textContent(), bob.username);
      await closeBoth();
    });

    it('shows everybody that somebody has logged out', async () => {
      await alice.get('logout').click();
      await alice.get('register-username').waitFor();
      await bob.page.locator(`[data-username="${alice.username}"][data-online=false]`).waitFor();
      await alice.logIn(alice.username, PASSWORD);
      await alice.connected();
      await closeBoth();
    });
  });

  it('shows a long history as it is scrolled', async () => {
    const [alice, bob] = await registerPair(stage.server);
    const texts = numbered(120, 'line');
    await sendAll(stage.server, alice, bob, texts);
    const tab = await openTab();
    await tab.logIn(bob.email, PASSWORD);
    await tab.connected();
    await tab.choose(alice);
    await eventually(async () => assert.deepEqual(await tab.texts(), texts.slice(-50)));
    assert.equal(await tab.get('history-edge').textContent(), 'Scroll up for older messages');
    await eventually(async () => {
      await tab.get('history').evaluate((element) => { element.scrollTop = 0; });
      assert.deepEqual(await tab.texts(), texts);
    });
    assert.equal(await tab.get('history-edge').textContent(), 'This is where it began.');
    await tab.get('jump').click();
    await tab.get('jump').waitFor({ state: 'hidden' });
    await tab.close();
  });

  it('takes tokens that are pasted, as the chat document describes', async () => {
    const [alice, bob] = await registerPair(stage.server);
    const tabs = await Promise.all([openTab(), openTab()]);
    const paste = async (tab, me, peer) => {
      await tab.get('token').fill(me.token);
      await tab.get('receiver').fill(peer.id);
      await tab.get('connect').click();
      await tab.connected();
      assert.equal(await tab.get('me-name').textContent(), me.username);
      assert.equal(await tab.get('peer-name').textContent(), peer.username);
    };
    await paste(tabs[0], alice, bob);
    await paste(tabs[1], bob, alice);
    await tabs[0].write('Hello Bob!');
    await tabs[1].reads('Hello Bob!');
    await tabs[1].write('Hello Alice!');
    await tabs[0].reads('Hello Bob!', 'Hello Alice!');
    for (const event of ['send_message', 'message_sent', 'receive_message', 'message_read_receipt']) {
      await tabs[0].page.locator(`[data-testid=log-entry][data-name=${event}]`).first().waitFor({ state: 'attached' });
    }
    for (const tab of tabs) await tab.close();
  });

  it('says what is wrong with a token', async () => {
    const tab = await openTab();
    const { id } = await register(stage.server);
    await tab.get('token').fill('not a token');
    await tab.get('receiver').fill(id);
    await tab.get('connect').click();
    await tab.get('direct-error').waitFor();
    await tab.get('token').fill('eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJub2JvZHkifQ.c2lnbmF0dXJl');
    await tab.get('connect').click();
    await tab.page.locator('[data-testid=state][data-state=refused]').waitFor();
    assert.match(await tab.get('state').textContent(), /invalid token/);
    // Refused, the client hangs up its poll and its probe, and may find the session gone when it says goodbye.
    await tab.close(REFUSED(401), REFUSED(400));
  });

  it('says what is wrong with a registration and a log-in', async () => {
    const taken = await register(stage.server);
    const tab = await openTab();
    await tab.get('register-username').fill('1');
    await tab.get('register-email').fill('nowhere');
    await tab.get('register-password').fill('short');
    await tab.get('register-submit').click();
    await eventually(async () => assert.equal(await tab.page.locator('#register [aria-invalid]').count(), 3));
    await tab.get('register-username').fill(taken.username);
    await tab.get('register-email').fill('someone.else@example.com');
    await tab.get('register-password').fill(PASSWORD);
    await tab.get('register-submit').click();
    await eventually(async () => {
      const wrong = await tab.page.locator('#register [aria-invalid]').evaluateAll((fields) => fields.map(({ name }) => name));
      assert.deepEqual(wrong, ['username']);
    });
    await tab.get('register-error').waitFor();
    await tab.logIn(taken.email, 'not the password');
    await tab.get('login-error').waitFor();
    await tab.close(REFUSED(400), REFUSED(401), REFUSED(409));
  });

  it('lets a forgotten password be replaced', async () => {
    const person = await register(stage.server);
    const tab = await openTab();
    await tab.get('tab-login').click();
    await tab.get('forgot-open').click();
    await tab.get('forgot-email').fill(person.email);
    await tab.get('forgot-submit').click();
    await tab.get('login-note').waitFor();
    const [, link] = await stage.server.logged(new RegExp(`to=${person.email} link=(\\S+)`));

    await tab.page.goto('about:blank');
    await tab.page.goto(link);
    assert.ok(!tab.page.url().includes('reset-token'), 'the token does not stay in the address');
    await tab.get('reset-password').fill('short');
    await tab.get('reset-submit').click();
    await eventually(async () => assert.equal(await tab.page.locator('#reset [aria-invalid]').count(), 1));
    await tab.get('reset-password').fill('another password');
    await tab.get('reset-submit').click();
    await tab.get('login-note').waitFor();
    await tab.logIn(person.email, PASSWORD);
    await tab.get('login-error').waitFor();
    await tab.logIn(person.email, 'another password');
    await tab.connected();

    await tab.page.goto(link);
    await tab.get('reset-password').fill('a third password');
    await tab.get('reset-submit').click();
    await tab.get('reset-error').waitFor();
    await tab.get('reset-again').click();
    await tab.get('forgot-close').click();
    await tab.get('login-submit').waitFor();
    await tab.close(REFUSED(400), REFUSED(401));
  });

  for (const [device, viewport] of [['desktop', DESKTOP], ['phone', PHONE]]) {
    for (const colorScheme of ['light', 'dark']) {
      it(`looks right on a ${device}, ${colorScheme}`, async () => {
        const tab = await openTab({ viewport, colorScheme, path: '/#reset-token=sample' });
        const picture = (name) => shoot(tab, `${name}-${device}-${colorScheme}`);
        await picture('reset');
        await tab.get('reset-again').click();
        await picture('forgot');
        await tab.get('forgot-close').click();
        await picture('login');
        await tab.get('tab-register').click();
        await fits(tab);
        await picture('entry');

        await tab.register('queen');
        const friends = await Promise.all(['worker', 'drone', 'scout'].map((stem) => register(stage.server, stem)));
        const me = { id: (await tab.get('me-id').textContent()).trim() };
        await sendAll(stage.server, friends[1], me, ['The lime trees are in bloom.']);
        await sendAll(stage.server, friends[0], me, ['Found a meadow!', 'Forty degrees from the sun, and about eight hundred metres from the hive. Clover, mostly, and some thyme on the slope behind it.']);
        await tab.page.reload();
        await tab.connected();
        await tab.get('unread-total').waitFor();
        await fits(tab);
        await picture('people');

        await tab.choose(friends[0]);
        await tab.write('Good. How many of us?');
        await tab.write('https://example.com/a/very/long/address/that/has/no/place/to/break/but/must/stay/within/its/bubble?whatever=happens');
        await tab.allOwnAre('sent');
        const friend = io(stage.server.url, { auth: { token: friends[0].token }, transports: ['websocket'], forceNew: true });
        await connected(friend);
        assert.equal((await ask(friend, 'send_message', { receiverId: me.id, content: 'As many as can fly.' })).ok, true);
        await ask(friend, 'typing_start', { receiverId: me.id });
        await tab.get('typing').waitFor();
        await fits(tab);
        await picture('chat');
        if (await tab.get('log').isHidden()) await tab.get('log-toggle').click();
        await tab.get('options').click();
        await fits(tab);
        await picture('log-and-options');
        friend.close();
        await tab.close();
      });
    }
  }
});

describe('the page with a server that speaks msgpack', () => {
  const stage = new Stage({ SOCKET_PARSER: 'msgpack' });

  it('chats once told so', async () => {
    const [alice, bob] = await registerPair(stage.server);
    const tabs = await Promise.all([stage.open(), stage.open()]);
    for (const [tab, me, peer] of [[tabs[0], alice, bob], [tabs[1], bob, alice]]) {
      await tab.get('options').click();
      await tab.get('parser').selectOption('msgpack');
      await tab.logIn(me.username, PASSWORD);
      await tab.connected();
      await tab.choose(peer);
    }
    await tabs[0].write('Hello Bob!');
    await tabs[1].reads('Hello Bob!');
    await tabs[1].write('Hello Alice!');
    await tabs[0].reads('Hello Bob!', 'Hello Alice!');
    for (const tab of tabs) await tab.close();
  });
});
