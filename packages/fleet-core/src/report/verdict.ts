/** Stage 7a: what the run may claim. Pure; every claim is read off the ledger. */

import type { Outcome } from '../result/outcome.js';
import { addsUp } from '../result/result.js';
import type { Halt } from '../rollout/rollout.js';
import { nameList } from '../text/words.js';
import type { Ledger } from '../verify/ledger.js';
import { diagnose, lookAtTenants } from './diagnose.js';
import { twice } from './rolled.js';

export interface Verdict {
  outcome: Extract<Outcome, 'succeeded' | 'succeeded_with_quarantine' | 'failed'>;
  reason: string;
  next: string[];
}

export interface Facts {
  ledger: Ledger;
  canary: string | null;
  maxStragglers: number;
  halt: Halt | null;
  /** Nothing was rolled, since all tenants were on target before. */
  alreadyOnTarget: boolean;
}

/** Judges the fleet by what its tenants answered last. */
export function judge({ ledger, canary, maxStragglers, halt, alreadyOnTarget }: Facts): Verdict {
  const counts = ledger.counts();
  if (!addsUp(counts)) throw new RangeError(`accounting does not add up: ${JSON.stringify(counts)}`);
  const stragglers = ledger.stragglers();
  const { on_target, excused, enumerated } = counts;
  const failed = (reason: string): Verdict => ({
    outcome: 'failed',
    reason: `${reason}${twice(ledger)}`,
    next: diagnose(ledger, halt),
  });

  if (enumerated === 0) return failed('no tenant was enumerated: nothing was verified');
  // A tenant that came after its budget, and was the last one open, is on target all the same.
  if (halt && stragglers.length) {
    return failed(
      `halted at ${halt.phase}: ${nameList(halt.unproven)} not proven on target${say(ledger, halt.unproven)}` +
        (halt.notRolled.length ? `; ${halt.notRolled.length} tenants were not rolled` : ''),
    );
  }
  if (on_target === 0) return failed(`none of ${enumerated} tenants is on target${say(ledger, stragglers)}`);
  if (canary && ledger.has(canary) && !ledger.isOnTarget(canary)) {
    return failed(`the canary ${canary} is not on target${say(ledger, [canary])}`);
  }
  if (!stragglers.length) {
    const names = excused
      ? `; excused: ${nameList(ledger.slugs.filter((slug) => ledger.statusOf(slug) === 'excused'))}`
      : '';
    const all = excused
      ? `${on_target} of ${enumerated} tenants on target${names}`
      : `all ${enumerated} tenants on target`;
    const reason = alreadyOnTarget ? 'already on target' : `${all}${twice(ledger)}`;
    return { outcome: 'succeeded', reason, next: [] };
  }
  // Ephemeral tenants come and go: they count on neither side of "more than half of the fleet".
  if (stragglers.length <= maxStragglers && on_target * 2 > enumerated - excused) {
    return {
      outcome: 'succeeded_with_quarantine',
      reason: `${on_target} of ${enumerated} tenants on target; quarantined: ${nameList(stragglers)}${twice(ledger)}`,
      next: [
        ...lookAtTenants(ledger, stragglers),
        'run the same command again to roll only what is not on target',
      ],
    };
  }
  const limit = maxStragglers ? ` (tolerated: ${maxStragglers}, and more than half must be on target)` : '';
  return failed(
    `${stragglers.length} of ${enumerated} tenants not proven on target${limit}: ${nameList(stragglers)}${say(ledger, stragglers)}`,
  );
}

function say(ledger: Ledger, slugs: string[]): string {
  return slugs.length === 1
    ? ` (${ledger.detailOf(slugs[0] as string) ?? ledger.statusOf(slugs[0] as string)})`
    : '';
}
