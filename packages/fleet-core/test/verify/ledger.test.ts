import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addsUp, TENANT_STATUSES } from '../../src/result/result.js';
import { Ledger, type RowReport, shaOf } from '../../src/verify/ledger.js';
import type { Observation } from '../../src/verify/probe.js';

const NEW = 'b'.repeat(40);
const OLD = 'a'.repeat(40);
const on: Observation = { kind: 'sha', sha: NEW };
const old: Observation = { kind: 'sha', sha: OLD };
const dev: Observation = { kind: 'dev' };
const none: Observation = { kind: 'unreachable', why: 'connection refused' };
const html: Observation = { kind: 'invalid', why: 'a web page instead of buildinfo' };

const row = (rest: Partial<RowReport> = {}): RowReport => ({
  healthy: null,
  verified: null,
  failure: null,
  ...rest,
});

function seen(
  observations: Observation[],
  options: { slug?: string; confirmations?: number; sha?: string | null } = {},
) {
  const { slug = 'acme', confirmations = 1, sha = NEW } = options;
  const ledger = new Ledger(sha, confirmations, ['e2e-*']);
  ledger.add(slug);
  for (const [index, observation] of observations.entries())
    ledger.observe(slug, observation, 1_000 + index * 500);
  return ledger;
}

describe('the status of a tenant is that of its last answer', () => {
  test.each<[string, Observation[], string, string | null]>([
    ['never asked', [], 'unreachable', 'was not asked'],
    ['the expected commit', [on], 'on_target', null],
    ['64: the old commit, then the expected one', [old, old, on], 'on_target', null],
    ['another commit', [old], 'stale', 'still on aaaaaaa'],
    ['23: "dev"', [dev], 'stale', 'answers "dev": its build carries no commit'],
    ['nothing', [none], 'unreachable', 'connection refused'],
    ['63: a web page', [html], 'invalid', 'a web page instead of buildinfo'],
    ['an answer, then nothing', [old, none], 'unreachable', 'connection refused'],
    ['nothing, then an answer', [none, old], 'stale', 'still on aaaaaaa'],
    ['the expected commit, then nothing', [on, none], 'unreachable', 'connection refused'],
    ['the expected commit, then a web page', [on, html], 'invalid', 'a web page instead of buildinfo'],
  ])('%s', (_name, observations, status, detail) => {
    const ledger = seen(observations);
    expect([ledger.statusOf('acme'), ledger.detailOf('acme')]).toEqual([status, detail]);
    expect(ledger.isOnTarget('acme')).toBe(status === 'on_target');
  });

  test('nobody is on target where no commit is expected', () => {
    const ledger = seen([on], { sha: null });
    expect([ledger.statusOf('acme'), ledger.detailOf('acme')]).toEqual([
      'stale',
      'no expected commit was given',
    ]);
  });
});

describe('confirmations are answers in a row', () => {
  test.each<[string, number, Observation[], boolean]>([
    ['one of one', 1, [on], true],
    ['one of two', 2, [on], false],
    ['two of two', 2, [on, on], true],
    ['two of two, not in a row', 2, [on, none, on], false],
    ['two in a row after a gap', 2, [on, none, on, on], true],
    ['three of three', 3, [on, on, on], true],
  ])('%s', (_name, confirmations, observations, proven) => {
    expect(seen(observations, { confirmations }).isOnTarget('acme')).toBe(proven);
  });

  test('say how far they are', () => {
    expect(seen([on], { confirmations: 2 }).detailOf('acme')).toBe(
      'on the expected commit in 1 of 2 answers in a row',
    );
  });
});

test('a proof that is complete is not counted against itself', () => {
  const ledger = seen([on, on]);
  ledger.get('acme').row = { healthy: false, verified: null, failure: null };
  expect(ledger.detailOf('acme')).toBe('the control plane reports it not healthy');
});

describe('a tenant that goes back to another commit flaps: three answers in a row prove it then', () => {
  test.each<[string, Observation[], boolean]>([
    ['new, old', [on, old], false],
    ['new, old, new', [on, old, on], false],
    ['new, old, new, new', [on, old, on, on], false],
    ['new, old, new, new, new', [on, old, on, on, on], true],
    ['new, "dev", new', [on, dev, on], false],
    ['new, nothing, old, new', [on, none, old, on], false],
    ['new, a web page, old, new', [on, html, old, on], false],
    ['new, nothing, new: no other commit was seen', [on, none, on], true],
    ['old, new: it was never back', [old, on], true],
  ])('%s', (_name, observations, proven) => {
    expect(seen(observations).isOnTarget('acme')).toBe(proven);
  });

  test('more confirmations than three are still asked for', () => {
    expect(seen([on, old, on, on, on, on], { confirmations: 5 }).isOnTarget('acme')).toBe(false);
  });

  test('is said', () => {
    expect(seen([on, old]).detailOf('acme')).toBe(
      'flapping: answered the expected commit, then another one; still on aaaaaaa',
    );
  });

  test('a new roll begins anew', () => {
    const ledger = seen([on, old]);
    ledger.startRoll('acme', 'batch-1', 9_000);
    ledger.observe('acme', on, 9_500);
    expect(ledger.isOnTarget('acme')).toBe(true);
  });
});

