// Detection lag, simulated by hand-stepped time: no process, no clock, no network; the same figures on every machine.
import { normal, seeded } from './random.mjs';

const SHELL_GRID_S = 20;

/** @returns Seconds from roll to flip of every tenant of every rollout; each with the law that one who knows all would use. */
export function draw({ medianS, sigma, shared, rollouts, tenants, seed }) {
  const random = seeded(seed);
  return Array.from({ length: rollouts }, () => {
    const common = sigma * Math.sqrt(shared) * normal(random);
    const spread = sigma * Math.sqrt(1 - shared);
    return {
      law: { medianS: medianS * Math.exp(common), sigma: spread },
      flips: Array.from({ length: tenants }, () => medianS * Math.exp(common + spread * normal(random))),
    };
  });
}

/** Asks the tenants of one rollout by a pace: canary, then waves; each wave begins when the one before is proven. */
export function follow(pace, flips, waveSize, random) {
  const lags = [];
  let probes = 0;
  const waves = [[flips[0]]];
  for (let at = 1; at < flips.length; at += waveSize) waves.push(flips.slice(at, at + waveSize));
  for (const wave of waves) {
    const open = wave.map((flip) => ({ flip: flip * 1000, known: 0, due: 0, asked: 0 }));
    while (open.length) {
      const next = open.reduce((a, b) => (b.due < a.due ? b : a));
      const now = next.due;
      probes++;
      next.asked++;
      if (now >= next.flip) {
        pace.flipped(next.known, now);
        lags.push((now - next.flip) / 1000);
        open.splice(open.indexOf(next), 1);
        continue;
      }
      pace.waited(next.known, now);
      next.known = now;
      next.due = now + pace.waitMs(now, next.asked, open.length) * (0.9 + 0.2 * random());
    }
  }
  return { lags, probes };
}

/** The shell's way: asked at once, then every 20 s. */
export const shellProbes = (flip) => Math.ceil(flip / SHELL_GRID_S) + 1;
export const shellLag = (flip) => Math.ceil(flip / SHELL_GRID_S) * SHELL_GRID_S - flip;

/**
 * Lags of the best schedule that knows the law, with a number of questions a tenant on average: their density is in
 * proportion to the root of the hazard (Keller 1974).
 */
export function bestLags(rollouts, probesEach, random) {
  const tables = rollouts.map(({ law }) => rootsOf(law));
  // One is asked at the moment of the roll, as ours is; on average half a step is asked beyond the flip.
  const wanted = probesEach - 1.5;
  const mean = tables.reduce((all, { expected }) => all + expected, 0) / tables.length;
  const factor = Math.max(wanted, 0.1) / mean;
  return rollouts.flatMap(({ flips }, index) => {
    const { cumulated, stepS } = tables[index];
    const at = (flip) => cumulated[Math.min(cumulated.length - 1, Math.floor(flip / stepS))] * factor;
    return flips.map((flip) => {
      // The next whole question after the flip, each tenant with a phase of its own.
      const phase = random();
      const next = (Math.floor(at(flip) - phase) + 1 + phase) / factor;
      let [low, high] = [Math.floor(flip / stepS), cumulated.length - 1];
      while (low < high) {
        const middle = (low + high) >> 1;
        if (cumulated[middle] < next) low = middle + 1;
        else high = middle;
      }
      return Math.max(0, low * stepS - flip);
    });
  });
}

/** Cumulated roots of the hazard of a log-normal law, and how far they add up until a flip on average. */
function rootsOf({ medianS, sigma }) {
  const stepS = medianS / 500;
  const cumulated = [];
  let [sum, expected, alive] = [0, 0, 1];
  for (let index = 0; index < 500 * 40 && index * stepS < 20 * medianS; index++) {
    const next = upperTail(Math.log(((index + 1) * stepS) / medianS) / sigma);
    const hazard = alive > 1e-12 ? Math.max(alive - next, 0) / alive / stepS : 0;
    const step = Math.sqrt(alive > 1e-9 ? hazard : 1 / medianS) * stepS;
    expected += alive * step;
    sum += step;
    cumulated.push(sum);
    alive = next;
  }
  return { cumulated, stepS, expected };
}

/** Upper tail of the standard normal distribution (Abramowitz and Stegun, 26.2.17). */
function upperTail(z) {
  const t = 1 / (1 + 0.2316419 * Math.abs(z));
  const series = [0.31938153, -0.356563782, 1.781477937, -1.821255978, 1.330274429];
  const tail =
    0.3989422804 * Math.exp((-z * z) / 2) * series.reduceRight((sum, factor) => (sum + factor) * t, 0);
  return z > 0 ? tail : 1 - tail;
}
