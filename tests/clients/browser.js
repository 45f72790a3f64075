// The test page in a browser: a tab is a person, and complains of whatever a person should not see.

import assert from 'node:assert/strict';
import { chromium } from 'playwright-core';

import { PASSWORD, uniqueName } from './people.js';

const BROWSER = process.env.CHROMIUM ?? '/usr/bin/chromium';
const PATIENCE = 15_000;
const ARGUMENTS = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync',
  // Nothing but this machine can be reached.
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
];

export const DESKTOP = { width: 1280, height: 800 };
export const PHONE = { width: 390, height: 844 };

export function launch() {
  return chromium.launch({ executablePath: BROWSER, headless: true, args: ARGUMENTS });
}

export class Tab {
  #complaints = [];

  /** Opens the page of `server` in a fresh profile. */
  static async open(browser, server, { path = '/', ...options } = {}) {
    const context = await browser.newContext({ viewport: DESKTOP, reducedMotion: 'reduce', ...options });
    context.setDefaultTimeout(PATIENCE);
    const tab = new this(context, await context.newPage(), server.url);
    await tab.page.goto(server.url + path);
    return tab;
  }

  constructor(context, page, origin) {
    this.context = context;
    this.page = page;
    const complain = (what) => this.#complaints.push(what);
    page.on('console', (line) => { if (line.type() === 'error') complain(`console: ${line.text()}`); });
    page.on('pageerror', (problem) => complain(`page: ${problem.stack}`));
    page.on('request', (request) => { if (!isOf(request.url(), origin)) complain(`request: ${request.url()}`); });
    page.on('websocket', (socket) => { if (!isOf(socket.url(), origin)) complain(`websocket: ${socket.url()}`); });
  }

  get(testId) { return this.page.getByTestId(testId); }

  /** The list entry of somebody. */
  person(username) { return this.page.locator(`[data-testid=user-item][data-username="${username}"]`); }

  get messages() { return this.get('message'); }

  texts() { return this.get('message-text').allTextContents(); }

  /** What is known of each message of the open conversation, from top to bottom. */
  shown() {
    return this.messages.evaluateAll((all) => all.map((message) => ({
      text: message.querySelector('[data-testid=message-text]').textContent,
      seq: Number(message.dataset.seq),
      state: message.dataset.state,
    })));
  }

  async register(stem, role = 'user') {
    this.username = uniqueName(stem);
    this.email = `${this.username}@example.com`;
    await this.get('register-username').fill(this.username);
    await this.get('register-email').fill(this.email);
    await this.get('register-password').fill(PASSWORD);
    await this.get('register-role').selectOption(role);
    await this.get('register-submit').click();
    await this.connected();
  }

  async logIn(identity, password) {
    await this.get('tab-login').click();
    await this.get('login-email').fill(identity);
    await this.get('login-password').fill(password);
    await this.get('login-submit').click();
  }

  /** Waits until the connection is up and has moved to the transport it ends with. */
  connected(transport = 'websocket') {
    return this.page.locator('[data-testid=state][data-state=connected]', { hasText: `Connected via ${transport}` }).waitFor();
  }

  disconnected() {
    return this.page.locator('[data-testid=state]:not([data-state=connected])').waitFor();
  }

  async choose({ username }) {
    await this.person(username).click();
    await this.get('message-input').waitFor();
  }

  async write(text) {
    await this.get('message-input').fill(text);
    await this.get('message-input').press('Enter');
  }

  /** Typing ends when somebody stops, not by itself: in what this tab tells, and in what it believes. */
  letTypingLast() {
    return this.page.evaluate(() => { Typing.PAUSE = Typing.BELIEF = 60_000; });
  }

  /** Waits until the messages are exactly these. */
  async reads(...texts) {
    await eventually(async () => assert.deepEqual(await this.texts(), texts));
  }

  /** Waits until all own messages are in this state. */
  async allOwnAre(state) {
    await eventually(async () => {
      const others = (await this.shown()).filter((message) => message.state !== 'received' && message.state !== state);
      assert.deepEqual(others, []);
    });
  }

  /** Waits until the server has all own messages. */
  async allAreStored() {
    await eventually(async () => {
      const waiting = (await this.shown()).filter(({ state }) => state === 'sending' || state === 'failed');
      assert.deepEqual(waiting, []);
    });
  }

  /** Ends the tab; nothing may have gone wrong in it, except what was expected to. */
  async close(...expected) {
    await this.context.close();
    assert.deepEqual(this.#complaints.filter((complaint) => !expected.some((pattern) => pattern.test(complaint))), []);
  }
}

/** Waits until what `check` asserts holds. */
export async function eventually(check) {
  const deadline = Date.now() + PATIENCE;
  for (;;) {
    try {
      return await check();
    } catch (problem) {
      if (Date.now() > deadline) throw problem;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

function isOf(url, origin) {
  return /^(data|blob|about):/.test(url) || new URL(url).host === new URL(origin).host;
}
