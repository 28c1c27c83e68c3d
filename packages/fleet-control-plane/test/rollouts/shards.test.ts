/** What becomes of tenants that other processes are to ask, on a hand-stepped clock. */
import type { ShardAnswers } from '@tenant-fleet/fleet-core/program';
import { beforeEach, expect, test } from 'vitest';
import { ShardDesk, type ShardQueue, type ShardSeen } from '../../src/rollouts/shards.js';
import { ManualClock } from '../support/clock.js';

const shard = { slugs: ['t1'], tenantUrl: 'http://fleet.test/{slug}', timeoutMs: 1_000, concurrency: 1 };
const answersOf = (commit: string): ShardAnswers => ({ commits: [commit], tenants: [['t1', 0, 0]] });

let clock: ManualClock;
let seen: Map<string, ShardSeen>;
let log: string[];
let desk: ShardDesk;
let queue: ShardQueue;
beforeEach(() => {
  clock = new ManualClock();
  seen = new Map();
  log = [];
  queue = {
    put: async (id) => {
      log.push(`put ${id}`);
      // As the engine: what is known by this name stays as it is.
      if (!seen.has(id)) seen.set(id, { owner: null });
    },
    look: async (ids) => new Map([...seen].filter(([id]) => ids.includes(id))),
    forget: async (id) => void log.push(`forget ${id}`),
    cancel: async (ids) => void log.push(`cancel ${ids}`),
    open: async (rollout) => [...seen.keys()].filter((id) => id.startsWith(`${rollout}/`)),
  };
  desk = new ShardDesk(queue, clock, (line) => log.push(line));
});

/** Steps time until it settles. */
async function settled<T>(work: Promise<T>): Promise<T> {
  let done = false;
  work.finally(() => {
    done = true;
  });
  for (let turns = 0; !done && turns < 1_000; turns++) {
    await new Promise((resolve) => setImmediate(resolve));
    clock.step(100);
  }
  return work;
}

const ask = async (attempt: number, signal = new AbortController().signal) =>
  (await desk.for({ id: 'r', attempt })).ask(shard, signal);

test('what has come back is read once, and forgotten', async () => {
  seen.set('r/1/1', { owner: 'p', answers: answersOf('a') });
  expect(await settled(ask(1))).toEqual(answersOf('a'));
  expect(log).toEqual(['put r/1/1', 'forget r/1/1']);
});

test('what an earlier turn has handed out is cancelled, and its answers count nothing', async () => {
  seen.set('r/1/1', { owner: 'p', answers: answersOf('old') });
  seen.set('r/2/1', { owner: 'p', answers: answersOf('new') });
  expect(await settled(ask(2))).toEqual(answersOf('new'));
  expect(log[0]).toBe('cancel r/1/1,r/2/1');
});

test.each<[string, ShardSeen]>([
  ['failed', { owner: 'p', answers: null }],
  ['went with its process', { owner: 'p' }],
])('a shard that %s is not waited for', async (_name, state) => {
  seen.set('r/1/1', state);
  const work = ask(1);
  if (state.answers === undefined) desk.lost(new Set(['p']));
  const started = clock.now();
  expect(await settled(work)).toBeNull();
  expect(clock.now() - started).toBeLessThan(2_000);
});

test('a shard that nobody takes is late after half a minute, and cancelled', async () => {
  const started = clock.now();
  expect(await settled(ask(1))).toBeNull();
  expect(clock.now() - started).toBeGreaterThanOrEqual(30_000);
  expect(clock.now() - started).toBeLessThan(32_000);
  expect(log).toEqual(['put r/1/1', 'cancel r/1/1']);
});

test('the processes that have shards are known while they have them', async () => {
  seen.set('r/1/1', { owner: 'p' });
  const end = new AbortController();
  const work = ask(1, end.signal);
  for (let turns = 0; turns < 5; turns++) {
    await new Promise((resolve) => setImmediate(resolve));
    clock.step(300);
  }
  expect(desk.helpers).toEqual(['p']);
  end.abort();
  expect(await settled(work)).toBeNull();
  expect(desk.helpers).toEqual([]);
});

test('a queue that does not answer holds nobody up', async () => {
  queue.put = () => new Promise(() => {});
  expect(await settled(ask(1))).toBeNull();
});

test('where the queue cannot be reached the tenants are asked here, and that is said', async () => {
  queue.put = async () => Promise.reject(new Error('database away'));
  expect(await settled(ask(1))).toBeNull();
  expect(log[0]).toContain('database away');
});
