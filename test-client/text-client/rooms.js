'use strict';

/**
 * The rooms that this tab is in: lets the socket into them, again after every reconnect, and follows who comes and goes.
 * Joining marks everything in a room as read, so a room with unread messages is joined only when it is looked at;
 * until then `sync` is asked now and then for what is new there.
 */
class Rooms {
  static LOOK_EVERY = 5000;
  static SETTLED_AFTER = 300;
  static PASSING = new Set(['rate_limited', 'unavailable', 'internal']);

  /** Members, presence, name or trouble of a room have changed. */
  changed = new Signal();
  /** The socket is in a room. */
  joined = new Signal();
  #link;
  #chat;
  #api;
  #outbox;
  #resume;
  #inbox;

  constructor({ link, chat, api, outbox, resume, inbox }) {
    this.#link = link;
    this.#chat = chat;
    this.#api = api;
    this.#outbox = outbox;
    this.#resume = resume;
    this.#inbox = inbox;
    link.on('user_joined', ({ roomId, userId }) => this.#onMoved(roomId, userId, true));
    link.on('user_left', ({ roomId, userId }) => this.#onMoved(roomId, userId, false));
    link.on('left_room', (event) => this.#onLeft(event));
    link.on('room_updated', ({ roomId, room }) => this.#onUpdated(roomId, room));
    link.roomsConnected.listen(() => this.#restart());
    link.stateChanged.listen(({ name }) => { if (name !== 'connected') this.#markOut(); });
    resume.taken.listen(() => this.enterAll());
    inbox.loaded.listen(() => this.enterAll());
    chat.opened.listen((key) => this.#onOpened(chat.room(key)));
    outbox.changed.listen(() => this.enterAll());
    document.addEventListener('visibilitychange', () => this.enterAll());
    setInterval(() => this.#lookAround(), Rooms.LOOK_EVERY);
  }

  /** Lets the socket into every room that it may be in. */
  enterAll() {
    for (const conversation of this.#chat.rooms) {
      if (!conversation.joined && !conversation.joining && !conversation.problem && this.#isDue(conversation)) this.enter(conversation);
    }
  }

  async enter(conversation) {
    if (!this.#link.roomsUp) return;
    conversation.joining = true;
    conversation.problem = null;
    try {
      this.#onJoined(conversation, await this.#link.request('join_room', conversation.address));
    } catch (problem) {
      conversation.joining = false;
      this.#onRefused(conversation, problem);
    }
    this.#tell(conversation);
  }

  async loadMembers(conversation) {
    const { members } = await this.#api.members(conversation.key);
    conversation.takeMembers(members);
    this.changed.fire(conversation.key);
  }

  receiveStatus({ userId, status, lastSeen }) {
    for (const conversation of this.#chat.rooms) {
      if (conversation.see(userId, { status, lastSeen })) this.changed.fire(conversation.key);
    }
  }

  #isDue(conversation) {
    const looked = conversation.key === this.#chat.openId && document.visibilityState === 'visible';
    return looked || conversation.unread === 0 || this.#outbox.to(conversation.key).length > 0;
  }

  #onOpened(conversation) {
    if (!conversation) return;
    if (!conversation.joined && !conversation.joining) this.enter(conversation);
    this.loadMembers(conversation).catch(() => {});
  }

  #onJoined(conversation, ack) {
    conversation.joining = false;
    conversation.takeJoined(ack);
    if (conversation.isPlaced && ack.lastSeq > conversation.tail) this.#resume.catchUp();
    this.#loadMembersSoon(conversation);
    this.joined.fire(conversation.key);
    this.#outbox.pump();
  }

  /** A membership that is over shows in the list of conversations; anything else is for the person to see. */
  #onRefused(conversation, problem) {
    if (problem.code === 'lost' && !this.#link.roomsUp) return;
    conversation.problem = problem;
    if (problem.code === 'not_found' || problem.code === 'forbidden') this.#inbox.loadSoon();
    if (Rooms.PASSING.has(problem.code)) setTimeout(() => this.#tryAgain(conversation), (problem.retryAfter ?? 2) * 1000);
  }

  #tryAgain(conversation) {
    if (this.#chat.room(conversation.key) === conversation && !conversation.joined) this.enter(conversation);
  }

  #restart() {
    this.#markOut();
    const open = this.#chat.room(this.#chat.openId);
    if (open && this.#isDue(open)) this.enter(open);
  }

  #markOut() {
    for (const conversation of this.#chat.rooms) Object.assign(conversation, { joined: false, joining: false, problem: null });
    const open = this.#chat.room(this.#chat.openId);
    if (open) this.#tell(open);
  }

  #onMoved(roomId, userId, inRoom) {
    const conversation = this.#chat.room(roomId);
    if (!conversation) return;
    const known = conversation.see(userId, inRoom ? { inRoom, status: 'online' } : { inRoom });
    // Somebody new has joined, or somebody's membership may have ended.
    if (!(known && inRoom)) this.#loadMembersSoon(conversation);
    this.#tell(conversation);
  }

  #onUpdated(roomId, room) {
    const conversation = this.#chat.room(roomId);
    if (!conversation) return;
    conversation.takeRoom(room);
    this.#loadMembersSoon(conversation);
    this.#tell(conversation);
  }

  #onLeft({ roomId, reason }) {
    const conversation = this.#chat.room(roomId);
    if (!conversation) return;
    conversation.joined = false;
    if (reason === 'left') return this.#tell(conversation);
    this.#chat.forget(conversation, reason);
  }

  /** Once for many who come and go together; and not at once, as a membership ends a moment after its end is told. */
  #loadMembersSoon(conversation) {
    clearTimeout(conversation.membersTimer);
    if (!conversation.members) return;
    conversation.membersTimer = setTimeout(() => {
      const here = this.#chat.room(conversation.key) === conversation && !conversation.leaving;
      if (here) this.loadMembers(conversation).catch(() => {});
    }, Rooms.SETTLED_AFTER);
  }

  /** What is new in rooms that wait to be looked at. */
  #lookAround() {
    const waits = this.#chat.rooms.some(({ joined, isPlaced }) => !joined && isPlaced);
    if (waits && this.#link.roomsUp && document.visibilityState === 'visible') this.#resume.catchUp();
  }

  #tell(conversation) {
    this.changed.fire(conversation.key);
    this.#chat.listChanged.fire();
  }
}
