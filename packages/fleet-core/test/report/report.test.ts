import { describe, expect, test } from 'vitest';
import { buildResult, type ReportInput } from '../../src/report/build-result.js';
import {
  type ExitContext,
  exitCodeOf,
  isDeployed,
  OUTCOMES,
  type Outcome,
  USAGE_EXIT_CODE,
} from '../../src/result/outcome.js';
import { addsUp, type FleetResult, resultSchema } from '../../src/result/result.js';
import { Ledger } from '../../src/verify/ledger.js';

const NEW = 'b'.repeat(40);
const OLD = 'a'.repeat(40);

function ledgerOf(answers: Record<string, string>): Ledger {
  const ledger = new Ledger(NEW, 1, ['e2e-*']);
  for (const [slug, sha] of Object.entries(answers)) {
    ledger.add(slug);
    ledger.observe(slug, { kind: 'sha', sha }, 0);
  }
  return ledger;
}

const input = (rest: Partial<ReportInput> = {}): ReportInput => ({
  outcome: 'succeeded',
  reason: 'all 2 tenants on target',
  next: [],
  environment: 'staging',
  targetTag: 'staging-bbbbbbb',
  expectedSha: NEW,
  startedAt: Date.UTC(2026, 0, 1),
  finishedAt: Date.UTC(2026, 0, 1, 0, 1),
  lock: { group: 'staging', fencing_token: 7, waited_ms: 0 },
  branch: null,
  ledger: ledgerOf({ acme: NEW, globex: NEW }),
  calls: [],
  timeline: [],
  warnings: [],
  askedBy: 'ci',
  ...rest,
});

test('a result holds every field of the contract', () => {
  expect(buildResult(input())).toMatchObject({
    schema: 'fleet-result/1',
    outcome: 'succeeded',
    deployed: true,
    reason: 'all 2 tenants on target',
    environment: 'staging',
    target_tag: 'staging-bbbbbbb',
    expected_sha: NEW,
    started_at: '2026-01-01T00:00:00.000Z',
    finished_at: '2026-01-01T00:01:00.000Z',
    lock: { group: 'staging', fencing_token: 7, waited_ms: 0 },
    counts: { enumerated: 2, on_target: 2, stale: 0, unreachable: 0, invalid: 0, unhealthy: 0, excused: 0 },
    tenants: [
      {
        slug: 'acme',
        status: 'on_target',
        phase: null,
        observed_sha: NEW,
        probes: 1,
        on_target_after_ms: 0,
        detail: null,
      },
      { slug: 'globex', status: 'on_target' },
    ],
    calls: [],
    exit_code: 0,
  });
});

test('what is not known is null, or absent for an environment', () => {
  const result = buildResult(
    input({
      outcome: 'refused',
      environment: undefined,
      targetTag: undefined,
      expectedSha: undefined,
      lock: null,
      ledger: ledgerOf({}),
    }),
  );
  expect(result).toMatchObject({
    target_tag: null,
    expected_sha: null,
    lock: null,
    deployed: false,
    exit_code: 4,
  });
  expect(result).not.toHaveProperty('environment');
});

test('a result survives its journey as JSON, with fields that a later version adds', () => {
  const result = buildResult(input());
  const later = { ...JSON.parse(JSON.stringify(result)), later: true };
  expect(resultSchema.parse(later)).toEqual({ ...result, later: true });
});

describe('51: a claim that the tenants do not prove cannot be written down', () => {
  test.each<[string, Outcome, Record<string, string>]>([
    ['success without a tenant', 'succeeded', {}],
    ['success with a stale tenant', 'succeeded', { acme: NEW, globex: OLD }],
    ['success of nobody but the excused', 'succeeded', { 'e2e-1': OLD }],
    ['quarantine without a tenant', 'succeeded_with_quarantine', {}],
    ['quarantine of half the fleet', 'succeeded_with_quarantine', { acme: NEW, globex: OLD }],
    ['quarantine of everybody', 'succeeded_with_quarantine', { acme: OLD }],
  ])('%s', (_name, outcome, answers) => {
    expect(() => buildResult(input({ outcome, ledger: ledgerOf(answers) }))).toThrow(/claims more/);
  });

  test.each<[string, Outcome, Record<string, string>]>([
    ['success with somebody excused', 'succeeded', { acme: NEW, 'e2e-1': OLD }],
    ['quarantine of one in three', 'succeeded_with_quarantine', { acme: NEW, globex: NEW, initech: OLD }],
    [
      'quarantine, the excused on neither side',
      'succeeded_with_quarantine',
      { a: NEW, b: NEW, c: OLD, 'e2e-1': OLD, 'e2e-2': OLD },
    ],
    ['failure', 'failed', { acme: OLD }],
    ['a plan of a fleet that is stale', 'planned', { acme: OLD }],
  ])('%s can', (_name, outcome, answers) => {
    expect(buildResult(input({ outcome, ledger: ledgerOf(answers) })).outcome).toBe(outcome);
  });
});

