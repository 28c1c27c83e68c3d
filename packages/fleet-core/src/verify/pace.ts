/**
 * When to ask a tenant again. Questions fall where the flip to the new commit is likely: their density is proportional
 * to the root of the hazard, which makes the mean delay smallest for a given number of questions (J. B. Keller,
 * "Optimum checking schedules for systems subject to random failure", Management Science 21, 1974). The law of the
 * flips is learned from this rollout and from the ones before it: a grid of log-normal laws, each weighed by what
 * earlier rollouts were like and by how well it foretold what was seen in this one.
 */
import type { Flips } from '../contract.js';
import { LAWS, lengthOf, MEDIANS, MOMENTS, SPREADS, STEPS, stepOf, survival } from './laws.js';

/** No two questions to a tenant are closer together. */
export const SHORTEST_WAIT_MS = 200;
/** A tenant that follows no law is asked again after this long at the latest. */
export const LONGEST_WAIT_MS = 20_000;
/** Questions that a tenant may be asked within `elapsedMs` of its roll, whatever law it seems to follow. */
export const mostQuestions = (elapsedMs: number) => 12 + Math.max(elapsedMs, 0) / MOST_OFTEN_MS;
const MOST_OFTEN_MS = 8_000;

/** The bound on questions: in proportion to those of a loop that asks every 20 s until the answer is new. */
const LOOP_S = 20;
const LOOP_SHARE = 2.05;
/** Fleets that flip within seconds are worth more questions than that: a whole wave waits for its last tenant. */
const QUICK_S = 10;
const QUICK_QUESTIONS = 4;
const FEWEST_QUESTIONS = 0.5;
/** How much more the delay of the last tenant of a wave counts there than that of another. */
const LAST_COUNTS = 8;
/** A tenant may follow no law at all, so nothing that was seen rules one out. */
const DOUBT = 1e-4;
/** The same for what earlier rollouts were like: in this share of all, the next one is like none of them. */
const SURPRISE = 0.02;
/** Between rollouts the median moves by at least this much, as a standard deviation of the logarithm. */
const LEAST_MOVE = 0.1;

export class Pace {
  /** Logarithm of each law's weight. */
  readonly #weights: Float64Array;
  /** What was seen since the table was made: how often, by steps. */
  #fresh = new Map<number, number>();
  #lessons = 0;
  /** The table is made anew after this many lessons: the first ones count most. */
  #enough = 0;
  #table: Float64Array | null = null;
  /** Its tenants flip within seconds, by all that is known. */
  #isQuick = false;
  /** Sums over the logarithms of the flips, in milliseconds. */
  #seen = { tenants: 0, sum: 0, squares: 0 };

  /** @param past Rollouts of this fleet before this one. */
  constructor(past: readonly Flips[] = []) {
    this.#weights = priorOf(past);
  }

  /** Takes in that a tenant was still on its old commit `afterMs` after its roll, and on the new one at `beforeMs`. */
  flipped(afterMs: number, beforeMs: number): void {
    const early = stepOf(afterMs);
    this.#note(early, Math.max(stepOf(beforeMs), early + 1), true);
    const middle = Math.log(Math.max((afterMs + beforeMs) / 2, 1));
    this.#seen.tenants++;
    this.#seen.sum += middle;
    this.#seen.squares += middle ** 2;
  }

  /** Takes in that a tenant has not flipped by `untilMs`, where `knownMs` was the last time that this was seen. */
  waited(knownMs: number, untilMs: number): void {
    const [early, late] = [stepOf(knownMs), stepOf(untilMs)];
    if (late > early) this.#note(early, late, false);
  }

  /**
   * Milliseconds until the next question to a tenant that has not flipped `elapsedMs` after its roll.
   *
   * @param asked Questions that it was asked since its roll.
   * @param open Tenants of its wave that have not flipped, itself included.
   */
  waitMs(elapsedMs: number, asked = 0, open = Infinity): number {
    const wait = Math.max(this.#lawful(elapsedMs, open), SHORTEST_WAIT_MS);
    const allowed = asked + 1 - mostQuestions(elapsedMs);
    return Math.min(Math.max(wait, allowed * MOST_OFTEN_MS), LONGEST_WAIT_MS);
  }

  /** What this rollout was like, for the next one; null where nobody was seen to flip. */
  get flips(): Flips | null {
    const { tenants, sum, squares } = this.#seen;
    if (!tenants) return null;
    const mean = sum / tenants;
    const spread = Math.sqrt(Math.max(squares / tenants - mean ** 2, 0));
    return { median_ms: Math.max(1, Math.round(Math.exp(mean))), spread: Number(spread.toFixed(3)), tenants };
  }

  #lawful(elapsedMs: number, tenants: number): number {
    const table = this.#tabulate();
    // Who comes on target last is whom the whole wave waits for, and the fewer are left the likelier it is this one.
    // Before the first flip that is the canary: one tenant, for which the fleet waits.
    const haste = this.#isQuick || !this.#seen.tenants ? Math.sqrt(1 + LAST_COUNTS / tenants) : 1;
    const begun = Math.max(elapsedMs, 0) / 1000;
    const end = begun + LONGEST_WAIT_MS / 1000;
    // Walks on until the density of questions adds up to one.
    let at = begun;
    let open = 1 / haste;
    for (let step = Math.max(stepOf(elapsedMs), 0); at < end; step++) {
      const rate = table[Math.min(step, STEPS - 1)] as number;
      const room = Math.min(MOMENTS[step + 1] ?? end, end) - at;
      if (rate * room >= open) return (at + open / rate - begun) * 1000;
      open -= rate * room;
      at += room;
    }
    return LONGEST_WAIT_MS;
  }

