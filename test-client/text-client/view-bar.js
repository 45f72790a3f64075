'use strict';

/** The bar on top: the connection's state and choices, sound, theme, log, logging out. */
class BarView {
  loggedOut = new Signal();
  #link;
  #choices;
  #sound;
  #noticeTimer;

  constructor({ link, choices, sound }) {
    this.#link = link;
    this.#choices = choices;
    this.#sound = sound;
    link.stateChanged.listen(() => this.showState());
    byId('cut').addEventListener('click', () => link.cut());
    byId('reconnect').addEventListener('click', () => link.open());
    byId('logout').addEventListener('click', () => this.loggedOut.fire());
    byId('theme').addEventListener('click', () => theme.toggle());
    byId('notice-close').addEventListener('click', () => this.#hideNotice());
    this.#prepareMute();
    this.#prepareChoices();
    this.showState();
  }

  showState() {
    const { name, detail } = this.#link.state;
    byId('state').dataset.state = name;
    byId('state').title = LINK_WORDS[name](detail);
    setText(byId('state-text'), LINK_WORDS[name](detail));
    byId('cut').hidden = name !== 'connected';
    byId('reconnect').hidden = name !== 'refused';
  }

  showSession(session) {
    const label = session.pasted ? 'Leave (the token stays valid)' : 'Log out';
    byId('logout').hidden = !session.active;
    byId('logout').title = label;
    byId('logout').setAttribute('aria-label', label);
  }

  notify(text) {
    clearTimeout(this.#noticeTimer);
    setText(byId('notice-text'), text);
    byId('notice').hidden = false;
    this.#noticeTimer = setTimeout(() => this.#hideNotice(), 8000);
  }

  showSounds() {
    byId('mute').dataset.played = String(this.#sound.played);
  }

  #hideNotice() {
    byId('notice').hidden = true;
  }

  #prepareMute() {
    const show = () => byId('mute').setAttribute('aria-pressed', String(this.#sound.muted));
    byId('mute').addEventListener('click', () => {
      this.#sound.toggle();
      show();
    });
    this.showSounds();
    show();
  }

  #prepareChoices() {
    for (const name of ['server', 'namespace', 'transport', 'parser']) {
      byId(name).value = this.#choices[name];
      byId(name).addEventListener('change', () => this.#choices.set(name, byId(name).value));
    }
    byId('options-toggle').addEventListener('click', () => this.#showOptions(byId('options').hidden));
    byId('options').addEventListener('keydown', (event) => {
      if (event.key !== 'Escape') return;
      event.stopPropagation();
      this.#showOptions(false);
      byId('options-toggle').focus();
    });
    this.#showOptions(Choices.openedAsFile);
    this.#choices.changed.listen(() => this.#pointFooter());
    this.#pointFooter();
  }

  #showOptions(shown) {
    byId('options').hidden = !shown;
    byId('options-toggle').setAttribute('aria-expanded', String(shown));
  }

  #pointFooter() {
    for (const link of document.querySelectorAll('[data-path]')) link.href = this.#choices.server + link.dataset.path;
  }
}
