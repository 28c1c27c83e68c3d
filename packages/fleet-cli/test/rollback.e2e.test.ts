/** `fleet rollback`, as processes against a real control plane. */

import { redeployFleet, resultSchema } from '@tenant-fleet/fleet-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import {
  answered,
  atTerminal,
  checked,
  everyRun,
  fleet,
  hasPty,
  type RunOptions,
  SHA,
  TOKEN,
} from './cli.js';
import { OLD, TAG, World } from './world.js';

const OLD_TAG = 'staging-1111111';
let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(async () => {
  await world?.plane.close();
});
beforeEach(async () => {
  await world.setFleet({ acme: {}, birch: {}, cobalt: {} });
  await world.call('PUT', `/sim/images/${OLD_TAG}`, { git_sha: OLD });
});

afterEach(async () => {
  const lift = { reason: 'over', actor: 'ann' };
  await world.call('POST', `${world.lock('staging')}/unfreeze`, lift).catch(() => {});
});

const where = () => [
  ...['--control-plane', world.plane.url, '--tenant-url', world.plane.tenantUrlTemplate],
  ...['--lock-group', 'staging', '--settle-budget', '700ms', '--timeout', '40s'],
];
const rollback = (more: string[] = [], options?: RunOptions) =>
  fleet(['rollback', ...where(), ...more], options);
/** In this process: a command of its own would only take longer. */
const redeploy = async (targetTag: string, expectedSha: string) => {
  const { url: controlPlane, tenantUrlTemplate: tenantUrl } = world.plane;
  const allowMissing = everyRun.FLEET_ALLOW_MISSING?.split('\n').filter(Boolean);
  const place = { controlPlane, tenantUrl, controlPlaneToken: TOKEN, lockGroup: 'staging', allowMissing };
  return (await redeployFleet({ ...place, targetTag, expectedSha })).exit_code;
};
/** Proves the old commit, then the new one. */
const history = async () => {
  expect(await redeploy(OLD_TAG, OLD)).toBe(0);
  expect(await redeploy(TAG, SHA)).toBe(0);
};
const running = async () => {
  const { tenants } = await world.call<{ tenants: { slug: string; running: { git_sha: string } }[] }>(
    'GET',
    '/sim/tenants',
  );
  return Object.fromEntries(tenants.map(({ slug, running }) => [slug, running.git_sha]));
};
const frozen = async () =>
  (await world.call<{ frozen: { reason: string } | null }>('GET', `${world.lock('staging')}/`)).frozen
    ?.reason ?? null;

// First of all: what is proven later stays on record.
it.each<[string, string[], number, RegExp]>([
  ['nobody to be asked', [], 2, /--yes is missing: nobody is here to be asked\nnext: .*--dry-run/],
  ['an empty reason', ['--yes', '--freeze', ' '], 2, /--freeze is missing/],
  [
    'an id that is none',
    ['--yes', '--to', 'ffffffff'],
    1,
    /no rollout "ffffffff" is on record.*\nnext: fleet history/,
  ],
  [
    'nothing before',
    ['--yes'],
    1,
    /there is nothing to go back to; nothing was rolled\nnext: .*fleet redeploy .*--target-tag TAG/,
  ],
  ['a flag of redeploy', ['--target-tag', 'x'], 2, /unknown option '--target-tag'/],
])('%s: exit code and what to type', async (_name, args, code, says) => {
  if (code === 1) await redeploy(TAG, SHA);
  const ran = await rollback(args);
  expect([ran.code, ran.stdout]).toEqual([code, '']);
  expect(ran.stderr).toMatch(says);
});

it('goes back to the last proven commit, freezes behind it, and a push is held then', async () => {
  await history();
  const ran = await rollback(['--yes', '--json', '--freeze', 'incident 12']);
  const result = resultSchema.parse(checked(ran.stdout));
  expect([ran.code, result.outcome, result.expected_sha]).toEqual([0, 'succeeded', OLD]);
  expect(result.tenants.map(({ baseline_sha }) => baseline_sha)).toEqual([SHA, SHA, SHA]);
  expect(await running()).toEqual({ acme: OLD, birch: OLD, cobalt: OLD });
  expect(await frozen()).toBe('incident 12');
  expect(ran.stderr).toContain('lock staging: frozen, incident 12\n');
  expect(await redeploy(TAG, SHA)).toBe(4);
  const listed = await fleet(['history', ...where().slice(0, 2), '--lock-group', 'staging']);
  expect(listed.stdout).toMatch(/abcdef1 -> 1111111 \(staging-1111111\) {2}rollback {2}SUCCEEDED/);
  expect(ran.stdout + ran.stderr).not.toContain(TOKEN);
});

it('--dry-run tells what would change, tenant by tenant, and changes nothing', async () => {
  await history();
  await world.call('PUT', '/sim/tenants/birch', { running: { image_tag: OLD_TAG, git_sha: OLD } });
  const ran = await rollback(['--dry-run']);
  expect(ran.code).toBe(0);
  expect(ran.stdout).toMatch(/^PLANNED: /);
  expect(ran.stdout).toMatch(/\nFrom: abcdef1 \(staging-abcdef1\), rollout [0-9a-f]{8}, succeeded, by /);
  expect(ran.stdout).toMatch(/\nBack to: 1111111 \(staging-1111111\), rollout [0-9a-f]{8}, succeeded, by /);
  expect(ran.stdout).toContain(
    '\n  abcdef1 -> 1111111: 2 tenants, acme, cobalt\n  1111111, stays: 1 tenant, birch\n',
  );
  expect(Object.values(await running()).filter((sha) => sha === SHA)).toHaveLength(2);
});

it('--only rolls one tenant back, and says that the fleet is not deployed by it', async () => {
  await history();
  const ran = await rollback(['--yes', '--only', 'cobalt', '--to', OLD_TAG]);
  expect(ran.code).toBe(0);
  expect(ran.stdout).toMatch(/^PART OF THE FLEET: 1 of 1 tenant that were meant run staging-1111111/);
  expect(ran.stdout).toMatch(/\nNext, to keep the next push from undoing this:\n {2}fleet lock freeze /);
  expect(await running()).toEqual({ acme: SHA, birch: SHA, cobalt: OLD });
});

it.skipIf(!hasPty)('at a terminal it shows, asks, and asks for a freeze', async () => {
  await history();
  const args = ['rollback', ...where()];
  const declined = await answered(args, { '[y/N] ': 'n\r' });
  expect(declined.output).toMatch(
    /abcdef1 -> 1111111: 3 tenants, acme, birch, cobalt[\s\S]*Roll the fleet back to staging-1111111 \(1111111\)\? \[y\/N\] /,
  );
  expect([declined.code, await running()]).toEqual([4, { acme: SHA, birch: SHA, cobalt: SHA }]);
  const done = await answered(args, { '[y/N] ': 'y\r', '(empty: no): ': 'incident 12\r' });
  expect([done.code, await running(), await frozen()]).toEqual([
    0,
    { acme: OLD, birch: OLD, cobalt: OLD },
    'incident 12',
  ]);
});

it.skipIf(!hasPty)('its plan keeps to the columns of a terminal', async () => {
  await history();
  for (const columns of [80, 40]) {
    const narrow = await atTerminal(columns, ['rollback', ...where(), '--dry-run', '--quiet']);
    expect(narrow).toContain('Back to:');
    const long = narrow.split('\n').filter((line) => line.length > columns);
    for (const line of long) expect(line.trim().replace(/ \\$/, '')).not.toContain(' ');
  }
});
