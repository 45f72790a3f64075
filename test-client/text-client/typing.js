'use strict';

/** Who is typing: tells the other side sparingly, and believes the other side only for a while. */
class Typing {
  static REPEAT = 2000;
  static PAUSE = 3000;
  static BELIEF = 7000;

  changed = new Signal();
  #link;
  #toldAt = 0;
  #toldTo = null;
  #pauseTimer;
  /** By conversation: who types there, each with the timer that ends the belief. */
  #others = new Map();

  constructor(link) {
    this.#link = link;
    link.on('user_typing', ({ userId, isTyping }) => this.#hear(userId, userId, isTyping));
    link.on('typing', ({ roomId, userId, isTyping }) => this.#hear(roomId, userId, isTyping));
    link.disconnected.listen(() => this.reset());
  }

  /** The ids of those who type in a conversation. */
  whoTypes(key) {
    return [...this.#others.get(key)?.keys() ?? []];
  }

  /** A key was pressed in the message to a conversation. */
  press(conversation) {
    if (this.#toldTo?.key !== conversation.key) this.stop();
    if (Date.now() - this.#toldAt >= Typing.REPEAT) {
      this.#tell(conversation, true);
      this.#toldAt = Date.now();
      this.#toldTo = conversation;
    }
    clearTimeout(this.#pauseTimer);
    this.#pauseTimer = setTimeout(() => this.stop(), Typing.PAUSE);
  }

  stop() {
    clearTimeout(this.#pauseTimer);
    if (this.#toldTo) this.#tell(this.#toldTo, false);
    this.#toldTo = null;
    this.#toldAt = 0;
  }

  /** What somebody types is over when their message is here. */
  end(key, userId) {
    this.#hear(key, userId, false);
  }

  reset() {
    clearTimeout(this.#pauseTimer);
    this.#toldTo = null;
    this.#toldAt = 0;
    for (const key of this.#others.keys()) for (const userId of this.whoTypes(key)) this.end(key, userId);
  }

  #tell({ isRoom, joined, address }, isTyping) {
    if (!isRoom) this.#link.tell(isTyping ? 'typing_start' : 'typing_stop', address);
    else if (joined) this.#link.tell('typing', { ...address, isTyping });
  }

  #hear(key, userId, isTyping) {
    if (!this.#others.has(key)) this.#others.set(key, new Map());
    const there = this.#others.get(key);
    clearTimeout(there.get(userId));
    there.delete(userId);
    if (isTyping) there.set(userId, setTimeout(() => this.end(key, userId), Typing.BELIEF));
    this.changed.fire(key);
  }
}
