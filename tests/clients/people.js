// Accounts and REST calls of the tests.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';

export const PASSWORD = 'password123';

/** A name that no other test uses. */
export function uniqueName(stem) {
  return `${stem}-${randomBytes(4).toString('hex')}`;
}

/** A REST call; gives the status, the headers and the decoded body. */
export async function call(server, method, path, { token, body, headers = {} } = {}) {
  const sent = { ...headers };
  if (token) sent.Authorization = `Bearer ${token}`;
  if (body !== undefined) sent['Content-Type'] = 'application/json';
  const answer = await fetch(server.url + path, { method, headers: sent, body: body && JSON.stringify(body) });
  const text = await answer.text();
  return { status: answer.status, headers: answer.headers, body: text && JSON.parse(text) };
}

/** Registers somebody new: `{id, username, email, token, refreshToken, user}`. */
export async function register(server, stem = 'user', role = undefined) {
  const username = uniqueName(stem);
  const email = `${username}@example.com`;
  const { status, body } = await call(server, 'POST', '/api/auth/register', { body: { username, email, password: PASSWORD, role } });
  assert.equal(status, 201, JSON.stringify(body));
  const { token, refreshToken, user } = body.data;
  return { id: user._id, username, email, token, refreshToken, user };
}

/** Two who talk. */
export function registerPair(server) {
  return Promise.all([register(server, 'alice'), register(server, 'bob')]);
}
