'use strict';

/** The list of people: who is there, what was said last, what is unread. */
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
    chat.peopleChanged.listen(() => this.render());
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
    const shown = this.#shownPeople();
    arrange(byId('people'), shown.map((person) => this.#item(person)));
    this.#showEmpty(shown.length === 0);
    this.#showTotal();
  }

  /** Conversations first, the latest on top; then everybody else, those online before the others. */
  #shownPeople() {
    const wanted = this.#search.toLowerCase();
    const rank = (person) => this.#chat.conversation(person._id).latest?.createdAt ?? '';
    return [...this.#chat.people.values()]
      .filter((person) => `${displayName(person)} ${person.username} ${person.email ?? ''}`.toLowerCase().includes(wanted))
      .sort((a, b) => rank(b).localeCompare(rank(a))
        || Number(b.isOnline ?? false) - Number(a.isOnline ?? false)
        || displayName(a).localeCompare(displayName(b)));
  }

  #item(person) {
    if (!this.#items.has(person._id)) this.#items.set(person._id, this.#build(person._id));
    const item = this.#items.get(person._id);
    this.#fill(item, person);
    return item.row;
  }

  #build(id) {
    const parts = {
      avatar: make('span', { className: 'avatar', attrs: { 'aria-hidden': 'true' } }),
      presence: make('span', { className: 'presence', data: { testid: 'presence' } }),
      name: make('span', { className: 'person__name' }),
      time: make('span', { className: 'person__time' }),
      preview: make('span', { className: 'person__preview', data: { testid: 'preview' } }),
      badge: make('span', { className: 'badge', data: { testid: 'unread-badge' } }),
    };
    const top = make('span', { className: 'person__line' }, parts.name, parts.time);
    const bottom = make('span', { className: 'person__line' }, parts.preview, parts.badge);
    const face = make('span', { className: 'person__face' }, parts.avatar, parts.presence);
    const button = make('button', { className: 'person', data: { testid: 'user-item', userId: id }, attrs: { type: 'button' } },
      face, make('span', { className: 'person__words' }, top, bottom));
    button.addEventListener('click', () => this.chosen.fire(id));
    return { ...parts, button, row: make('li', {}, button) };
  }

  #fill(item, person) {
    const conversation = this.#chat.conversation(person._id);
    const online = Boolean(person.isOnline);
    paintAvatar(item.avatar, person);
    item.button.dataset.online = String(online);
    item.button.dataset.username = person.username ?? '';
    item.button.toggleAttribute('aria-current', person._id === this.#chat.openId);
    item.presence.dataset.online = String(online);
    this.#fillHidden(item.presence, online ? 'online' : 'offline');
    setText(item.name, displayName(person));
    setText(item.time, conversation.latest ? shortTime(conversation.latest.createdAt) : '');
    this.#fillPreview(item.preview, person, conversation);
    this.#fillBadge(item.badge, conversation.unread);
  }

  #fillPreview(element, person, { latest }) {
    const typing = this.#typing.isTyping(person._id);
    element.classList.toggle('person__preview--typing', typing);
    if (typing) setText(element, 'typing…');
    else if (!latest) setText(element, person.isOnline ? 'Say hello' : 'No messages yet');
    else setText(element, this.#chat.isMine(latest) ? `You: ${latest.content}` : latest.content);
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
    byId('people-empty').hidden = !empty || !this.#chat.peopleLoaded;
    setText(byId('people-empty'), this.#search ? 'Nobody by that name.' : 'Nobody else is here yet. Open this page in another tab and register a second user.');
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
    this.#searchTimer = setTimeout(() => this.#chat.searchPeople(this.#search).catch(() => {}), 250);
  }

  #onKey(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const buttons = [...byId('people').querySelectorAll('button')];
    buttons[buttons.indexOf(document.activeElement) + step]?.focus();
  }
}
