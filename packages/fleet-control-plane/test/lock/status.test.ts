/** Who looks at the lock costs one read at a time, and keeps nobody waiting who holds it. */
import { expect, it } from 'vitest';
import type { Query, Reader } from '../../src/db/database.js';
import { StatusService } from '../../src/lock/api/status.js';
import { Observer } from '../../src/lock/liveness/liveness.js';
import { statusTopic, WakeHub } from '../../src/lock/waiting/long-polls.js';
import { Turns } from '../../src/lock/waiting/turns.js';
import { ManualClock } from '../support/clock.js';

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** A lock whose version a test sets, and that counts how often it is read. */
function watched() {
  const clock = new ManualClock();
  const hub = new WakeHub(clock);
  const lock = { version: 1, reads: 0, fails: false };
  const rows = async ({ name }: Query) => {
    if (name !== 'group-read') return [];
    lock.reads += 1;
    const { version } = lock;
    await turn();
    if (lock.fails) throw new Error('the database is away');
    return [{ name: 'g', version, lastToken: 0, frozen: null, openRolls: [] }];
  };
  const db = { rows } as Reader;
  const service = new StatusService({ db, hub, clock, observer: new Observer(), named: new Set() });
  const poll = async (after: number) =>
    JSON.parse(await service.status('g', after, 20, new AbortController().signal)).version;
  return { lock, hub, poll };
}

it('however many wait for a change, one read answers all of them', async () => {
  const { lock, hub, poll } = watched();
  const polls = Array.from({ length: 500 }, () => poll(1));
  await asleep(500);
  lock.reads = 0;
  lock.version = 2;
  hub.wake(statusTopic('g'), { kind: 'look' });
  expect(await Promise.all(polls)).toEqual(polls.map(() => 2));
  expect(lock.reads).toBeLessThanOrEqual(2);
});

/** Until the whole crowd has looked once and waits. */
async function asleep(count: number) {
  const turns = new Turns();
  await Promise.all(Array.from({ length: count + 50 }, () => turns.take()));
}

it('who is woken while a read is under way gets one that began after that', async () => {
  const { lock, hub, poll } = watched();
  const first = poll(0);
  const second = poll(1);
  lock.version = 2;
  hub.wake(statusTopic('g'), { kind: 'look' });
  expect([await first, await second]).toEqual([1, 2]);
});

it('a read that fails is nobody else’s', async () => {
  const { lock, poll } = watched();
  lock.fails = true;
  await expect(poll(0)).rejects.toThrow('the database is away');
  lock.fails = false;
  expect(await poll(0)).toBe(1);
});

it('others get their turn while a crowd is answered', async () => {
  const turns = new Turns();
  let answered = 0;
  const crowd = Array.from({ length: 500 }, () => turns.take().then(() => (answered += 1)));
  await turn();
  expect(answered).toBeLessThan(100);
  await Promise.all(crowd);
  expect(answered).toBe(500);
});