  #note(early: number, late: number, flipped: boolean): void {
    const cell = ((early + 1) * (STEPS + 2) + late + 1) * 2 + Number(flipped);
    this.#fresh.set(cell, (this.#fresh.get(cell) ?? 0) + 1);
    this.#lessons++;
  }

  #learn(): void {
    for (const [cell, times] of this.#fresh) {
      const steps = Math.floor(cell / 2);
      const [early, late] = [Math.floor(steps / (STEPS + 2)) - 1, (steps % (STEPS + 2)) - 1];
      for (let law = 0; law < LAWS; law++) {
        const [then, later] = [survival(early, law), survival(late, law)];
        const chance = cell % 2 ? then - later : later / Math.max(then, 1e-12);
        this.#weights[law] = (this.#weights[law] as number) + times * Math.log(chance + DOUBT);
      }
    }
    this.#fresh.clear();
  }

  /** How densely to ask at each step, in questions a second. */
  #tabulate(): Float64Array {
    if (this.#table && this.#lessons < this.#enough) return this.#table;
    this.#enough = Math.ceil(this.#lessons * 1.2) + 1;
    this.#learn();
    const mixed = mixtureOf(this.#weights);
    const roots = new Float64Array(STEPS);
    let mean = 0;
    for (let step = 0; step < STEPS; step++) {
      const here = mixed[step] as number;
      const rate = Math.log(here / Math.max(mixed[step + 1] ?? Number.NaN, 1e-12)) / lengthOf(step);
      // Behind the end of all laws the last hazard goes on.
      roots[step] = here > 1e-9 && rate >= 0 ? Math.sqrt(rate) : (roots[step - 1] ?? 0);
      if (step < STEPS - 1) mean += here * lengthOf(step);
    }
    this.#isQuick = mean < QUICK_S;
    const least = this.#isQuick ? QUICK_QUESTIONS : FEWEST_QUESTIONS;
    // One question falls on the roll, and half of one lies behind the flip.
    const factor = scaled(roots, mixed, Math.max(LOOP_SHARE * (mean / LOOP_S + 1.5) - 1.5, least));
    this.#table = roots.map((root) => density(root, factor));
    return this.#table;
  }
}

/** The chance at each step that a flip takes longer, over all laws. */
function mixtureOf(logarithms: Float64Array): Float64Array {
  const most = logarithms.reduce((a, b) => Math.max(a, b));
  const weights = logarithms.map((weight) => Math.exp(weight - most));
  const total = weights.reduce((a, b) => a + b);
  const mixed = new Float64Array(STEPS);
  for (let law = 0; law < LAWS; law++) {
    const share = (weights[law] as number) / total;
    // A law that is all but ruled out changes no schedule.
    if (share < 1e-9) continue;
    for (let step = 0; step < STEPS; step++)
      mixed[step] = (mixed[step] as number) + share * survival(step, law);
  }
  return mixed;
}

/** Weighs the laws by what the rollouts before were like. */
function priorOf(past: readonly Flips[]): Float64Array {
  const usable = past.filter(({ tenants, median_ms }) => tenants > 0 && median_ms > 0);
  if (!usable.length) return new Float64Array(LAWS);
  const medians = usable.map(({ median_ms }) => Math.log(median_ms / 1000));
  const centre = medians.reduce((a, b) => a + b) / medians.length;
  // One rollout alone does not say how far the next one may lie from it.
  const squares = medians.reduce((sum, median) => sum + (median - centre) ** 2, 0) + 0.25;
  const move = Math.max(Math.sqrt((squares / medians.length) * (1 + 1 / medians.length)), LEAST_MOVE);
  const tenants = usable.reduce((sum, one) => sum + one.tenants, 0);
  const width = Math.sqrt(usable.reduce((sum, { spread, tenants: n }) => sum + n * spread ** 2, 0) / tenants);
  const widthSure = 0.25 + 0.7 / Math.sqrt(tenants);
  const logs = new Float64Array(LAWS);
  for (let law = 0; law < LAWS; law++) {
    const median = Math.log(MEDIANS[Math.floor(law / SPREADS.length)] as number);
    const spread = SPREADS[law % SPREADS.length] as number;
    const off = ((median - centre) / move) ** 2 + (Math.log(spread / Math.max(width, 0.05)) / widthSure) ** 2;
    logs[law] = -off / 2;
  }
  const total = logs.reduce((sum, one) => sum + Math.exp(one), 0);
  return logs.map((one) => Math.log((1 - SURPRISE) * (Math.exp(one) / total) + SURPRISE / LAWS));
}

const density = (root: number, factor: number) => Math.max(root * factor, 1000 / LONGEST_WAIT_MS);

/** The factor for roots of hazards with which a tenant is asked `questions` times until it flips, on average. */
function scaled(roots: Float64Array, mixed: Float64Array, questions: number): number {
  let [low, high] = [0, 1_000];
  for (let turn = 0; turn < 30; turn++) {
    const factor = (low + high) / 2;
    let expected = 0;
    for (let step = 0; step < STEPS - 1; step++)
      expected += density(roots[step] as number, factor) * (mixed[step] as number) * lengthOf(step);
    if (expected < questions) low = factor;
    else high = factor;
  }
  return low;
}
