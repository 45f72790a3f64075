'use strict';

/** The way in: register, log in (with a new password, if need be), or paste a token. */
class EntryView {
  /** The account's forms, and the tab under which each is found. */
  static FORMS = { register: 'tab-register', login: 'tab-login', forgot: 'tab-login', reset: 'tab-login' };

  /** `{token, refreshToken, user}` of an account, and whether it is new. */
  signedIn = new Signal();
  /** `{token, receiverId}` as pasted. */
  tokenGiven = new Signal();
  #api;
  #resetToken;

  constructor(api) {
    this.#api = api;
    this.#prepareSwitch();
    this.#preparePasswords();
    onSubmit('register', async ({ username, email, password, role }) => {
      this.signedIn.fire(await this.#api.register({ username, email, password, role }), true);
    });
    onSubmit('login', async ({ identity, password }) => {
      const who = identity.includes('@') ? { email: identity } : { username: identity };
      this.signedIn.fire(await this.#api.login({ ...who, password }), false);
    });
    onSubmit('direct', async ({ token, receiver }) => {
      if (!tokenClaims(token)) throw new Problem('This is not a JWT: it should be three parts with dots between.', { details: [{ field: 'token', message: 'Paste the whole token.' }] });
      this.tokenGiven.fire({ token, receiverId: receiver });
    });
  }

  /** Somebody has followed the link from a mail. */
  showReset(token) {
    this.#resetToken = token;
    this.#open('reset');
  }

  #prepareSwitch() {
    const tabs = [byId('tab-register'), byId('tab-login')];
    const select = (tab) => this.#show(tab.getAttribute('aria-controls'));
    for (const [index, tab] of tabs.entries()) {
      tab.addEventListener('click', () => select(tab));
      tab.addEventListener('keydown', ({ key }) => {
        if (key !== 'ArrowRight' && key !== 'ArrowLeft') return;
        select(tabs[1 - index]);
        tabs[1 - index].focus();
      });
    }
  }

  #preparePasswords() {
    byId('forgot-open').addEventListener('click', () => this.#open('forgot'));
    byId('forgot-close').addEventListener('click', () => this.#open('login'));
    byId('reset-again').addEventListener('click', () => this.#open('forgot'));
    onSubmit('forgot', async ({ email }) => {
      await this.#api.forgotPassword(email);
      this.#open('login', 'If there is an account with this e-mail, a link is on its way to it.');
    });
    onSubmit('reset', async ({ password }) => {
      await this.#api.resetPassword(this.#resetToken, password);
      this.#open('login', 'Your password is changed. Log in with the new one.');
    });
  }

  /** Shows one of the account's forms. */
  #show(formId) {
    for (const [id, tabId] of Object.entries(EntryView.FORMS)) {
      const tab = byId(tabId);
      const selected = tabId === EntryView.FORMS[formId];
      byId(id).hidden = id !== formId;
      tab.setAttribute('aria-selected', String(selected));
      tab.tabIndex = selected ? 0 : -1;
    }
  }

  /** Shows a form to go on with, and on the log-in form why. */
  #open(formId, note = '') {
    this.#show(formId);
    clearErrors(byId(formId));
    setText(byId('login-note'), note);
    byId('login-note').hidden = !note;
    byId(formId).querySelector('input').focus();
    byId(formId).scrollIntoView({ block: 'nearest' });
  }
}
