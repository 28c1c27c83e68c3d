/** Which waves there would be by what every tenant answers now, and by what an earlier roll may still do to it. */
import type { Emit } from '../events/emitter.js';
import type { Ledger } from '../verify/ledger.js';
import { againIn, doubtedIn, hasSoaked, type LastRollout, whyAgain, whyDoubted } from './history.js';
import { dueIn, planWaves, type Wave, type WavePolicy } from './plan.js';

export interface DecidePolicy extends WavePolicy {
  strategy: 'scoped' | 'single-call';
  expectedSha: string | null;
  dryRun: boolean;
}

/** @param last What the rollout before this one left; null where nothing of it is known. */
export function decideWaves(
  { ledger, emit }: { ledger: Ledger; emit: Emit },
  config: DecidePolicy,
  last: LastRollout | null,
): Wave[] {
  const { slugs } = ledger;
  const { expectedSha } = config;
  const canary = config.canary && ledger.has(config.canary) ? config.canary : null;
  const doubted = doubtedIn(
    slugs.filter((slug) => ledger.isOnTarget(slug)),
    last,
    expectedSha,
  );
  const isOnTarget = (slug: string) => ledger.isOnTarget(slug) && !doubted.includes(slug);
  if (doubted.length) emit({ code: 'warning', reason: whyDoubted(doubted) });
  const waves = planWaves(slugs, isOnTarget, { ...config, canary }, hasSoaked(last, canary, expectedSha));
  const again = againIn(dueIn(waves), last, expectedSha);
  for (const slug of again) ledger.get(slug).rolledBefore = true;
  if (again.length) emit({ code: 'warning', reason: whyAgain(again) });
  emit({
    code: 'plan.ready',
    tenants: slugs.length,
    on_target: slugs.filter(isOnTarget),
    waves,
    strategy: config.strategy,
    dry_run: config.dryRun,
  });
  return waves;
}
