import { inspect } from 'node:util';
import { expect, it } from 'vitest';
import { LockClient } from '../../src/clients/control-plane/lock.js';
import { FleetLock } from '../../src/lock/lock.js';
import { systemPorts } from '../../src/ports.js';

it('a lock that is printed shows no token', () => {
  const ports = systemPorts();
  const server = { url: 'https://cp.example.com', token: 's3cr3t-value' };
  const options = { server, group: 'staging', waitMs: 1, ttlMs: 1, holder: { name: 'ci' } };
  for (const each of [
    new LockClient({ ...server, http: ports.http }, 'staging'),
    new FleetLock(options, ports, () => {}),
  ]) {
    expect(inspect(each, { depth: 20 })).not.toContain('s3cr3t');
    expect(JSON.stringify(each)).not.toContain('s3cr3t');
  }
});
