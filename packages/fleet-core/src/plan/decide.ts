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
  const doubted = doubtedNow(ledger, last);
  const isOnTarget = (slug: string) => ledger.isOnTarget(slug) && !doubted.includes(slug);
  if (doubted.length) emit({ code: 'warning', reason: whyDoubted(doubted) });
  const isSoaked = hasSoaked(last, canary, expectedSha);
  const waves = planWaves(slugs, isOnTarget, { ...config, canary }, isSoaked);
  // The record of this run takes the place of the one that says so; a canary that is rolled anew soaks anew.
  if (canary && isSoaked && !dueIn(waves).includes(canary)) ledger.get(canary).soaked = true;
  for (const slug of doubted) ledger.get(slug).rolledBefore = 'elsewhere';
  const again = againIn(dueIn(waves), last, expectedSha).filter((slug) => !doubted.includes(slug));
  for (const slug of again) ledger.get(slug).rolledBefore = 'here';
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

/** Tenants that answer the expected commit, and may still be rolled away from it by an earlier run. */
export const doubtedNow = (ledger: Ledger, last: LastRollout | null) =>
  doubtedIn(
    ledger.slugs.filter((slug) => ledger.isOnTarget(slug)),
    last,
    ledger.expectedSha,
  );
