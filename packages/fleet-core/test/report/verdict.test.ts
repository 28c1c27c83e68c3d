/** What a run may claim of its ledger, and how one ends that came to no verdict. */
import { describe, expect, test } from 'vitest';
import { FleetError } from '../../src/errors.js';
import { endingOf, outcomeOf, type Stage, timeoutError } from '../../src/report/ending.js';
import { halfWay, rolledOf, twice } from '../../src/report/rolled.js';
import { type Facts, judge } from '../../src/report/verdict.js';
import { Ledger } from '../../src/verify/ledger.js';

const NEW = 'b'.repeat(40);
const OLD = 'a'.repeat(40);

/** Tenants by name: `n` answers the new commit, `o` the old one, `-` nothing, `?` was never asked. */
function ledgerOf(tenants: Record<string, 'n' | 'o' | '-' | '?'>): Ledger {
  const ledger = new Ledger(NEW, 1, ['e2e-*']);
  for (const [slug, what] of Object.entries(tenants)) {
    ledger.add(slug);
    if (what === '-') ledger.observe(slug, { kind: 'unreachable', why: 'connection refused' }, 0);
    else if (what !== '?') ledger.observe(slug, { kind: 'sha', sha: what === 'n' ? NEW : OLD }, 0);
  }
  return ledger;
}
const verdict = (tenants: Parameters<typeof ledgerOf>[0], facts: Partial<Facts> = {}) =>
  judge({
    ledger: ledgerOf(tenants),
    canary: null,
    maxStragglers: 0,
    halt: null,
    alreadyOnTarget: false,
    ...facts,
  });

