/** A server that answers at once is not asked in a tight loop. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checkOptions } from '../../src/config/check-options.js';
import { systemHttp } from '../../src/io/http.js';
import { watchLock } from '../../src/lock/admin.js';
import { ManualClock, trackedHttp } from '../../src/testing/index.js';
import { FakeFleet, json } from '../helpers/fake-fleet.js';
import { FakeLock } from '../helpers/fake-lock.js';
import { run } from '../helpers/run.js';

let fleet: FakeFleet;
let lock: FakeLock;
beforeEach(async () => {
  fleet = await FakeFleet.start(['acme']);
  lock = new FakeLock(fleet);
});
afterEach(() => fleet.stop());
const locked = () => ({ ...fleet.options, noLock: undefined, lockGroup: 'staging' });
/** Twice a second is often enough for anything. */
const most = (ms: number) => ms / 375 + 3;

test('claims that are queued without having waited', async () => {
  const clock = new ManualClock();
  const at: number[] = [];
  lock.claim = (_, response) => {
    at.push(clock.monotonic());
    lock.queue(response);
  };
  const { result } = await run({ ...locked(), lockWaitMs: 30_000 }, { clock });
  expect(result.outcome).toBe('lock_timeout');
  expect(at.length).toBeGreaterThan(30);
  // The first one asks without waiting.
  for (const [index, sent] of at.entries())
    if (index > 1) expect(sent - (at[index - 1] ?? 0)).toBeGreaterThan(370);
});

test('claims that are over as soon as they are made', async () => {
  const clock = new ManualClock();
  lock.claim = (_, response) => json(response, 410, { error: 'claim_over', state: 'released' });
  const { result } = await run({ ...locked(), trigger: { runId: '1', job: 'deploy' } }, { clock });
  expect(result.outcome).toBe('control_plane_error');
  expect(clock.monotonic()).toBeGreaterThan(5_000);
});

test('renewals of a lease that the server calls very short', async () => {
  lock.renew = (_, response) => json(response, 200, { state: 'held', ttl_seconds: 0.9 });
  fleet.stuck.add('acme');
  await run({ ...locked(), lockTtlMs: 2_000, settleBudgetMs: 20_000 });
  expect(lock.of('renew').length).toBeGreaterThan(1);
  expect(lock.of('renew').length).toBeLessThan(25_000 / 250);
});

test('a status that is told without having waited', async () => {
  const clock = new ManualClock();
  const tracked = trackedHttp(systemHttp(clock));
  let version = 0;
  const status = { group: 'staging', held: null, queue: [], frozen: null, last_fencing_token: 0 };
  fleet.extra = (_, response) => {
    json(response, 200, { ...status, version: Math.floor(version++ / 2) });
    return true;
  };
  const end = new AbortController();
  clock.timer(10_000, () => end.abort());
  const config = checkOptions('lock', locked());
  const watch = async () => {
    for await (const _ of watchLock(config, { ports: { clock, http: tracked.http }, signal: end.signal }));
  };
  await clock.runUntil(watch(), { inFlight: tracked.inFlight });
  expect(version).toBeGreaterThan(10);
  expect(version).toBeLessThan(most(10_000));
});
