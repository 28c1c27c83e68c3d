import { describe, expect, test } from 'vitest';
import { systemClock } from '../../src/io/clock.js';
import { sleep } from '../../src/io/sleep.js';
import { ManualClock, RecordingSink, trackedHttp } from '../../src/testing/index.js';

describe('the hand-stepped clock', () => {
  test('stands still until it is moved, and moves both of its times', async () => {
    const clock = new ManualClock(1_000);
    expect([clock.monotonic(), clock.wall()]).toEqual([0, 1_000]);
    await clock.advance(250);
    expect([clock.monotonic(), clock.wall()]).toEqual([250, 1_250]);
    clock.jumpWall(-500);
    expect([clock.monotonic(), clock.wall()]).toEqual([250, 750]);
  });

  test('fires timers in the order in which they are due, then in which they were set', async () => {
    const clock = new ManualClock();
    const fired: string[] = [];
    for (const [ms, name] of [
      [20, 'c'],
      [10, 'a'],
      [10, 'b'],
      [30, 'later'],
      [-5, 'now'],
    ] as const)
      clock.timer(ms, () => fired.push(`${name}@${clock.monotonic()}`));
    await clock.advance(20);
    expect(fired).toEqual(['now@0', 'a@10', 'b@10', 'c@20']);
    expect([clock.pending, clock.nextIn]).toEqual([1, 10]);
  });

  test('fires timers that timers set, within the same step', async () => {
    const clock = new ManualClock();
    const at: number[] = [];
    const again = () => {
      at.push(clock.monotonic());
      clock.timer(10, again);
    };
    clock.timer(10, again);
    await clock.advance(35);
    expect(at).toEqual([10, 20, 30]);
  });

  test('forgets a timer that is cancelled, also twice', async () => {
    const clock = new ManualClock();
    const cancel = clock.timer(10, () => expect.unreachable());
    cancel();
    cancel();
    await clock.advance(20);
    expect([clock.pending, clock.nextIn]).toEqual([0, undefined]);
  });

  test('runs work to its end, whatever time that takes', async () => {
    const clock = new ManualClock();
    const work = async () => {
      for (let turn = 0; turn < 3; turn++) await sleep(clock, 3_600_000);
      return 'done';
    };
    expect(await clock.runUntil(work())).toBe('done');
    expect(clock.monotonic()).toBe(3 * 3_600_000);
  });

  test('ends as the work ends', async () => {
    await expect(new ManualClock().runUntil(Promise.reject(new Error('no')))).rejects.toThrow('no');
  });

  test('gives up on work that goes beyond the limit', async () => {
    const clock = new ManualClock();
    const work = sleep(clock, 1_001);
    await expect(clock.runUntil(work, { limit: 1_000 })).rejects.toThrow(/still running after 1000 ms/);
    expect(clock.monotonic()).toBe(0);
  });

  test('does not move while a request is under way', async () => {
    const clock = new ManualClock();
    const { http, inFlight } = trackedHttp(async () => {
      await new Promise((resolve) => setTimeout(resolve, 10));
      return { status: 200, headers: {}, body: `${clock.monotonic()}` };
    });
    clock.timer(5_000, () => {});
    const request = { method: 'GET', url: 'http://x', timeoutMs: 1, maxBytes: 1 } as const;
    expect((await clock.runUntil(http(request), { inFlight })).body).toBe('0');
    expect(inFlight()).toBe(0);
  });

  test('gives up on work that nothing can end', async () => {
    await expect(new ManualClock().runUntil(new Promise(() => {}))).rejects.toThrow(/no timer brings/);
  }, 20_000);
});

test('the counting port counts down for a request that fails too', async () => {
  const { http, inFlight } = trackedHttp(async () => {
    throw new Error('no');
  });
  const work = http({ method: 'GET', url: 'http://x', timeoutMs: 1, maxBytes: 1 });
  expect(inFlight()).toBe(1);
  await expect(work).rejects.toThrow('no');
  expect(inFlight()).toBe(0);
});

test('the recording sink keeps events in order, and by code', () => {
  const sink = new RecordingSink();
  sink.emit({ at: 'x', code: 'warning', reason: 'a' });
  sink.emit({ at: 'y', code: 'lock.released', group: 'g' });
  sink.emit({ at: 'z', code: 'warning', reason: 'b' });
  expect(sink.codes).toEqual(['warning', 'lock.released', 'warning']);
  expect(sink.of('warning').map((event) => event.reason)).toEqual(['a', 'b']);
});

test('the real clock waits, cancels, and takes a time that is beyond its longest timer', async () => {
  const before = systemClock.monotonic();
  await new Promise<void>((resolve) => systemClock.timer(5, resolve));
  expect(systemClock.monotonic()).toBeGreaterThan(before);
  let fired = false;
  const cancels = [5, 3_000_000_000].map((ms) =>
    systemClock.timer(ms, () => {
      fired = true;
    }),
  );
  cancels[0]?.();
  await new Promise<void>((resolve) => systemClock.timer(20, resolve));
  cancels[1]?.();
  expect(fired).toBe(false);
});