describe('the verdict', () => {
  test.each<[string, Parameters<typeof ledgerOf>[0], Partial<Facts>, string]>([
    ['all on target', { a: 'n', b: 'n' }, {}, 'succeeded: all 2 tenants on target'],
    ['all were before', { a: 'n', b: 'n' }, { alreadyOnTarget: true }, 'succeeded: already on target'],
    [
      'ephemeral ones are excused by name',
      { a: 'n', 'e2e-1': 'o', 'e2e-2': 'n' },
      {},
      'succeeded: 2 of 3 tenants on target; excused: e2e-1',
    ],
    ['nobody there', {}, {}, 'failed: no tenant was enumerated: nothing was verified'],
    ['nobody on target', { a: 'o', b: 'o' }, {}, 'failed: none of 2 tenants is on target'],
    [
      'nobody on target, of one',
      { a: 'o' },
      { maxStragglers: 5 },
      'failed: none of 1 tenants is on target (still on aaaaaaa)',
    ],
    ['all excused', { 'e2e-1': '-' }, {}, 'failed: none of 1 tenants is on target'],
    [
      'one behind',
      { a: 'n', b: 'n', c: 'o' },
      {},
      'failed: 1 of 3 tenants not proven on target: c (still on aaaaaaa)',
    ],
    [
      'one behind, never asked',
      { a: 'n', b: 'n', c: '?' },
      {},
      'failed: 1 of 3 tenants not proven on target: c (was not asked)',
    ],
    [
      'one behind that may be',
      { a: 'n', b: 'n', c: 'o' },
      { maxStragglers: 1 },
      'succeeded_with_quarantine: 2 of 3 tenants on target; quarantined: c',
    ],
    [
      'two behind of whom one may be',
      { a: 'n', b: 'n', c: 'n', d: 'o', e: '-' },
      { maxStragglers: 1 },
      'failed: 2 of 5 tenants not proven on target (tolerated: 1, and more than half must be on target): d, e',
    ],
    [
      'half on target is not more than half',
      { a: 'n', b: 'o' },
      { maxStragglers: 1 },
      'failed: 1 of 2 tenants not proven on target (tolerated: 1, and more than half must be on target): b (still on aaaaaaa)',
    ],
    [
      'excused ones count on neither side of the half',
      { a: 'n', b: 'n', c: 'o', 'e2e-1': 'o', 'e2e-2': '-' },
      { maxStragglers: 1 },
      'succeeded_with_quarantine: 2 of 5 tenants on target; quarantined: c',
    ],
    [
      'the canary is never one of those that may be behind',
      { a: 'o', b: 'n', c: 'n' },
      { maxStragglers: 1, canary: 'a' },
      'failed: the canary a is not on target (still on aaaaaaa)',
    ],
    [
      'a canary on target',
      { a: 'n', b: 'n', c: 'o' },
      { maxStragglers: 1, canary: 'a' },
      'succeeded_with_quarantine: 2 of 3 tenants on target; quarantined: c',
    ],
    [
      'a canary that is not in this part of the fleet',
      { b: 'n', c: 'n' },
      { canary: 'a' },
      'succeeded: all 2 tenants on target',
    ],
    [
      'halted',
      { a: 'n', b: 'n', c: 'o', d: '?' },
      { maxStragglers: 5, halt: { phase: 'batch-2', unproven: ['c'], notRolled: ['d'] } },
      'failed: halted at batch-2: c not proven on target (still on aaaaaaa); 1 tenants were not rolled',
    ],
    [
      'halted at the last wave, by two',
      { a: 'n', b: 'o', c: 'o' },
      { maxStragglers: 5, halt: { phase: 'batch-1', unproven: ['b', 'c'], notRolled: [] } },
      'failed: halted at batch-1: b, c not proven on target',
    ],
    [
      'halted by one that came late, with nobody left',
      { a: 'n', b: 'n' },
      { halt: { phase: 'batch-1', unproven: ['b'], notRolled: [] } },
      'succeeded: all 2 tenants on target',
    ],
  ])('%s', (_name, tenants, facts, expected) => {
    const { outcome, reason } = verdict(tenants, facts);
    expect(`${outcome}: ${reason}`).toBe(expected);
  });

  test('a success needs nothing next, anything else does', () => {
    expect(verdict({ a: 'n' }).next).toEqual([]);
    expect(verdict({ a: 'n', b: 'n', c: 'o' }, { maxStragglers: 1 }).next.at(-1)).toBe(
      'run the same command again to roll only what is not on target',
    );
    expect(verdict({ a: 'n', b: 'o' }).next).not.toEqual([]);
  });

  test('a tenant that counts twice, or not at all, is a fault of the library', () => {
    const ledger = ledgerOf({ a: 'n' });
    const counts = { ...ledger.counts(), on_target: 2 };
    ledger.counts = () => counts;
    expect(() => verdict({}, { ledger })).toThrow('accounting does not add up: {"enumerated":1');
  });

  test('a second roll never goes unsaid, whatever the verdict', () => {
    const ledger = ledgerOf({ a: 'n', b: 'n' });
    for (const slug of ['a', 'b', 'a']) ledger.startRoll(slug, 'batch-1', 0);
    for (const slug of ['a', 'b']) ledger.observe(slug, { kind: 'sha', sha: NEW }, 1);
    ledger.get('b').rolledBefore = 'here';
    const said = '; may have been rolled twice: a; rolled once more after an earlier run: b';
    expect(twice(ledger)).toBe(said);
    expect(verdict({}, { ledger }).reason).toBe(`all 2 tenants on target${said}`);
    ledger.observe('b', { kind: 'sha', sha: OLD }, 2);
    expect(verdict({}, { ledger }).reason).toContain(said);
    expect(verdict({}, { ledger, maxStragglers: 0, canary: 'b' }).reason).toContain(said);
  });

  test('what an earlier run rolled is said only where this one rolled it too', () => {
    const ledger = ledgerOf({ a: 'n', b: 'n' });
    ledger.get('a').rolledBefore = 'here';
    ledger.get('b').rolledBefore = 'elsewhere';
    expect(twice(ledger)).toBe('');
    ledger.startRoll('b', 'batch-1', 0);
    expect(twice(ledger)).toBe('; rolled although on target, after an earlier run to another commit: b');
  });
});

describe('half way', () => {
  test('names what was rolled and what was not', () => {
    const ledger = ledgerOf({ a: 'n', b: 'o', c: 'o', d: 'n' });
    expect([halfWay(ledger), rolledOf(ledger)]).toEqual(['', []]);
    ledger.startRoll('a', 'canary', 0);
    expect(halfWay(ledger)).toBe('; rolled: a; not rolled: b, c');
    for (const slug of ['b', 'c', 'c']) ledger.startRoll(slug, 'batch-1', 0);
    expect(halfWay(ledger)).toBe('; rolled: a, b, c; may have been rolled twice: c');
    expect(rolledOf(ledger)).toEqual(['a', 'b', 'c']);
  });
});

