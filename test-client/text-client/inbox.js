'use strict';

/** Fetches the list of conversations, with what is unread in each. */
class Inbox {
  loaded = new Signal();
  #api;
  #chat;
  #timer;

  constructor(api, chat) {
    this.#api = api;
    this.#chat = chat;
    chat.stranger.listen(() => this.loadSoon());
  }

  async load() {
    const before = this.#chat.rooms;
    const [entries, counts] = await Promise.all([this.#pages(), this.#api.unread()]);
    for (const entry of entries) this.#chat.takeInboxEntry(entry, counts.byConversation?.[entry.id]);
    const here = new Set(entries.map(({ id }) => id));
    for (const conversation of before) if (!here.has(conversation.key) && !conversation.room.isArchived) this.#chat.forget(conversation);
    this.#chat.listChanged.fire();
    this.loaded.fire();
  }

  loadSoon() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.load().catch(() => {}), 250);
  }

  reset() {
    clearTimeout(this.#timer);
  }

  async #pages() {
    const entries = [];
    let cursor;
    do {
      const page = await this.#api.inbox({ limit: 100, cursor });
      entries.push(...page.conversations);
      cursor = page.nextCursor;
    } while (cursor);
    return entries;
  }
}
