'use strict';

/** The list of conversations: rooms and people, what was said last, what is unread. */
class PeopleView {
  chosen = new Signal();
  #chat;
  #typing;
  #items = new Map();
  #search = '';
  #searchTimer;

  constructor({ chat, typing, session }) {
    this.#chat = chat;
    this.#typing = typing;
    chat.listChanged.listen(() => this.render());
    typing.changed.listen(() => this.render());
    byId('search').addEventListener('input', () => this.#onSearch());
    byId('people').addEventListener('keydown', (event) => this.#onKey(event));
    byId('next-step-close').addEventListener('click', () => { byId('next-step').hidden = true; });
    byId('next-step-link').href = location.href;
    copyOnClick(byId('copy-id'), () => session.me._id);
    copyOnClick(byId('copy-token'), () => session.token);
  }

  showMe(me) {
    paintAvatar(byId('me-avatar'), me);
    setText(byId('me-name'), displayName(me));
    setText(byId('me-id'), me._id);
  }

  showNextStep(me) {
    setText(byId('next-step-text'), `You are in, ${displayName(me)}. Open this page in another tab and register a second user, then pick each other from the list.`);
    byId('next-step').hidden = false;
  }

  reset() {
    byId('next-step').hidden = true;
    byId('search').value = '';
    this.#search = '';
    this.#items.clear();
    byId('people').replaceChildren();
  }

  render() {
    const shown = this.#shown();
    arrange(byId('people'), shown.map((entry) => this.#item(entry)));
    this.#showEmpty(shown.length === 0);
    this.#showTotal();
  }

  /** Conversations first, the latest on top; then everybody else, those online before the others. */
  #shown() {
    const wanted = this.#search.toLowerCase();
    const rooms = this.#chat.rooms.map((conversation) => {
      const { name, description, createdAt } = conversation.room;
      return { conversation, name, words: `${name} ${description ?? ''}`, rank: conversation.latest?.createdAt ?? createdAt ?? '', online: false };
    });
    const people = this.#chat.people.all.map((person) => {
      const conversation = this.#chat.conversation(person._id);
      const name = displayName(person);
      return { conversation, person, name, words: `${name} ${person.username} ${person.email ?? ''}`, rank: conversation.latest?.createdAt ?? '', online: Boolean(person.isOnline) };
    });
    return [...rooms, ...people]
      .filter(({ words }) => words.toLowerCase().includes(wanted))
      .sort((a, b) => b.rank.localeCompare(a.rank) || Number(b.online) - Number(a.online) || a.name.localeCompare(b.name));
  }

  #item(entry) {
    const { key } = entry.conversation;
    if (!this.#items.has(key)) this.#items.set(key, this.#build(entry));
    const item = this.#items.get(key);
    this.#fill(item, entry);
    return item.row;
  }

  #build({ conversation: { key, isRoom } }) {
    const parts = {
      avatar: make('span', { className: isRoom ? 'avatar avatar--room' : 'avatar', attrs: { 'aria-hidden': 'true' } }),
      presence: make('span', { className: 'presence', data: { testid: 'presence' } }),
      name: make('span', { className: 'person__name' }),
      time: make('span', { className: 'person__time' }),
      preview: make('span', { className: 'person__preview', data: { testid: 'preview' } }),
      badge: make('span', { className: 'badge', data: { testid: 'unread-badge' } }),
    };
    const top = make('span', { className: 'person__line' }, parts.name, parts.time);
    const bottom = make('span', { className: 'person__line' }, parts.preview, parts.badge);
    const face = make('span', { className: 'person__face' }, parts.avatar, isRoom ? null : parts.presence);
    const data = isRoom ? { testid: 'room-item', roomId: key } : { testid: 'user-item', userId: key };
    const button = make('button', { className: 'person', data: { ...data, key }, attrs: { type: 'button' } },
      face, make('span', { className: 'person__words' }, top, bottom));
    button.addEventListener('click', () => this.chosen.fire(key));
    return { ...parts, button, row: make('li', {}, button) };
  }

  #fill(item, entry) {
    const { conversation, person, name, rank } = entry;
    item.button.toggleAttribute('aria-current', conversation.key === this.#chat.openId);
    paintAvatar(item.avatar, person ?? { _id: conversation.key, name });
    setText(item.time, rank ? shortTime(rank) : '');
    if (person) this.#fillPerson(item, person);
    else this.#fillRoom(item, conversation.room);
    this.#fillPreview(item.preview, entry);
    this.#fillBadge(item.badge, conversation.unread);
  }

  #fillPerson(item, person) {
    const online = String(Boolean(person.isOnline));
    Object.assign(item.button.dataset, { online, username: person.username ?? '' });
    item.presence.dataset.online = online;
    this.#fillHidden(item.presence, person.isOnline ? 'online' : 'offline');
    setText(item.name, displayName(person));
  }

  #fillRoom(item, { name }) {
    item.button.dataset.name = name;
    if (item.name.dataset.shown === name) return;
    item.name.dataset.shown = name;
    item.name.replaceChildren(make('span', { className: 'sr-only', text: 'Room ' }), name);
  }

  #fillPreview(element, { conversation: { key, isRoom, latest, room }, person }) {
    const typing = this.#typing.whoTypes(key).filter((id) => id !== this.#chat.me?._id);
    element.classList.toggle('person__preview--typing', typing.length > 0);
    if (typing.length) setText(element, isRoom ? typingWords(typing.map((id) => displayName(this.#chat.person(id)))) : 'typing…');
    else if (latest) setText(element, `${this.#saidBy(latest, isRoom)}${latest.content}`);
    else if (isRoom) setText(element, room.isPrivate ? 'Private room' : 'Room');
    else setText(element, person.isOnline ? 'Say hello' : 'No messages yet');
  }

  #saidBy(message, isRoom) {
    if (this.#chat.isMine(message)) return 'You: ';
    return isRoom ? `${displayName(this.#chat.person(message.sender._id))}: ` : '';
  }

  #fillBadge(element, count) {
    element.hidden = count === 0;
    element.dataset.count = String(count);
    setText(element, count > 99 ? '99+' : String(count));
    element.setAttribute('aria-label', `${count} unread`);
  }

  #fillHidden(element, text) {
    if (element.textContent !== text) element.replaceChildren(make('span', { className: 'sr-only', text }));
  }

  #showEmpty(empty) {
    byId('people-empty').hidden = !empty || !this.#chat.people.loaded;
    setText(byId('people-empty'), this.#search ? 'Nobody and no room by that name.' : 'Nobody else is here yet. Open this page in another tab and register a second user.');
  }

  #showTotal() {
    const total = this.#chat.unread;
    this.#fillBadge(byId('unread-total'), total);
    document.title = total ? `(${total}) waggle · chat` : 'waggle · chat';
  }

  #onSearch() {
    this.#search = byId('search').value.trim();
    this.render();
    clearTimeout(this.#searchTimer);
    this.#searchTimer = setTimeout(() => this.#chat.people.search(this.#search).catch(() => {}), 250);
  }

  #onKey(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const buttons = [...byId('people').querySelectorAll('button')];
    buttons[buttons.indexOf(document.activeElement) + step]?.focus();
  }
}
