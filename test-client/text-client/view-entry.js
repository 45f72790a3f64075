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
    this.#onSubmit('register', async ({ username, email, password }) => {
      this.signedIn.fire(await this.#api.register({ username, email, password }), true);
    });
    this.#onSubmit('login', async ({ identity, password }) => {
      const who = identity.includes('@') ? { email: identity } : { username: identity };
      this.signedIn.fire(await this.#api.login({ ...who, password }), false);
    });
    this.#onSubmit('direct', async ({ token, receiver }) => {
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
    this.#onSubmit('forgot', async ({ email }) => {
      await this.#api.forgotPassword(email);
      this.#open('login', 'If there is an account with this e-mail, a link is on its way to it.');
    });
    this.#onSubmit('reset', async ({ password }) => {
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
    this.#clearErrors(byId(formId));
    setText(byId('login-note'), note);
    byId('login-note').hidden = !note;
    byId(formId).querySelector('input').focus();
    byId(formId).scrollIntoView({ block: 'nearest' });
  }

  #onSubmit(formId, submit) {
    const form = byId(formId);
    form.addEventListener('submit', async (event) => {
      event.preventDefault();
      const button = form.querySelector('[type=submit]');
      this.#clearErrors(form);
      button.disabled = true;
      try {
        await submit(this.#valuesOf(form));
        form.reset();
      } catch (problem) {
        this.#showProblem(form, problem);
      }
      button.disabled = false;
    });
  }

  /** Passwords go out as typed, everything else trimmed (a pasted token may carry `Bearer`). */
  #valuesOf(form) {
    return Object.fromEntries([...new FormData(form)].map(([name, value]) =>
      [name, name === 'password' ? value : value.trim().replace(/^Bearer\s+/i, '')]));
  }

  #showProblem(form, problem) {
    const line = form.querySelector('.form__error');
    setText(line, problem.message);
    line.hidden = false;
    for (const { field, message } of problem.details ?? []) this.#markField(form, field, message);
    (form.querySelector('[aria-invalid]') ?? form.querySelector('input')).focus();
  }

  #markField(form, field, message) {
    const input = form.elements[field];
    if (!input) return;
    const id = `${form.id}-${field}-error`;
    input.setAttribute('aria-invalid', 'true');
    input.setAttribute('aria-describedby', id);
    input.after(make('span', { className: 'field__error', text: message, attrs: { id } }));
  }

  #clearErrors(form) {
    form.querySelector('.form__error').hidden = true;
    for (const error of form.querySelectorAll('.field__error')) error.remove();
    for (const input of form.querySelectorAll('[aria-invalid]')) {
      input.removeAttribute('aria-invalid');
      input.removeAttribute('aria-describedby');
    }
  }
}
