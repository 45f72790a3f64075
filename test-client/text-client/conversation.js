'use strict';

/** What this tab knows of the conversation with one person: each message once, in the order of `seq`. */
class Conversation {
  isRoom = false;
  id = null;
  unread = 0;
  /** True once the newest page of the history was fetched. */
  loaded = false;
  loadFailed = false;
  #byId = new Map();
  #sorted = [];
  #exhausted = false;
  #latest = null;
  /** Everything up to this `seq` is here or was known to the server's inbox; null before anything is known. */
  #tail = null;
  /** The inbox's unread count covers everything up to this `seq`. */
  #countedTo = 0;

  /** `key` names it in this tab: the other person's id. */
  constructor(key) {
    this.key = key;
  }

  /** What a message here is addressed with. */
  get address() { return { receiverId: this.key }; }

  get messages() { return this.#sorted; }
  get tail() { return this.#tail ?? 0; }
  get latest() {
    const here = this.#sorted.at(-1);
    return here && here.seq >= (this.#latest?.seq ?? 0) ? here : this.#latest;
  }
  get isPlaced() { return this.#tail !== null; }
  get complete() { return this.#exhausted || this.#runStart() === 1; }
  get hasGap() { return (this.#sorted.at(-1)?.seq ?? 0) > this.tail; }

  /** A page of the history, oldest first: the newest, or the one before a `seq`. */
  async fetch(api, limit, before) {
    const { messages } = await api.history(this.key, { limit, before });
    return messages;
  }

  isOthers(message) {
    return message.sender._id === this.key;
  }

  /** Takes a message in; true when it is new here. */
  add(message) {
    const known = this.#byId.get(message._id);
    this.id = message.conversationId;
    if (known) Object.assign(known, message, { isRead: known.isRead || message.isRead, readAt: known.readAt ?? message.readAt });
    else this.#insert({ ...message });
    return !known;
  }

  /** Takes over what the inbox says. Unread messages that came after it was written are counted on top. */
  takeInbox({ id, lastMessage, lastSeq, unreadCount }) {
    this.id = id;
    this.#latest = lastMessage ?? null;
    this.#tail ??= lastSeq;
    this.#countedTo = lastSeq;
    this.unread = unreadCount + this.#unreadAfter(lastSeq);
  }

  takeUnread(count) {
    this.unread = count + this.#unreadAfter(this.#countedTo);
  }

  /** Everything up to this `seq` is read. */
  readUpTo(seq) {
    for (const message of this.#sorted) if (message.seq <= seq) message.isRead = true;
    this.#countedTo = Math.max(this.#countedTo, seq);
    this.unread = this.#unreadAfter(seq);
  }

  countUnread(message) {
    if (!this.#byId.get(message._id).isRead && message.seq > this.#countedTo) this.unread++;
  }

  /** Marks one message read; true when it was not. */
  markRead(messageId, readAt) {
    const message = this.#byId.get(messageId);
    if (!message || message.isRead) return false;
    Object.assign(message, { isRead: true, readAt });
    if (this.isOthers(message)) this.unread = Math.max(0, this.unread - 1);
    return true;
  }

  /** Marks all of this conversation as read, here and at the server. */
  async readAll(link, api) {
    await api.markRead(this.key);
    this.markAllRead();
  }

  markAllRead() {
    for (const message of this.#sorted) {
      if (this.isOthers(message)) message.isRead = true;
    }
    this.unread = 0;
  }

  /** The `seq` before which to ask for older history; undefined when nothing is here. */
  get olderThan() {
    return this.#sorted.length ? this.#runStart() : undefined;
  }

  markExhausted() {
    this.#exhausted = true;
  }

  /** A sync brings everything in order: nothing is missing up to `seq`. */
  knownTo(seq) {
    this.#tail = Math.max(this.tail, seq);
  }

  #insert(message) {
    this.#byId.set(message._id, message);
    let at = this.#sorted.length;
    while (at > 0 && this.#sorted[at - 1].seq > message.seq) at--;
    this.#sorted.splice(at, 0, message);
    this.#tail ??= message.seq - 1;
    while (this.#sorted[at]?.seq === this.#tail + 1) {
      this.#tail++;
      at++;
    }
  }

  /** Where the unbroken run that ends at the newest message begins. */
  #runStart() {
    let at = this.#sorted.length - 1;
    while (at > 0 && this.#sorted[at - 1].seq === this.#sorted[at].seq - 1) at--;
    return this.#sorted[at]?.seq;
  }

  #unreadAfter(seq) {
    return this.#sorted.filter((message) => message.seq > seq && !message.isRead && this.isOthers(message)).length;
  }
}
