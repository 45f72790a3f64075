'use strict';

/** How many have read one's own messages in rooms. What an event says changes is fetched anew, so that the counts are exact. */
class Receipts {
  static PAUSE = 150;
  static MOST = 200;

  #link;
  #chat;
  #api;
  #session;
  /** By room: the first and last `seq` of which the counts are not known any more. */
  #stale = new Map();
  #busy = false;
  #timer;

  constructor({ link, chat, api, session, inbox }) {
    this.#link = link;
    this.#chat = chat;
    this.#api = api;
    this.#session = session;
    link.on('message_receipt', ({ roomId, recipientId, seq }) =>
      this.#take(roomId, recipientId, { ranges: [{ first: seq, last: seq }], messageCount: 1 }));
    link.on('messages_read', ({ roomId, recipientId, ranges, messageCount }) => {
      if (ranges) this.#take(roomId, recipientId, { ranges, messageCount });
      else if (recipientId === session.me._id) inbox.loadSoon();
      else this.#take(roomId, recipientId, { ranges: [{ first: 1, last: Infinity }], messageCount });
    });
    chat.opened.listen(() => this.#refreshSoon());
    chat.stored.listen((message) => { if (message.roomId) this.#noteSent(message); });
  }

  reset() {
    clearTimeout(this.#timer);
    this.#stale.clear();
  }

  /** Each recipient of a message, with the time of reading. */
  details(message) {
    return this.#api.receipts(message.roomId, message._id);
  }

  #take(roomId, recipientId, read) {
    const conversation = this.#chat.room(roomId);
    if (!conversation) return;
    if (recipientId === this.#session.me._id) {
      conversation.takeOwnRead(read);
      this.#chat.conversationChanged.fire(roomId);
      this.#chat.listChanged.fire();
    } else {
      const isRead = ({ seq }) => read.ranges.some(({ first, last }) => seq >= first && seq <= last);
      this.#noteStale(conversation, conversation.messages.filter((message) => this.#chat.isMine(message) && isRead(message)));
    }
  }

  #noteSent(message) {
    const conversation = this.#chat.room(message.roomId);
    if (!message.receipts) this.#noteStale(conversation, conversation.messages.filter(({ _id, receipts }) => _id === message._id && !receipts));
  }

  #noteStale(conversation, messages) {
    if (!messages.length) return;
    const known = this.#stale.get(conversation.key);
    const seqs = messages.map(({ seq }) => seq);
    this.#stale.set(conversation.key, {
      first: Math.min(seqs[0], known?.first ?? Infinity),
      last: Math.max(seqs.at(-1), known?.last ?? 0),
    });
    this.#refreshSoon();
  }

  #refreshSoon() {
    clearTimeout(this.#timer);
    if (!this.#busy && this.#stale.has(this.#chat.openId)) this.#timer = setTimeout(() => this.#refresh(this.#chat.open), Receipts.PAUSE);
  }

  async #refresh(conversation) {
    const stale = this.#stale.get(conversation?.key);
    if (!stale) return;
    this.#stale.delete(conversation.key);
    this.#busy = true;
    const first = Math.max(stale.first, stale.last - Receipts.MOST + 1);
    const answer = await this.#api.roomMessages(conversation.key, { after: first - 1, pageSize: stale.last - first + 1 }).catch(() => null);
    this.#busy = false;
    if (answer) {
      conversation.takeReceipts(answer.messages);
      this.#chat.conversationChanged.fire(conversation.key);
    }
    this.#refreshSoon();
  }
}
