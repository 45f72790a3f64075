// The driver's tokens: the access token that every request and socket carries, and the refresh
// token that buys the next pair, once.

/** Thrown when the server does not know the driver any more: show the login screen. */
export class LoggedOut extends Error {}

export class Tokens {
  #refreshing = null;

  /**
   * @param url      where the server is, as in https://api.example.com
   * @param fetch    the platform's fetch
   * @param tokens   {driverId, access, refresh}, as POST /api/v1/auth/login gave them
   * @param onTokens called with every new pair; put it where the app finds it after a restart
   */
  constructor({ url, fetch, tokens, onTokens = () => {} }) {
    Object.assign(this, tokens);
    this.url = url;
    this.fetch = fetch;
    this.onTokens = onTokens;
  }

  /**
   * A new pair. Also keeps the sockets alive that are open now. Whoever calls while one is on its
   * way gets that one: a refresh token is good for one use.
   */
  renew() {
    this.#refreshing ??= this.#renew().finally(() => { this.#refreshing = null; });
    return this.#refreshing;
  }

  async #renew() {
    const answer = await this.post('/auth/refresh', { refresh_token: this.refresh });
    if (answer.status === 400 || answer.status === 401) throw new LoggedOut('Log in again');
    if (!answer.ok) throw new Error(`no new token: ${answer.status}`);
    const { access_token, refresh_token } = await answer.json();
    [this.access, this.refresh] = [access_token, refresh_token];
    this.onTokens({ driverId: this.driverId, access: this.access, refresh: this.refresh });
  }

  post(path, body) {
    const headers = { 'Content-Type': 'application/json', Authorization: `Bearer ${this.access}` };
    const { fetch } = this;
    return fetch(`${this.url}/api/v1${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
  }
}
