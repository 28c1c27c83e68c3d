import { describe, expect, it } from 'vitest';
import type { RolloutEntry } from '../../src/contract.js';
import type { Known, LockSeen, RolloutSeen, TenantsSeen } from '../../src/result/status.js';
import { withOrigins } from '../../src/status/history.js';
import { groupTenants, isProof, isUnfinished, nextOf } from '../../src/status/judge.js';
import type { Observation } from '../../src/verify/probe.js';
import { NEW, OLD } from '../helpers/fake-fleet.js';

const sha = (commit: string): Observation => ({ kind: 'sha', sha: commit });
const gone: Observation = { kind: 'unreachable', why: 'connection refused' };
const seenAs = (answers: Record<string, Observation>, proven: string | null = null) =>
  groupTenants(new Map(Object.entries(answers)), ['e2e-*'], new Map([[NEW, 'main-b']]), proven);

const entry = (outcome: string | null, over: Record<string, unknown> = {}): RolloutEntry => ({
  claim_id: '6f1c1f0e-2b0a-4d7b-9e55-0c4f3f1a7d10',
  fencing_token: 7,
  holder: { name: 'fleet redeploy staging' },
  state: 'ended',
  started_at: '2026-01-01T00:00:00Z',
  rollout: { target_tag: 'main-b', expected_sha: NEW, outcome, tool_version: '1', ...over },
});

describe('what runs where', () => {
  it('groups tenants by commit, the largest group first, and names who is off', () => {
    const seen = seenAs({ a: sha(OLD), b: sha(NEW), c: sha(NEW), 'e2e-1': sha(OLD), d: gone }, OLD);
    expect(seen).toEqual({
      listed: 5,
      commits: [
        { commit: OLD, tag: null, slugs: ['a', 'e2e-1'] },
        { commit: NEW, tag: 'main-b', slugs: ['b', 'c'] },
      ],
      unread: [{ slug: 'd', status: 'unreachable', why: 'connection refused' }],
      ephemeral: ['e2e-1'],
      majority: null,
      off_majority: [],
      off_proven: ['b', 'c'],
    });
  });

  it('an ephemeral tenant is never off', () => {
    const seen = seenAs({ a: sha(NEW), b: sha(NEW), 'e2e-1': sha(OLD) }, NEW);
    expect([seen.majority, seen.off_majority, seen.off_proven]).toEqual([NEW, [], []]);
  });

  it('a build without a commit is a group of its own', () => {
    expect(seenAs({ a: { kind: 'dev' }, b: sha(NEW), c: sha(NEW) })).toMatchObject({
      majority: NEW,
      off_majority: ['a'],
      off_proven: null,
    });
  });
});

describe('what proves a fleet', () => {
  it.each<[string | null, Record<string, unknown>, boolean, boolean]>([
    ['succeeded', {}, true, false],
    ['succeeded_with_quarantine', {}, true, false],
    ['succeeded', { scope: { tenants: 2, of: 3 } }, false, false],
    ['succeeded', { scope: { tenants: 3, of: 3 } }, true, false],
    ['succeeded', { expected_sha: null }, false, false],
    ['failed', {}, false, true],
    [null, {}, false, true],
    ['superseded', {}, false, false],
    ['held', {}, false, false],
  ])('%s with %j: proof %s, unfinished %s', (outcome, over, proof, unfinished) => {
    expect([isProof(entry(outcome, over)), isUnfinished(entry(outcome, over))]).toEqual([proof, unfinished]);
  });

  it('a rollout that is under way is not unfinished', () => {
    expect(isUnfinished({ ...entry(null), state: 'running' })).toBe(false);
  });

  it('each rollout comes from the last commit that was proven before it', () => {
    const [a, b, c] = ['1', '2', '3'].map((digit) => digit.repeat(40));
    const newest = [
      entry('succeeded', { expected_sha: c }),
      entry('failed', { expected_sha: b }),
      entry('succeeded', { expected_sha: a }),
    ];
    expect(withOrigins(newest, OLD).map(({ from_sha }) => from_sha)).toEqual([a, a, OLD]);
  });
});

const known = <T>(value: T): Known<T> => ({ known: true, value });
const unknown = { known: false, why: 'no answer', next: null } as const;
const free: LockSeen = {
  ...{ group: 'staging', version: 1, held: null, queue: [], frozen: null, last_fencing_token: 7 },
  frees_in_seconds: null,
};
const held = {
  ...{ claim_id: 'x', fencing_token: 8, holder: { name: 'n' }, held_for_seconds: 1 },
  ...{ last_renew_seconds_ago: 1, alive: true },
};
const rollout = (commit: string): RolloutSeen => ({
  ...{ fencing_token: 7, claim_id: 'c', target_tag: 'main-x', expected_sha: commit, outcome: 'succeeded' },
  ...{ by: 'ann', at: '2026-01-01T00:00:00Z', run_url: null },
});

describe('the one next command', () => {
  const asked = {
    environment: 'staging',
    lock: { group: 'staging' } as never,
    typed: { 'control-plane': 'https://cp.example.com' },
  };
  const own = '--environment staging --control-plane https://cp.example.com';
  const watch = `fleet status ${own} --watch`;
  const redeploy = (commit: string) => `fleet redeploy ${own} --target-tag main-x --expected-sha ${commit}`;
  const calm = known(seenAs({ a: sha(NEW), b: sha(NEW) }, NEW));
  const drift = known(seenAs({ a: sha(OLD), b: sha(NEW), c: sha(NEW) }, NEW));
  const silent = known(seenAs({ a: gone, b: sha(NEW) }, NEW));

  it.each<
    [string, Known<TenantsSeen>, Known<LockSeen>, RolloutSeen | null, RolloutSeen | null, string | null]
  >([
    ['all is well', calm, known(free), rollout(NEW), null, null],
    ['the control plane is away', unknown, known(free), null, null, watch],
    [
      'frozen, held or not',
      drift,
      known({ ...free, held, frozen: { reason: 'r' } }),
      rollout(NEW),
      null,
      `fleet lock unfreeze ${own} --reason 'it is over'`,
    ],
    ['held', drift, known({ ...free, held }), rollout(NEW), null, watch],
    [
      'a roll is open',
      drift,
      known({ ...free, draining: { fencing_token: 6, slugs: [], since_seconds: 1 } }),
      rollout(NEW),
      null,
      watch,
    ],
    ['drift from the proven commit', drift, known(free), rollout(NEW), null, redeploy(NEW)],
    [
      'a rollout that did not end well goes on',
      drift,
      known(free),
      rollout(NEW),
      rollout(OLD),
      redeploy(OLD),
    ],
    [
      'drift and no record',
      known(seenAs({ a: sha(OLD), b: sha(NEW), c: sha(NEW) })),
      unknown,
      null,
      null,
      `fleet verify ${own} --expected-sha ${NEW}`,
    ],
    ['no answer', silent, known(free), rollout(NEW), null, `fleet verify ${own} --expected-sha ${NEW}`],
    [
      'an ephemeral tenant is away',
      known(seenAs({ 'e2e-1': gone, b: sha(NEW) }, NEW)),
      known(free),
      rollout(NEW),
      null,
      null,
    ],
  ])('%s', (_case, tenants, lock, proven, unfinished, command) => {
    expect(nextOf(tenants, lock, { proven, unfinished }, asked)?.command ?? null).toBe(command);
  });
});
