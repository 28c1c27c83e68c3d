/** What a run leaves behind on the lock server, and what the next one makes of it. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ROLLOUT_MAX_BYTES, ROLLOUT_TIMELINE_MAX, type RolloutRecord } from '../../src/contract.js';
import { type RecordFacts, recordOf } from '../../src/rollout/record.js';
import { ManualClock } from '../../src/testing/index.js';
import { Ledger } from '../../src/verify/ledger.js';
import { FakeFleet, json, NEW, OLD } from '../helpers/fake-fleet.js';
import { FakeLock } from '../helpers/fake-lock.js';
import { run } from '../helpers/run.js';

let fleet: FakeFleet;
let lock: FakeLock;
beforeEach(async () => {
  fleet = await FakeFleet.start(['acme', 'birch', 'cedar']);
  lock = new FakeLock(fleet);
});
afterEach(() => fleet.stop());
const locked = () => ({ ...fleet.options, noLock: undefined, lockGroup: 'staging', batchSize: 1 });
const records = () => lock.calls.flatMap(({ body }) => (body.rollout ? [body.rollout as RolloutRecord] : []));
/** A record of a run before this one. */
const leave = (rollout: Partial<RolloutRecord>) => {
  lock.rollouts = [
    {
      ...{ claim_id: 'b3b8f0f6-6a55-4f0e-8b1c-3a4b0c7f9d10', fencing_token: 6, holder: { name: 'before' } },
      ...{ state: 'lost', started_at: '2026-01-01T00:00:00Z' },
      rollout: { target_tag: 'staging-ccccccc', tool_version: '1.0.0', ...rollout },
    },
  ];
};
const tenants = (...slugs: string[]) => slugs.map((slug) => ({ slug, status: 'on_target' }));

