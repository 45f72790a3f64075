'use strict';

/** Who is banned, by whom and why; banning somebody, who may be offline, and letting them in again. */
class BansView {
  #admin;
  #rows = new Map();
  #whom = null;
  #asked = 0;

  constructor({ admin }) {
    this.#admin = admin;
    admin.bansChanged.listen(() => this.render());
    byId('ban-search').addEventListener('input', ({ target }) => this.#find(target.value.trim()));
    prepareDialog('ban-user');
    onSubmit('ban-form', async ({ reason }) => {
      await this.#admin.ban(this.#whom._id, reason);
      byId('ban-user').close();
      byId('ban-search').value = '';
      this.#find('');
    });
  }

  /** Asks for a reason first. */
  ask(user) {
    this.#whom = user;
    setText(byId('ban-title'), `Ban ${user.username}?`);
    byId('ban-form').reset();
    clearErrors(byId('ban-form'));
    byId('ban-user').showModal();
  }

  render() {
    const { bans, moreBans } = this.#admin;
    arrange(byId('ban-list'), bans.map((ban) => this.#row(ban)));
    byId('bans-empty').hidden = bans.length > 0;
    setText(byId('ban-count'), bans.length ? String(bans.length) + (moreBans ? '+' : '') : '');
  }

  reset() {
    this.#rows.clear();
    byId('ban-list').replaceChildren();
    byId('ban-search').value = '';
    this.#find('');
  }

  #row(ban) {
    const says = JSON.stringify(ban);
    if (this.#rows.get(ban.user._id)?.says !== says) this.#rows.set(ban.user._id, { says, element: this.#build(ban) });
    return this.#rows.get(ban.user._id).element;
  }

  #build({ user, by, at, reason }) {
    const lift = make('button', { className: 'chip chip--small', text: 'Lift ban', data: { testid: 'lift-ban' }, attrs: { type: 'button' } });
    lift.append(make('span', { className: 'sr-only', text: ` of ${user.username}` }));
    actOnSecondClick(lift, 'Really let in?', () => this.#admin.liftBan(user._id));
    return make('li', { className: 'admin__ban', data: { testid: 'ban-item', username: user.username } },
      make('div', { className: 'member__words' },
        make('p', { className: 'member__line' },
          make('span', { className: 'member__name', text: displayName(user) }),
          make('span', { className: 'member__role', text: user.role })),
        make('p', { className: 'admin__reason', text: reason ?? 'no reason given', data: { testid: 'ban-reason' } }),
        make('p', { className: 'admin__more', text: `by ${by.username}, ${dateTime(at)}` })),
      lift);
  }

  /** Lists accounts by a part of their name. */
  async #find(text) {
    const question = ++this.#asked;
    const found = byId('ban-found');
    if (!text) {
      found.replaceChildren();
      byId('ban-nobody').hidden = true;
      return;
    }
    const { users } = await this.#admin.findUsers(text).catch(() => ({ users: [] }));
    if (question !== this.#asked) return;
    const banned = new Set(this.#admin.bans.map(({ user }) => user._id));
    const others = users.filter(({ _id, role }) => role !== 'admin' && !banned.has(_id));
    found.replaceChildren(...others.map((user) => this.#candidate(user)));
    byId('ban-nobody').hidden = others.length > 0;
  }

  #candidate(user) {
    const button = make('button', { className: 'chip chip--small', text: 'Ban…', data: { testid: 'ban-found-ban' }, attrs: { type: 'button' } });
    button.append(make('span', { className: 'sr-only', text: ` ${user.username}` }));
    button.addEventListener('click', () => this.ask(user));
    return make('li', { className: 'admin__ban', data: { testid: 'ban-found', username: user.username } },
      make('span', { className: 'member__name', text: user.username }), button);
  }
}
