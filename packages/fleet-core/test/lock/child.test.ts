/** A rollout under the lease of a parent process, on a hand-stepped clock. `L` numbers: docs/lock.md. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Lender } from '../../src/context.js';
import { SETTLE_ROLLS_PATH } from '../../src/contract.js';
import { FleetError } from '../../src/index.js';
import { ManualClock } from '../../src/testing/index.js';
import { FakeFleet, json, NEW, OLD } from '../helpers/fake-fleet.js';
import { FakeLock } from '../helpers/fake-lock.js';
import { run } from '../helpers/run.js';

/** The claim that the fake status shows. */
const CLAIM = '6f1c1f0e-2b0a-4d7b-9e55-0c4f3f1a7d10';
let fleet: FakeFleet;
let lock: FakeLock;
beforeEach(async () => {
  fleet = await FakeFleet.start(['acme', 'birch']);
  lock = new FakeLock(fleet);
  lock.held = 41;
});
afterEach(() => fleet.stop());
const lent = () => ({
  ...fleet.options,
  ...{ noLock: undefined, lockGroup: 'staging', batchSize: 1 },
  lockInherited: { group: 'staging', fencingToken: 41 },
});

/** Answers the first `times` questions as the lock stands, and then as `then` says. */
function after(times: number, then: Partial<Record<'held', number | null>>): void {
  lock.status = (_, response) => {
    if (lock.of('status').length > times) Object.assign(lock, then);
    lock.show(response);
  };
}

test('L35: a command inside `fleet lock run` rolls under the lease of its parent', async () => {
  const { result } = await run(lent());
  expect(result).toMatchObject({ outcome: 'succeeded', lock: { fencing_token: 41, waited_ms: 0 } });
  expect(fleet.rolls.map((roll) => roll.fence)).toEqual(['41', '41']);
  expect(lock.of('claim')).toEqual([]);
  // Before anything, before each roll, and before the verdict.
  expect(lock.of('status')).toHaveLength(4);
  await run({ ...lent(), lockGroup: 'other', force: true });
  expect(lock.of('claim')).toHaveLength(1);
});

describe('a lease that holds no more', () => {
  test.each([null, 42])('is asked before anything: the lock is held by %j', async (held) => {
    lock.held = held;
    const { result, sink } = await run(lent());
    expect([result.outcome, result.exit_code, result.counts.enumerated]).toEqual(['lock_lost', 3, 0]);
    expect(result.reason).toMatch(/FLEET_LOCK_FENCE names \(41\)/);
    expect(fleet.rolls).toEqual([]);
    expect(sink.codes).not.toContain('plan.ready');
  });

  test('ends a rollout before its next roll', async () => {
    after(2, { held: 42 });
    const { result } = await run(lent());
    expect([result.outcome, fleet.rolls.length]).toEqual(['lock_lost', 1]);
  });

  test('proves nothing, though every tenant is on target', async () => {
    await run(lent());
    after(lock.of('status').length + 1, { held: null });
    const { result } = await run(lent());
    expect([result.outcome, result.deployed, fleet.rolls.length]).toEqual(['lock_lost', false, 2]);
    expect(result.counts.on_target).toBe(2);
  });

  test('is told from a parent that has not renewed for a while', async () => {
    let stale = 3;
    lock.status = (_, response) => lock.show(response, {}, { alive: stale-- <= 0 });
    expect((await run(lent())).result.outcome).toBe('succeeded');
    lock.status = (_, response) => lock.show(response, {}, { alive: false });
    expect((await run(lent())).result.outcome).toBe('lock_lost');
  });
});

test('a roll under an older token is waited for before the tenants are asked', async () => {
  const clock = new ManualClock();
  const draining = { fencing_token: 40, slugs: ['acme'], since_seconds: 3 };
  let asked = 0;
  lock.status = (_, response) => lock.show(response, asked++ < 90 ? { draining } : {});
  const { result } = await run({ ...lent(), timeoutMs: 600_000 }, { clock });
  expect(result.outcome).toBe('succeeded');
  expect(asked).toBeGreaterThan(90);
});

describe('one lease carries one rollout at a time', () => {
  const context = (lender: Lender) => ({ lender });

  test('its turn is waited for, and ended after the verdict', async () => {
    const told: string[] = [];
    const lender: Lender = {
      turn: async () => {
        told.push(`asked after ${fleet.rolls.length} rolls`);
        return {
          lost: new AbortController().signal,
          end: () => told.push(`ended after ${fleet.rolls.length}`),
        };
      },
    };
    expect((await run(lent(), context(lender))).result.outcome).toBe('succeeded');
    expect(told).toEqual(['asked after 0 rolls', 'ended after 2']);
  });

  test('a parent that is gone ends the rollout', async () => {
    const lost = new AbortController();
    const ended: string[] = [];
    const lender: Lender = { turn: async () => ({ lost: lost.signal, end: () => ended.push('ended') }) };
    lock.status = (_, response) => {
      lock.show(response);
      if (fleet.rolls.length) lost.abort(new FleetError('LOCK_LOST', 'gone', { outcome: 'lock_lost' }));
    };
    const { result } = await run(lent(), context(lender));
    expect([result.outcome, fleet.rolls.length, ended]).toEqual(['lock_lost', 1, ['ended']]);
  });

  test('waiting ends with --lock-wait', async () => {
    const lender: Lender = {
      turn: (signal) => new Promise((_, no) => signal.addEventListener('abort', () => no(signal.reason))),
    };
    const { result } = await run({ ...lent(), lockWaitMs: 60_000 }, context(lender));
    expect([result.outcome, fleet.rolls.length]).toEqual(['lock_timeout', 0]);
    expect(result.reason).toMatch(/another rollout goes on under the same lease/);
  });
});

