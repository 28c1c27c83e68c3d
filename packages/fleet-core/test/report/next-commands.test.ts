import { describe, expect, test } from 'vitest';
import type { ErrorCode } from '../../src/errors.js';
import { nextCommands } from '../../src/report/next-commands.js';
import type { FleetResult } from '../../src/result/result.js';

const SHA = 'b'.repeat(40);
const asked = {
  command: 'redeploy' as const,
  environment: 'staging',
  targetTag: 'main-1',
  expectedSha: SHA,
  lock: { group: 'staging', url: 'https://cp.example', token: 'never', waitMs: 0, ttlMs: 0 },
  canary: 'acme',
  maxStragglers: 0,
  typed: { environment: 'staging', 'batch-size': '5', token: 'never', only: ['a*', "it's"], force: true },
};
const ended = (outcome: FleetResult['outcome'], off: string[] = [], kind?: 'roll') => {
  const tenants = ['acme', 'birch', 'cedar', 'delta'].map((slug) => ({
    ...{
      slug,
      status: off.includes(slug) ? 'stale' : 'on_target',
      phase: slug === 'delta' ? null : 'batch-1',
      observed_sha: null,
    },
  }));
  const counts = { enumerated: 4, on_target: 4 - off.length, excused: 0 };
  return {
    outcome,
    reason: '',
    next: [],
    tenants,
    counts,
    calls: kind ? [{ kind }] : [],
  } as unknown as FleetResult;
};
const ONLY = `--only 'a*' --only 'it'\\''s'`;
const AGAIN = `fleet redeploy --environment staging --target-tag main-1 --expected-sha ${SHA} ${ONLY} --batch-size 5 --force`;
const VERIFY = `fleet verify --environment staging --target-tag main-1 --expected-sha ${SHA} ${ONLY}`;
const STATUS = 'fleet lock status --environment staging --watch';
const TOLERANT = AGAIN.replace('--batch-size 5', '--batch-size 5 --max-stragglers 1');

describe('after each outcome', () => {
  test.each([
    [ended('succeeded'), []],
    [ended('planned'), []],
    [ended('refused'), [AGAIN]],
    [ended('control_plane_error'), [AGAIN]],
    [ended('interrupted'), [AGAIN]],
    [ended('interrupted', [], 'roll'), [VERIFY, AGAIN]],
    [ended('lock_timeout'), [STATUS, AGAIN]],
    [ended('lock_lost'), [STATUS, VERIFY, AGAIN]],
    [{ ...ended('held'), reason: 'the lock staging is frozen by ann: x' }, [AGAIN]],
    [
      ended('held'),
      [`fleet lock unfreeze --environment staging --reason 'it is over'`, AGAIN],
      'LOCK_FROZEN' as const,
    ],
    [ended('failed', ['birch']), [TOLERANT, AGAIN]],
    [ended('failed', ['birch', 'delta']), [TOLERANT, AGAIN]],
    [ended('failed', ['birch', 'cedar']), [AGAIN]],
    [ended('failed', ['acme']), [AGAIN]],
  ])('%#', (result, expected, code?: ErrorCode) => {
    expect(nextCommands(result, asked, code).map(({ command }) => command)).toEqual(expected);
  });
});

test('a rollback is done again as one, and tells how it is kept', () => {
  const back = { ...asked, rollback: { claim_id: '6f1c1f0e-2b0a', fencing_token: 7 } };
  const commands = (result: FleetResult, over = {}) =>
    nextCommands(result, { ...back, ...over }).map(({ command }) => command);
  expect(commands(ended('failed', ['acme']))).toEqual([
    `fleet rollback --environment staging ${ONLY} --batch-size 5 --force --to 6f1c1f0e`,
  ]);
  expect(commands(ended('succeeded'))).toEqual([
    "fleet lock freeze --environment staging --reason 'rolled back'",
  ]);
  expect(commands(ended('succeeded'), { freeze: { actor: 'ann', reason: 'x' } })).toEqual([
    "fleet lock unfreeze --environment staging --reason 'it is mended'",
  ]);
});

test('a lock of another name is named, and no secret is', () => {
  const [first] = nextCommands(ended('lock_timeout'), {
    ...asked,
    environment: null,
    lock: { ...asked.lock, group: 'shared' },
  });
  expect(first?.command).toBe('fleet lock status --environment staging --lock-group shared --watch');
  expect(JSON.stringify(nextCommands(ended('failed', ['birch']), asked))).not.toContain('never');
});

test.each<[FleetResult['outcome'], string[], string | null, string]>([
  ['refused', ['Give at most 2.'], null, 'once that is mended'],
  ['control_plane_error', ['check --control-plane'], null, 'once that is mended'],
  ['refused', ['x'], 'canary', 'once that is mended, to go on: tenants on target are left out'],
  ['refused', [], null, 'to go on: tenants on target are left out'],
])('what was %s is not told to be typed again as it was', (outcome, next, phase, why) => {
  const result = { ...ended(outcome), next, tenants: [{ phase }] } as unknown as FleetResult;
  expect(nextCommands(result, asked).map((one) => one.why)).toEqual([why]);
});
