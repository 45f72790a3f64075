// Real proxies in front of servers, with the very files of deploy/: only names, ports and paths are put in.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { REPOSITORY, freePort } from './server.js';

const LISTENS_WITHIN = 10_000;

/** What deploy/nginx.conf leaves to the rest of nginx's configuration. `user` counts only where root runs this. */
const NGINX = (directory, site) => `
daemon off;
user root;
pid ${directory}/nginx.pid;
worker_processes 1;
worker_rlimit_nofile 8192;
events { worker_connections 4096; }
http {
    ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path ${directory}/${kind};`).join(' ')}
    ${site}
}`;

/** nginx with TLS in front of the server on a port: `{url, plain, logs, close}`. */
export async function startNginx(port, { cert, key }) {
  const [directory, https, http] = [await mkdtemp(path.join(tmpdir(), 'waggle-nginx-')), await freePort(), await freePort()];
  await Promise.all([writeFile(`${directory}/cert.pem`, cert), writeFile(`${directory}/key.pem`, key)]);
  const site = await putIn('nginx.conf', {
    '/etc/letsencrypt/live/chat.example.com/fullchain.pem': `${directory}/cert.pem`,
    '/etc/letsencrypt/live/chat.example.com/privkey.pem': `${directory}/key.pem`,
    '/var/log/nginx/': `${directory}/`,
    '127.0.0.1:3000': `127.0.0.1:${port}`,
    'chat.example.com': 'localhost 127.0.0.1',
    // A second address of this machine in the place of IPv6, which not every machine has.
    'listen [::]:443': `listen 127.0.0.2:${https}`,
    'listen [::]:80': `listen 127.0.0.2:${http}`,
    'listen 443': `listen 127.0.0.1:${https}`,
    'listen 80': `listen 127.0.0.1:${http}`,
  });
  await writeFile(`${directory}/nginx.conf`, NGINX(directory, site));
  const proxy = await startProxy(directory, https, '/usr/sbin/nginx', ['-p', directory, '-e', `${directory}/error.log`, '-c', `${directory}/nginx.conf`]);
  const logs = () => Promise.all(['waggle.log', 'waggle-error.log', 'error.log'].map((file) => readFile(`${directory}/${file}`, 'utf8')));
  return { ...proxy, plain: `http://127.0.0.1:${http}`, logs };
}

/** HAProxy with TLS in front of the two servers on these ports: `{url, ups, close}`. */
export async function startHaproxy([one, two], { cert, key }) {
  const [directory, https] = [await mkdtemp(path.join(tmpdir(), 'waggle-haproxy-')), await freePort()];
  await writeFile(`${directory}/site.pem`, `${cert}\n${key}`);
  await writeFile(`${directory}/haproxy.cfg`, await putIn('haproxy.cfg', {
    '/etc/haproxy/chat.example.com.pem': `${directory}/site.pem`,
    'bind :443': `bind 127.0.0.1:${https}`,
    '127.0.0.1:3000': `127.0.0.1:${one}`,
    '127.0.0.1:3001': `127.0.0.1:${two}`,
  }));
  await writeFile(`${directory}/global.cfg`, `global\n    stats socket ${directory}/control\n`);
  const proxy = await startProxy(directory, https, '/usr/sbin/haproxy', ['-db', '-f', `${directory}/global.cfg`, '-f', `${directory}/haproxy.cfg`]);
  return { ...proxy, ups: () => ups(`${directory}/control`) };
}

/** How many servers HAProxy takes for healthy. */
async function ups(control) {
  const socket = connect(control);
  socket.end('show stat\n');
  let table = '';
  for await (const part of socket) table += part;
  const lines = table.trim().split('\n').map((line) => line.split(','));
  const [name, status] = ['svname', 'status'].map((column) => lines[0].indexOf(column));
  return lines.filter((line) => !['FRONTEND', 'BACKEND'].includes(line[name]) && line[status] === 'UP').length;
}

/** A file of deploy/, with this machine's things in the place of those that it has; each must be in it. */
async function putIn(file, things) {
  let text = await readFile(path.join(REPOSITORY, 'deploy', file), 'utf8');
  for (const [documented, ours] of Object.entries(things)) {
    assert.ok(text.includes(documented), `deploy/${file} has no ${documented}`);
    text = text.replaceAll(documented, ours);
  }
  return text;
}

async function startProxy(directory, port, command, parameters) {
  const child = spawn(command, parameters, { stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => { log += text; });
  const ended = Promise.race([once(child, 'exit'), once(child, 'error')]);
  const failed = ended.then(([reason]) => { throw new Error(`${command} ended with ${reason}:\n${log}`); });
  failed.catch(() => {});
  await Promise.race([listening(port), failed]);
  return {
    url: `https://127.0.0.1:${port}`,
    async close() {
      child.kill('SIGTERM');
      await ended;
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function listening(port) {
  for (const deadline = Date.now() + LISTENS_WITHIN; ; await sleep(20)) {
    const socket = connect(port, '127.0.0.1');
    const opened = await once(socket, 'connect').then(() => true, () => false);
    socket.destroy();
    if (opened) return;
    assert.ok(Date.now() < deadline, `nothing listens on port ${port}`);
  }
}
