'use strict';

/** Who this tab is. Kept in sessionStorage, so that every tab is a person of its own. */
class Session {
  changed = new Signal();
  #kept = new Kept('sessionStorage', 'waggle.session', null);

  get active() { return this.#kept.value !== null; }
  get token() { return this.#kept.value?.token; }
  get refreshToken() { return this.#kept.value?.refreshToken; }
  get me() { return this.#kept.value?.me; }
  /** True for someone who pasted a token: it is theirs, and not ours to end. */
  get pasted() { return this.active && !this.refreshToken; }

  start({ token, refreshToken, user }) {
    const claims = tokenClaims(token);
    const me = user ?? { _id: claims.userId ?? claims.sub, username: claims.username };
    this.#kept.value = { token, refreshToken, me };
    this.changed.fire();
  }

  renew({ token, refreshToken }) {
    if (!this.active) return;
    this.#kept.value = { ...this.#kept.value, token, refreshToken };
  }

  recognize(user) {
    this.#kept.value = { ...this.#kept.value, me: user };
    this.changed.fire();
  }

  end() {
    this.#kept.value = null;
    this.changed.fire();
  }
}

/** What a JWT says, unverified; null when it is not one. */
function tokenClaims(token) {
  try {
    const body = token.split('.')[1].replaceAll('-', '+').replaceAll('_', '/');
    const bytes = Uint8Array.from(atob(body), (letter) => letter.charCodeAt(0));
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return null;
  }
}
