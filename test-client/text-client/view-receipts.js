'use strict';

/** Who has read one of one's own messages in a room, and when. */
class ReceiptsView {
  #chat;
  #receipts;

  constructor({ chat, receipts }) {
    this.#chat = chat;
    this.#receipts = receipts;
    prepareDialog('reads');
  }

  async open(message) {
    setText(byId('reads-title'), 'Read by…');
    setText(byId('reads-text'), message.content);
    byId('reads-list').replaceChildren();
    byId('reads-error').hidden = true;
    byId('reads').showModal();
    try {
      const { receipts, summary } = await this.#receipts.details(message);
      setText(byId('reads-title'), `Read by ${summary.readCount} of ${summary.totalRecipients}`);
      byId('reads-list').replaceChildren(...receipts.map((receipt) => this.#row(receipt)));
    } catch (problem) {
      setText(byId('reads-error'), problem.message);
      byId('reads-error').hidden = false;
    }
  }

  #row({ userId, username, read, readAt }) {
    const avatar = make('span', { className: 'avatar', attrs: { 'aria-hidden': 'true' } });
    const person = { ...this.#chat.person(userId), _id: userId, username };
    paintAvatar(avatar, person);
    return make('li', { className: 'member', data: { testid: 'receipt', username, read: String(read) } }, avatar,
      make('div', { className: 'member__words' },
        make('p', { className: 'member__name', text: displayName(person) }),
        make('p', { className: 'member__presence' }, read ? make('time', { text: `read ${dateTime(readAt)}`, attrs: { datetime: readAt } }) : 'not yet')));
  }
}
