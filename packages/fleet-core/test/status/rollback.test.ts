/** Where a rollback leads to, and the roll that goes there. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkOptions } from '../../src/config/check-options.js';
import type { Config } from '../../src/config/config.js';
import type { RolloutEntry } from '../../src/contract.js';
import { runFleet } from '../../src/run.js';
import { findRollback, rollbackConfig } from '../../src/status/rollback.js';
import { FakeFleet, json, NEW, OLD } from '../helpers/fake-fleet.js';
import { FakeLock } from '../helpers/fake-lock.js';

const [A, B, C] = ['a', 'b', 'c'].map((digit) => digit.repeat(40)) as [string, string, string];
const tagOf = (sha: string) => `main-${sha.slice(0, 7)}`;
const idOf = (token: number) => `${token}f1c1f0e-2b0a-4d7b-9e55-0c4f3f1a7d10`;

type Past = [
  token: number,
  sha: string,
  outcome: string | null,
  more?: Partial<RolloutEntry['rollout']> & { state?: 'running' },
];
const rolled = { tenants: [{ slug: 'acme', phase: 'canary' }] };
const backTo = (token: number) => ({ rollback: { claim_id: idOf(token), fencing_token: token } });
const entry = ([token, sha, outcome, { state, ...more } = {}]: Past): RolloutEntry => ({
  claim_id: idOf(token),
  fencing_token: token,
  holder: { name: 'fleet redeploy staging' },
  state: state ?? 'ended',
  started_at: '2026-01-01T00:00:00Z',
  rollout: { target_tag: tagOf(sha), expected_sha: sha, outcome, tool_version: '1', ...more },
});

let fleet: FakeFleet;
let lock: FakeLock;
beforeEach(async () => {
  fleet = await FakeFleet.start(['acme', 'birch'], B);
  lock = new FakeLock(fleet);
});
afterEach(() => fleet.stop());

const configOf = (over: Parameters<typeof checkOptions>[1] = {}): Config => {
  const { controlPlane, controlPlaneToken, tenantUrl } = fleet.options;
  const own = { controlPlane, controlPlaneToken, tenantUrl, lockGroup: 'staging', soakMs: 0 };
  return checkOptions('rollback', { ...own, ...over });
};
/** @param history The oldest first. */
const find = (history: Past[], to?: string, config = configOf()) => {
  lock.rollouts = history.map(entry).reverse();
  return findRollback(config, to);
};

