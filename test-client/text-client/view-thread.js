'use strict';

/** The open conversation: the scroll through its history, and who types. */
class ThreadView {
  /** This near to the bottom counts as being at the bottom; as near to the top asks for older messages. */
  static NEAR = 80;

  /** Loading failed; the problem is for the person to see. */
  failed = new Signal();
  #chat;
  #typing;
  #messages;
  #composer;
  #loadingOlder = false;
  #below = 0;

  constructor({ chat, outbox, typing, messages, composer }) {
    this.#chat = chat;
    this.#typing = typing;
    this.#messages = messages;
    this.#composer = composer;
    chat.opened.listen((key) => this.#open(key));
    chat.conversationChanged.listen((key) => this.#renderIfOpen(key));
    outbox.changed.listen((key) => this.#renderIfOpen(key));
    composer.sent.listen(() => this.#toBottom());
    typing.changed.listen(() => this.#renderTyping());
    this.#prepareScroll();
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

  #open(key) {
    this.#messages.reset();
    byId('thread-none').hidden = key !== null;
    byId('thread-open').hidden = key === null;
    document.body.dataset.pane = key === null ? 'list' : 'thread';
    this.#composer.open(key);
    if (key === null) return;
    this.#renderTyping();
    this.#render();
    this.#toBottom();
    this.#composer.focus();
  }

  #renderIfOpen(key) {
    if (key === this.#chat.openId) this.#render();
  }

  /** Stays at the bottom when there, and otherwise keeps what is being read where it is. */
  #render() {
    const stick = this.#atBottom;
    const anchor = byId('messages').querySelector('.message');
    const before = anchor?.offsetTop;
    this.#messages.render(this.#chat.open);
    this.#renderEdge();
    if (stick) this.#toBottom();
    else if (anchor?.isConnected) this.#scroller.scrollTop += anchor.offsetTop - before;
  }

  #renderTyping() {
    const key = this.#chat.openId;
    if (!key) return;
    const stick = this.#atBottom;
    const typing = this.#typing.whoTypes(key).map((id) => displayName(this.#chat.person(id)));
    byId('typing').hidden = typing.length === 0;
    setText(byId('typing-text'), typing.length ? typingWords(typing) : '');
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
}
