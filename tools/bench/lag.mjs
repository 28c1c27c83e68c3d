// How late a flip is noticed, and for how many questions; see flips.mjs.
import { build } from 'esbuild';
import { bestLags, draw, follow, shellLag, shellProbes } from './flips.mjs';
import { grossly, here, quantile, quick, ratio, sum, table } from './measure.mjs';
import { seeded } from './random.mjs';

/** The schedule is no part of the library's surface: it is taken from its source. */
async function paceClass() {
  const source = here('../../packages/fleet-core/src/verify/pace.ts');
  const { outputFiles } = await build({ entryPoints: [source], bundle: true, format: 'esm', write: false });
  return import(`data:text/javascript,${encodeURIComponent(outputFiles[0].text)}`);
}

const { Pace } = await paceClass();
/** Rollouts from whose record the later ones learn, and that do not count themselves. */
export const LEARNING = 5;

export function lagOf({ medianS, sigma, shared, count = quick ? 20 : 100 }) {
  const rollouts = draw({ medianS, sigma, shared, rollouts: count + LEARNING, tenants: 30, seed: 7 });
  const random = seeded(11);
  const [lags, probes] = [[], []];
  let past = [];
  for (const { flips } of rollouts) {
    const pace = new Pace(past);
    const one = follow(pace, flips, 10, random);
    lags.push(one.lags);
    probes.push(one.probes);
    past = [pace.flips, ...past].slice(0, LEARNING);
  }
  const counted = rollouts.slice(LEARNING);
  const flips = counted.flatMap(({ flips }) => flips);
  const asked = sum(probes.slice(LEARNING)) / flips.length;
  return {
    asked,
    lags: lags.slice(LEARNING).flat(),
    best: bestLags(counted, asked, random),
    shell: { lags: flips.map(shellLag), asked: sum(flips.map(shellProbes)) / flips.length },
  };
}

export function tellLags() {
  const s = (number) => `${number.toFixed(1)} s`;
  const rows = [];
  for (const shared of [0, 0.9]) {
    for (const medianS of [15, 40, 90]) {
      for (const sigma of [0.35, 0.6]) {
        const { lags, asked, best, shell } = lagOf({ medianS, sigma, shared });
        const mean = (list) => sum(list) / list.length;
        rows.push([
          shared ? '90 % shared' : 'independent',
          `${medianS} s`,
          sigma,
          s(quantile(lags, 0.5)),
          s(quantile(lags, 0.99)),
          `${s(quantile(shell.lags, 0.5))}, ${s(quantile(shell.lags, 0.99))}`,
          `${s(quantile(best, 0.5))}, ${s(quantile(best, 0.99))}`,
          ratio(mean(lags), mean(best)),
          ratio(asked, shell.asked),
        ]);
        grossly(
          `questions at a median of ${medianS} s, in those of the shell loop`,
          asked / shell.asked,
          2.2,
        );
      }
    }
  }
  table(
    'How late a flip is noticed (simulated): log-normal flips, 30 tenants a rollout, canary and waves of ten',
    [
      ...[
        'flips',
        'median',
        'sigma',
        'p50',
        'p99',
        'shell loop: p50, p99',
        'best that knows the law: p50, p99',
      ],
      ...['mean lag / best', 'questions / shell loop'],
    ],
    rows,
  );
}

if (!process.argv[1].endsWith('plots.mjs')) tellLags();
