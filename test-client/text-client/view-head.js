'use strict';

/** The head of the open conversation: the person and whether they are there, or the room and who is in it. */
class HeadView {
  left = new Signal();
  /** The room's members and settings are asked for. */
  roomAsked = new Signal();
  /** Marking as read failed; the problem is for the person to see. */
  failed = new Signal();
  #chat;
  #rooms;

  constructor({ chat, rooms, link, api }) {
    this.#chat = chat;
    this.#rooms = rooms;
    for (const signal of [chat.opened, chat.listChanged, chat.conversationChanged, rooms.changed]) signal.listen(() => this.#render());
    byId('back').addEventListener('click', () => this.left.fire());
    byId('room-open').addEventListener('click', () => this.roomAsked.fire());
    byId('room-problem-retry').addEventListener('click', () => rooms.enter(chat.open));
    byId('mark-read').addEventListener('click', () => this.#markRead(link, api));
  }

  #render() {
    const { open } = this.#chat;
    if (!open) return;
    byId('mark-read').hidden = open.unread === 0;
    byId('room-open').hidden = !open.isRoom;
    byId('peer-avatar').classList.toggle('avatar--room', open.isRoom);
    if (open.isRoom) this.#renderRoom(open);
    else this.#renderPerson(this.#chat.person(open.key));
    this.#renderProblem(open.problem);
  }

  #renderPerson(person) {
    paintAvatar(byId('peer-avatar'), person);
    setText(byId('peer-name'), displayName(person));
    byId('peer-status').dataset.online = String(Boolean(person.isOnline));
    setText(byId('peer-status'), this.#presenceWords(person));
  }

  #presenceWords({ _id, isOnline, lastSeen }) {
    if (isOnline) return 'online';
    return lastSeen ? `offline · last seen ${shortTime(lastSeen)}` : `offline · ${_id}`;
  }

  #renderRoom({ key, room, members, joined }) {
    paintAvatar(byId('peer-avatar'), { _id: key, name: room.name });
    setText(byId('peer-name'), room.name);
    byId('peer-status').dataset.online = String(joined);
    const count = members?.length ?? room.memberCount;
    const words = [];
    if (count !== undefined) words.push(plural(count, 'member'));
    if (members) {
      words.push(`${members.filter(({ presence }) => presence.status === 'online').length} online`);
      words.push(`${members.filter(({ presence }) => presence.inRoom).length} here`);
    }
    words.push(room.isPrivate ? 'private' : 'public');
    setText(byId('peer-status'), words.join(' · '));
  }

  #renderProblem(problem) {
    byId('room-problem').hidden = !problem;
    setText(byId('room-problem-text'), problem ? `You are not in the room: ${problem.message}` : '');
  }

  async #markRead(link, api) {
    const { open } = this.#chat;
    await open.readAll(link, api).catch((problem) => this.failed.fire(problem));
    this.#chat.noteChanged(open);
  }
}
