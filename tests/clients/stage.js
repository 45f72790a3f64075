// What tests of pages stand on: a browser and a server, pictures of what is seen, failures that are expected.

import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { after, before } from 'node:test';

import { Tab, launch } from './browser.js';
import { REPOSITORY, startServer } from './server.js';

const SCREENSHOTS = path.join(REPOSITORY, 'target/screenshots');

export const REFUSED = (status) => new RegExp(`the server responded with a status of ${status}`);
export const OFFLINE = /net::ERR_INTERNET_DISCONNECTED/;
export const UNREACHABLE = /net::ERR_(CONNECTION_REFUSED|CONNECTION_RESET|EMPTY_RESPONSE|SOCKET_NOT_CONNECTED)/;

const QUICK = { PRESENCE_GRACE: '300ms' };

/** For the server: typing ends when somebody stops, not by itself. `Tab.letTypingLast` has the page do so, too. */
export const TYPING_LASTS = { ...QUICK, TYPING_TIMEOUT: '60s' };

/** A browser and a server, there for as long as the tests of a `describe` run. */
export class Stage {
  constructor(env = QUICK) {
    before(async () => {
      await mkdir(SCREENSHOTS, { recursive: true });
      [this.browser, this.server] = await Promise.all([launch(), startServer({ env })]);
    });
    after(() => Promise.all([this.browser?.close(), this.server?.close()]));
  }

  /** Opens the page as a tab of `kind`. */
  open(options, kind = Tab) {
    return kind.open(this.browser, this.server, options);
  }
}

/** A picture of what the tab shows. */
export function shoot(tab, name) {
  return tab.page.screenshot({ path: path.join(SCREENSHOTS, `${name}.png`) });
}

/** Nothing sticks out of the window to the right. */
export async function fits(tab) {
  const beyond = await tab.page.evaluate(() => [...document.querySelectorAll('body *')]
    .filter((element) => element.checkVisibility() && !element.closest('svg') && element.getBoundingClientRect().right > innerWidth + 0.5)
    .map((element) => `${element.tagName} ${element.className}`));
  assert.deepEqual(beyond, []);
  assert.equal(await tab.page.evaluate(() => document.documentElement.scrollWidth), tab.page.viewportSize().width);
}
