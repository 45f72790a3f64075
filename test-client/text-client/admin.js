'use strict';

/** What admins see of the server while they look: its sockets, asked for again and again, and the accounts that are banned. */
class Admin {
  static EVERY = 2000;
  static MOST = 200;

  changed = new Signal();
  bansChanged = new Signal();
  /** A list could not be fetched; null once it could be again. */
  unanswered = new Signal();
  /** What the person wanted was not done; null once something is. */
  failed = new Signal();
  /** `{sockets, count, total}`, as last heard; null before. */
  page = null;
  bans = [];
  moreBans = false;

  #api;
  #session;
  #filter = {};
  #shown = false;
  #timer;
  #asked = 0;

  constructor({ api, session }) {
    this.#api = api;
    this.#session = session;
    document.addEventListener('visibilitychange', () => this.#watch());
  }

  get allowed() { return this.#session.me?.role === 'admin'; }

  /** Whether the person looks at it; nothing is asked for while they do not. */
  show(shown) {
    this.#shown = shown && this.allowed;
    if (this.#shown) this.loadBans();
    this.#watch();
  }

  filter(filter) {
    this.#filter = filter;
    this.#watch();
  }

  reset() {
    this.show(false);
    this.page = null;
    this.bans = [];
    this.#filter = {};
  }

  details(id) { return this.#api.socket(id); }

  findUsers(search) { return this.#api.users({ search, limit: 5 }); }

  disconnect(id) { return this.#act(this.#api.disconnect(id)); }

  disconnectUser(userId) { return this.#act(this.#api.disconnectUser(userId)); }

  async ban(userId, reason) {
    await this.#api.ban(userId, reason);
    await this.#afterBan();
  }

  async liftBan(userId) {
    await this.#act(this.#api.liftBan(userId));
    await this.#afterBan();
  }

  async loadBans() {
    try {
      const { bans, nextCursor } = await this.#api.bans({ limit: Admin.MOST });
      this.bans = bans;
      this.moreBans = Boolean(nextCursor);
      this.bansChanged.fire();
    } catch (problem) {
      this.unanswered.fire(problem);
    }
  }

  async #afterBan() {
    this.#watch();
    await this.loadBans();
  }

  async #act(request) {
    try {
      await request;
      this.failed.fire(null);
    } catch (problem) {
      this.failed.fire(problem);
    }
    this.#watch();
  }

  /** Asks now, and from then on every so often after each answer; an answer to an older question is not shown. */
  async #watch(again = false) {
    clearTimeout(this.#timer);
    const question = ++this.#asked;
    if (!this.#shown || document.visibilityState === 'hidden') return;
    try {
      const page = await this.#api.sockets({ ...this.#filter, limit: Admin.MOST }, { quiet: again });
      if (question !== this.#asked) return;
      this.page = page;
      this.changed.fire();
      this.unanswered.fire(null);
    } catch (problem) {
      if (question !== this.#asked) return;
      this.unanswered.fire(problem);
    }
    this.#timer = setTimeout(() => this.#watch(true), Admin.EVERY);
  }
}
