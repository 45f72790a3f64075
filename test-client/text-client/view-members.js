'use strict';

/** The members of a room: their roles, who is there, and what the owner and admins may do with them. */
class MembersView {
  static ROLES = { owner: 'owner', admin: 'admin', member: '' };

  failed = new Signal();
  #chat;
  #api;
  #rooms;
  #rows = new Map();

  constructor({ chat, api, rooms }) {
    this.#chat = chat;
    this.#api = api;
    this.#rooms = rooms;
  }

  render(conversation) {
    const members = conversation.members ?? [];
    setText(byId('room-count'), conversation.members ? String(members.length) : '');
    arrange(byId('room-members'), members.map((member) => this.#row(conversation, member)));
  }

  /** Rows are kept while they say the same, so that a button keeps the focus, and a first press its second. */
  #row(conversation, member) {
    const { user, role, presence } = member;
    const says = JSON.stringify([conversation.key, conversation.role, user.username, role, presence.status, this.#presenceWords(presence)]);
    if (this.#rows.get(user.id)?.says !== says) {
      this.#rows.set(user.id, { says, element: this.#build(conversation, member) });
    }
    return this.#rows.get(member.user.id).element;
  }

  #build(conversation, { user, role, presence }) {
    const isMe = user.id === this.#chat.me._id;
    const avatar = make('span', { className: 'avatar', attrs: { 'aria-hidden': 'true' } });
    const person = { ...this.#chat.person(user.id), _id: user.id, username: user.username };
    paintAvatar(avatar, person);
    const dot = make('span', { className: 'presence', data: { online: String(presence.status === 'online') }, attrs: { 'aria-hidden': 'true' } });
    const name = make('span', { className: 'member__name', text: isMe ? `${displayName(person)} (you)` : displayName(person) });
    const tag = MembersView.ROLES[role] ? make('span', { className: 'member__role', text: MembersView.ROLES[role] }) : null;
    return make('li', {
      className: 'member',
      data: { testid: 'member', userId: user.id, username: user.username, role, online: String(presence.status === 'online'), inRoom: String(presence.inRoom) },
    },
    make('span', { className: 'person__face' }, avatar, dot),
    make('div', { className: 'member__words' },
      make('p', { className: 'member__line' }, name, tag),
      make('p', { className: 'member__presence', text: this.#presenceWords(presence), data: { testid: 'member-presence' } })),
    this.#actions(conversation, { user, role }, isMe));
  }

  #presenceWords({ status, inRoom, lastSeen }) {
    if (inRoom) return 'in the room';
    if (status === 'online') return 'online, elsewhere';
    return lastSeen ? `offline · last seen ${shortTime(lastSeen)}` : 'offline';
  }

  #actions(conversation, { user, role }, isMe) {
    const mine = conversation.role;
    const mayRemove = !isMe && (mine === 'owner' || (mine === 'admin' && role === 'member'));
    if (!mayRemove) return null;
    const to = (next) => () => this.#api.changeRole(conversation.key, user.id, next);
    const buttons = [];
    if (mine === 'owner') {
      const promotes = role === 'member';
      buttons.push(this.#button(conversation, 'Make ' + (promotes ? 'admin' : 'member'), 'change-role', user, to(promotes ? 'admin' : 'member')));
      buttons.push(this.#button(conversation, 'Hand over', 'hand-over', user, to('owner'), 'Really hand over?'));
    }
    buttons.push(this.#button(conversation, 'Remove', 'remove-member', user, () => this.#api.removeMember(conversation.key, user.id), 'Really remove?'));
    return make('div', { className: 'member__actions', attrs: { role: 'group', 'aria-label': `What to do with ${user.username}` } }, ...buttons);
  }

  #button(conversation, text, testid, user, request, question = null) {
    const button = make('button', { className: 'chip chip--small', text, data: { testid }, attrs: { type: 'button' } });
    button.append(make('span', { className: 'sr-only', text: ` ${user.username}` }));
    const act = () => this.#act(conversation, request);
    if (question) actOnSecondClick(button, question, act);
    else button.addEventListener('click', act);
    return button;
  }

  async #act(conversation, request) {
    try {
      const answer = await request();
      if (answer.room) conversation.takeRoom(answer.room);
      await this.#rooms.loadMembers(conversation);
    } catch (problem) {
      this.failed.fire(problem);
    }
  }
}
