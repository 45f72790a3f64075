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
    link.roomsConnected.listen(() => this.#report());
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
    const waiting = [...this.#inView].filter(([, message]) => !this.#asking.has(message._id));
    const inRooms = waiting.filter(([, message]) => message.roomId);
    for (const one of waiting) if (!one[1].roomId) this.#tell([one]);
    if (inRooms.length) this.#tell(inRooms);
  }

  /** One message, or several of the room that is shown. */
  async #tell(seen) {
    for (const [, message] of seen) this.#asking.add(message._id);
    try {
      await this.#link.request(...this.#request(seen.map(([, message]) => message)));
      for (const [element, message] of seen) {
        this.#observer.unobserve(element);
        this.#inView.delete(element);
        this.#chat.markedRead(message);
      }
    } catch (problem) {
      if (problem.code !== 'lost') for (const [element] of seen) this.#inView.delete(element);
    }
    for (const [, message] of seen) this.#asking.delete(message._id);
  }

  #request(messages) {
    const [{ _id: messageId, roomId, sender }] = messages;
    if (!roomId) return ['message_read', { messageId, senderId: sender._id }];
    if (messages.length === 1) return ['message_read', { messageId, roomId }];
    return ['mark_messages_read', { roomId, messageIds: messages.map(({ _id }) => _id) }];
  }
}
