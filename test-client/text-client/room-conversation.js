'use strict';

/** What this tab knows of a room: besides its messages, what it is like, who is in it, and whether this tab is. */
class RoomConversation extends Conversation {
  isRoom = true;
  room = {};
  /** The members as the server lists them; null until they were fetched. */
  members = null;
  /** True while the socket is in the room, and gets what is said there. */
  joined = false;
  joining = false;
  /** Why the socket is not in the room, if that is so. */
  problem = null;
  #me;
  #readTo = 0;

  constructor(id, me) {
    super(id);
    this.id = id;
    this.#me = me;
  }

  get address() { return { roomId: this.key }; }
  get role() { return this.room.role ?? 'member'; }

  takeRoom(room) {
    this.room = { ...this.room, ...room, role: room.role ?? this.#roleIn(room) };
  }

  /** What is told to all members does not say the role of each. */
  #roleIn({ ownerId }) {
    if (!ownerId || !this.room.role) return this.room.role;
    if (ownerId === this.#me) return 'owner';
    return this.room.role === 'owner' ? 'admin' : this.room.role;
  }

  /** Fetching marks as read. */
  async fetch(api, limit, before) {
    const { messages } = await api.roomMessages(this.key, { pageSize: limit, before });
    return messages.reverse().map((message) => ({ ...message, isRead: true }));
  }

  isOthers(message) {
    return message.sender._id !== this.#me;
  }

  add(message) {
    if (message.isRead) this.markRead(message._id, null);
    return super.add({ ...message, isRead: message.isRead || !this.isOthers(message) || message.seq <= this.#readTo });
  }

  /** The socket is in the room, and everything until then is read. */
  takeJoined({ presence, lastSeq }) {
    Object.assign(this, { joined: true, problem: null });
    this.#readTo = Math.max(this.#readTo, lastSeq);
    this.readUpTo(this.#readTo);
    for (const { userId, ...seen } of presence) this.see(userId, seen);
  }

  /** This person has read these messages, here or in another tab. */
  takeOwnRead({ ranges, messageCount }) {
    const inRanges = ({ seq }) => ranges.some(({ first, last }) => seq >= first && seq <= last);
    const here = this.messages.filter((message) => this.isOthers(message) && inRanges(message));
    const elsewhere = Math.max(0, messageCount - here.length);
    for (const message of here) this.markRead(message._id, null);
    this.unread = Math.max(0, this.unread - elsewhere);
  }

  takeMembers(members) {
    this.members = members;
    this.room.memberCount = members.length;
    const me = this.member(this.#me);
    if (me) this.room.role = me.role;
  }

  member(userId) {
    return this.members?.find(({ user }) => user.id === userId);
  }

  /** Takes over whether a member is online or in the room; false when there is no such member here. */
  see(userId, seen) {
    const member = this.member(userId);
    if (member) Object.assign(member.presence, seen);
    return Boolean(member);
  }

  takeReceipts(messages) {
    const counted = new Map(messages.map(({ _id, receipts }) => [_id, receipts]));
    for (const message of this.messages) message.receipts = counted.get(message._id) ?? message.receipts;
  }

  /** Marks what is here and unread as read, all at once. */
  async readAll(link) {
    const unread = this.messages.filter((message) => !message.isRead).map(({ _id }) => _id);
    if (unread.length) await link.request('mark_messages_read', { ...this.address, messageIds: unread.slice(-500) });
    this.markAllRead();
  }
}
