'use strict';

/** The bubbles of one conversation, with the days between them. Keeps elements, so that nothing flickers. */
class MessagesView {
  static STATES = {
    sending: { mark: '◔', words: 'Sending' },
    sent: { mark: '✓', words: 'Sent' },
    read: { mark: '✓✓', words: 'Read' },
    failed: { mark: '!', words: 'Not sent' },
  };
  /** Messages of one person within this time stand together. */
  static TOGETHER = 5 * 60_000;

  /** Who has read a message is asked for. */
  readsAsked = new Signal();
  #chat;
  #outbox;
  #reads;
  #elements = new Map();

  constructor({ chat, outbox, reads }) {
    this.#chat = chat;
    this.#outbox = outbox;
    this.#reads = reads;
  }

  reset() {
    this.#elements.clear();
    this.#reads.reset();
    byId('messages').replaceChildren();
  }

  render(conversation) {
    const shown = [];
    let previous = null;
    for (const item of this.#items(conversation)) {
      if (!previous || dayKey(previous.at) !== dayKey(item.at)) shown.push(this.#day(item.at));
      shown.push(this.#bubble(item, this.#joins(previous, item)));
      previous = item;
    }
    arrange(byId('messages'), shown);
  }

  #items(conversation) {
    const stored = conversation.messages.map((message) => this.#storedItem(message));
    const unsent = this.#outbox.to(conversation.key).map((entry) => ({
      key: entry.clientMsgId, mine: true, at: entry.createdAt, content: entry.content, state: entry.state, entry,
    }));
    return [...stored, ...unsent];
  }

  #storedItem(message) {
    const mine = this.#chat.isMine(message);
    const { totalRecipients = 0, readCount = 0 } = message.receipts ?? {};
    const isRead = message.roomId ? readCount > 0 && readCount === totalRecipients : message.isRead;
    const own = isRead ? 'read' : 'sent';
    return {
      key: (mine && message.clientMsgId) || message._id,
      mine,
      sender: message.sender._id,
      reads: mine && totalRecipients ? `read by ${readCount} of ${totalRecipients}` : '',
      at: message.createdAt,
      content: message.messageType && message.messageType !== 'text' ? `[${message.messageType}] ${message.content}` : message.content,
      state: mine ? own : 'received',
      message,
    };
  }

  #joins(previous, item) {
    return previous !== null && previous.mine === item.mine && (item.mine || previous.sender === item.sender) && dayKey(previous.at) === dayKey(item.at)
      && Date.parse(item.at) - Date.parse(previous.at) < MessagesView.TOGETHER;
  }

  #day(at) {
    const key = `day ${dayKey(at)}`;
    if (!this.#elements.has(key)) {
      const line = make('div', { className: 'day', attrs: { role: 'separator' }, data: { testid: 'day' } }, make('span', {}));
      this.#elements.set(key, line);
    }
    setText(this.#elements.get(key).firstChild, dayName(at));
    return this.#elements.get(key);
  }

  #bubble(item, joined) {
    if (!this.#elements.has(item.key)) this.#elements.set(item.key, this.#build(item));
    const element = this.#elements.get(item.key);
    element.classList.toggle('message--joined', joined);
    if (item.message) Object.assign(element.dataset, { id: item.message._id, seq: String(item.message.seq) });
    // What the server stores may differ from what was typed.
    setText(element.querySelector('.message__text'), item.content);
    if (element.dataset.state !== item.state || element.dataset.reads !== (item.reads ?? '')) this.#fillState(element, item);
    return element;
  }

  #build(item) {
    const who = item.mine ? 'You' : displayName(this.#chat.person(item.message.sender._id));
    const foot = make('span', { className: 'message__foot' },
      make('time', { className: 'message__time', text: clockTime(item.at), attrs: { datetime: item.at } }));
    const named = !item.mine && item.message.roomId;
    const bubble = make('div', { className: 'message__bubble' },
      make('span', { className: named ? 'message__sender' : 'sr-only', text: named ? who : `${who}: `, data: named ? { testid: 'message-sender', hue: hueOf(item.sender) } : {} }),
      make('span', { className: 'message__text', text: item.content, data: { testid: 'message-text' }, attrs: { dir: 'auto' } }),
      foot);
    const element = make('article', { className: item.mine ? 'message message--mine' : 'message', data: { testid: 'message' } }, bubble);
    if (item.entry) element.dataset.tempId = item.entry.tempId;
    if (!item.mine && !item.message.isRead) this.#reads.watch(element, item.message);
    return element;
  }

  #fillState(element, item) {
    Object.assign(element.dataset, { state: item.state, reads: item.reads ?? '' });
    element.querySelector('.message__state')?.remove();
    element.querySelector('.message__failure')?.remove();
    if (!item.mine) return;
    const { mark, words } = MessagesView.STATES[item.state];
    element.querySelector('.message__foot').append(make('span', { className: 'message__state', attrs: { title: words } },
      make('span', { text: mark, attrs: { 'aria-hidden': 'true' } }),
      make('span', { className: 'sr-only', text: words })));
    if (item.reads) this.#fillReads(element, item);
    if (item.state === 'failed') element.append(this.#failure(item.entry));
  }

  #fillReads(element, { message, reads }) {
    const there = element.querySelector('.message__reads');
    if (there) return setText(there, reads);
    const button = make('button', { className: 'message__reads', text: reads, data: { testid: 'reads' }, attrs: { type: 'button', title: 'Who has read this?' } });
    button.addEventListener('click', () => this.readsAsked.fire(message));
    element.append(button);
  }

  #failure({ tempId, reason }) {
    const button = (text, testid, act) => {
      const made = make('button', { className: 'message__act', text, data: { testid }, attrs: { type: 'button' } });
      made.addEventListener('click', act);
      return made;
    };
    return make('div', { className: 'message__failure', attrs: { role: 'alert' } },
      make('span', { text: `Not sent: ${reason}`, data: { testid: 'failure' } }),
      button('Retry', 'retry', () => this.#outbox.retry(tempId)),
      button('Discard', 'discard', () => this.#outbox.discard(tempId)));
  }
}
