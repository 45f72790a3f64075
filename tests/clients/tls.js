// Certificates, and what stands before the server in production: it ends TLS, and passes on what comes.

import { once } from 'node:events';
import { connect } from 'node:net';
import { createServer } from 'node:tls';
import { generate } from 'selfsigned';

/** A new certificate of this machine, and its key, both PEM: `{cert, key}`. */
export async function newCertificate() {
  const { private: key, cert } = await generate([{ name: 'commonName', value: 'localhost' }], {
    algorithm: 'sha256',
    extensions: [
      { name: 'basicConstraints', cA: true },
      { name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }, { type: 7, ip: '127.0.0.1' }] },
    ],
  });
  return { cert, key };
}

/** A terminator with a certificate of its own: `{url, certificate}`. */
export async function startTls(server) {
  const { key, cert } = await newCertificate();
  const open = new Set();
  const terminator = createServer({ key, cert }, (outside) => {
    const inside = connect(server.port, '127.0.0.1');
    for (const [one, another] of [[outside, inside], [inside, outside]]) {
      open.add(one);
      one.on('close', () => { open.delete(one); another.destroySoon(); });
      one.on('error', () => another.destroy());
      one.pipe(another);
    }
  });
  terminator.listen(0, '127.0.0.1');
  await once(terminator, 'listening');
  return {
    url: `https://localhost:${terminator.address().port}`,
    certificate: cert,
    close() {
      open.forEach((socket) => socket.destroy());
      terminator.close();
    },
  };
}
