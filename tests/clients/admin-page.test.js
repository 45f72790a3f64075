// Sockets and bans on the test page in Chromium: an admin, and those whom it is about.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';

import { DESKTOP, PHONE, Tab, eventually } from './browser.js';
import { ADMIN } from './orders-people.js';
import { PASSWORD, call, register } from './people.js';
import { REFUSED, Stage, fits, shoot } from './stage.js';

// What somebody's browser says who is banned: also of a poll of a connection that is no more.
const ENDED = [400, 401, 403].map(REFUSED);

class AdminTab extends Tab {
  async logInAsAdmin() {
    await this.logIn(ADMIN.ADMIN_EMAIL, ADMIN.ADMIN_PASSWORD);
    await this.connected();
    await this.get('to-admin').click();
    await this.get('socket-item').first().waitFor();
  }

  /** The rows of sockets of somebody. */
  sockets({ username }) { return this.page.locator(`[data-testid=socket-item][data-username="${username}"]`); }

  banned({ username }) { return this.page.locator(`[data-testid=ban-item][data-username="${username}"]`); }

  /** Waits until somebody has so many sockets in the list. */
  lists(person, count) {
    return eventually(async () => assert.equal(await this.sockets(person).count(), count));
  }

  /** Presses a button of the first of somebody's sockets. */
  press(person, button) { return this.sockets(person).first().getByTestId(button).click(); }

  async ban(person, reason) {
    await this.press(person, 'ban');
    await this.get('ban-input-reason').fill(reason);
    await this.get('ban-submit').click();
    await this.banned(person).waitFor();
  }
}

