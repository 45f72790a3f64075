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
  #others = new Map();

  constructor(link) {
    this.#link = link;
    link.on('user_typing', ({ userId, isTyping }) => this.#hear(userId, isTyping));
    link.disconnected.listen(() => this.reset());
  }

  isTyping(userId) {
    return this.#others.has(userId);
  }

  /** A key was pressed in the message to `receiverId`. */
  press(receiverId) {
    if (this.#toldTo !== receiverId) this.stop();
    if (Date.now() - this.#toldAt >= Typing.REPEAT) {
      this.#link.tell('typing_start', { receiverId });
      this.#toldAt = Date.now();
      this.#toldTo = receiverId;
    }
    clearTimeout(this.#pauseTimer);
    this.#pauseTimer = setTimeout(() => this.stop(), Typing.PAUSE);
  }

  stop() {
    clearTimeout(this.#pauseTimer);
    if (this.#toldTo) this.#link.tell('typing_stop', { receiverId: this.#toldTo });
    this.#toldTo = null;
    this.#toldAt = 0;
  }

  /** What somebody types is over when their message is here. */
  end(userId) {
    this.#hear(userId, false);
  }

  reset() {
    clearTimeout(this.#pauseTimer);
    this.#toldTo = null;
    this.#toldAt = 0;
    for (const userId of [...this.#others.keys()]) this.end(userId);
  }

  #hear(userId, isTyping) {
    clearTimeout(this.#others.get(userId));
    this.#others.delete(userId);
    if (isTyping) this.#others.set(userId, setTimeout(() => this.end(userId), Typing.BELIEF));
    this.changed.fire(userId);
  }
}