describe('what a rollout under a lent lease leaves', () => {
  const withSession = () => ({
    ...lent(),
    ...{ orderKey: undefined, order: 5, repository: 'shop/shop', branch: 'main' },
    lockInherited: { group: 'staging', fencingToken: 41, session: 'session-of-the-parent' },
  });
  beforeEach(() => {
    lock.token = 41;
  });

  const marked = () => lock.of('rollout').map(({ body }) => (body.order ? 'marks' : '-'));

  test('is the record of the claim, with its end, and the mark of its order', async () => {
    const { result } = await run(withSession());
    expect(result.outcome).toBe('succeeded');
    const order = { key: 'shop/shop@main', number: 5 };
    expect(lock.of('rollout').at(-1)).toMatchObject({
      ...{ claim: CLAIM, body: { session: 'session-of-the-parent', fencing_token: 41, order } },
    });
    // At the start, before and after each of two rolls, and at the verdict.
    expect(marked()).toEqual(['-', 'marks', '-', 'marks', '-', 'marks']);
    expect(lock.rollouts[0]?.rollout).toMatchObject({ outcome: 'succeeded', open_calls: [] });
    expect(lock.of('release')).toEqual([]);
  });

  test('also where nothing had to be rolled', async () => {
    for (const slug of ['acme', 'birch']) fleet.tenants.set(slug, NEW);
    await run(withSession());
    expect(marked()).toEqual(['-', 'marks']);
  });

  test.each([
    ['a part of the fleet', { only: ['acme'] }],
    ['a fleet that is not proven', { settleBudgetMs: 1 }],
  ])('is no mark at the end of %s', async (_name, more) => {
    fleet.stuck.add('birch');
    await run({ ...withSession(), ...more });
    expect(marked().length).toBeGreaterThan(2);
    expect(marked().at(-1)).toBe('-');
  });

  test('is nothing rolled where a newer one of its key was before', async () => {
    lock.keep = ({ body }, response) =>
      body.order
        ? json(response, 409, { error: 'outdated', by: { number: 6, sha: NEW } })
        : json(response, 200, { state: 'held' });
    const { result } = await run(withSession());
    expect([result.outcome, fleet.rolls]).toEqual(['superseded', []]);
    expect(result.reason).toContain('number 6');
  });

  test('is nothing without the session of the parent, which is said', async () => {
    const { result } = await run(lent());
    expect(lock.of('rollout')).toEqual([]);
    expect(result.warnings).toEqual([expect.stringContaining('FLEET_LOCK_SESSION is not set')]);
  });

  test('is waited for by the next one: a child that was killed left a roll under this very lease', async () => {
    const clock = new ManualClock();
    for (const slug of ['acme', 'birch']) fleet.tenants.set(slug, NEW);
    const end = new AbortController();
    fleet.tenants.set('acme', OLD);
    fleet.script.set(0, () => end.abort('SIGTERM'));
    await run(withSession(), { signal: end.signal });
    const [{ key } = {}] = lock.rollouts[0]?.rollout.open_calls ?? [];
    expect(key).toBe(fleet.rolls[0]?.key);

    const asked: unknown[] = [];
    const locks = fleet.extra;
    fleet.extra = (request, response, body) => {
      if (request.url !== SETTLE_ROLLS_PATH) return locks?.(request, response, body) ?? false;
      asked.push(JSON.parse(body).keys);
      const open = clock.monotonic() < 40_000;
      if (!open) fleet.tenants.set('acme', NEW);
      json(response, 200, { rolls: [{ key, state: open ? 'open' : 'ended' }] });
      return true;
    };
    const { result } = await run(withSession(), { clock });
    expect(asked[0]).toEqual([key]);
    expect(clock.monotonic()).toBeGreaterThanOrEqual(40_000);
    expect(result).toMatchObject({ outcome: 'succeeded', reason: 'already on target' });
    expect(fleet.rolls).toHaveLength(1);
  });
});

test('a roll under an older token that does not end is not waited for longer than any roll may take', async () => {
  const clock = new ManualClock();
  const draining = { fencing_token: 40, slugs: ['acme'], since_seconds: 300 };
  lock.status = (_, response) => lock.show(response, { draining });
  const { result, sink } = await run(lent(), { clock });
  expect(result.outcome).toBe('lock_timeout');
  expect(sink.of('lock.draining')).toMatchObject([{ since_ms: 300_000, at_most_ms: 900_000 }]);
  expect(clock.monotonic()).toBeLessThan(910_000);
});