describe('what the control plane says', () => {
  test.each<[string, Observation, Partial<RowReport>, string, RegExp | null]>([
    [
      '53: not healthy wins over the expected commit',
      on,
      { healthy: false },
      'unhealthy',
      /reports it not healthy/,
    ],
    [
      'not healthy wins over nothing',
      none,
      { healthy: false },
      'unhealthy',
      /not healthy.*; connection refused/,
    ],
    ['healthy proves nothing', old, { healthy: true, verified: true }, 'stale', /still on/],
    ['no word of its health changes nothing', on, {}, 'on_target', null],
    [
      '"not on target" against the tenant itself is shown',
      on,
      { verified: false },
      'on_target',
      /the tenant itself answers that it is/,
    ],
    [
      'a failed command against the tenant itself is shown',
      on,
      { failure: 'its command failed' },
      'on_target',
      /its command failed; the tenant answers/,
    ],
    ['14: a command that succeeded proves nothing', old, { verified: true }, 'stale', /still on/],
    [
      'a failed command is told',
      old,
      { failure: 'its command failed' },
      'stale',
      /still on aaaaaaa; its command failed/,
    ],
  ])('%s', (_name, observation, report, status, detail) => {
    const ledger = seen([observation]);
    ledger.get('acme').row = row(report);
    expect(ledger.statusOf('acme')).toBe(status);
    if (detail) expect(ledger.detailOf('acme')).toMatch(detail);
    else expect(ledger.detailOf('acme')).toBeNull();
  });
});

describe('an ephemeral tenant', () => {
  test.each<[string, Observation[], Partial<RowReport>, string]>([
    ['56: that vanished is excused', [none], {}, 'excused'],
    ['that is stale is excused', [old], {}, 'excused'],
    ['that is not healthy is excused', [on], { healthy: false }, 'excused'],
    ['that was never asked is excused', [], {}, 'excused'],
    ['that is on target is on target', [on], {}, 'on_target'],
  ])('%s', (_name, observations, report, status) => {
    const ledger = seen(observations, { slug: 'e2e-1' });
    ledger.get('e2e-1').row = row(report);
    expect(ledger.statusOf('e2e-1')).toBe(status);
    expect(ledger.stragglers()).toEqual([]);
    if (status === 'excused') expect(ledger.detailOf('e2e-1')).toContain('ephemeral, so excused');
  });
});

describe('the result of a tenant', () => {
  test('holds what was measured', () => {
    const ledger = seen([old]);
    ledger.keepBaseline();
    ledger.startRoll('acme', 'canary', 2_000);
    ledger.observe('acme', old, 2_100.4);
    ledger.observe('acme', on, 2_700.4);
    ledger.observe('acme', on, 2_900);
    ledger.get('acme').note = 'a note';
    expect(ledger.results()).toEqual([
      {
        slug: 'acme',
        status: 'on_target',
        phase: 'canary',
        rolls: 1,
        observed_sha: NEW,
        probes: 4,
        on_target_after_ms: 700,
        detail: 'a note',
        baseline_sha: OLD,
      },
    ]);
  });

  test('a tenant that fell back was never on target', () => {
    expect(seen([on, none]).results()[0]?.on_target_after_ms).toBeNull();
  });

  test('a roll throws away what was said before it', () => {
    const ledger = seen([on]);
    ledger.get('acme').row = row({ healthy: false });
    ledger.startRoll('acme', 'batch-1', 2_000);
    expect(ledger.isOnTarget('acme')).toBe(false);
    expect(ledger.get('acme')).toMatchObject({ row: null, note: null, streak: 0 });
  });
});

test('a tenant is added once and never made up', () => {
  const ledger = seen([on]);
  expect(ledger.add('acme').probes).toBe(1);
  expect([ledger.has('acme'), ledger.has('globex'), ledger.slugs]).toEqual([true, false, ['acme']]);
  expect(() => ledger.get('globex')).toThrow(RangeError);
  expect(() => ledger.observe('globex', on, 0)).toThrow(RangeError);
});

