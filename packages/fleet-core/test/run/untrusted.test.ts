/** Under an event that anybody can cause no command sends anything to an address that gets a secret. */
import { expect, test } from 'vitest';
import { checkOptions } from '../../src/config/check-options.js';
import type { FleetOptions } from '../../src/config/options.js';
import {
  breakLock,
  freezeLock,
  readLock,
  readLockLog,
  unfreezeLock,
  watchLock,
} from '../../src/lock/admin.js';
import { isLeaseInherited } from '../../src/lock/child.js';
import { holdLock, releaseClaim } from '../../src/lock/from-config.js';
import { SHA } from '../helpers/options.js';
import { run } from '../helpers/run.js';
import { answer, serve } from '../helpers/server.js';

const NOTE = { actor: 'a', reason: 'b' };
const LEFT = { claimId: '6a3e5f0a-6c7c-4d5e-9f64-3d3b8d1c2a10', session: 's' };

/** One server that plays every address, and options that need each of them. */
async function world(event: string) {
  const server = await serve((_request, response) => answer(response, 200, '{}'));
  const options: FleetOptions = {
    controlPlane: server.url,
    controlPlaneToken: 'secret-of-cp',
    tenantUrl: `${server.url}/t/{slug}`,
    targetTag: 'main-1',
    expectedSha: SHA,
    lockGroup: 'staging',
    lockUrl: server.url,
    lockInherited: { group: 'staging', fencingToken: 7 },
    giteaUrl: server.url,
    giteaToken: 'secret-of-gitea',
    repository: 'o/r',
    branch: 'main',
    killSwitch: 'HOLD',
    requireContext: ['ci'],
    commitStatus: true,
    alertIssue: true,
    alertWebhook: `${server.url}/secret-of-webhook`,
    image: `127.0.0.1:${server.port}/team/server`,
    registryUser: 'robot',
    registryPassword: 'secret-of-registry',
    trigger: { event },
  };
  return { server, options };
}

test.each([
  ['redeploy', {}],
  ['redeploy', { dryRun: true }],
  ['redeploy', { noLock: true }],
  ['plan', {}],
  ['verify', {}],
] as const)('%s %j: refused, exit code 4', async (command, rest) => {
  const { server, options } = await world('pull_request');
  const { result } = await run({ ...options, ...rest }, { command });
  expect(result).toMatchObject({ outcome: 'refused', exit_code: 4, deployed: false });
  expect(result.reason).toMatch(/"pull_request" is not trusted/);
  expect(server.requests).toEqual([]);
});

test('every command of the lock is refused', async () => {
  const { server, options } = await world('pull_request');
  const config = checkOptions('lock', options);
  const held = checkOptions('lock run', options);
  for (const work of [
    () => readLock(config),
    () => readLockLog(config),
    () => watchLock(config).next(),
    () => breakLock(config, { fencingToken: 7, confirmAlive: true, ...NOTE }),
    () => freezeLock(config, NOTE),
    () => unfreezeLock(config, NOTE),
    () => releaseClaim(config, LEFT),
    () => isLeaseInherited(held),
    () => holdLock(held, async () => {}),
  ])
    await expect(work()).rejects.toMatchObject({ code: 'GATE_REFUSED', outcome: 'refused' });
  expect(server.requests).toEqual([]);
});

test('tenants that are named are verified without a secret', async () => {
  const { server, options } = await world('pull_request');
  const { result } = await run({ ...options, tenant: ['acme'], settleBudgetMs: 0 }, { command: 'verify' });
  expect(result.outcome).toBe('failed');
  expect(server.requests.length).toBeGreaterThan(0);
  for (const { url, headers } of server.requests)
    expect([url, headers.authorization]).toEqual(['/t/acme/buildinfo', undefined]);
});
