/** What the last rollout left behind, and which tenants are rolled, or rolled again, because of it. */
import { describe, expect, test } from 'vitest';
import type { RolloutEntry } from '../../src/contract.js';
import type { FleetEvent } from '../../src/index.js';
import { type DecidePolicy, decideWaves } from '../../src/plan/decide.js';
import {
  againIn,
  doubtedIn,
  hasSoaked,
  type LastRollout,
  lastRolloutOf,
  refuseShrunkFleet,
  whyAgain,
  whyDoubted,
} from '../../src/plan/history.js';
import { Ledger } from '../../src/verify/ledger.js';

const NEW = 'b'.repeat(40);
const OLD = 'a'.repeat(40);

const entry = (rollout: Partial<RolloutEntry['rollout']> = {}): RolloutEntry => ({
  claim_id: '2f1c1f0e-2b0a-4d7b-9e55-0c4f3f1a7d10',
  fencing_token: 7,
  holder: { name: 'fleet redeploy staging' },
  state: 'ended',
  started_at: '2026-01-01T00:00:00Z',
  rollout: { target_tag: 'main', expected_sha: NEW, tool_version: '1', ...rollout },
});
const last = (more: Partial<LastRollout> = {}): LastRollout => ({ ...lastRolloutOf(entry()), ...more });

describe('the last rollout', () => {
  test('that says nothing left nothing', () => {
    expect(lastRolloutOf(entry({ expected_sha: null }))).toEqual({
      fencingToken: 7,
      slugs: [],
      openCalls: [],
      unsettled: [],
      expectedSha: null,
      soaked: [],
    });
  });

  test('that says all of it', () => {
    const open = { slugs: ['a'], target_tag: 'main', sent_at: '', may_last_seconds: 1 };
    const unsettled = { slug: 'b', sha: OLD };
    const tenants = [{ slug: 'a', soaked: true }, { slug: 'b', soaked: false }, { slug: 'c' }];
    const record = { expected_sha: NEW.toUpperCase(), tenants, open_calls: [open], unsettled: [unsettled] };
    expect(lastRolloutOf(entry(record))).toEqual({
      fencingToken: 7,
      slugs: ['a', 'b', 'c'],
      openCalls: [open],
      unsettled: [unsettled],
      expectedSha: NEW,
      soaked: ['a'],
    });
    expect(lastRolloutOf(entry({ ...record, slugs: ['x', 'y'] })).slugs).toEqual(['x', 'y']);
  });
});

test.each<[string, Partial<RolloutEntry['rollout']>]>([
  ['of all', { slugs: ['a', '::error::x'] }],
  ['of tenants', { tenants: [{ slug: 'Not A Slug' }] }],
  ['of those that may still come', { unsettled: [{ slug: '../x', sha: OLD }] }],
  [
    'of an open roll',
    { open_calls: [{ slugs: ['x y'], target_tag: 'main', sent_at: '', may_last_seconds: 1 }] },
  ],
])('a name %s that is no slug is never believed', (_name, record) => {
  expect(() => lastRolloutOf(entry(record))).toThrow(
    expect.objectContaining({
      code: 'CP_CONTRACT',
      message: expect.stringContaining('the record of the last rollout names'),
    }),
  );
});

test.each<[string, LastRollout | null, string | null, string | null, boolean]>([
  ['nothing on record', null, 'a', NEW, false],
  ['no canary', last({ soaked: ['a'] }), null, NEW, false],
  ['this canary with this commit', last({ soaked: ['a'] }), 'a', NEW, true],
  ['another canary', last({ soaked: ['b'] }), 'a', NEW, false],
  ['another commit', last({ soaked: ['a'], expectedSha: OLD }), 'a', NEW, false],
])('has soaked: %s', (_name, before, canary, sha, expected) => {
  expect(hasSoaked(before, canary, sha)).toBe(expected);
});

const left = last({
  unsettled: [{ slug: 'old', sha: OLD }, { slug: 'new', sha: NEW.toUpperCase() }, { slug: 'unknown' }],
});
const all = ['old', 'new', 'unknown', 'settled'];

test('an answer is no proof where an earlier roll to another commit, or to an unknown one, may still come', () => {
  expect(doubtedIn(all, left, NEW)).toEqual(['old', 'unknown']);
  expect(doubtedIn(['settled'], left, NEW)).toEqual([]);
  expect(doubtedIn(all, null, NEW)).toEqual([]);
  expect(whyDoubted(['a', 'b'])).toMatch(/^a, b: rolled to another commit by an earlier run/);
});

test('a roll to the commit to which an earlier run has rolled is one more', () => {
  expect(againIn(all, left, NEW)).toEqual(['new']);
  expect(againIn(['settled'], left, NEW)).toEqual([]);
  expect(againIn(all, null, NEW)).toEqual([]);
  expect(againIn(all, left, null)).toEqual([]);
  expect(whyAgain(['a', 'b'])).toMatch(/^a, b: rolled to this commit by an earlier run already/);
});

