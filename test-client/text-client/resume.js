'use strict';

/** Fetches what was missed: at every connect, and when a live message shows that an earlier one did not come. */
class Resume {
  /** A message may overtake an earlier one on its way here by this much before it counts as missing. */
  static PATIENCE = 1500;

  #link;
  #chat;
  /** Conversations this page does not show (rooms), by id: named too, so that sync does not repeat them. */
  #elsewhere = new Map();
  #gapTimer;

  constructor(link, chat) {
    this.#link = link;
    this.#chat = chat;
    link.resumeFrom(() => this.cursors());
    link.on('sync', (answer) => this.#take(answer));
    chat.conversationChanged.listen((peerId) => this.#watchGap(chat.conversation(peerId)));
  }

  cursors() {
    const shown = this.#chat.conversations.filter(({ id }) => id).map(({ id, tail }) => [id, tail]);
    return { conversations: Object.fromEntries([...this.#elsewhere, ...shown]) };
  }

  reset() {
    this.#elsewhere.clear();
    clearTimeout(this.#gapTimer);
  }

  async #take({ messages, more }) {
    for (const message of messages) this.#takeMessage(message);
    if (more && messages.length) await this.#askAgain();
  }

  #takeMessage(message) {
    if (message.receiver) this.#chat.receiveSynced(message);
    else this.#elsewhere.set(message.conversationId, message.seq);
  }

  #askAgain() {
    return this.#link.request('sync', this.cursors()).then((answer) => this.#take(answer), () => {});
  }

  #watchGap(conversation) {
    if (!conversation.hasGap) return;
    clearTimeout(this.#gapTimer);
    this.#gapTimer = setTimeout(() => {
      if (conversation.hasGap && this.#link.up) this.#askAgain();
    }, Resume.PATIENCE);
  }
}