describe('what is left', () => {
  test('how long the tenants took from their roll to the new commit', async () => {
    await run(locked());
    const [first] = records();
    expect(first?.flips).toBeUndefined();
    expect(records().at(-1)?.flips).toMatchObject({ tenants: 3 });
  });

  test('the state at the start, around each wave and at the verdict', async () => {
    const { result } = await run(locked());
    expect(result.outcome).toBe('succeeded');
    const seen = records().map(({ counts, outcome }) => [counts?.on_target, outcome]);
    expect(seen).toEqual([
      // At the start, then before and after each wave, and at the verdict.
      [0, undefined],
      [0, undefined],
      [1, undefined],
      [1, undefined],
      [2, undefined],
      [2, undefined],
      [3, undefined],
      [3, 'succeeded'],
    ]);
    expect(records().at(-1)).toMatchObject({
      target_tag: 'staging-bbbbbbb',
      expected_sha: NEW,
      counts: { enumerated: 3 },
      tenants: [
        { slug: 'acme', status: 'on_target', phase: 'batch-1', baseline_sha: OLD, observed_sha: NEW },
        {},
        {},
      ],
      open_calls: [],
      policy: { strategy: 'scoped', batch_size: 1 },
    });
  });

  test('when what happened to whom, once the run has ended', async () => {
    const { result } = await run(locked());
    expect(result.timeline?.length).toBeGreaterThan(9);
    expect(records().map(({ timeline }) => timeline !== undefined)).toEqual([
      ...Array.from({ length: 7 }, () => false),
      true,
    ]);
    // What comes after the record is the release itself.
    expect(records().at(-1)?.timeline).toEqual(result.timeline);
  });

  test('of a big fleet the waves, and the tenants that are not on target: bounded, whatever its size', () => {
    const slugs = Array.from({ length: 100_000 }, (_, index) => `t${index}`);
    const ledger = new Ledger(NEW, 1, []);
    for (const slug of slugs) {
      ledger.add(slug);
      ledger.observe(slug, { kind: 'sha', sha: slug === 't7' ? OLD : NEW }, 0);
    }
    const waves = slugs.map((_, at_ms) => ({ at_ms, event: 'wave.started', phase: `batch-${at_ms}` }));
    const rolled = slugs.map((slug, at_ms) => ({ at_ms, event: 'tenant.rolled', slug }));
    const recordWith = (timeline: RecordFacts['timeline'], ending = { outcome: 'failed', reason: 'why' }) =>
      recordOf({
        ...{ environment: 'staging', targetTag: 'x', expectedSha: NEW, runUrl: null, ledger, fleet: slugs },
        policy: { canary: 't3' } as RecordFacts['policy'],
        ...{ openRolls: [], inherited: [], flips: null, timeline, ending },
      });
    const few = recordWith([...waves.slice(0, 5), ...rolled]).timeline ?? [];
    expect(few.map(({ phase, slug }) => phase ?? slug)).toEqual([
      ...['batch-0', 'batch-1', 'batch-2', 'batch-3', 'batch-4', 't3', 't7'],
    ]);
    const many = recordWith([...waves, ...rolled]);
    expect(many.timeline).toHaveLength(ROLLOUT_TIMELINE_MAX);
    expect(JSON.stringify(many).length).toBeLessThan(ROLLOUT_MAX_BYTES / 2);
  });

  test('how a run ended that was stopped, with the call that it left open', async () => {
    const end = new AbortController();
    fleet.script.set(1, () => end.abort('SIGTERM'));
    await run(locked(), { signal: end.signal });
    expect(records().at(-1)).toMatchObject({
      outcome: 'interrupted',
      open_calls: [{ slugs: ['birch'], expected_sha: NEW, may_last_seconds: 600 }],
    });
    expect(lock.of('release')[0]?.body.result).toBe('not_proven');
  });

  test('where the control plane tells of no open rolls, a call stands in the record before it is sent', async () => {
    lock.features = ['rollouts'];
    const before: (number | undefined)[] = [];
    for (const index of [0, 1, 2]) {
      fleet.script.set(index, (roll, response, done) => {
        before.push(
          lock.rollouts[0]?.rollout.open_calls?.filter(({ slugs }) => slugs.join() === roll.slugs.join())
            .length,
        );
        done();
        json(response, 200, { ok: true, results: roll.slugs.map((slug) => ({ slug })) });
      });
    }
    await run(locked());
    expect(before).toEqual([1, 1, 1]);
    expect(records().at(-1)?.open_calls).toEqual([]);
  });

  test('a call whose tenants all answer the commit is not left open, though its answer was lost', async () => {
    fleet.script.set(2, (_, response, done) => {
      done();
      response.socket?.destroy();
    });
    await run(locked());
    expect(records().at(-1)).toMatchObject({ outcome: 'succeeded', open_calls: [] });
  });

  test('a record that is not taken is one warning, and the roll goes on', async () => {
    lock.takesRecords = false;
    const { result } = await run(locked());
    expect(result.outcome).toBe('succeeded');
    expect(result.warnings).toEqual([expect.stringContaining('did not keep the record of this rollout')]);
  });

  test('a fleet that is refused leaves no record: the next run is held against the same one', async () => {
    leave({ tenants: tenants('acme', 'dune') });
    await run(locked());
    expect(records()).toEqual([]);
  });
});

describe('a tenant that an earlier run rolled to another commit', () => {
  const other = 'c'.repeat(40);
  beforeEach(() => {
    // All answer the commit that is wanted; acme does so from its old container, which still drains.
    for (const slug of ['acme', 'birch', 'cedar']) fleet.tenants.set(slug, NEW);
  });

  test.each([
    ['and did not see there', { unsettled: [{ slug: 'acme', sha: other }] }],
    [
      'by a call whose end it did not see',
      {
        open_calls: [
          {
            ...{ slugs: ['acme'], target_tag: 'staging-ccccccc', expected_sha: other },
            ...{ sent_at: '2026-01-01T00:00:00Z', may_last_seconds: 600 },
          },
        ],
      },
    ],
  ])('%s is rolled, whatever it answers', async (_how, left) => {
    leave({ tenants: tenants('acme', 'birch', 'cedar'), ...left });
    const { result } = await run(locked());
    expect(fleet.rolled).toEqual(['acme']);
    const again = 'rolled although on target, after an earlier run to another commit: acme';
    expect(result).toMatchObject({ outcome: 'succeeded', reason: `all 3 tenants on target; ${again}` });
    expect(result.tenants.map(({ detail }) => detail)).toEqual([
      'was on target, and rolled since an earlier run had rolled it to another commit',
      null,
      null,
    ]);
    expect(result.warnings).toEqual([
      expect.stringMatching(/^acme: rolled to another commit by an earlier run/),
    ]);
    expect(records().at(-1)?.unsettled).toEqual([]);
  });

  test('is left alone where that was this very commit', async () => {
    leave({ tenants: tenants('acme', 'birch', 'cedar'), unsettled: [{ slug: 'acme', sha: NEW }] });
    const { result } = await run(locked());
    expect(fleet.rolled).toEqual([]);
    expect(result.reason).toBe('already on target');
    expect(records().at(-1)?.unsettled).toEqual([]);
  });

  test('is settled once it was seen there: it has come to that commit', async () => {
    fleet.tenants.set('acme', other);
    leave({ tenants: tenants('acme', 'birch', 'cedar'), unsettled: [{ slug: 'acme', sha: other }] });
    const end = new AbortController();
    fleet.script.set(0, () => end.abort('SIGTERM'));
    await run(locked(), { signal: end.signal });
    expect(records().at(-1)?.unsettled).toEqual([{ slug: 'acme', sha: NEW }]);
  });

  test('stays on record until a roll has proven it, however many runs lie between', async () => {
    leave({ tenants: tenants('acme', 'birch', 'cedar'), unsettled: [{ slug: 'acme', sha: other }] });
    const end = new AbortController();
    fleet.script.set(0, () => end.abort('SIGTERM'));
    await run(locked(), { signal: end.signal });
    expect(records().at(-1)?.unsettled).toEqual([
      { slug: 'acme', sha: other },
      { slug: 'acme', sha: NEW },
    ]);
  });
});

