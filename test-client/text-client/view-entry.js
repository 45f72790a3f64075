'use strict';

/** The way in: register, log in, or paste a token. */
class EntryView {
  /** `{token, refreshToken, user}` of an account, and whether it is new. */
  signedIn = new Signal();
  /** `{token, receiverId}` as pasted. */
  tokenGiven = new Signal();
  #api;

  constructor(api) {
    this.#api = api;
    this.#prepareSwitch();
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

  #prepareSwitch() {
    const tabs = [byId('tab-register'), byId('tab-login')];
    const select = (chosen) => {
      for (const tab of tabs) {
        tab.setAttribute('aria-selected', String(tab === chosen));
        tab.tabIndex = tab === chosen ? 0 : -1;
        byId(tab.getAttribute('aria-controls')).hidden = tab !== chosen;
      }
    };
    for (const [index, tab] of tabs.entries()) {
      tab.addEventListener('click', () => select(tab));
      tab.addEventListener('keydown', ({ key }) => {
        if (key !== 'ArrowRight' && key !== 'ArrowLeft') return;
        select(tabs[1 - index]);
        tabs[1 - index].focus();
      });
    }
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