describe('the last proven rollout but the current one', () => {
  it.each<[string, Past[], number]>([
    [
      'is the proof before the last',
      [
        [1, A, 'succeeded'],
        [2, B, 'succeeded'],
      ],
      1,
    ],
    [
      'is the last proof where the last rollout failed',
      [
        [1, A, 'succeeded'],
        [2, B, 'failed', rolled],
      ],
      1,
    ],
    [
      'is the last proof where one runs',
      [
        [1, A, 'succeeded'],
        [2, B, null, { state: 'running' }],
      ],
      1,
    ],
    [
      'where a killed run may have rolled',
      [
        [1, A, 'succeeded'],
        [
          2,
          B,
          null,
          { open_calls: [{ slugs: ['acme'], target_tag: 'x', sent_at: '', may_last_seconds: 1 }] },
        ],
      ],
      1,
    ],
    [
      'where a large fleet is half way',
      [
        [1, A, 'succeeded'],
        [2, B, 'lock_lost', { slugs: ['acme'], counts: { on_target: 1 } }],
      ],
      1,
    ],
    [
      'passes over what rolled nothing',
      [
        [1, A, 'succeeded'],
        [2, B, 'succeeded'],
        [3, C, 'held'],
      ],
      1,
    ],
    [
      'passes over proofs of the same commit',
      [
        [1, A, 'succeeded'],
        [2, B, 'succeeded'],
        [3, B, 'succeeded'],
      ],
      1,
    ],
    [
      'counts quarantine as proof',
      [
        [1, A, 'succeeded_with_quarantine'],
        [2, B, 'succeeded'],
      ],
      1,
    ],
    [
      'counts no part of a fleet as proof',
      [
        [1, A, 'succeeded'],
        [2, C, 'succeeded', { scope: { tenants: 1, of: 2 }, ...rolled }],
      ],
      1,
    ],
    [
      'goes on past a rollback, and never forward',
      [
        [1, A, 'succeeded'],
        [2, B, 'succeeded'],
        [3, C, 'succeeded'],
        [4, B, 'succeeded', backTo(2)],
      ],
      1,
    ],
    [
      'leaves behind what a rollback left behind',
      [
        [1, A, 'succeeded'],
        [2, B, 'succeeded'],
        [3, A, 'succeeded', backTo(1)],
        [4, C, 'succeeded'],
      ],
      3,
    ],
    [
      'does a rollback again that was not proven',
      [
        [1, A, 'succeeded'],
        [2, B, 'succeeded'],
        [3, A, 'failed', { ...rolled, ...backTo(1) }],
      ],
      1,
    ],
    [
      'does for all what was done for a part',
      [
        [1, A, 'succeeded'],
        [2, B, 'succeeded'],
        [3, A, 'succeeded', { ...rolled, ...backTo(1), scope: { tenants: 1, of: 2 } }],
      ],
      1,
    ],
  ])('%s', async (_name, history, expected) => {
    expect((await find(history)).to.fencing_token).toBe(expected);
  });

  it.each<[string, Past[], RegExp]>([
    ['nothing on record', [], /no rollout of staging is on record: there is nothing to go back to/],
    [
      'only the current one',
      [
        [1, A, 'succeeded'],
        [2, A, 'succeeded'],
      ],
      /no proven rollout of staging but that of aaaaaaa/,
    ],
    [
      'a rollback to the first',
      [
        [1, A, 'succeeded'],
        [2, B, 'succeeded'],
        [3, A, 'succeeded', backTo(1)],
      ],
      /no proven rollout/,
    ],
    [
      'a rerun behind a rollback',
      [
        [1, A, 'succeeded'],
        [2, B, 'succeeded'],
        [3, A, 'succeeded', backTo(1)],
        [4, A, 'succeeded'],
      ],
      /no proven rollout/,
    ],
    [
      'a tag that moved on',
      [
        [1, A, 'succeeded', { target_tag: 'main' }],
        [2, B, 'succeeded', { target_tag: 'main' }],
      ],
      /tag main has moved on: rollout 2f1c1f0e brought bbbbbbb/,
    ],
  ])('%s: an error that names what to type', async (_name, history, says) => {
    const error = await find(history).catch((caught) => caught);
    expect(error).toMatchObject({ code: 'FAILED', outcome: 'failed', message: expect.stringMatching(says) });
    expect(error.next).toMatch(/fleet redeploy .*--target-tag TAG --expected-sha (?:SHA|a{40})$/);
  });

  it('a tag that moved on is left to the gate of the image, where there is one', async () => {
    const same = { target_tag: 'main' };
    const config = configOf({ image: 'registry.example.com/team/server' });
    const found = await find(
      [
        [1, A, 'succeeded', same],
        [2, B, 'succeeded', same],
      ],
      undefined,
      config,
    );
    expect(found.to.fencing_token).toBe(1);
  });
});

describe('a target with a digest', () => {
  const pinned = `main@sha256:${'a'.repeat(64)}`;

  it('brings its image back, wherever its tag went', async () => {
    const { to } = await find([
      [1, A, 'succeeded', { target_tag: pinned }],
      [2, B, 'succeeded', { target_tag: 'main' }],
    ]);
    expect(rollbackConfig(configOf(), { from: to, to, newest: 2 }).targetTag).toBe(pinned);
  });

  it('may show that the tag without it moved on', async () => {
    const history: Past[] = [
      [1, A, 'succeeded', { target_tag: 'main' }],
      [2, B, 'succeeded', { target_tag: pinned }],
    ];
    await expect(find(history)).rejects.toThrow('the tag main has moved on');
  });

  it.each([pinned, 'main'])('is found by %s', async (name) => {
    const history: Past[] = [
      [1, A, 'succeeded', { target_tag: pinned }],
      [2, B, 'succeeded'],
    ];
    expect((await find(history, name)).to.fencing_token).toBe(1);
  });
});

