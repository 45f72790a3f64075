'use strict';

/** Tells the server which messages were read: those on the screen, in a tab that is looked at. */
class Reads {
  #link;
  #chat;
  #inView = new Map();
  #asking = new Set();
  #observer;

  constructor(link, chat, scroller) {
    this.#link = link;
    this.#chat = chat;
    this.#observer = new IntersectionObserver((changes) => this.#onChanges(changes), { root: scroller });
    document.addEventListener('visibilitychange', () => this.#report());
    link.connected.listen(() => this.#report());
  }

  /** Watches the element that shows an unread `message`. */
  watch(element, message) {
    element.unreadMessage = message;
    this.#observer.observe(element);
  }

  reset() {
    this.#observer.disconnect();
    this.#inView.clear();
  }

  #onChanges(changes) {
    for (const { target, isIntersecting } of changes) {
      if (isIntersecting) this.#inView.set(target, target.unreadMessage);
      else this.#inView.delete(target);
    }
    this.#report();
  }

  #report() {
    if (document.visibilityState !== 'visible' || !this.#link.up) return;
    for (const [element, message] of this.#inView) this.#reportOne(element, message);
  }

  async #reportOne(element, message) {
    if (this.#asking.has(message._id)) return;
    this.#asking.add(message._id);
    try {
      await this.#link.request('message_read', { messageId: message._id, senderId: message.sender._id });
      this.#observer.unobserve(element);
      this.#inView.delete(element);
      this.#chat.markedRead(message);
    } catch (problem) {
      if (problem.code !== 'lost') this.#inView.delete(element);
    }
    this.#asking.delete(message._id);
  }
}
