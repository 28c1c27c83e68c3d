/** When a tenant is asked again: bounds that hold for every history, and what learning buys. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LONGEST_WAIT_MS, Pace, SHORTEST_WAIT_MS } from '../../src/verify/pace.js';

const lesson = fc.record({
  flipped: fc.boolean(),
  early: fc.double({ min: 0, max: 2_000_000, noNaN: true }),
  gap: fc.double({ min: 0, max: 60_000, noNaN: true }),
});

function taught(lessons: { flipped: boolean; early: number; gap: number }[]): Pace {
  const pace = new Pace();
  for (const { flipped, early, gap } of lessons) {
    if (flipped) pace.flipped(early, early + gap);
    else pace.waited(early, early + gap);
  }
  return pace;
}

test('whatever was seen, nobody waits longer than the bound or is asked in a tight loop', () => {
  fc.assert(
    fc.property(
      fc.array(lesson, { maxLength: 40 }),
      fc.double({ min: -10, max: 5_000_000, noNaN: true }),
      (lessons, elapsed) => {
        const wait = taught(lessons).waitMs(elapsed);
        expect(wait).toBeGreaterThanOrEqual(SHORTEST_WAIT_MS);
        expect(wait).toBeLessThanOrEqual(LONGEST_WAIT_MS);
      },
    ),
    { numRuns: 300 },
  );
});

/** Tenants that flip `at` seconds after their roll, asked one after the other. */
function follow(flips: number[]): { lags: number[]; questions: number[] } {
  const pace = new Pace();
  const lags: number[] = [];
  const questions: number[] = [];
  for (const at of flips) {
    let known = 0;
    for (let asked = 1; ; asked++) {
      const now = known + pace.waitMs(known);
      if (now >= at * 1000) {
        pace.flipped(known, now);
        lags.push(now / 1000 - at);
        questions.push(asked);
        break;
      }
      pace.waited(known, now);
      known = now;
    }
  }
  return { lags, questions };
}

const mean = (list: number[]) => list.reduce((a, b) => a + b, 0) / list.length;

test.each([15, 40, 90])(
  'tenants that flip some %i s after their roll: noticed within seconds, with a bound on questions',
  (at) => {
    const flips = Array.from({ length: 60 }, (_, index) => at * (0.7 + (index % 11) * 0.06));
    const { lags, questions } = follow(flips);
    expect(mean(lags.slice(10))).toBeLessThan(5);
    // A loop that asks every 20 s notices it 10 s late on average.
    const loop = flips.map((flip) => Math.ceil(flip / 20));
    expect(mean(questions.slice(10))).toBeLessThanOrEqual(2 * mean(loop.slice(10)));
  },
);

test('a tenant that never flips is asked no more often than every eight seconds in the end', () => {
  const pace = new Pace();
  let questions = 0;
  for (let now = 0; now < 240_000; questions++) {
    const next = now + pace.waitMs(now);
    pace.waited(now, next);
    now = next;
  }
  expect(questions).toBeGreaterThan(240 / 15);
  expect(questions).toBeLessThan(240 / 7);
});

test('tenants that flip within a second or two get questions close together', () => {
  const { lags } = follow(Array.from({ length: 20 }, (_, index) => 0.4 + (index % 5) * 0.3));
  expect(mean(lags.slice(5))).toBeLessThan(0.8);
});