test.each<[Observation | null, string | null]>([
  [on, NEW],
  [dev, 'dev'],
  [none, null],
  [html, null],
  [null, null],
])('the commit of %j', (observation, sha) => {
  expect(shaOf(observation)).toBe(sha);
});

describe('the accounting adds up', () => {
  const slug = fc.constantFrom('a', 'b', 'c', 'e2e-1', 'e2e-2');
  const step = fc.oneof(
    fc.record({ do: fc.constant('add' as const), slug }),
    fc.record({ do: fc.constant('observe' as const), slug, what: fc.constantFrom(on, old, dev, none, html) }),
    fc.record({ do: fc.constant('roll' as const), slug }),
    fc.record({ do: fc.constant('row' as const), slug, healthy: fc.constantFrom(true, false, null) }),
    fc.record({ do: fc.constant('baseline' as const), slug }),
  );

  test('after any sequence of answers and rolls', () => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 40 }),
        fc.integer({ min: 1, max: 4 }),
        (steps, confirmations) => {
          const ledger = new Ledger(NEW, confirmations, ['e2e-*']);
          let now = 0;
          for (const one of steps) {
            now += 7;
            if (one.do === 'add') ledger.add(one.slug);
            if (one.do === 'baseline') ledger.keepBaseline();
            if (!ledger.has(one.slug)) continue;
            if (one.do === 'observe') ledger.observe(one.slug, one.what, now);
            if (one.do === 'roll') ledger.startRoll(one.slug, 'batch-1', now);
            if (one.do === 'row') ledger.get(one.slug).row = row({ healthy: one.healthy });
          }
          const counts = ledger.counts();
          const results = ledger.results();
          expect(addsUp(counts)).toBe(true);
          expect(counts.enumerated).toBe(new Set(ledger.slugs).size);
          for (const status of TENANT_STATUSES)
            expect(counts[status]).toBe(results.filter((result) => result.status === status).length);
          expect(ledger.stragglers()).toHaveLength(counts.enumerated - counts.on_target - counts.excused);
          for (const { slug: name, status, observed_sha, on_target_after_ms } of results) {
            if (status === 'on_target')
              expect([observed_sha, typeof on_target_after_ms]).toEqual([NEW, 'number']);
            if (status === 'excused') expect(name).toMatch(/^e2e-/);
            if (status === 'stale') expect(observed_sha).not.toBeNull();
          }
        },
      ),
    );
  });
});

describe('a roll that is taken back, or made twice', () => {
  test('what was never sent has no phase, and is not said', () => {
    const ledger = seen([old]);
    ledger.startRoll('acme', 'canary', 2_000);
    ledger.startRoll('acme', 'canary', 3_000);
    const said = 'may have been rolled twice: the answer to its first roll was lost';
    expect(ledger.results()[0]).toMatchObject({
      phase: 'canary',
      rolls: 2,
      detail: `still on aaaaaaa; ${said}`,
    });
    ledger.undoRoll('acme');
    expect(ledger.results()[0]).toMatchObject({ phase: 'canary', rolls: 1, detail: 'still on aaaaaaa' });
    ledger.undoRoll('acme');
    expect(ledger.results()[0]).toMatchObject({ phase: null, rolls: 0, detail: 'still on aaaaaaa' });
  });

  test.each([
    ['here', 'an earlier run had rolled it to this commit already'],
    ['elsewhere', 'was on target, and rolled since an earlier run had rolled it to another commit'],
  ] as const)('an earlier roll, %s, is said once this run rolls it as well', (where, said) => {
    const ledger = seen([on]);
    ledger.get('acme').rolledBefore = where;
    expect(ledger.detailOf('acme')).toBe(null);
    ledger.startRoll('acme', 'batch-1', 2_000);
    ledger.observe('acme', on, 3_000);
    expect(ledger.detailOf('acme')).toBe(said);
  });

  test.each<[string, Observation[], Observation[], boolean]>([
    ['from the old commit', [old], [on], true],
    ['from nothing', [none], [on], true],
    ['that was there before', [on], [on], false],
    ['not yet', [old], [old], false],
    ['and back again', [old], [on, old], false],
    ['there before and gone', [on], [old], false],
  ])('has moved: %s', (_name, before, after, moved) => {
    const ledger = seen(before);
    ledger.keepBaseline();
    for (const [at, observation] of after.entries()) ledger.observe('acme', observation, 5_000 + at);
    expect(ledger.hasMoved('acme')).toBe(moved);
  });
});

test('a tenant begins with nothing proven, and nobody else is known', () => {
  const ledger = new Ledger(NEW, 1, []);
  expect(ledger.add('acme')).toMatchObject({ soaked: false, rolledBefore: null, rolls: 0, row: null });
  expect(() => ledger.get('birch')).toThrow('birch is not enumerated');
});
