/**
 * When to ask a tenant again. Questions fall where the flip to the new commit is likely: their density is proportional
 * to the root of the hazard, which makes the mean delay smallest for a given number of questions (J. B. Keller,
 * "Optimum checking schedules for systems subject to random failure", Management Science 21, 1974). The law of the
 * flips is learned from this rollout: a grid of log-normal laws, each weighed by how well it foretold what was seen.
 */

/** No two questions to a tenant are closer together. */
export const SHORTEST_WAIT_MS = 200;
/** A tenant that follows no law is asked again after this long at the latest. */
export const LONGEST_WAIT_MS = 15_000;

/** Medians of the grid in seconds, even in their logarithm, and spreads: the standard deviation of the logarithm. */
const MEDIANS = Array.from({ length: 32 }, (_, index) => 0.3 * 1500 ** (index / 31));
const SPREADS = [0.1, 0.2, 0.4, 0.8];
const LAWS = MEDIANS.flatMap((median) => SPREADS.map((spread) => ({ median, spread })));

/** Seconds after a roll at which the laws are tabulated; in between, hazards count as constant. */
const STEPS = 80;
const FIRST_STEP_S = 0.1;
const STEP_RATIO = 12_000 ** (1 / (STEPS - 1));
const MOMENTS = Array.from({ length: STEPS }, (_, index) => FIRST_STEP_S * STEP_RATIO ** index);
/** `SURVIVAL[step][law]`: the chance that a flip takes longer than the moment of that step. */
const SURVIVAL = MOMENTS.map((at) =>
  Float64Array.from(LAWS, ({ median, spread }) => upperTail(Math.log(at / median) / spread)),
);

/** The bound on questions: in proportion to those of a loop that asks every 20 s until the answer is new. */
const LOOP_S = 20;
const LOOP_SHARE = 1.85;
/** Fleets that flip within seconds are worth more questions than that: a whole wave waits for its last tenant. */
const QUICK_S = 10;
const QUICK_QUESTIONS = 2.5;
const FEWEST_QUESTIONS = 0.5;
/** Answers to learn from; more would only repeat them. */
const LESSONS = 1_000;
/** A tenant may follow no law at all, so nothing that was seen rules one out. */
const DOUBT = 1e-4;

export class Pace {
  /** Logarithm of each law's weight. */
  readonly #weights = new Float64Array(LAWS.length);
  #lessons = 0;
  /** The table is made anew after this many lessons: the first ones count most. */
  #enough = 0;
  #table: Float64Array | null = null;

  /** Takes in that a tenant was still on its old commit `afterMs` after its roll, and on the new one at `beforeMs`. */
  flipped(afterMs: number, beforeMs: number): void {
    const early = stepOf(afterMs);
    const late = Math.max(stepOf(beforeMs), early + 1);
    this.#learn((law) => survival(early, law) - survival(late, law));
  }

  /** Takes in that a tenant has not flipped by `untilMs`, where `knownMs` was the last time that this was seen. */
  waited(knownMs: number, untilMs: number): void {
    const [early, late] = [stepOf(knownMs), stepOf(untilMs)];
    if (late > early) this.#learn((law) => survival(late, law) / Math.max(survival(early, law), 1e-12));
  }

  /** Milliseconds until the next question to a tenant that has not flipped `elapsedMs` after its roll. */
  waitMs(elapsedMs: number): number {
    const table = this.#tabulate();
    const begun = Math.max(elapsedMs, 0) / 1000;
    const end = begun + LONGEST_WAIT_MS / 1000;
    // Walks on until the density of questions adds up to one.
    let at = begun;
    let open = 1;
    for (let step = Math.max(stepOf(elapsedMs), 0); at < end; step++) {
      const rate = table[Math.min(step, STEPS - 1)] as number;
      const room = Math.min(MOMENTS[step + 1] ?? end, end) - at;
      if (rate * room >= open) return Math.max((at + open / rate - begun) * 1000, SHORTEST_WAIT_MS);
      open -= rate * room;
      at += room;
    }
    return LONGEST_WAIT_MS;
  }

  #learn(chance: (law: number) => number): void {
    if (this.#lessons >= LESSONS) return;
    this.#lessons++;
    for (let law = 0; law < LAWS.length; law++)
      this.#weights[law] = (this.#weights[law] as number) + Math.log(chance(law) + DOUBT);
  }

  /** How densely to ask at each step, in questions a second. */
  #tabulate(): Float64Array {
    if (this.#table && this.#lessons < this.#enough) return this.#table;
    this.#enough = Math.ceil(this.#lessons * 1.2) + 1;
    const mixed = this.#mixture();
    const roots = new Float64Array(STEPS);
    let mean = 0;
    for (let step = 0; step < STEPS; step++) {
      const here = mixed[step] as number;
      const rate = Math.log(here / Math.max(mixed[step + 1] ?? Number.NaN, 1e-12)) / lengthOf(step);
      // Behind the end of all laws the last hazard goes on.
      roots[step] = here > 1e-9 && rate >= 0 ? Math.sqrt(rate) : (roots[step - 1] ?? 0);
      if (step < STEPS - 1) mean += here * lengthOf(step);
    }
    const least = mean < QUICK_S ? QUICK_QUESTIONS : FEWEST_QUESTIONS;
    const factor = scaled(roots, mixed, Math.max(LOOP_SHARE * (mean / LOOP_S + 0.5) - 0.5, least));
    this.#table = roots.map((root) => density(root, factor));
    return this.#table;
  }

  /** The chance at each step that a flip takes longer, over all laws. */
  #mixture(): Float64Array {
    const most = this.#weights.reduce((a, b) => Math.max(a, b));
    const weights = this.#weights.map((weight) => Math.exp(weight - most));
    const total = weights.reduce((a, b) => a + b);
    const mixed = new Float64Array(STEPS);
    for (const [step, row] of SURVIVAL.entries()) {
      let sum = 0;
      for (let law = 0; law < LAWS.length; law++) sum += (row[law] as number) * (weights[law] as number);
      mixed[step] = sum / total;
    }
    return mixed;
  }
}

const lengthOf = (step: number) => (MOMENTS[step + 1] ?? Number.NaN) - (MOMENTS[step] as number);

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

const survival = (step: number, law: number) =>
  step < 0 ? 1 : ((SURVIVAL[Math.min(step, STEPS - 1)] as Float64Array)[law] as number);

/** The last tabulated moment that is not later; -1 before the first. */
function stepOf(ms: number): number {
  if (ms < FIRST_STEP_S * 1000) return -1;
  return Math.min(Math.floor(Math.log(ms / 1000 / FIRST_STEP_S) / Math.log(STEP_RATIO) + 1e-9), STEPS - 1);
}

/** Upper tail of the standard normal distribution (Abramowitz and Stegun, 26.2.17; error below 7.5e-8). */
function upperTail(z: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(z));
  const series = [0.31938153, -0.356563782, 1.781477937, -1.821255978, 1.330274429];
  const tail =
    0.3989422804 * Math.exp((-z * z) / 2) * series.reduceRight((sum, factor) => (sum + factor) * t, 0);
  return z > 0 ? tail : 1 - tail;
}
