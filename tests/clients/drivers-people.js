// Drivers, the back office and its orders, by `/api/v1`.

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';

import { PASSWORD, call, register } from './people.js';

export const ADMIN = { ADMIN_EMAIL: 'chief@example.com', ADMIN_PASSWORD: 'chief-password-1' };
export const SECRET = 'a secret of the tests, and no other thing';

/** The seed's example. */
export const BURGERS = {
  restaurant_name: 'Burger King',
  pickup_address: 'Koramangala 5th Block, Bangalore',
  delivery_address: 'Indiranagar 100ft Road, Bangalore',
  earnings: 45.5,
};

/** A REST call under `/api/v1` that must be answered with `expected`; gives the body. */
export async function v1(server, method, path, { expected = 200, ...options } = {}) {
  const { status, body } = await call(server, method, `/api/v1${path}`, options);
  assert.equal(status, expected, `${method} ${path}: ${JSON.stringify(body)}`);
  return body;
}

/** A refused REST call under `/api/v1`; checks the shape and gives the body. */
export async function refused(server, method, path, status, code, options = {}) {
  const body = await v1(server, method, path, { expected: status, ...options });
  assert.equal(body.code, code);
  assert.equal(typeof body.detail, 'string');
  assert.deepEqual(Object.keys(body).filter((key) => !['code', 'detail', 'details', 'retry_after', 'request_id'].includes(key)), []);
  return body;
}

/** Logs in as the driver app does. */
export async function logIn(server, person) {
  const body = await v1(server, 'POST', '/auth/login', { body: { username: person.username, password: PASSWORD } });
  const { access_token: token, refresh_token: refreshToken } = body;
  return { ...person, token, refreshToken, number: body.driver?.driver_id, body };
}

/** A new driver, logged in as the app does: `{id, username, token, refreshToken, number}`. */
export async function newDriver(server, stem = 'driver') {
  return logIn(server, await register(server, stem, 'driver'));
}

/** Several; a few at a time, as the server hashes no more passwords at once. */
export async function newDrivers(server, count) {
  const drivers = [];
  while (drivers.length < count) {
    const some = Math.min(count - drivers.length, 20);
    drivers.push(...await Promise.all(Array.from({ length: some }, () => newDriver(server))));
  }
  return drivers;
}

export async function logInAdmin(server) {
  const body = await v1(server, 'POST', '/auth/login', { body: { email: ADMIN.ADMIN_EMAIL, password: ADMIN.ADMIN_PASSWORD } });
  return { token: body.access_token, body };
}

/** An order of the back office; for a driver at once where `driver` is given. */
export function createOrder(server, admin, { driver, ...fields } = {}) {
  return v1(server, 'POST', '/orders', { token: admin.token, body: { ...BURGERS, ...fields, driver_id: driver?.number }, expected: 201 });
}

/** The same token with other claims, signed with the server's own secret. */
export function resign(token, claims, secret = SECRET) {
  const [head, payload] = token.split('.');
  const changed = { ...JSON.parse(Buffer.from(payload, 'base64url')), ...claims };
  const signed = `${head}.${Buffer.from(JSON.stringify(changed)).toString('base64url')}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

/** What the app sends every ten seconds, as the document shows it, but now. */
export const location = (fields) => ({
  latitude: 28.7041, longitude: 77.1025, accuracy: 10.5, heading: 180.0, speed: 25.5, battery_level: 75,
  timestamp: new Date().toISOString().replace(/\.\d+Z/, 'Z'), ...fields,
});

/** Where a driver was, when the server has saved `count` points: a moment after it took them. */
export async function trail(server, admin, driver, count) {
  const deadline = Date.now() + 10_000;
  for (;;) {
    const points = await v1(server, 'GET', `/drivers/${driver.number}/trail`, { token: admin.token });
    if (points.length >= count || Date.now() > deadline) return points;
  }
}

/** Whether everything in an answer is called in snake_case. */
export function assertSnakeCase(value) {
  if (Array.isArray(value)) value.forEach(assertSnakeCase);
  else if (value && typeof value === 'object') {
    for (const [name, inner] of Object.entries(value)) {
      assert.match(name, /^[a-z]+(_[a-z]+)*$/);
      assertSnakeCase(inner);
    }
  }
}
