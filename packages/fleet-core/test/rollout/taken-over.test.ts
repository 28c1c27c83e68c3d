/** A run that another process goes on with: what the one before did is kept, looked at, and not done again. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Durable } from '../../src/context.js';
import { type OpenCall, type RolloutRecord, SETTLE_ROLLS_PATH } from '../../src/contract.js';
import { ManualClock } from '../../src/testing/index.js';
import { FakeFleet, json, NEW, OLD } from '../helpers/fake-fleet.js';
import { FakeLock } from '../helpers/fake-lock.js';
import { run } from '../helpers/run.js';

const CLAIM = { claimId: '6f1c1f0e-2b0a-4d7b-9e55-0c4f3f1a7d10', session: 'session-of-this-process' };
/** A roll that was under way when its process was killed. */
const openCall = (): OpenCall => ({
  ...{ slugs: ['acme'], target_tag: 'staging-bbbbbbb', expected_sha: NEW, key: 'key-of-the-dead' },
  ...{ sent_at: new Date(clock.wall()).toISOString(), may_last_seconds: 600 },
});

let fleet: FakeFleet;
let lock: FakeLock;
let clock: ManualClock;
/** Steps that are done, with their values. */
let journal: Map<string, unknown>;
let startedAt: number;
beforeEach(async () => {
  fleet = await FakeFleet.start(['acme', 'birch', 'cedar']);
  lock = new FakeLock(fleet);
  clock = new ManualClock();
  startedAt = clock.wall();
  journal = new Map();
});
afterEach(() => fleet.stop());

/** One process's turn; from the step named `dies` on it does nothing. */
async function turn(takeovers: number, dies?: string) {
  const durable: Durable = {
    ...{ id: CLAIM.claimId, claim: CLAIM, holder: { name: 'the job' }, takeovers, startedAt },
    step: async (name, work) => {
      if (name === dies) throw new Error('killed');
      if (!journal.has(name)) journal.set(name, JSON.parse(JSON.stringify((await work()) ?? null)));
      return journal.get(name) as never;
    },
    mayGoOn: async () => {},
  };
  const options = { ...fleet.options, noLock: undefined, lockGroup: 'staging', batchSize: 1 };
  lock.calls.length = 0;
  const policy = { canary: 'acme', soakMs: 20_000, settleBudgetMs: 60_000 };
  return run({ ...options, ...policy }, { clock, durable });
}
/** The process before leaves its plan, and the record of its last moment. */
async function killed(dies: string, rollout: Partial<RolloutRecord>) {
  await turn(0, dies).catch(() => {});
  lock.rollouts = [
    {
      ...{ claim_id: CLAIM.claimId, fencing_token: lock.token++, holder: { name: 'the job' } },
      ...{ state: 'running', started_at: '2026-01-01T00:00:00Z' },
      rollout: { target_tag: 'staging-bbbbbbb', expected_sha: NEW, tool_version: '1.0.0', ...rollout },
    },
  ];
}
const firstRecord = () => lock.of('rollout')[0]?.body.rollout as RolloutRecord;

describe('a wave that was cut', () => {
  beforeEach(() => killed('canary', { open_calls: [openCall()] }));

  test('whom the dead process may have rolled gets its time, and is not rolled again; its soak is', async () => {
    clock.timer(30_000, () => fleet.tenants.set('acme', NEW));
    const { result, sink } = await turn(1);
    expect(result).toMatchObject({ outcome: 'succeeded', rollout: { takeovers: 1 } });
    expect(result.reason).toBe('all 3 tenants on target; taken over by another process of the server');
    expect(fleet.rolled).toEqual(['birch', 'cedar']);
    expect(sink.events.filter(({ code }) => code === 'soak.passed')).toHaveLength(1);
  });

  test('whom it never reached is rolled after that time, and the doubt is told', async () => {
    const { result } = await turn(1);
    expect(fleet.rolled).toEqual(['acme', 'birch', 'cedar']);
    expect(clock.monotonic()).toBeGreaterThanOrEqual(60_000);
    expect(result.tenants[0]).toMatchObject({ rolls: 2, detail: expect.stringContaining('rolled twice') });
  });

  test('whom its call never reached, as the control plane says, is rolled at once and without a doubt', async () => {
    const lockOf = fleet.extra;
    fleet.extra = (request, response, body) => {
      if (request.url !== SETTLE_ROLLS_PATH) return lockOf?.(request, response, body) ?? false;
      const { keys } = JSON.parse(body) as { keys: string[] };
      json(response, 200, { rolls: keys.map((key) => ({ key, state: 'given_up' })) });
      return true;
    };
    const before = clock.monotonic();
    const { result } = await turn(1);
    expect(fleet.rolled).toEqual(['acme', 'birch', 'cedar']);
    // The soak alone takes its time.
    expect(clock.monotonic() - before).toBeLessThan(40_000);
    expect(result.tenants[0]).toMatchObject({ rolls: 1, detail: null });
  });

  test('a third process knows of it too, where the second one was killed before it did anything', async () => {
    await turn(1, 'canary').catch(() => {});
    const left = firstRecord();
    journal = new Map([...journal].filter(([name]) => name !== 'canary'));
    lock.rollouts = lock.rollouts.map((entry) => ({ ...entry, rollout: left }));
    clock.timer(30_000, () => fleet.tenants.set('acme', NEW));
    const { result } = await turn(2);
    expect(result.reason).toBe(
      'all 3 tenants on target; taken over 2 times by another process of the server',
    );
    expect(fleet.rolled).toEqual(['birch', 'cedar']);
  });

  test("where the control plane does not tell of open rolls, the dead process's own is waited for", async () => {
    lock.features = ['rollouts'];
    const { sink } = await turn(1);
    expect(sink.events.find(({ code }) => code === 'lock.draining')).toMatchObject({ slugs: ['acme'] });
    expect(clock.monotonic()).toBeGreaterThanOrEqual(600_000);
  });
});