describe('sockets and bans on the page', () => {
  const stage = new Stage({ PRESENCE_GRACE: '300ms', ...ADMIN });
  let admin;
  let alice;
  let bob;
  const openAll = () => Promise.all([stage.open({}, AdminTab), stage.open(), stage.open()]);
  beforeEach(async () => {
    [admin, alice, bob] = await openAll();
    await Promise.all([admin.logInAsAdmin(), alice.register('alice'), bob.register('bob')]);
  });
  afterEach(() => Promise.all([admin, alice, bob].map((tab) => tab.context.close())));
  const closeAll = (...expected) => Promise.all([admin, alice, bob].map((tab) => tab.close(...expected)));

  it('lists sockets as they come and go', async () => {
    await admin.lists(alice, 1);
    const row = admin.sockets(alice);
    // What waits for a socket that has just come is gone a moment later.
    await eventually(async () => assert.match(await row.textContent(), /user.*\/.*0 queued.*127\.0\.0\.1/s));
    await alice.get('options').click();
    await alice.get('namespace').selectOption('/chat');
    await admin.lists(alice, 4);
    await eventually(async () => assert.equal(await admin.get('socket-count').getAttribute('data-count'), String(await admin.get('socket-item').count())));
    await alice.get('logout').click();
    await admin.lists(alice, 0);
    await admin.lists(bob, 1);
    await closeAll();
  });

  it('asks for nothing while another side is shown, and fills no log', async () => {
    const asked = [];
    admin.page.on('request', (request) => { if (request.url().includes('/api/admin/sockets')) asked.push(request.url()); });
    await eventually(() => assert.ok(asked.length >= 2));
    await admin.get('log-filter').fill('api/admin/sockets');
    await eventually(async () => assert.equal(await admin.page.locator('[data-testid=log-entry]:visible').count(), 2));
    await admin.get('to-chat').click();
    const before = asked.length;
    await admin.page.waitForTimeout(2500);
    assert.equal(asked.length, before);
    await closeAll();
  });

  it('shows nothing of it to others', async () => {
    assert.equal(await alice.get('to-admin').isVisible(), false);
    await alice.page.evaluate(() => sessionStorage.setItem('waggle.side', '"admin"'));
    await alice.page.reload();
    await alice.connected();
    assert.equal(await alice.get('admin').isVisible(), false);
    assert.equal(await alice.get('to-chat').getAttribute('aria-current'), '');
    await closeAll();
  });

  it('narrows the list by name, address, namespace and role', async () => {
    await admin.lists(bob, 1);
    const leaves = async (...people) => {
      for (const person of [alice, bob]) await admin.lists(person, people.includes(person) ? 1 : 0);
    };
    await admin.get('socket-search').fill(alice.username.toUpperCase());
    await leaves(alice);
    await admin.get('socket-search').fill('127.0.0.1');
    await leaves(alice, bob);
    await admin.get('socket-search').fill('192.0.2.7');
    await leaves();
    assert.equal(await admin.get('sockets-empty').textContent(), 'No socket is like that.');
    await admin.get('socket-search').fill('');
    await admin.get('socket-role').selectOption('admin');
    await leaves();
    await admin.get('socket-role').selectOption('user');
    await leaves(alice, bob);
    await admin.get('socket-namespace').selectOption('/rooms');
    await leaves();
    await closeAll();
  });

  it('shows one with what is known of it', async () => {
    await admin.lists(alice, 1);
    await admin.press(alice, 'socket-details');
    assert.equal(await admin.get('socket-fact-door').textContent(), 'socket.io');
    assert.equal(await admin.get('socket-fact-rooms').textContent(), 'none');
    assert.match(await admin.get('socket-fact-user').textContent(), new RegExp(alice.username));
    await closeAll();
  });

  it('disconnects one that comes back, once it was pressed twice', async () => {
    await admin.lists(alice, 1);
    const id = await admin.sockets(alice).getAttribute('data-socket-id');
    await admin.press(alice, 'disconnect');
    await admin.page.waitForTimeout(300);
    assert.equal(await admin.sockets(alice).getAttribute('data-socket-id'), id);
    await admin.press(alice, 'disconnect');
    await eventually(async () => {
      const now = await admin.sockets(alice).getAttribute('data-socket-id', { timeout: 500 });
      assert.notEqual(now, id);
    });
    await alice.connected();
    await closeAll();
  });

  it('says that a socket is gone that it did not find', async () => {
    await admin.lists(alice, 1);
    await admin.page.route('**/api/admin/sockets?*', (route) => route.abort());
    // From here on no answer is on its way that takes the socket off the list.
    await admin.get('sockets-unanswered').waitFor();
    await alice.get('logout').click();
    await alice.get('tab-login').waitFor();
    for (let time = 1; time <= 2; time++) await admin.press(alice, 'disconnect');
    await admin.page.locator('[data-testid=admin-error]', { hasText: 'There is no such socket here' }).waitFor();
    await admin.get('sockets-unanswered').waitFor();
    await admin.page.unroute('**/api/admin/sockets?*');
    await admin.lists(alice, 0);
    await admin.get('sockets-unanswered').waitFor({ state: 'hidden' });
    await closeAll(REFUSED(404), /net::ERR_FAILED/);
  });

  it('bans somebody for a reason, who is told, and lets them in again', async () => {
    await admin.lists(alice, 1);
    await admin.ban(alice, 'Sells <b>honey');
    assert.equal(await admin.banned(alice).getByTestId('ban-reason').textContent(), 'Sells < b>honey');
    await admin.lists(alice, 0);
    await alice.page.locator('[data-testid=state][data-state=refused]', { hasText: 'This account is banned' }).waitFor();
    await alice.get('logout').click();
    await alice.logIn(alice.username, PASSWORD);
    await alice.page.locator('[data-testid=login-error]', { hasText: 'This account is banned' }).waitFor();
    const lift = admin.banned(alice).getByTestId('lift-ban');
    await lift.click();
    await lift.click();
    await admin.banned(alice).waitFor({ state: 'detached' });
    await alice.get('login-password').fill(PASSWORD);
    await alice.get('login-submit').click();
    await alice.connected();
    await admin.lists(alice, 1);
    await bob.connected();
    await closeAll(...ENDED);
  });

  it('finds somebody who is not connected, and bans them', async () => {
    const carl = await register(stage.server, 'carl');
    await admin.get('ban-search').fill(carl.username);
    await admin.page.locator(`[data-testid=ban-found][data-username="${carl.username}"]`).getByTestId('ban-found-ban').click();
    await admin.get('ban-submit').click();
    await admin.banned(carl).waitFor();
    assert.equal(await admin.banned(carl).getByTestId('ban-reason').textContent(), 'no reason given');
    assert.equal((await call(stage.server, 'GET', '/api/auth/me', { token: carl.token })).status, 401);
    await admin.get('ban-search').fill('chief');
    await admin.get('ban-nobody').waitFor();
    await closeAll();
  });

  it('says in the dialog what is wrong with a ban', async () => {
    await admin.lists(alice, 1);
    await admin.press(alice, 'ban');
    await admin.get('ban-input-reason').fill('x'.repeat(501));
    await admin.get('ban-submit').click();
    await admin.page.locator('[data-testid=ban-error]', { hasText: 'must have 1 to 500 characters' }).waitFor();
    assert.equal(await admin.get('ban-input-reason').getAttribute('aria-invalid'), 'true');
    await admin.page.keyboard.press('Escape');
    await alice.connected();
    await closeAll(REFUSED(400));
  });

  for (const [device, viewport] of Object.entries({ desktop: DESKTOP, phone: PHONE })) {
    for (const colorScheme of ['light', 'dark']) {
      it(`looks right on a ${device}, ${colorScheme}`, async () => {
        await admin.get('log-toggle').click();
        await admin.page.setViewportSize(viewport);
        await admin.page.emulateMedia({ colorScheme });
        await admin.lists(bob, 1);
        await admin.ban(alice, 'Writes the same to everybody, and then once more, with a link that nobody should open');
        await admin.lists(alice, 0);
        const picture = async (name) => {
          await fits(admin);
          await shoot(admin, `admin-${name}-${device}-${colorScheme}`);
        };
        await picture('sockets');
        await admin.press(bob, 'socket-details');
        await picture('details');
        await admin.page.keyboard.press('Escape');
        await admin.press(bob, 'ban');
        await picture('ban');
        await admin.page.keyboard.press('Escape');
        await admin.get('ban-search').fill(bob.username);
        await admin.get('ban-found').first().scrollIntoViewIfNeeded();
        await picture('bans');
        await closeAll(...ENDED);
      });
    }
  }
});