describe('a tenant that an earlier run rolled to this very commit and did not see there', () => {
  const open = {
    ...{ slugs: ['acme'], target_tag: 'staging-bbbbbbb', expected_sha: NEW },
    ...{ sent_at: '2026-01-01T00:00:00Z', may_last_seconds: 600 },
  };
  test.each([
    ['by a roll that was answered', { unsettled: [{ slug: 'acme', sha: NEW }] }],
    ['by a roll that went on when the run was killed', { open_calls: [open] }],
  ])('%s: that it is rolled once more is said in report and verdict', async (_how, left) => {
    leave({ tenants: tenants('acme', 'birch', 'cedar'), ...left });
    const { result } = await run(locked());
    expect(result.reason).toBe('all 3 tenants on target; rolled once more after an earlier run: acme');
    expect(result.warnings).toEqual([
      expect.stringMatching(/^acme: rolled to this commit by an earlier run/),
    ]);
    expect(result.tenants[0]?.detail).toContain('an earlier run had rolled it to this commit already');
    expect(result.tenants[1]?.detail).toBeNull();
  });

  test('and that is on it by now is not rolled', async () => {
    leave({ tenants: tenants('acme', 'birch', 'cedar'), open_calls: [open] });
    for (const slug of ['acme', 'birch', 'cedar']) fleet.tenants.set(slug, NEW);
    const { result } = await run(locked());
    expect([result.reason, fleet.rolls]).toEqual(['already on target', []]);
  });
});