describe('a document that contradicts itself is refused', () => {
  const good = buildResult(input());
  const counts = (rest: Partial<FleetResult['counts']>) => ({ counts: { ...good.counts, ...rest } });
  test.each<[string, Partial<FleetResult>, RegExp]>([
    ['deployed, and failed', { outcome: 'failed' }, /`deployed` contradicts/],
    ['succeeded, and not deployed', { deployed: false }, /`deployed` contradicts/],
    ['counts that do not add up', counts({ stale: 1 }), /do not add up/],
    ['fewer enumerated than counted', counts({ enumerated: 1 }), /do not add up/],
    ['counts of other tenants', counts({ enumerated: 3, on_target: 3 }), /`counts` contradict/],
    ['another status than counted', counts({ on_target: 1, stale: 1 }), /`counts` contradict/],
    [
      'a tenant twice',
      { tenants: [good.tenants[0], good.tenants[0]] as FleetResult['tenants'] },
      /`counts` contradict/,
    ],
    ['a tenant left out', { tenants: good.tenants.slice(1) }, /`counts` contradict/],
    ['a negative count', counts({ enumerated: 1, stale: -1 }), />=0/],
    ['another schema', { schema: 'fleet-result/2' as 'fleet-result/1' }, /fleet-result\/1/],
    ['an unknown outcome', { outcome: 'fine' as Outcome }, /Invalid option/],
    ['an exit code that no process has', { exit_code: 256 }, /<=255/],
  ])('%s', (_name, rest, message) => {
    expect(() => resultSchema.parse({ ...good, ...rest })).toThrow(message);
  });
});

test.each([
  [{ enumerated: 0, on_target: 0, stale: 0, unreachable: 0, invalid: 0, unhealthy: 0, excused: 0 }, true],
  [{ enumerated: 6, on_target: 1, stale: 1, unreachable: 1, invalid: 1, unhealthy: 1, excused: 1 }, true],
  [{ enumerated: 5, on_target: 1, stale: 1, unreachable: 1, invalid: 1, unhealthy: 1, excused: 1 }, false],
])('%j adds up: %s', (counts, expected) => {
  expect(addsUp(counts)).toBe(expected);
});

describe('the exit code says whether it happened', () => {
  const ci: ExitContext = { askedBy: 'ci' };
  const human: ExitContext = { askedBy: 'human' };
  const table: [Outcome, ExitContext, number, boolean][] = [
    ['succeeded', ci, 0, true],
    ['succeeded_with_quarantine', ci, 0, true],
    ['planned', ci, 0, false],
    ['superseded', ci, 0, false],
    ['superseded', human, 0, false],
    ['held', ci, 0, false],
    ['held', human, 4, false],
    ['failed', ci, 1, false],
    ['lock_timeout', ci, 3, false],
    ['lock_lost', human, 3, false],
    ['refused', ci, 4, false],
    ['control_plane_error', ci, 5, false],
    ['interrupted', ci, 130, false],
    ['interrupted', { askedBy: 'ci', signal: 'SIGINT' }, 130, false],
    ['interrupted', { askedBy: 'human', signal: 'SIGTERM' }, 143, false],
    ['failed', { askedBy: 'ci', signal: 'SIGTERM' }, 1, false],
    ['handed_over', human, 0, false],
  ];
  test.each(table)('%s, %j: %d', (outcome, context, code, deployed) => {
    expect([exitCodeOf(outcome, context), isDeployed(outcome)]).toEqual([code, deployed]);
  });

  test('for every outcome, and 2 is left to usage errors', () => {
    expect(new Set(table.map(([outcome]) => outcome))).toEqual(new Set(OUTCOMES));
    const codes = OUTCOMES.flatMap((outcome) => [exitCodeOf(outcome, ci), exitCodeOf(outcome, human)]);
    expect(codes).not.toContain(USAGE_EXIT_CODE);
    expect(USAGE_EXIT_CODE).toBe(2);
  });

  test('92: whoever asked for a roll and got none finds it in the result', () => {
    const held = (askedBy: 'ci' | 'human') =>
      buildResult(input({ outcome: 'held', askedBy, ledger: ledgerOf({ acme: OLD }) })).exit_code;
    expect([held('ci'), held('human')]).toEqual([0, 4]);
  });
});
