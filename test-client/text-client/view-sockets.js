'use strict';

/** The list of connected sockets, what narrows it, and what an admin may do with one. */
class SocketsView {
  banAsked = new Signal();
  #admin;
  #rows = new Map();

  constructor({ admin }) {
    this.#admin = admin;
    admin.changed.listen(() => this.render());
    admin.unanswered.listen((problem) => this.#complain('sockets-unanswered', problem));
    admin.failed.listen((problem) => this.#complain('admin-error', problem));
    for (const id of ['socket-search', 'socket-namespace', 'socket-role']) byId(id).addEventListener('input', () => this.#filter());
    prepareDialog('socket');
  }

  render() {
    const { sockets, count, total } = this.#admin.page;
    arrange(byId('socket-list'), sockets.map((socket) => this.#row(socket)));
    const listed = new Set(sockets.map(({ id }) => id));
    for (const id of this.#rows.keys()) if (!listed.has(id)) this.#rows.delete(id);
    byId('socket-count').dataset.count = String(count);
    setText(byId('socket-count'), count === total ? plural(total, 'socket') : `${count} of ${plural(total, 'socket')}`);
    setText(byId('sockets-empty'), total ? 'No socket is like that.' : 'Nobody is connected.');
    byId('sockets-empty').hidden = count > 0;
    byId('sockets-more').hidden = count <= sockets.length;
    setText(byId('sockets-more'), `These are the first ${sockets.length}. Narrow the list to see others.`);
  }

  reset() {
    this.#rows.clear();
    byId('socket-list').replaceChildren();
    for (const id of ['socket-search', 'socket-namespace', 'socket-role']) byId(id).value = '';
    this.#complain('admin-error', null);
    this.#complain('sockets-unanswered', null);
  }

  /** An address is asked for as such; everything else is a part of a name. */
  #filter() {
    const text = byId('socket-search').value.trim();
    const isAddress = text.includes(':') || /^\d{1,3}(\.\d{1,3}){3}$/.test(text);
    const what = isAddress ? { address: text } : { search: text };
    this.#admin.filter({ ...what, namespace: byId('socket-namespace').value, role: byId('socket-role').value });
  }

  /** Rows are kept, so that a button keeps the focus, and a first press its second. */
  #row(socket) {
    if (!this.#rows.has(socket.id)) this.#rows.set(socket.id, this.#build(socket));
    const { row, load } = this.#rows.get(socket.id);
    setText(load, `${socket.queued} queued · ${plural(socket.rooms, 'room')}`);
    return row;
  }

  #build({ id, namespace, user, address, connectedAt }) {
    const avatar = make('span', { className: 'avatar', attrs: { 'aria-hidden': 'true' } });
    paintAvatar(avatar, user);
    const load = make('span', { className: 'admin__load', data: { testid: 'socket-load' } });
    const more = this.#button('Details', 'socket-details', user, () => this.#open(id));
    const end = this.#button('Disconnect', 'disconnect', user, () => this.#admin.disconnect(id), 'Really disconnect?');
    const endAll = this.#button('All of theirs', 'disconnect-user', user, () => this.#admin.disconnectUser(user._id), 'Really all?');
    const ban = user.role === 'admin' ? null : this.#button('Ban…', 'ban', user, () => this.banAsked.fire(user));
    const row = make('li', { className: 'admin__row', data: { testid: 'socket-item', socketId: id, username: user.username, namespace } },
      avatar,
      make('div', { className: 'admin__who' },
        make('p', { className: 'member__line' },
          make('span', { className: 'member__name', text: displayName(user) }),
          make('span', { className: 'member__role', text: user.role })),
        make('p', { className: 'admin__more', text: user.username })),
      make('div', { className: 'admin__where' },
        make('p', {}, make('span', { className: 'status', text: namespace })),
        make('p', { className: 'admin__more' }, load)),
      make('div', { className: 'admin__since' },
        make('p', { className: 'admin__address', text: address }),
        make('p', { className: 'admin__more' }, 'since ', make('time', { text: shortTime(connectedAt), attrs: { datetime: connectedAt } }))),
      make('div', { className: 'admin__actions', attrs: { role: 'group', 'aria-label': `What to do with ${user.username}` } },
        ...[more, end, endAll, ban].filter(Boolean)));
    return { row, load };
  }

  #button(text, testid, user, act, question = null) {
    const button = make('button', { className: 'chip chip--small', text, data: { testid }, attrs: { type: 'button' } });
    button.append(make('span', { className: 'sr-only', text: ` ${user.username}` }));
    if (question) actOnSecondClick(button, question, act);
    else button.addEventListener('click', act);
    return button;
  }

  async #open(id) {
    try {
      const { socket, roomIds } = await this.#admin.details(id);
      const facts = {
        Socket: socket.id,
        User: `${socket.user.username} (${socket.user.role})`,
        'User ID': socket.user._id,
        Door: socket.door,
        Namespace: socket.namespace,
        Address: socket.address,
        Connected: dateTime(socket.connectedAt),
        'Token ends': socket.expiresAt ? dateTime(socket.expiresAt) : 'asked for once',
        Queued: String(socket.queued),
        Rooms: roomIds.join(', ') || 'none',
      };
      byId('socket-facts').replaceChildren(...Object.entries(facts).flatMap(([name, value]) =>
        [make('dt', { text: name }), make('dd', { text: value, data: { testid: `socket-fact-${name.toLowerCase().replace(' ', '-')}` } })]));
      byId('socket').showModal();
    } catch (problem) {
      this.#complain('admin-error', problem);
    }
  }

  #complain(id, problem) {
    setText(byId(id), problem?.message ?? '');
    byId(id).hidden = !problem;
  }
}