describe('an end before the verdict', () => {
  const late = timeoutError(90_000);
  const rolling = () => {
    const ledger = ledgerOf({ a: 'o', b: '?' });
    ledger.startRoll('a', 'canary', 0);
    return ledger;
  };
  const ended = (error: unknown, stage: Stage = 'roll', ledger = ledgerOf({}), signal?: AbortSignal) =>
    endingOf(error, { stage, ledger }, signal);

  test.each<[Stage, string]>([
    ['gate', 'refused'],
    ['lock', 'lock_timeout'],
    ['roll', 'failed'],
  ])('the time that runs out at the %s is %s', (stage, outcome) => {
    expect(ended(late, stage)).toEqual({
      outcome,
      code: 'TIMEOUT',
      reason: "the run's time is up (--timeout 90s)",
      next: ['run the same command again, with more time where it needs it: tenants on target are left out'],
    });
  });

  test('a deadline while a call is under way says that it may go on', () => {
    const { reason, next } = ended(late, 'roll', rolling());
    expect(reason).toBe("the run's time is up (--timeout 90s); rolled: a; not rolled: b");
    expect(next[0]).toBe('a call that was under way may still be rolling its tenants: run fleet verify');
    expect(ended(new FleetError('FAILED', 'x'), 'roll', rolling()).next).toEqual([]);
  });

  test.each<[FleetError, string]>([
    [new FleetError('CP_UNREACHABLE', 'x', { next: 'look' }), 'control_plane_error: wiring: look'],
    [new FleetError('CP_FENCE', 'x', { next: 'look' }), 'control_plane_error: look'],
    [new FleetError('INTERNAL', 'x', { next: 'look' }), 'failed: look'],
    [new FleetError('CP_FENCE', 'x', { next: 'look', outcome: 'lock_lost' }), 'lock_lost: look'],
    [new FleetError('TIMEOUT', 'x', { next: 'look', outcome: 'refused' }), 'refused: look'],
  ])('%o', (error, expected) => {
    const { outcome, next } = ended(error);
    expect(`${outcome}: ${next}`).toBe(expected);
  });

  test('an outcome without a stage: a deadline is a failure', () => {
    expect(outcomeOf(late)).toBe('failed');
  });

  test('an interrupt says by what, and whether anything was rolled', () => {
    const by = (reason: unknown) => AbortSignal.abort(reason);
    const again = 'run the same command again: tenants on target are left out';
    const before = ended('SIGINT', 'roll', ledgerOf({ a: 'o', b: '?' }), by('SIGINT'));
    expect(before).toEqual({
      outcome: 'interrupted',
      reason: 'interrupted by SIGINT before anything was rolled; 1 of 2 tenants were not asked yet',
      next: [again],
    });
    expect(ended('SIGINT', 'roll', ledgerOf({ a: 'o' }), by('SIGINT')).reason).toBe(
      'interrupted by SIGINT before anything was rolled',
    );
    const amid = ended(new Error('cut off'), 'roll', rolling(), by(new Error('x')));
    expect(amid.reason).toBe('interrupted while rolling; rolled: a; not rolled: b');
    expect(amid.next).toEqual([
      'a call that was under way may still be rolling its tenants: run fleet verify',
      again,
    ]);
  });

  test('what went wrong by itself before the interrupt came keeps its name', () => {
    const error = new FleetError('CP_CONTRACT', 'no shape');
    expect(ended(error, 'roll', ledgerOf({}), AbortSignal.abort('SIGINT')).outcome).toBe(
      'control_plane_error',
    );
    expect(ended(error, 'roll', ledgerOf({}), new AbortController().signal).outcome).toBe(
      'control_plane_error',
    );
  });

  test('a fault of the library is thrown on', () => {
    const fault = new TypeError('undefined is not a function');
    expect(() => ended(fault)).toThrow(fault);
    expect(() => ended(fault, 'roll', ledgerOf({}), new AbortController().signal)).toThrow(fault);
  });
});
