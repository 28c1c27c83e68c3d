/** A grid of log-normal laws of the time from a roll to the new commit. */

/** Seconds after a roll at which laws are tabulated, even in their logarithm; in between, hazards count as constant. */
const FIRST_STEP_S = 0.1;
const STEP_RATIO = 1.04;
export const STEPS = 240;
export const MOMENTS = Array.from({ length: STEPS }, (_, index) => FIRST_STEP_S * STEP_RATIO ** index);

/** Medians lie on every second step, from a third of a second to seven minutes. */
const FIRST_MEDIAN = 30;
const MEDIAN_STRIDE = 2;
export const MEDIANS = Array.from(
  { length: 92 },
  (_, index) => MOMENTS[FIRST_MEDIAN + index * MEDIAN_STRIDE] as number,
);
/** Standard deviations of the logarithm. */
export const SPREADS = [0.07, 0.1, 0.14, 0.2, 0.28, 0.4, 0.57, 0.8];
/** Laws, all spreads of the first median first. */
export const LAWS = MEDIANS.length * SPREADS.length;

/** How far a step may lie from a median, which is all that a chance depends on. */
const TAILS = SPREADS.map((spread) =>
  Float64Array.from({ length: 2 * STEPS + 1 }, (_, index) =>
    upperTail(((index - STEPS) * Math.log(STEP_RATIO)) / spread),
  ),
);

/** The chance that a flip takes longer than the moment of a step; before the first step: one. */
export function survival(step: number, law: number): number {
  if (step < 0) return 1;
  const median = FIRST_MEDIAN + Math.floor(law / SPREADS.length) * MEDIAN_STRIDE;
  return (TAILS[law % SPREADS.length] as Float64Array)[Math.min(step, STEPS - 1) - median + STEPS] as number;
}

/** Seconds from a step to the next; not a number for the last. */
export const lengthOf = (step: number) => (MOMENTS[step + 1] ?? Number.NaN) - (MOMENTS[step] as number);

/** The last tabulated moment that is not later; -1 before the first. */
export function stepOf(ms: number): number {
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
