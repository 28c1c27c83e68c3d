/** Two command lines that know nothing of each other, in front of a control plane that knows no lock. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ControlPlane, startControlPlane } from '@tenant-fleet/fleet-control-plane';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { fleet, folder, SHA, TOKEN } from './cli.js';
import { document, TAG } from './world.js';

const UPSTREAM_TOKEN = 'token-of-the-upstream-alone';
const OTHER = 'fedcba0987654321fedcba0987654321fedcba09';
const TENANTS = ['acme', 'birch', 'cobalt', 'dunes'];

const temporary = folder();
let legacy: ControlPlane;
let gateway: ControlPlane;
beforeAll(async () => {
  const tokenFile = join(temporary.path, 'upstream-token');
  await writeFile(tokenFile, UPSTREAM_TOKEN);
  legacy = await startControlPlane({
    token: UPSTREAM_TOKEN,
    legacy: true,
    fleet: {
      defaults: { roll_ms: 300 },
      images: { [TAG]: SHA, 'staging-fedcba0': OTHER },
      tenants: TENANTS,
    },
  });
  gateway = await startControlPlane({
    token: TOKEN,
    mode: 'gateway',
    upstream: { url: legacy.url, tokenFile, tenantUrl: legacy.tenantUrlTemplate },
  });
});
afterAll(async () => {
  await gateway?.close();
  await legacy?.close();
  temporary.remove();
});

interface Roll {
  slugs: string[];
  started_at: string;
  ended_at: string;
}
async function upstreamRolls(): Promise<Roll[]> {
  const headers = { authorization: `Bearer ${UPSTREAM_TOKEN}` };
  const answer = await fetch(`${legacy.url}/cp/admin/rolls`, { headers });
  return ((await answer.json()) as { rolls: Roll[] }).rolls;
}

async function redeploy(tag: string, sha: string, ...more: string[]) {
  return document(
    await fleet([
      ...['redeploy', '--control-plane', gateway.url, '--tenant-url', legacy.tenantUrlTemplate],
      ...[
        '--target-tag',
        tag,
        '--expected-sha',
        sha,
        '--soak',
        '50ms',
        '--batch-size',
        '2',
        '--timeout',
        '60s',
      ],
      ...['--settle-budget', '5s', '--json', ...more],
    ]),
  );
}

it('lets one roll the whole fleet after the other, and nobody without the lock', async () => {
  const [one, other, without, wrong] = await Promise.all([
    redeploy(TAG, SHA, '--lock-group', 'staging'),
    redeploy('staging-fedcba0', OTHER, '--lock-group', 'staging'),
    redeploy(TAG, SHA, '--no-lock', '--force'),
    redeploy(TAG, SHA, '--lock-group', 'another', '--force'),
  ]);
  expect([one.result.outcome, other.result.outcome]).toEqual(['succeeded', 'succeeded']);
  expect([without.code, without.stderr]).toEqual([5, expect.stringContaining('HTTP 428')]);
  expect([wrong.code, wrong.result.outcome]).toEqual([3, 'lock_lost']);

  // Every tenant once for each, in two blocks that do not touch: what the upstream itself has on record.
  const rolls = await upstreamRolls();
  expect(rolls.flatMap(({ slugs }) => slugs).sort()).toEqual([...TENANTS, ...TENANTS].sort());
  for (const [index, roll] of rolls.slice(1).entries())
    expect(roll.started_at >= (rolls[index]?.ended_at ?? '')).toBe(true);
});
