/** Tenants behind TLS, asked by the built command. */
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterAll, expect, it } from 'vitest';
import { selfSigned } from '../../fleet-core/test/helpers/certificate.js';
import { fleet, folder, SHA } from './cli.js';

const temp = folder();
afterAll(() => temp.remove());

it('every answer comes over a connection of its own, and the later ones resume the session of the first', async () => {
  const certificate = selfSigned();
  const ca = join(temp.path, 'ca.pem');
  writeFileSync(ca, certificate.cert);
  const resumed: boolean[] = [];
  const server = createServer(certificate, (_request, response) =>
    response.end(JSON.stringify({ git_sha: SHA })),
  );
  server.on('secureConnection', (socket: TLSSocket) => resumed.push(socket.isSessionReused()));
  await new Promise<void>((resolve) => server.listen(0, resolve));
  const args = ['--tenant-url', `https://localhost:${(server.address() as AddressInfo).port}/{slug}`];
  const ran = await fleet(
    ['verify', ...args, '--tenant', 'acme', '--expected-sha', SHA, '--confirmations', '3'],
    { env: { NODE_EXTRA_CA_CERTS: ca } },
  );
  expect(ran.code).toBe(0);
  expect(resumed).toEqual([false, true, true]);
  server.close();
});