describe('a call that an earlier run left open', () => {
  const clock = () => new ManualClock();
  const openCall = (at: ManualClock, sinceMs: number) => ({
    slugs: ['acme', 'birch'],
    target_tag: 'staging-ccccccc',
    expected_sha: 'c'.repeat(40),
    sent_at: new Date(at.wall() - sinceMs).toISOString(),
    may_last_seconds: 600,
  });

  test('is waited for until its time is over, and nothing is surveyed before', async () => {
    lock.features = ['rollouts'];
    const at = clock();
    for (const slug of ['acme', 'birch', 'cedar']) fleet.tenants.set(slug, NEW);
    leave({ tenants: tenants('acme', 'birch', 'cedar'), open_calls: [openCall(at, 60_000)] });
    let plans = 0;
    at.timer(500_000, () => {
      plans = fleet.plans;
      // The older roll lands.
      fleet.tenants.set('acme', OLD);
    });
    const { result, sink } = await run(locked(), { clock: at });
    expect(plans).toBe(0);
    expect(sink.of('lock.draining')).toMatchObject([
      { fencing_token: 6, slugs: ['acme', 'birch'], since_ms: 60_000 },
    ]);
    expect(at.monotonic()).toBeGreaterThanOrEqual(540_000);
    expect(fleet.rolled).toEqual(['acme']);
    expect(result).toMatchObject({ outcome: 'succeeded', counts: { on_target: 3 } });
  });

  test.each([
    ['no longer than any roll may take, whatever the record says', { may_last_seconds: 1e9 }, 1_200_000],
    ['in full where the record does not say since when', { sent_at: 'at noon' }, 600_000],
  ])('is waited for %s', async (_how, patch, lasts) => {
    lock.features = ['rollouts'];
    const at = clock();
    leave({
      tenants: tenants('acme', 'birch', 'cedar'),
      open_calls: [{ ...openCall(at, 0), ...patch }],
    });
    expect((await run(locked(), { clock: at })).result.outcome).toBe('succeeded');
    expect(at.monotonic()).toBeGreaterThanOrEqual(lasts);
    expect(at.monotonic()).toBeLessThan(lasts + 100_000);
  });

  test.each<[string, Partial<RolloutRecord>]>([
    ['tenants', { tenants: tenants('acme', 'dune;id') }],
    ['open calls', { open_calls: [{ ...openCall(clock(), 0), slugs: ['x@evil.example/'] }] }],
    ['unsettled tenants', { unsettled: [{ slug: '../x', sha: OLD }] }],
  ])(
    'a record whose %s bear names that are no slugs ends the run: nobody is asked or named by them',
    async (_what, left) => {
      lock.features = ['rollouts'];
      leave(left);
      const { result } = await run(locked());
      expect(result).toMatchObject({
        outcome: 'control_plane_error',
        reason: expect.stringMatching(/^the record of the last rollout names a tenant whose name is no slug/),
      });
      expect(fleet.rolls).toEqual([]);
    },
  );

  test('is over once all its tenants answer what it rolls to', async () => {
    lock.features = ['rollouts'];
    const at = clock();
    leave({ tenants: tenants('acme', 'birch', 'cedar'), open_calls: [openCall(at, 0)] });
    at.timer(20_000, () => {
      for (const slug of ['acme', 'birch']) fleet.tenants.set(slug, 'c'.repeat(40));
    });
    const { result } = await run(locked(), { clock: at });
    expect(result.outcome).toBe('succeeded');
    expect(at.monotonic()).toBeLessThan(60_000);
  });

  test.each([
    ['is over by its time', ['rollouts'], 700_000],
    ['was waited for by a lock that tells of open rolls', ['rollouts', 'draining'], 0],
  ])('costs nothing where it %s', async (_name, features, sinceMs) => {
    lock.features = features;
    const at = clock();
    leave({ tenants: tenants('acme', 'birch', 'cedar'), open_calls: [openCall(at, sinceMs)] });
    const { result, sink } = await run(locked(), { clock: at });
    expect(result.outcome).toBe('succeeded');
    expect(sink.of('lock.draining')).toEqual([]);
    expect(at.monotonic()).toBeLessThan(10_000);
  });

  test('a record that cannot be read refuses the run', async () => {
    lock.givesRecords = false;
    const { result } = await run(locked());
    expect(result).toMatchObject({ outcome: 'refused', exit_code: 4 });
    expect(fleet.rolls).toEqual([]);
  });
});

describe('the soak on record', () => {
  const soaked = (sha: string) => ({
    expected_sha: sha,
    tenants: [{ slug: 'acme', soaked: true }, ...tenants('birch', 'cedar')],
  });
  test.each([
    ['of this commit: the canary does not soak again', NEW, 0],
    ['of another commit: it does', OLD, 1],
  ])('%s', async (_name, sha, soaks) => {
    leave(soaked(sha));
    fleet.tenants.set('acme', NEW);
    const { sink, result } = await run({ ...locked(), canary: 'acme', soakMs: 60_000 });
    expect(result.outcome).toBe('succeeded');
    expect(sink.of('soak.started')).toHaveLength(soaks);
    // The next run is told as well: its record is not the one that said so.
    expect(records().at(-1)?.tenants?.[0]?.soaked).toBe(true);
  });

  test('is kept once it has ended', async () => {
    await run({ ...locked(), canary: 'acme', soakMs: 60_000 });
    expect(records().map((record) => record.tenants?.[0]?.soaked)).toEqual([
      undefined,
      undefined,
      true,
      true,
      true,
      true,
      true,
      true,
    ]);
  });
});

test('a lock server of the first version: its limits are said once, and nothing new is asked of it', async () => {
  lock.features = null;
  const { result } = await run(locked());
  expect(result.outcome).toBe('succeeded');
  expect(result.warnings).toEqual([
    expect.stringMatching(/^the lock server does not say whether an older roll still runs/),
  ]);
  expect(new Set(lock.calls.map(({ verb }) => verb))).toEqual(new Set(['claim', 'features', 'release']));
  expect(records()).toEqual([]);
});