test('waves that are done are not gone through again, and stay in the verdict as they were', async () => {
  await killed('batch-2', {});
  expect(fleet.rolled).toEqual(['acme', 'birch']);
  const { result, sink } = await turn(1);
  expect(fleet.rolled).toEqual(['acme', 'birch', 'cedar']);
  expect(sink.events.flatMap((event) => (event.code === 'wave.started' ? [event.phase] : []))).toEqual([
    'batch-2',
  ]);
  expect(result.tenants.map(({ phase, baseline_sha }) => [phase, baseline_sha])).toEqual([
    ['canary', OLD],
    ['batch-1', OLD],
    ['batch-2', OLD],
  ]);
});

test('the report is that of the whole rollout: what the dead process asked, saw and warned of stands in it', async () => {
  // Its canary soaked for twenty seconds.
  const sent_at = new Date(clock.wall() + 25_000).toISOString();
  await killed('batch-2', { open_calls: [{ ...openCall(), slugs: ['cedar'], sent_at }] });
  clock.timer(30_000, () => fleet.tenants.set('cedar', NEW));
  const { result } = await turn(1);
  const calls = result.calls.map(({ kind, phase, slugs, outcome }) => [kind, phase, slugs?.join(), outcome]);
  expect(calls).toEqual([
    ['plan', null, undefined, 'answered'],
    ['roll', 'canary', 'acme', 'answered'],
    ['roll', 'batch-1', 'birch', 'answered'],
    ['roll', null, 'cedar', 'unknown'],
    ['plan', null, undefined, 'answered'],
  ]);
  const of = (event: string) => (result.timeline ?? []).filter((entry) => entry.event === event);
  expect(of('wave.proven').map(({ phase }) => phase)).toEqual(['canary', 'batch-1', 'batch-2']);
  expect(of('tenant.proven').map(({ slug }) => slug)).toEqual(['acme', 'birch', 'cedar']);
  const times = (result.timeline ?? []).map(({ at_ms }) => at_ms);
  expect(times).toEqual([...times].sort((one, other) => one - other));
});

test('a call that its process has ended, though its record does not say so, is told once', async () => {
  await killed('batch-2', { open_calls: [{ ...openCall(), slugs: ['birch'] }] });
  const { result } = await turn(1);
  expect(result.calls.filter(({ slugs }) => slugs?.includes('birch'))).toHaveLength(1);
});

test('a tenant that left the target after its wave halts the rollout', async () => {
  await killed('batch-2', {});
  fleet.tenants.set('birch', OLD);
  const { result } = await turn(1);
  expect(result).toMatchObject({ outcome: 'failed', counts: { on_target: 1, stale: 2 } });
  expect(fleet.rolled).toEqual(['acme', 'birch']);
});

test('what a rollout before this one left in doubt is rolled, whatever it answers', async () => {
  fleet.tenants.set('cedar', NEW);
  await killed('batch-1', { unsettled: [{ slug: 'cedar', sha: 'c'.repeat(40) }] });
  const plan = journal.get('plan') as { value: object };
  const waves = [
    { phase: 'canary', slugs: ['acme'] },
    { phase: 'batch-1', slugs: ['birch', 'cedar'] },
  ];
  journal.set('plan', { ...plan, value: { ...plan.value, waves } });
  const { result } = await turn(1);
  expect(result.outcome).toBe('succeeded');
  expect(fleet.rolled).toEqual(['acme', 'birch', 'cedar']);
});
