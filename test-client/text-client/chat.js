'use strict';

/** People and conversations as this tab knows them: applies what the server says, and tells the views. */
class Chat {
  static PAGE = 50;

  peopleChanged = new Signal();
  conversationChanged = new Signal();
  opened = new Signal();
  /** A message that was not here before, from the other person. */
  arrived = new Signal();
  /** One of this person's own messages, stored by the server. */
  stored = new Signal();

  people = new Map();
  peopleLoaded = false;
  openId = null;
  #conversations = new Map();
  #earlyReceipts = new Map();
  #moreUsers = false;
  #peopleTimer;
  #api;
  #session;

  constructor(api, session) {
    this.#api = api;
    this.#session = session;
  }

  get conversations() { return [...this.#conversations.values()]; }
  get open() { return this.openId ? this.conversation(this.openId) : null; }
  get unread() { return this.conversations.reduce((sum, conversation) => sum + conversation.unread, 0); }

  isMine(message) {
    return message.sender._id === this.#session.me._id;
  }

  person(id) {
    return this.people.get(id) ?? { _id: id };
  }

  conversation(peerId) {
    if (!this.#conversations.has(peerId)) this.#conversations.set(peerId, new Conversation(peerId));
    return this.#conversations.get(peerId);
  }

  reset() {
    clearTimeout(this.#peopleTimer);
    this.people.clear();
    this.peopleLoaded = false;
    this.#conversations.clear();
    this.#earlyReceipts.clear();
    this.openId = null;
  }

  async loadPeople(search = '') {
    const { users, nextCursor } = await this.#api.users({ search });
    if (!search) this.#moreUsers = Boolean(nextCursor);
    for (const user of users) this.people.set(user._id, user);
    this.peopleLoaded = true;
    this.peopleChanged.fire();
  }

  /** Asks the server only when the list here is not the whole. */
  async searchPeople(search) {
    if (search && this.#moreUsers) await this.loadPeople(search);
  }

  async loadInbox() {
    const [entries, counts] = await Promise.all([this.#inboxPages(), this.#api.unread()]);
    for (const entry of entries) this.#takeInboxEntry(entry, counts.byConversation);
    this.peopleChanged.fire();
  }

  async #inboxPages() {
    const entries = [];
    let cursor;
    do {
      const page = await this.#api.inbox({ limit: 100, cursor });
      entries.push(...page.conversations);
      cursor = page.nextCursor;
    } while (cursor);
    return entries;
  }

  #takeInboxEntry(entry, unreadById) {
    if (!entry.peer) return;
    if (!this.people.has(entry.peer._id)) this.people.set(entry.peer._id, entry.peer);
    const conversation = this.conversation(entry.peer._id);
    conversation.takeInbox(entry);
    const count = unreadById?.[entry.id];
    if (count !== undefined) conversation.takeUnread(count);
  }

  show(peerId) {
    this.openId = peerId;
    this.opened.fire(peerId);
    this.peopleChanged.fire();
    return this.loadNewest();
  }

  leave() {
    this.openId = null;
    this.opened.fire(null);
    this.peopleChanged.fire();
  }

  /** Fetches the newest page of the open conversation: new messages, and receipts that were missed. */
  async loadNewest() {
    const conversation = this.open;
    if (!conversation) return;
    try {
      const { messages } = await this.#api.history(conversation.peerId, { limit: Chat.PAGE });
      Object.assign(conversation, { loaded: true, loadFailed: false });
      this.#takePage(conversation, messages);
    } catch (problem) {
      conversation.loadFailed = true;
      this.conversationChanged.fire(conversation.peerId);
      throw problem;
    }
  }

  async loadOlder() {
    const conversation = this.open;
    const { messages } = await this.#api.history(conversation.peerId, { limit: Chat.PAGE, before: conversation.olderThan });
    const fresh = this.#takePage(conversation, messages);
    if (fresh === 0) conversation.markExhausted();
  }

  /** Returns how many of the page's messages were new here. */
  #takePage(conversation, messages) {
    const fresh = messages.filter((message) => this.#place(message)).length;
    if (messages.length < Chat.PAGE) conversation.markExhausted();
    this.conversationChanged.fire(conversation.peerId);
    return fresh;
  }

  /** A message of a sync, which leaves nothing out before it. */
  receiveSynced(message) {
    this.receive(message);
    this.conversation(this.#peerOf(message)).knownTo(message.seq);
  }

  /** A live or acknowledged message. */
  receive(message) {
    if (!message.receiver) return;
    const peerId = this.#peerOf(message);
    const isNew = this.#place(message);
    const conversation = this.conversation(peerId);
    if (this.isMine(message)) this.stored.fire(message);
    else if (isNew && !message.isRead) conversation.countUnread(message);
    this.conversationChanged.fire(peerId);
    this.peopleChanged.fire();
    if (isNew && !this.isMine(message)) this.arrived.fire(message, conversation);
  }

  #place(message) {
    const peer = this.isMine(message) ? message.receiver : message.sender;
    if (!this.people.has(peer._id)) this.people.set(peer._id, peer);
    const isNew = this.conversation(peer._id).add(message);
    const readAt = this.#earlyReceipts.get(message._id);
    if (readAt) this.conversation(peer._id).markRead(message._id, readAt);
    return isNew;
  }

  #peerOf(message) {
    return this.isMine(message) ? message.receiver._id : message.sender._id;
  }

  /** A receipt may overtake the acknowledgement of the message it is about. */
  receiveReceipt({ messageId, readerId, readAt }) {
    const marked = this.conversation(readerId).markRead(messageId, readAt);
    if (!marked) this.#earlyReceipts.set(messageId, readAt);
    this.conversationChanged.fire(readerId);
    this.peopleChanged.fire();
  }

  markedRead(message) {
    this.conversation(message.sender._id).markRead(message._id, new Date().toISOString());
    this.conversationChanged.fire(message.sender._id);
    this.peopleChanged.fire();
  }

  async markAllRead() {
    const conversation = this.open;
    await this.#api.markRead(conversation.peerId);
    conversation.markAllRead();
    this.conversationChanged.fire(conversation.peerId);
    this.peopleChanged.fire();
  }

  /** Somebody unknown came online: a new account. */
  receiveStatus({ userId, isOnline, lastSeen }) {
    if (userId === this.#session.me._id) return;
    const person = this.people.get(userId);
    if (!person) return this.#reloadPeopleSoon();
    Object.assign(person, { isOnline, lastSeen });
    this.peopleChanged.fire();
  }

  #reloadPeopleSoon() {
    if (this.#moreUsers) return;
    clearTimeout(this.#peopleTimer);
    this.#peopleTimer = setTimeout(() => this.loadPeople().catch(() => {}), 250);
  }
}
