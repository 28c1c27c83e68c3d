/** Which server is sent which token, over real connections. */
import { expect, test } from 'vitest';
import { checkOptions } from '../../src/config/check-options.js';
import { readLock } from '../../src/lock/admin.js';
import { FakeFleet, json } from '../helpers/fake-fleet.js';
import { FakeLock } from '../helpers/fake-lock.js';
import { run } from '../helpers/run.js';
import { serve } from '../helpers/server.js';

const LOCK_STATUS = {
  group: 'staging',
  version: 1,
  held: null,
  queue: [],
  frozen: null,
  last_fencing_token: 0,
};

test.each([
  ['its own', { lockToken: 'token-of-lock' }, 'Bearer token-of-lock'],
  ['that of the control plane', {}, 'Bearer token-of-cp'],
])('the server of the lock is sent %s', async (_name, rest, header) => {
  const lock = await serve((_request, response) => json(response, 200, LOCK_STATUS));
  const options = { controlPlaneToken: 'token-of-cp', lockUrl: lock.url, lockGroup: 'staging', ...rest };
  await readLock(checkOptions('lock', options));
  expect(lock.requests.map(({ headers }) => headers.authorization)).toEqual([header]);
});

test('a roll sends each server its own', async () => {
  const fleet = await FakeFleet.start(['acme']);
  try {
    const sent: ['lock' | 'roll' | 'tenant', string | undefined][] = [];
    const lock = new FakeLock(fleet);
    const { extra } = fleet;
    fleet.extra = (request, response, body) => {
      const { url = '', headers } = request;
      const what = url.includes('/fleet-locks')
        ? 'lock'
        : url.includes('/redeploy-fleet')
          ? 'roll'
          : 'tenant';
      sent.push([what, headers.authorization]);
      return extra?.(request, response, body) ?? false;
    };
    const { result } = await run({
      ...fleet.options,
      lockGroup: 'staging',
      noLock: false,
      lockToken: 'token-of-lock',
    });
    expect([result.outcome, lock.calls.length > 0]).toEqual(['succeeded', true]);
    const headers = {
      lock: 'Bearer token-of-lock',
      roll: `Bearer ${fleet.options.controlPlaneToken}`,
      tenant: undefined,
    };
    for (const [what, header] of sent) expect([what, header]).toEqual([what, headers[what]]);
    expect(new Set(sent.map(([what]) => what)).size).toBe(3);
  } finally {
    await fleet.stop();
  }
});
