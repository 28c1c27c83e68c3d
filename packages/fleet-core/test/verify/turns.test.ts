/** Many questions under one timer, on a hand-stepped clock. */
import { beforeEach, expect, test } from 'vitest';
import { ManualClock } from '../../src/testing/index.js';
import { askInTurns } from '../../src/verify/turns.js';

let clock: ManualClock;
let end: AbortController;
beforeEach(() => {
  clock = new ManualClock();
  end = new AbortController();
});

const io = () => ({ clock, signal: end.signal });
const answerAfter = (ms: number) => new Promise<void>((resolve) => void clock.timer(ms, resolve));

test('each is asked again when its answer says so, until it says null', async () => {
  const asked: string[] = [];
  const waits: Record<string, (number | null)[]> = { a: [100, 300, null], b: [250, null] };
  await clock.runUntil(
    askInTurns(io(), ['a', 'b'], 2, async (item) => {
      asked.push(`${item}@${clock.monotonic()}`);
      return waits[item]?.shift() ?? null;
    }),
  );
  expect(asked).toEqual(['a@0', 'b@0', 'a@100', 'b@250', 'a@400']);
  expect(clock.pending).toBe(0);
});

test('no more than the bound are asked at the same moment', async () => {
  let [now, most] = [0, 0];
  const items = Array.from({ length: 50 }, (_, index) => index);
  await clock.runUntil(
    askInTurns(io(), items, 4, async () => {
      most = Math.max(most, ++now);
      await answerAfter(10);
      now--;
      return null;
    }),
  );
  expect(most).toBe(4);
});

test('those who never answer starve nobody', async () => {
  const answered: number[] = [];
  const items = Array.from({ length: 1_000 }, (_, index) => index);
  const work = askInTurns(io(), items, 32, async (item) => {
    // Every fifth is a black hole until its request times out.
    await answerAfter(item % 5 === 0 ? 10_000 : 5);
    if (item % 5 !== 0) answered.push(clock.monotonic());
    return null;
  });
  await clock.runUntil(work);
  expect(answered).toHaveLength(800);
  expect(Math.max(...answered)).toBeLessThan(8_000);
  expect(clock.monotonic()).toBeLessThan(18_000);
});

test('an abort ends the asking with its reason, after what is under way has ended', async () => {
  let underWay = 0;
  const work = askInTurns(io(), [1, 2, 3], 2, async () => {
    underWay++;
    await answerAfter(50);
    underWay--;
    return 1_000;
  });
  void answerAfter(20).then(() => end.abort('SIGINT'));
  await expect(clock.runUntil(work)).rejects.toBe('SIGINT');
  expect(underWay).toBe(0);
  expect(clock.pending).toBe(0);
});

test('a fault of one question ends all, with the fault', async () => {
  const fault = new Error('out of the ordinary');
  const work = askInTurns(io(), [1, 2, 3], 1, async (item) => {
    await answerAfter(10);
    if (item === 2) throw fault;
    return 100;
  });
  await expect(clock.runUntil(work)).rejects.toBe(fault);
  expect(clock.pending).toBe(0);
});

test('nothing is asked once it was ended before it began', async () => {
  end.abort('SIGTERM');
  const asked: number[] = [];
  await expect(
    askInTurns(io(), [1], 1, async (item) => {
      asked.push(item);
      return null;
    }),
  ).rejects.toBe('SIGTERM');
  expect(asked).toEqual([]);
});

test('no items: it ends at once', async () => {
  await askInTurns(io(), [], 1, async () => null);
});

test('a wait that is too short to move the clock is a millisecond', async () => {
  let asked = 0;
  await clock.runUntil(askInTurns(io(), ['a'], 1, async () => (++asked < 5 ? 1e-13 : null)));
  expect(clock.monotonic()).toBe(4);
});

test('what piles up is handed over in parts, and asked here where no answer comes back', async () => {
  const parts: string[] = [];
  const here: number[] = [];
  let [out, most] = [0, 0];
  const items = Array.from({ length: 20 }, (_, index) => index);
  const ask = async (item: number) => {
    here.push(item);
    await answerAfter(10);
    return null;
  };
  const elsewhere = {
    ...{ least: 4, most: 6, parts: 2 },
    ask: async (part: number[]) => {
      parts.push(`${part[0]}-${part.at(-1)}@${clock.monotonic()}`);
      most = Math.max(most, ++out);
      await answerAfter(100);
      out--;
      // The first part has answers for all but two, the others for none.
      return part.map((item) => (item < 4 ? null : undefined));
    },
  };
  await clock.runUntil(askInTurns(io(), items, 1, ask, elsewhere));
  expect(parts).toEqual(['0-5@0', '6-11@0']);
  expect(most).toBe(2);
  // Meanwhile those that are left are asked here, so that too few are left for another part.
  expect(here).toEqual([12, 13, 14, 15, 16, 17, 18, 19, 4, 5, 6, 7, 8, 9, 10, 11]);
  expect(clock.pending).toBe(0);
});
