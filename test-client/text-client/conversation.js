'use strict';

/** What this tab knows of the conversation with one person: each message once, in the order of `seq`. */
class Conversation {
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

  constructor(peerId) {
    this.peerId = peerId;
  }

  get messages() { return this.#sorted; }
  get tail() { return this.#tail ?? 0; }
  get latest() { return this.#sorted.at(-1) ?? this.#latest; }
  get complete() { return this.#exhausted || this.#runStart() === 1; }
  get hasGap() { return (this.#sorted.at(-1)?.seq ?? 0) > this.tail; }

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

  countUnread(message) {
    if (message.seq > this.#countedTo) this.unread++;
  }

  /** Marks one message read; true when it was not. */
  markRead(messageId, readAt) {
    const message = this.#byId.get(messageId);
    if (!message || message.isRead) return false;
    Object.assign(message, { isRead: true, readAt });
    if (message.sender._id === this.peerId) this.unread = Math.max(0, this.unread - 1);
    return true;
  }

  markAllRead() {
    for (const message of this.#sorted) {
      if (message.sender._id === this.peerId) message.isRead = true;
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
    return this.#sorted.filter((message) => message.seq > seq && !message.isRead && message.sender._id === this.peerId).length;
  }
}
