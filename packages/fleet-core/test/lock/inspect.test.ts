import { inspect } from 'node:util';
import { expect, it } from 'vitest';
import { LockClient } from '../../src/clients/control-plane/lock.js';
import { checkOptions } from '../../src/config/check-options.js';
import { redeployFleet } from '../../src/index.js';
import { systemHttp } from '../../src/io/http.js';
import { Lease } from '../../src/lock/lease.js';
import { FleetLock } from '../../src/lock/lock.js';
import { systemPorts } from '../../src/ports.js';
import { ManualClock } from '../../src/testing/index.js';
import { FakeFleet } from '../helpers/fake-fleet.js';
import { FakeLock } from '../helpers/fake-lock.js';

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

it('nor does a lease show what proves it', () => {
  const ports = { ...systemPorts(), clock: new ManualClock() };
  const client = new LockClient(
    { url: 'https://cp.example.com', token: 's3cr3t-value', http: ports.http },
    'staging',
  );
  const grant = {
    claimId: 'c',
    session: 's3cr3t-session',
    fencingToken: 7,
    ttlMs: 30_000,
    sentAt: 0,
    waitedMs: 0,
  };
  const lease = new Lease(client, { ...grant, draining: null }, ports, () => {});
  expect(lease.session).toBe('s3cr3t-session');
  for (const shown of [inspect(lease, { depth: 20 }), JSON.stringify(lease)])
    expect(shown).not.toContain('s3cr3t');
});

it('nor does a configuration, nor any part of it, nor what is written down with it', () => {
  const config = checkOptions('redeploy', {
    ...{ controlPlane: 'https://cp.example.com', controlPlaneToken: 's3cr3t-cp', environment: 'staging' },
    ...{ tenantUrl: 'https://{slug}.example.com', targetTag: 'main-1', expectedSha: 'a'.repeat(40) },
    ...{
      lockToken: 's3cr3t-lock',
      lockInherited: { group: 'staging', fencingToken: 7, session: 's3cr3t-session' },
    },
    ...{
      giteaUrl: 'https://git.example.com',
      giteaToken: 's3cr3t-gitea',
      repository: 'shop/shop',
      branch: 'main',
    },
    ...{ image: 'registry.example.com/shop', registryUser: 'ci', registryPassword: 's3cr3t-registry' },
    alertWebhook: 'https://hooks.example.com/s3cr3t-hook',
  });
  expect([config.controlPlaneToken, config.lock?.token, config.gitea?.token]).toEqual([
    's3cr3t-cp',
    's3cr3t-lock',
    's3cr3t-gitea',
  ]);
  const { lock, gitea, image, announcing } = config;
  for (const each of [config, lock, gitea, image, announcing, [config], { config }]) {
    for (const shown of [inspect(each, { depth: 20 }), JSON.stringify(each)]) {
      expect(shown).toMatch(/\*\*\*/);
      expect(shown).not.toContain('s3cr3t');
    }
  }
});

it('the control plane is told who asks, in every call, and the tenants are not', async () => {
  const fleet = await FakeFleet.start(['acme']);
  new FakeLock(fleet);
  const told = new Set<string>();
  const http = systemHttp(systemPorts().clock);
  await redeployFleet(
    {
      ...fleet.options,
      ...{ noLock: undefined, lockGroup: 'staging' },
      trigger: { runUrl: 'https://ci.example.com/run/7' },
    },
    {
      ports: {
        http: (request) => {
          const kind = request.url.includes('/buildinfo') ? 'tenant' : 'control plane';
          told.add(`${kind}: ${request.headers?.['fleet-client'] ?? '-'}`);
          return http(request);
        },
      },
    },
  );
  await fleet.stop();
  expect([...told].sort()).toEqual([
    expect.stringMatching(/^control plane: fleet\/\d\S* redeploy https:\/\/ci.example.com\/run\/7$/),
    'tenant: -',
  ]);
});
