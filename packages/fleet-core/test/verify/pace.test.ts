/** When a tenant is asked again: bounds that hold for every history, and what learning buys. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Flips } from '../../src/contract.js';
import { LONGEST_WAIT_MS, mostQuestions, Pace, SHORTEST_WAIT_MS } from '../../src/verify/pace.js';

const lesson = fc.record({
  flipped: fc.boolean(),
  early: fc.double({ min: 0, max: 2_000_000, noNaN: true }),
  gap: fc.double({ min: 0, max: 60_000, noNaN: true }),
});

const rollout = fc.record({
  median_ms: fc.integer({ min: 1, max: 2_000_000 }),
  spread: fc.double({ min: 0, max: 5, noNaN: true }),
  tenants: fc.integer({ min: 1, max: 1_000_000 }),
});
const past = fc.array(rollout, { maxLength: 8 });

function taught(lessons: { flipped: boolean; early: number; gap: number }[], before: Flips[] = []): Pace {
  const pace = new Pace(before);
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
      past,
      fc.double({ min: -10, max: 5_000_000, noNaN: true }),
      fc.nat(2_000),
      fc.integer({ min: 1, max: 1_000 }),
      (lessons, before, elapsed, asked, open) => {
        const wait = taught(lessons, before).waitMs(elapsed, asked, open);
        expect(wait).toBeGreaterThanOrEqual(SHORTEST_WAIT_MS);
        expect(wait).toBeLessThanOrEqual(LONGEST_WAIT_MS);
      },
    ),
    { numRuns: 300 },
  );
});

test('whatever was seen, no tenant is asked more often than the bound', () => {
  fc.assert(
    fc.property(
      fc.array(lesson, { maxLength: 40 }),
      past,
      fc.integer({ min: 1, max: 40 }),
      fc.double({ min: 0, max: 1_000_000, noNaN: true }),
      (lessons, before, open, begin) => {
        const pace = taught(lessons, before);
        let asked = 1;
        for (let now = begin; now < begin + 300_000; asked++) {
          // What others teach while it is asked must not lift the bound.
          if (asked % 7 === 0) pace.flipped(now, now + 100);
          now += pace.waitMs(now, asked, open);
          expect(asked).toBeLessThanOrEqual(mostQuestions(now));
        }
      },
    ),
    { numRuns: 60 },
  );
});

/** Tenants that flip `at` seconds after their roll, asked one after the other. */
function follow(flips: number[], pace = new Pace()): { lags: number[]; questions: number[] } {
  const lags: number[] = [];
  const questions: number[] = [];
  for (const at of flips) {
    let known = 0;
    // The first question falls on the roll.
    for (let asked = 2; ; asked++) {
      const now = known + pace.waitMs(known, asked - 1);
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
    const loop = flips.map((flip) => 1 + Math.ceil(flip / 20));
    expect(mean(questions.slice(10))).toBeLessThanOrEqual(2 * mean(loop.slice(10)));
  },
);

test('a tenant that never flips is asked no more often than the bound, and than every six seconds in the end', () => {
  const pace = new Pace();
  let [questions, early] = [0, 0];
  for (let now = 0; now < 240_000; questions++) {
    if (now < 60_000) early = questions;
    const next = now + pace.waitMs(now, questions);
    pace.waited(now, next);
    now = next;
  }
  expect(questions).toBeGreaterThanOrEqual(240 / 20);
  expect(questions).toBeLessThanOrEqual(mostQuestions(240_000));
  expect(questions - early).toBeLessThan(180 / 6);
});

test('tenants that flip within a second or two get questions close together', () => {
  const { lags } = follow(Array.from({ length: 20 }, (_, index) => 0.4 + (index % 5) * 0.3));
  expect(mean(lags.slice(5))).toBeLessThan(0.8);
});

test('the record of the last rollouts makes the first flips of the next one noticed sooner', () => {
  const flips = Array.from({ length: 60 }, (_, index) => 38 + index / 10);
  const alike = Array.from({ length: 4 }, (_, index) => ({
    median_ms: 40_000 + index * 500,
    spread: 0.07,
    tenants: 30,
  }));
  const first = (past?: Flips[]) =>
    mean(flips.map((flip) => follow([flip], new Pace(past)).lags[0] as number));
  expect(first(alike)).toBeLessThan(first() * 0.7);
});

test('a rollout that is like none before it is still noticed in time', () => {
  const alike = Array.from({ length: 8 }, () => ({ median_ms: 5_000, spread: 0.07, tenants: 30 }));
  const { lags } = follow(
    Array.from({ length: 20 }, (_, index) => 90 + index),
    new Pace(alike),
  );
  expect(Math.max(...lags)).toBeLessThan(LONGEST_WAIT_MS / 1000);
  expect(mean(lags.slice(5))).toBeLessThan(5);
});

test('what a rollout was like stands in its record: the middle between the last old answer and the first new one', () => {
  const pace = new Pace();
  expect(pace.flips).toBeNull();
  pace.flipped(8_000, 12_000);
  pace.flipped(9_000, 11_000);
  expect(pace.flips).toEqual({ median_ms: 10_000, spread: 0, tenants: 2 });
});
