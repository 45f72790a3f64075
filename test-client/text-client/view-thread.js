'use strict';

/** The open conversation: its head, the scroll through its history, the composer. */
class ThreadView {
  /** This near to the bottom counts as being at the bottom; as near to the top asks for older messages. */
  static NEAR = 80;
  static LONGEST = 5000;
  static COUNT_FROM = 4500;

  left = new Signal();
  /** Loading failed; the problem is for the person to see. */
  failed = new Signal();
  #chat;
  #outbox;
  #typing;
  #messages;
  #drafts = new Map();
  #loadingOlder = false;
  #below = 0;

  constructor({ chat, outbox, typing, messages }) {
    this.#chat = chat;
    this.#outbox = outbox;
    this.#typing = typing;
    this.#messages = messages;
    chat.opened.listen((peerId) => this.#open(peerId));
    chat.conversationChanged.listen((peerId) => this.#renderIfOpen(peerId));
    outbox.changed.listen((peerId) => this.#renderIfOpen(peerId));
    chat.peopleChanged.listen(() => this.#renderHead());
    typing.changed.listen(() => this.#renderTyping());
    this.#prepareScroll();
    this.#prepareComposer();
    byId('back').addEventListener('click', () => this.left.fire());
    byId('mark-read').addEventListener('click', () => chat.markAllRead().catch((problem) => this.failed.fire(problem)));
  }

  /** A new message from the other person came while reading further up. */
  noteArrival(conversation) {
    if (conversation !== this.#chat.open || this.#atBottom) return;
    this.#below++;
    this.#renderJump();
  }

  get #scroller() { return byId('scroll'); }
  get #atBottom() {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
    return scrollHeight - scrollTop - clientHeight < ThreadView.NEAR;
  }

  #open(peerId) {
    this.#typing.stop();
    this.#messages.reset();
    byId('thread-none').hidden = peerId !== null;
    byId('thread-open').hidden = peerId === null;
    document.body.dataset.pane = peerId === null ? 'list' : 'thread';
    if (peerId === null) return;
    byId('message-input').value = this.#drafts.get(peerId) ?? '';
    this.#fitInput();
    this.#renderHead();
    this.#renderTyping();
    this.#render();
    this.#toBottom();
    byId('message-input').focus({ preventScroll: true });
  }

  #renderIfOpen(peerId) {
    if (peerId === this.#chat.openId) this.#render();
  }

  /** Stays at the bottom when there, and otherwise keeps what is being read where it is. */
  #render() {
    const stick = this.#atBottom;
    const anchor = byId('messages').querySelector('.message');
    const before = anchor?.offsetTop;
    this.#messages.render(this.#chat.open);
    this.#renderEdge();
    byId('mark-read').hidden = this.#chat.open.unread === 0;
    if (stick) this.#toBottom();
    else if (anchor?.isConnected) this.#scroller.scrollTop += anchor.offsetTop - before;
  }

  #renderHead() {
    if (!this.#chat.openId) return;
    const person = this.#chat.person(this.#chat.openId);
    paintAvatar(byId('peer-avatar'), person);
    setText(byId('peer-name'), displayName(person));
    byId('peer-status').dataset.online = String(Boolean(person.isOnline));
    setText(byId('peer-status'), this.#presenceWords(person));
    byId('mark-read').hidden = this.#chat.open.unread === 0;
  }

  #presenceWords({ _id, isOnline, lastSeen }) {
    if (isOnline) return 'online';
    return lastSeen ? `offline · last seen ${shortTime(lastSeen)}` : `offline · ${_id}`;
  }

  #renderTyping() {
    const peerId = this.#chat.openId;
    if (!peerId) return;
    const stick = this.#atBottom;
    const typing = this.#typing.isTyping(peerId);
    byId('typing').hidden = !typing;
    setText(byId('typing-text'), typing ? `${displayName(this.#chat.person(peerId))} is typing` : '');
    if (stick) this.#toBottom();
  }

  #renderEdge() {
    const { loaded, loadFailed, complete, messages } = this.#chat.open;
    if (!loaded && loadFailed) setText(byId('edge'), 'The history could not be loaded.');
    else if (!loaded) setText(byId('edge'), 'Loading…');
    else if (!complete) setText(byId('edge'), 'Scroll up for older messages');
    else setText(byId('edge'), messages.length ? 'This is where it began.' : 'No messages yet. Say hello.');
  }

  #renderJump() {
    byId('jump').hidden = this.#atBottom;
    setText(byId('jump-text'), this.#below ? `${this.#below} new` : 'Latest');
  }

  #toBottom() {
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
    this.#below = 0;
    this.#renderJump();
  }

  #prepareScroll() {
    byId('jump').addEventListener('click', () => this.#toBottom());
    this.#scroller.addEventListener('scroll', () => this.#onScroll(), { passive: true });
    let height = this.#scroller.clientHeight;
    new ResizeObserver(() => {
      const grown = this.#scroller.clientHeight - height;
      height = this.#scroller.clientHeight;
      if (grown < 0) this.#scroller.scrollTop -= grown;
    }).observe(this.#scroller);
  }

  #onScroll() {
    if (this.#atBottom) this.#below = 0;
    this.#renderJump();
    if (this.#scroller.scrollTop < ThreadView.NEAR) this.#loadOlder();
  }

  async #loadOlder() {
    const { open } = this.#chat;
    if (!open?.loaded || open.complete || this.#loadingOlder) return;
    this.#loadingOlder = true;
    await this.#chat.loadOlder().catch((problem) => this.failed.fire(problem));
    this.#loadingOlder = false;
  }

  #prepareComposer() {
    const input = byId('message-input');
    byId('composer').addEventListener('submit', (event) => {
      event.preventDefault();
      this.#send();
    });
    input.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#send();
    });
    input.addEventListener('input', () => this.#onInput());
  }

  #onInput() {
    const { value } = byId('message-input');
    this.#drafts.set(this.#chat.openId, value);
    this.#fitInput();
    if (value.trim()) this.#typing.press(this.#chat.openId);
    else this.#typing.stop();
  }

  #send() {
    const input = byId('message-input');
    const content = input.value.trim();
    if (!content || [...content].length > ThreadView.LONGEST) return;
    input.value = '';
    this.#drafts.delete(this.#chat.openId);
    this.#fitInput();
    this.#typing.stop();
    this.#outbox.add(this.#chat.openId, content);
    this.#toBottom();
    input.focus();
  }

  /** The box grows with its text (up to the style's limit); a count shows when the text nears the longest allowed. */
  #fitInput() {
    const input = byId('message-input');
    input.style.height = 'auto';
    input.style.height = `${input.scrollHeight}px`;
    const length = [...input.value.trim()].length;
    byId('count').hidden = length < ThreadView.COUNT_FROM;
    byId('count').dataset.over = String(length > ThreadView.LONGEST);
    setText(byId('count'), `${length} / ${ThreadView.LONGEST}`);
    byId('send').disabled = length === 0 || length > ThreadView.LONGEST;
  }
}
