// The Postman collection, run as Postman would run it; and that it leaves no route out.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import newman from 'newman';

import { REPOSITORY, STORES, startServer } from './server.js';

/** This folder continues with what stands in the mail. */
const LINK = 'The link of the mail';

const read = async (name) => JSON.parse(await readFile(path.join(REPOSITORY, 'postman', name), 'utf8'));
const collection = await read('waggle.postman_collection.json');
const environment = await read('waggle.postman_environment.json');

function run(options) {
  return new Promise((resolve, reject) => {
    newman.run({ collection, ...options }, (problem, summary) => (problem ? reject(problem) : resolve(summary)));
  });
}

function withValues(scope, values) {
  const kept = scope.values.filter(({ key }) => !(key in values));
  return { ...scope, values: [...kept, ...Object.entries(values).map(([key, value]) => ({ key, value, enabled: true }))] };
}

function assertPassed({ run: { failures, executions } }, items) {
  const told = failures.map(({ source, error }) => `${source?.name}: ${error.name}: ${error.message}`);
  assert.deepEqual(told, []);
  for (const { item, assertions } of executions) assert.ok(assertions?.length, `${item.name} tests nothing`);
  const ran = new Set(executions.map(({ item }) => item.name));
  assert.deepEqual(requestsOf({ item: items }).map(({ name }) => name).filter((name) => !ran.has(name)), []);
}

/** The first admin, as the environment names it: the folder of orders needs one. */
const ADMIN = Object.fromEntries(['admin_email', 'admin_password'].map((name) => {
  const { value } = environment.values.find(({ key }) => key === name);
  return [name.toUpperCase(), value];
}));

/** Every request of an item: its name, its method, and its path without the query. */
function requestsOf(item) {
  if (item.item) return item.item.flatMap(requestsOf);
  const { method, url } = item.request;
  return [{ name: item.name, method: method.toLowerCase(), path: `/${url.path.join('/')}` }];
}

/** `{id}` of the document stands for one part of a path. */
function isRequested(method, documented, requests) {
  const pattern = new RegExp(`^${documented.replaceAll(/\{\w+\}/g, '[^/]+')}/?$`);
  return requests.some((request) => request.method === method && pattern.test(request.path));
}

for (const { store, skip } of STORES) {
  describe(`the Postman collection on ${store}`, { skip }, () => {
    let server;
    before(async () => { server = await startServer({ store, env: ADMIN }); });
    after(() => server?.close());

    it('passes, every request', async () => {
      const [flow, continued] = [collection.item.filter(({ name }) => name !== LINK), collection.item.filter(({ name }) => name === LINK)];
      const summary = await run({ folder: flow.map(({ name }) => name), environment: withValues(environment, { base_url: server.url }) });
      assertPassed(summary, flow);

      const [, reset_token] = await server.logged(/link=\S+#reset-token=([\w-]+)/);
      const link = await run({ folder: LINK, environment: withValues(summary.environment.toJSON(), { reset_token }) });
      assertPassed(link, continued);
    });

    it('can be run again, as its names are new each time', async () => {
      const summary = await run({ folder: 'Accounts', environment: withValues(environment, { base_url: server.url }) });
      assert.deepEqual(summary.run.failures.map(({ error }) => error.message), []);
    });
  });
}

describe('the Postman collection', () => {
  let server;
  before(async () => { server = await startServer(); });
  after(() => server?.close());

  it('has every route of the document', async () => {
    const { paths } = await (await fetch(`${server.url}/docs/openapi.json`)).json();
    const requests = requestsOf(collection);
    const routes = Object.entries(paths).flatMap(([route, methods]) => Object.keys(methods).map((method) => [method, route]));
    const missing = routes.filter(([method, route]) => !isRequested(method, route, requests));
    assert.deepEqual(missing, []);
    assert.ok(routes.length >= 70, 'the document is whole');
  });

  it('uses no variable that is not set', () => {
    const set = new Set(environment.values.map(({ key }) => key));
    const scripts = JSON.stringify(collection).matchAll(/pm\.(?:environment|variables)\.set\('(\w+)'/g);
    for (const [, name] of scripts) set.add(name);
    const used = [...JSON.stringify(collection.item).matchAll(/\{\{(\w+)\}\}/g)].map(([, name]) => name);
    assert.deepEqual(used.filter((name) => !set.has(name)), []);
    for (const name of ['base_url', 'token']) assert.ok(environment.values.some(({ key }) => key === name));
  });
});
