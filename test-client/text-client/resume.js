'use strict';

/** Fetches what was missed: at every connect, and when a live message shows that an earlier one did not come. */
class Resume {
  /** A message may overtake an earlier one on its way here by this much before it counts as missing. */
  static PATIENCE = 1500;

  /** What was missed is here. */
  taken = new Signal();
  #link;
  #chat;
  #gapTimer;

  constructor(link, chat) {
    this.#link = link;
    this.#chat = chat;
    link.resumeFrom(() => this.cursors());
    link.on('sync', (answer) => this.#take([answer]));
    chat.conversationChanged.listen((key) => this.#watchGap(chat.conversation(key)));
  }

  cursors() {
    const placed = this.#chat.conversations.filter(({ id, isPlaced }) => id && isPlaced);
    return { conversations: Object.fromEntries(placed.map(({ id, tail }) => [id, tail])) };
  }

  reset() {
    clearTimeout(this.#gapTimer);
  }

  /** Asks for what came after what is here. */
  catchUp() {
    return this.#link.requestEach('sync', this.cursors()).then((answers) => this.#take(answers), () => {});
  }

  async #take(answers) {
    for (const message of answers.flatMap(({ messages }) => messages)) this.#chat.receiveSynced(message);
    if (answers.some(({ messages, more }) => more && messages.length)) await this.catchUp();
    else this.taken.fire();
  }

  #watchGap(conversation) {
    if (!conversation.hasGap) return;
    clearTimeout(this.#gapTimer);
    this.#gapTimer = setTimeout(() => {
      if (conversation.hasGap && this.#link.up) this.catchUp();
    }, Resume.PATIENCE);
  }
}