describe('a fleet that shrank', () => {
  const size = (more = {}) => ({ minTenants: 1, allowMissing: [], ephemeral: ['e2e-*'], ...more });
  const before = last({ slugs: ['a', 'b', 'c', 'e2e-1'] });

  test.each<[string, string[], LastRollout | null, object, string[]]>([
    ['nothing on record', ['a'], null, {}, []],
    ['all there', ['a', 'b', 'c', 'd'], before, {}, []],
    ['one named', ['a', 'b'], before, { allowMissing: ['c'] }, []],
    ['one of one', ['a', 'b'], before, { allowMissing: ['1'] }, ['c']],
    ['two of twelve', ['a'], before, { allowMissing: ['12'] }, ['b', 'c']],
    ['one named, one of one', ['a'], before, { allowMissing: ['1', 'c'] }, ['b']],
    ['exactly as many as there must be', ['a', 'b', 'c'], before, { minTenants: 3 }, []],
  ])('%s: may go on', (_name, fleet, record, policy, gone) => {
    expect(refuseShrunkFleet(fleet, record, size(policy))).toEqual(gone);
  });

  test.each<[string, string[], object, string, string]>([
    [
      'one gone',
      ['a', 'b'],
      {},
      'does not list 1 tenant that the last rollout had: c',
      'where they are gone for good: --allow-missing c; else look at the control plane first',
    ],
    [
      'two gone where one may be',
      ['a'],
      { allowMissing: ['1'] },
      'does not list 2 tenants that the last rollout had: b, c',
      '--allow-missing b --allow-missing c;',
    ],
    [
      'a name with digits is no number',
      ['a'],
      { allowMissing: ['9x', 'x9'] },
      'does not list 2 tenants',
      'look',
    ],
    [
      'too few',
      ['a', 'b', 'c'],
      { minTenants: 4 },
      'lists 3 tenants, and there must be at least 4; nothing was rolled',
      'look at the control plane, or change --min-tenants',
    ],
  ])('%s: refused', (_name, fleet, policy, message, next) => {
    expect(() => refuseShrunkFleet(fleet, before, size(policy))).toThrow(
      expect.objectContaining({
        code: 'GATE_REFUSED',
        outcome: 'refused',
        message: expect.stringContaining(message),
        next: expect.stringContaining(next),
      }),
    );
  });
});

describe('the waves', () => {
  const decide = (canary: string | null, before: LastRollout | null) => {
    const ledger = new Ledger(NEW, 1, []);
    for (const [slug, sha] of Object.entries({ a: NEW, b: NEW, c: OLD, d: OLD })) {
      ledger.add(slug);
      ledger.observe(slug, { kind: 'sha', sha }, 0);
    }
    const events: FleetEvent[] = [];
    const policy: DecidePolicy = {
      ...{ canary, force: false, soakMs: 60_000, batchSize: 10, batchGrowth: 1, batchMax: null },
      ...{ strategy: 'scoped', expectedSha: NEW, dryRun: true },
    };
    const emit = (event: object) => void events.push(event as FleetEvent);
    return { waves: decideWaves({ ledger, emit: emit as never }, policy, before), events, ledger };
  };

  test('leave out who is on target, and say what is planned', () => {
    const { waves, events } = decide(null, null);
    expect(waves).toEqual([{ phase: 'batch-1', slugs: ['c', 'd'] }]);
    expect(events).toEqual([
      {
        code: 'plan.ready',
        tenants: 4,
        on_target: ['a', 'b'],
        waves,
        strategy: 'scoped',
        dry_run: true,
      },
    ]);
  });

  test('take in who answers the commit but may be carried off it, and name who is rolled once more', () => {
    const unsettled = [
      { slug: 'a', sha: OLD },
      { slug: 'b', sha: NEW },
      { slug: 'c', sha: NEW },
    ];
    const { waves, events, ledger } = decide(null, last({ unsettled }));
    expect(waves).toEqual([{ phase: 'batch-1', slugs: ['a', 'c', 'd'] }]);
    expect(events).toEqual([
      { code: 'warning', reason: whyDoubted(['a']) },
      { code: 'warning', reason: whyAgain(['c']) },
      expect.objectContaining({ code: 'plan.ready', on_target: ['b'] }),
    ]);
    expect(['a', 'b', 'c', 'd'].map((slug) => ledger.get(slug).rolledBefore)).toEqual([
      'elsewhere',
      null,
      'here',
      null,
    ]);
  });

  test('who is rolled because of another commit is not named as rolled once more', () => {
    const both = [
      { slug: 'a', sha: OLD },
      { slug: 'a', sha: NEW },
    ];
    const { events, ledger } = decide(null, last({ unsettled: both }));
    expect(events.map(({ code }) => code)).toEqual(['warning', 'plan.ready']);
    expect(ledger.get('a').rolledBefore).toBe('elsewhere');
  });

  test('a canary on target soaks again where no soak is on record, and one that is not here is none', () => {
    const unknown = decide('a', null);
    expect(unknown.waves[0]).toEqual({ phase: 'canary', slugs: ['a'], soak_only: true });
    expect(unknown.ledger.get('a').soaked).toBe(false);
    const soaked = decide('a', last({ soaked: ['a'] }));
    expect(soaked.waves).toEqual([{ phase: 'batch-1', slugs: ['c', 'd'] }]);
    expect(['a', 'b'].map((slug) => soaked.ledger.get(slug).soaked)).toEqual([true, false]);
    const anew = decide('a', last({ soaked: ['a'], unsettled: [{ slug: 'a', sha: OLD }] }));
    expect(anew.waves[0]).toEqual({ phase: 'canary', slugs: ['a'] });
    expect(anew.ledger.get('a').soaked).toBe(false);
    expect(decide('a', last({ soaked: ['b'] })).waves[0]?.phase).toBe('canary');
    expect(decide('z', null).waves).toEqual([{ phase: 'batch-1', slugs: ['c', 'd'] }]);
  });
});
