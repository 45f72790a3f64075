'use strict';

/** A refusal or failure of the server, by its stable code. */
class Problem extends Error {
  constructor(message, { code, status, details, retryAfter } = {}) {
    super(message);
    Object.assign(this, { code, status, details, retryAfter });
  }
}

const orderPath = (id, rest = '') => `/api/orders/${encodeURIComponent(id)}${rest}`;
const userPath = (id, rest) => `/api/admin/users/${encodeURIComponent(id)}${rest}`;
const roomPath = (id, rest = '') => `/rooms/${encodeURIComponent(id)}${rest}`;

/** The REST side of the server. */
class Api {
  static TIMEOUT = 15_000;

  #session;
  #choices;
  #log;
  #refreshing = null;

  constructor(session, choices, log) {
    this.#session = session;
    this.#choices = choices;
    this.#log = log;
  }

  register(form) { return this.#call('POST', '/api/auth/register', form); }
  login(form) { return this.#call('POST', '/api/auth/login', form); }
  forgotPassword(email) { return this.#call('POST', '/api/auth/forgot-password', { email }); }
  resetPassword(token, password) { return this.#call('POST', '/api/auth/reset-password', { token, password }); }
  logout() { return this.#signedIn('POST', '/api/auth/logout', {}); }
  me() { return this.#get('/api/auth/me'); }
  users(query) { return this.#get('/api/auth/users', query); }
  inbox(query) { return this.#get('/api/conversations', query); }
  history(userId, query) { return this.#get(`/api/messages/${encodeURIComponent(userId)}`, query); }
  unread() { return this.#get('/api/messages/unread/count'); }
  markRead(userId) { return this.#signedIn('PUT', `/api/messages/read/${encodeURIComponent(userId)}`, {}); }

  createRoom(form) { return this.#signedIn('POST', '/rooms', form); }
  room(id, query) { return this.#get(roomPath(id), query); }
  changeRoom(id, form) { return this.#signedIn('PATCH', roomPath(id), form); }
  deleteRoom(id) { return this.#signedIn('DELETE', roomPath(id)); }
  joinRoom(id, invite) { return this.#signedIn('POST', roomPath(id, invite ? `/join?invite=${encodeURIComponent(invite)}` : '/join'), {}); }
  leaveRoom(id) { return this.#signedIn('POST', roomPath(id, '/leave'), {}); }
  roomMessages(id, query) { return this.#get(roomPath(id, '/messages'), query); }
  receipts(id, messageId) { return this.#get(roomPath(id, `/messages/${encodeURIComponent(messageId)}/receipts`)); }
  members(id) { return this.#get(roomPath(id, '/members')); }
  removeMember(id, userId) { return this.#signedIn('DELETE', roomPath(id, `/members/${encodeURIComponent(userId)}`)); }
  changeRole(id, userId, role) { return this.#signedIn('PATCH', roomPath(id, `/members/${encodeURIComponent(userId)}`), { role }); }
  invite(id, form) { return this.#signedIn('POST', roomPath(id, '/invite'), form); }
  invites(id) { return this.#get(roomPath(id, '/invites')); }
  revokeInvite(id, inviteId) { return this.#signedIn('DELETE', roomPath(id, `/invites/${encodeURIComponent(inviteId)}`)); }

  orders(query) { return this.#get('/api/orders', query); }
  order(id) { return this.#get(orderPath(id)); }
  assignOrder(id, form) { return this.#signedIn('POST', orderPath(id, '/assign'), form); }
  unassignOrder(id) { return this.#signedIn('POST', orderPath(id, '/unassign'), {}); }
  trail(id, query) { return this.#get(orderPath(id, '/track'), query); }
  driver() { return this.#get('/api/drivers/me'); }
  driversNearby(query) { return this.#get('/api/drivers/nearby', query); }

  drivers(query) { return this.#get('/api/v1/drivers', query); }
  driverTrail(driver, query) { return this.#get(`/api/v1/drivers/${encodeURIComponent(driver)}/trail`, query); }

  sockets(query, options) { return this.#get('/api/admin/sockets', query, options); }
  socket(id) { return this.#get(`/api/admin/sockets/${encodeURIComponent(id)}`); }
  disconnect(id) { return this.#signedIn('DELETE', `/api/admin/sockets/${encodeURIComponent(id)}`); }
  disconnectUser(id) { return this.#signedIn('DELETE', userPath(id, '/sockets')); }
  ban(id, reason) { return this.#signedIn('PUT', userPath(id, '/ban'), { reason }); }
  liftBan(id) { return this.#signedIn('DELETE', userPath(id, '/ban')); }
  bans(query) { return this.#get('/api/admin/bans', query); }

  /** What the server has pages know; not enveloped. */
  async pageConfig() {
    const answer = await this.#fetch('GET', '/page-config.json');
    return answer.json();
  }

  /** Renews the token pair; several callers at once share one request, as a refresh token is good for one use. */
  refresh() {
    this.#refreshing ??= this.#call('POST', '/api/auth/refresh', { refreshToken: this.#session.refreshToken })
      .then((pair) => this.#session.renew(pair))
      .finally(() => { this.#refreshing = null; });
    return this.#refreshing;
  }

  #get(path, query = {}, options = {}) {
    const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== '');
    const search = new URLSearchParams(given).toString();
    return this.#signedIn('GET', search ? `${path}?${search}` : path, undefined, options);
  }

  async #signedIn(method, path, body, options) {
    try {
      return await this.#call(method, path, body, this.#session.token, options);
    } catch (problem) {
      if (problem.code !== 'token_expired' || !this.#session.refreshToken) throw problem;
      await this.refresh();
      return this.#call(method, path, body, this.#session.token, options);
    }
  }

  /** What is asked again and again is `quiet`: of it only failures are logged, or nothing else would be left in the log. */
  async #call(method, path, body, token, { quiet = false } = {}) {
    if (!quiet) this.#log.add('out', `${method} ${path}`, body ?? null);
    const response = await this.#fetch(method, path, body, token);
    const answer = await response.json().catch(() => null);
    if (!quiet || !response.ok) this.#log.add('in', `${response.status} ${method} ${path}`, answer);
    // What is below `/api/v1` comes without an envelope.
    const isBare = path.startsWith('/api/v1/');
    if (response.ok && answer) return isBare ? answer : answer.data;
    throw new Problem((isBare ? answer?.detail : answer?.message) ?? `The server answered ${response.status}.`, {
      ...(isBare ? answer : answer?.error),
      status: response.status,
      retryAfter: Number(response.headers.get('Retry-After')) || undefined,
    });
  }

  async #fetch(method, path, body, token) {
    const headers = {};
    if (body !== undefined) headers['Content-Type'] = 'application/json';
    if (token) headers.Authorization = `Bearer ${token}`;
    try {
      return await fetch(this.#choices.server + path, {
        method,
        headers,
        body: body === undefined ? undefined : JSON.stringify(body),
        credentials: 'omit',
        signal: AbortSignal.timeout(Api.TIMEOUT),
      });
    } catch (cause) {
      this.#log.add('note', `${method} ${path} failed`, cause.message);
      throw new Problem(`No answer from ${this.#choices.server}.`, { code: 'unreachable' });
    }
  }
}
