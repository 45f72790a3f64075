'use strict';

/** Conversations as this tab knows them, with people and in rooms: applies what the server says, and tells the views. */
class Chat {
  static PAGE = 50;

  /** Something that the list shows has changed: people, previews, counts. */
  listChanged = new Signal();
  conversationChanged = new Signal();
  opened = new Signal();
  /** A message that was not here before, from somebody else. */
  arrived = new Signal();
  /** One of this person's own messages, stored by the server. */
  stored = new Signal();
  /** A room that this person is not in any more. */
  gone = new Signal();
  /** A message came of a room that this tab does not know. */
  stranger = new Signal();

  people;
  openId = null;
  #conversations = new Map();
  #earlyReceipts = new Map();
  #api;
  #session;

  constructor(api, session) {
    this.#api = api;
    this.#session = session;
    this.people = new People(api, session);
    this.people.changed.listen(() => this.listChanged.fire());
  }

  get conversations() { return [...this.#conversations.values()]; }
  get rooms() { return this.conversations.filter(({ isRoom }) => isRoom); }
  get open() { return this.openId ? this.conversation(this.openId) : null; }
  get unread() { return this.conversations.reduce((sum, conversation) => sum + conversation.unread, 0); }

  get me() { return this.#session.me; }

  isMine(message) {
    return message.sender._id === this.#session.me._id;
  }

  person(id) {
    return id === this.#session.me?._id ? this.#session.me : this.people.get(id);
  }

  /** The conversation in a room, or with a person; a person's is there as soon as it is asked for. */
  conversation(key) {
    if (!this.#conversations.has(key)) this.#conversations.set(key, new Conversation(key));
    return this.#conversations.get(key);
  }

  room(id) {
    const conversation = this.#conversations.get(id);
    return conversation?.isRoom ? conversation : null;
  }

  /** Takes over what is said of a room that this person is in. */
  takeRoom(room) {
    if (!this.room(room.id)) this.#conversations.set(room.id, new RoomConversation(room.id, this.#session.me._id));
    const conversation = this.room(room.id);
    conversation.takeRoom(room);
    return conversation;
  }

  reset() {
    this.people.reset();
    this.#conversations.clear();
    this.#earlyReceipts.clear();
    this.openId = null;
  }

  takeInboxEntry(entry, unread) {
    if (entry.peer) this.people.note(entry.peer);
    const conversation = entry.room ? this.takeRoom(entry.room) : this.conversation(entry.peer._id);
    conversation.takeInbox(entry);
    if (unread !== undefined) conversation.takeUnread(unread);
  }

  /** Drops a room, as its membership is over: `removed`, or the room itself is: `closed`. */
  forget(conversation, reason = 'removed') {
    if (this.#conversations.get(conversation.key) !== conversation) return;
    this.#conversations.delete(conversation.key);
    if (this.openId === conversation.key) this.leave();
    this.gone.fire(conversation, reason);
    this.listChanged.fire();
  }

  show(key) {
    this.openId = key;
    this.opened.fire(key);
    this.listChanged.fire();
    return this.loadNewest();
  }

  leave() {
    this.openId = null;
    this.opened.fire(null);
    this.listChanged.fire();
  }

  /** Fetches the newest page of the open conversation: new messages, and receipts that were missed. */
  async loadNewest() {
    const conversation = this.open;
    if (!conversation) return;
    try {
      const messages = await conversation.fetch(this.#api, Chat.PAGE);
      Object.assign(conversation, { loaded: true, loadFailed: false });
      this.#takePage(conversation, messages);
    } catch (problem) {
      conversation.loadFailed = true;
      this.conversationChanged.fire(conversation.key);
      throw problem;
    }
  }

  async loadOlder() {
    const conversation = this.open;
    const messages = await conversation.fetch(this.#api, Chat.PAGE, conversation.olderThan);
    const fresh = this.#takePage(conversation, messages);
    if (fresh === 0) conversation.markExhausted();
  }

  /** Returns how many of the page's messages were new here. */
  #takePage(conversation, messages) {
    const fresh = messages.filter((message) => this.#place(conversation, message)).length;
    if (messages.length < Chat.PAGE) conversation.markExhausted();
    this.noteChanged(conversation);
    return fresh;
  }

  /** A message of a sync, which leaves nothing out before it. */
  receiveSynced(message) {
    this.receive(message);
    this.#conversationOf(message).knownTo(message.seq);
  }

  /** A live or acknowledged message. */
  receive(message) {
    const conversation = this.#conversationOf(message);
    const isNew = this.#place(conversation, message);
    if (this.isMine(message)) this.stored.fire(message);
    else if (isNew) conversation.countUnread(message);
    this.noteChanged(conversation);
    if (isNew && !this.isMine(message)) this.arrived.fire(message, conversation);
  }

  #place(conversation, message) {
    for (const person of [message.sender, message.receiver]) if (person) this.people.note(person);
    const isNew = conversation.add(message);
    const readAt = this.#earlyReceipts.get(message._id);
    if (readAt) conversation.markRead(message._id, readAt);
    return isNew;
  }

  #conversationOf(message) {
    if (message.receiver) return this.conversation(this.isMine(message) ? message.receiver._id : message.sender._id);
    return this.room(message.roomId) ?? this.#unknownRoom(message.roomId);
  }

  /** A room joined elsewhere, in another tab. */
  #unknownRoom(id) {
    this.stranger.fire();
    return this.takeRoom({ id, name: `Room ${id.slice(-6)}` });
  }

  /** A receipt may overtake the acknowledgement of the message it is about. */
  receiveReceipt({ messageId, readerId, readAt }) {
    const conversation = this.conversation(readerId);
    if (!conversation.markRead(messageId, readAt)) this.#earlyReceipts.set(messageId, readAt);
    this.noteChanged(conversation);
  }

  markedRead(message) {
    if (message.roomId && !this.room(message.roomId)) return;
    const conversation = this.#conversationOf(message);
    conversation.markRead(message._id, new Date().toISOString());
    this.noteChanged(conversation);
  }

  noteChanged(conversation) {
    this.conversationChanged.fire(conversation.key);
    this.listChanged.fire();
  }
}
