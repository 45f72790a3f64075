'use strict';

/** Where messages are written. What is not sent yet stays with its conversation. */
class ComposerView {
  static LONGEST = 5000;
  static COUNT_FROM = 4500;

  sent = new Signal();
  #chat;
  #outbox;
  #typing;
  #drafts = new Map();
  #problemTimer;

  constructor({ chat, outbox, typing }) {
    this.#chat = chat;
    this.#outbox = outbox;
    this.#typing = typing;
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

  /** Takes up the conversation that was opened. */
  open(key) {
    this.#typing.stop();
    byId('message-problem').hidden = true;
    if (key === null) return;
    byId('message-input').value = this.#drafts.get(key) ?? '';
    this.#fit();
  }

  focus() {
    byId('message-input').focus({ preventScroll: true });
  }

  /** A room refused what was sent to it. A message that failed says so itself; one that has to wait does not. */
  complain({ message, retryAfter, roomId, clientMsgId }) {
    if (roomId !== this.#chat.openId || (clientMsgId && !retryAfter)) return;
    clearTimeout(this.#problemTimer);
    setText(byId('message-problem'), retryAfter ? `${message}. Again in ${plural(retryAfter, 'second')}.` : message);
    byId('message-problem').hidden = false;
    this.#problemTimer = setTimeout(() => { byId('message-problem').hidden = true; }, 6000);
  }

  #onInput() {
    const { value } = byId('message-input');
    this.#drafts.set(this.#chat.openId, value);
    this.#fit();
    if (value.trim()) this.#typing.press(this.#chat.open);
    else this.#typing.stop();
  }

  #send() {
    const input = byId('message-input');
    const content = input.value.trim();
    if (!content || [...content].length > ComposerView.LONGEST) return;
    input.value = '';
    this.#drafts.delete(this.#chat.openId);
    this.#fit();
    this.#typing.stop();
    this.#outbox.add(this.#chat.open, content);
    this.sent.fire();
    input.focus();
  }

  /** The box grows with its text (up to the style's limit); a count shows when the text nears the longest allowed. */
  #fit() {
    const input = byId('message-input');
    input.style.height = 'auto';
    input.style.height = `${input.scrollHeight}px`;
    const length = [...input.value.trim()].length;
    byId('count').hidden = length < ComposerView.COUNT_FROM;
    byId('count').dataset.over = String(length > ComposerView.LONGEST);
    setText(byId('count'), `${length} / ${ComposerView.LONGEST}`);
    byId('send').disabled = length === 0 || length > ComposerView.LONGEST;
  }
}
