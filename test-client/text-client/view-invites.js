'use strict';

/** Invites to a room: making a link to pass on, and, for those who run the room, taking links back. */
class InvitesView {
  failed = new Signal();
  #api;
  #chat;
  #choices;
  #conversation = null;
  #list = [];

  constructor({ api, chat, choices }) {
    this.#api = api;
    this.#chat = chat;
    this.#choices = choices;
    onSubmit('invite-form', (form) => this.#make(form));
    copyOnClick(byId('invite-copy'), () => byId('invite-link').value);
    byId('invite-link').addEventListener('focus', () => byId('invite-link').select());
  }

  open(conversation) {
    this.#conversation = conversation;
    this.#list = [];
    clearErrors(byId('invite-form'));
    byId('invite-form').reset();
    byId('invite-made').hidden = true;
    byId('invite-link').value = '';
    this.render(conversation);
    this.#load();
  }

  render({ role }) {
    byId('invites').hidden = role === 'member' || this.#list.length === 0;
    if (role !== 'member') arrange(byId('invite-list'), this.#list.map((invite) => this.#row(invite)));
  }

  async #make({ expiresIn, maxUses }) {
    const { key } = this.#conversation;
    const { invite, expiresAt } = await this.#api.invite(key, { expiresIn: Number(expiresIn), maxUses: maxUses ? Number(maxUses) : undefined });
    byId('invite-link').value = Invitation.link(this.#choices.server, key, invite);
    setText(byId('invite-words'), `${maxUses ? `Good for ${plural(Number(maxUses), 'use')}` : 'Good for anybody who has it'}, until ${dateTime(expiresAt)}.`);
    byId('invite-made').hidden = false;
    byId('invite-copy').focus();
    this.#load();
  }

  async #load() {
    const conversation = this.#conversation;
    if (conversation.role === 'member') return;
    const { invites } = await this.#api.invites(conversation.key).catch((problem) => {
      this.failed.fire(problem);
      return { invites: [] };
    });
    if (conversation !== this.#conversation) return;
    this.#list = invites;
    this.render(conversation);
  }

  #row({ id, createdBy, uses, maxUses, expiresAt }) {
    const by = displayName(this.#chat.person(createdBy));
    const words = `by ${by} · used ${uses}${maxUses ? ` of ${maxUses}` : ''} · until ${dateTime(expiresAt)}`;
    const revoke = make('button', { className: 'chip chip--small', text: 'Revoke', data: { testid: 'revoke-invite' }, attrs: { type: 'button' } });
    revoke.append(make('span', { className: 'sr-only', text: ` the invite ${words}` }));
    revoke.addEventListener('click', () => this.#revoke(id));
    return make('li', { className: 'invite', data: { testid: 'invite-item' } }, make('span', { className: 'invite__words', text: words }), revoke);
  }

  async #revoke(id) {
    await this.#api.revokeInvite(this.#conversation.key, id).catch((problem) => this.failed.fire(problem));
    await this.#load();
  }
}