describe('a rollout that is named', () => {
  const history: Past[] = [
    [1, A, 'succeeded'],
    [2, B, 'failed', rolled],
    [3, B, 'succeeded', { target_tag: 'stable' }],
    [4, C, 'succeeded', { target_tag: 'stable' }],
    [5, C, 'succeeded'],
  ];
  it.each([
    ['1f1c1f', 1],
    ['1', 1],
    [tagOf(A), 1],
    ['4', 4],
    [tagOf(C), 5],
  ])('%s', async (to, expected) => {
    expect((await find(history, to)).to.fencing_token).toBe(expected);
  });

  it.each([
    ['ffffffff', /no rollout "ffffffff" is on record/, /fleet rollback --to ID/],
    ['9', /no rollout "9" is on record/, /fleet history/],
    ['2', /did not prove the fleet/, /fleet redeploy .*--target-tag main-bbbbbbb --expected-sha b{40}/],
    ['stable', /stands for 2 proven commits/, /--to 4f1c1f0e \(ccccccc\), --to 3f1c1f0e \(bbbbbbb\)/],
    ['3', /the tag stable has moved on/, /fleet redeploy /],
  ])('%s: an error that names what to type', async (to, says, next) => {
    await expect(find(history, to)).rejects.toMatchObject({
      message: expect.stringMatching(says),
      next: expect.stringMatching(next),
    });
  });
});

describe('the roll that goes back', () => {
  it('121, 125: has an order of its own, is on record as a rollback, and freezes the lock before it gives it back', async () => {
    const order: string[] = [];
    const serve = fleet.extra;
    fleet.extra = (request, response, body) => {
      if (request.url?.endsWith('/release')) order.push('release');
      if (!request.url?.endsWith('/freeze')) return serve?.(request, response, body) ?? false;
      order.push(`freeze ${JSON.parse(body).reason}`);
      json(response, 200, {});
      return true;
    };
    fleet.tenants.set('birch', OLD);
    const target = await find([
      [1, NEW, 'succeeded'],
      [2, C, 'failed', rolled],
    ]);
    const config = rollbackConfig(configOf({ repository: 'o/r', branch: 'main' }), target, {
      actor: 'ann',
      reason: 'incident 12',
    });
    const result = await runFleet(config);
    expect(result).toMatchObject({
      outcome: 'succeeded',
      rollback: { claim_id: idOf(1), fencing_token: 1 },
      next_commands: [{ command: "fleet lock unfreeze --lock-group staging --reason 'it is mended'" }],
    });
    expect(lock.of('claim')[0]?.body).toMatchObject({
      order: { key: 'rollback:staging@main', number: 2 },
      holder: { name: 'fleet rollback staging' },
    });
    expect(lock.rollouts[0]?.rollout.rollback).toEqual({ claim_id: idOf(1), fencing_token: 1 });
    expect(order).toEqual(['freeze incident 12', 'release']);
  });

  it('is not frozen behind where it is not proven, and says how to do it again', async () => {
    fleet.tenants.set('birch', OLD);
    fleet.stuck.add('birch');
    const target = await find([
      [1, NEW, 'succeeded'],
      [2, C, 'succeeded'],
    ]);
    const config = rollbackConfig(
      { ...configOf({ settleBudgetMs: 0 }), typed: { 'lock-group': 'staging' } },
      target,
      {
        actor: 'ann',
        reason: 'x',
      },
    );
    const result = await runFleet(config);
    expect(result.outcome).toBe('failed');
    expect(lock.calls.map(({ verb }) => verb)).not.toContain('status');
    expect(result.next_commands?.at(-1)?.command).toBe(
      'fleet rollback --lock-group staging --to 1f1c1f0e --freeze x',
    );
  });

  it('goes on with a warning where the lock cannot be frozen', async () => {
    lock.status = (_, response) => json(response, 404, { error: 'not_found' });
    const target = await find([
      [1, NEW, 'succeeded'],
      [2, C, 'succeeded'],
    ]);
    const result = await runFleet(rollbackConfig(configOf(), target, { actor: 'ann', reason: 'x' }));
    expect(result).toMatchObject({ outcome: 'succeeded', warnings: [expect.stringMatching(/^not frozen/)] });
  });

  it('a server that keeps no rollouts is said, with what to type', async () => {
    fleet.extra = null;
    await expect(findRollback(configOf(), undefined)).rejects.toMatchObject({
      code: 'LOCK_UNKNOWN_ENDPOINT',
      message: expect.stringContaining('nothing tells what was proven before'),
      next: expect.stringContaining('--target-tag TAG --expected-sha SHA'),
    });
  });
});
