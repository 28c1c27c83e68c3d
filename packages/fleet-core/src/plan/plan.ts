/** Stage 4: which tenants there are, and in which waves they are rolled. Pure. */
import { checkSlug } from '../clients/control-plane/slug.js';
import { type BatchPolicy, tenantsOf } from '../config/batch.js';
import type { RedeployRow } from '../contract.js';
import { FleetError } from '../errors.js';
import { nameList } from '../text/words.js';

export interface Wave {
  phase: string;
  slugs: string[];
  /** A canary that is on target already, and is only watched again: nothing says that its soak ever ended. */
  soak_only?: true;
}

export interface Fleet {
  /** Every tenant once, in the order of the control plane. */
  slugs: string[];
  warnings: string[];
}

/**
 * Reads the fleet off a plan's rows.
 *
 * @throws FleetError `CP_CONTRACT` for a name that is no slug; `FAILED` for an empty fleet.
 */
export function readFleet(rows: RedeployRow[]): Fleet {
  const named = rows.filter((row) => row.slug).map((row) => checkSlug(row.slug as string));
  const slugs = [...new Set(named)];
  const warnings: string[] = [];
  if (named.length < rows.length)
    warnings.push(`the control plane listed ${rows.length - named.length} row(s) without a tenant`);
  if (slugs.length < named.length) warnings.push('the control plane listed a tenant twice');
  if (!slugs.length) {
    throw new FleetError(
      'FAILED',
      'the control plane lists no tenant: there is nothing to roll and nothing to verify',
      {
        outcome: 'failed',
        next: 'an empty fleet is never a success: check the control plane and the environment',
      },
    );
  }
  return { slugs, warnings };
}

export interface WavePolicy extends BatchPolicy {
  canary: string | null;
  /** Rolls tenants on target as well. */
  force: boolean;
  /** How long a canary is watched before anybody else is rolled. */
  soakMs: number;
}

/**
 * Canary first, then batches in the control plane's order; tenants on target are left out, unless forced.
 *
 * @param isSoaked The canary on target was watched for its whole soak by an earlier run.
 */
export function planWaves(
  slugs: string[],
  isOnTarget: (slug: string) => boolean,
  policy: WavePolicy,
  isSoaked = false,
): Wave[] {
  const { canary, force, soakMs } = policy;
  const waves: Wave[] = [];
  const due = slugs.filter((slug) => force || !isOnTarget(slug));
  if (canary && due.includes(canary)) waves.push({ phase: 'canary', slugs: [canary] });
  const rest = due.filter((slug) => slug !== canary);
  if (canary && !due.includes(canary) && slugs.includes(canary) && rest.length && soakMs > 0 && !isSoaked)
    waves.push({ phase: 'canary', slugs: [canary], soak_only: true });
  return [...waves, ...batchesOf(rest, slugs.length, policy)];
}

/**
 * Batches of tenants, each as many times as large as the one before as the policy says.
 *
 * @param fleet Tenants of the fleet, of which a share is taken.
 * @param first Number of the first batch.
 */
export function batchesOf(slugs: string[], fleet: number, policy: BatchPolicy, first = 1): Wave[] {
  const most = policy.batchMax ?? slugs.length;
  const batches: Wave[] = [];
  let size = tenantsOf(policy.batchSize, fleet);
  for (let start = 0; start < slugs.length; ) {
    size = Math.min(size, Math.max(most, 1));
    batches.push({ phase: `batch-${first + batches.length}`, slugs: slugs.slice(start, start + size) });
    start += size;
    size *= policy.batchGrowth;
  }
  return batches;
}

/** Tenants that are rolled by the waves. */
export const dueIn = (waves: Wave[]): string[] => waves.flatMap((wave) => (wave.soak_only ? [] : wave.slugs));

/** @throws FleetError `FAILED` where the canary is not in the fleet: a silent skip would roll everybody at once. */
export function checkCanary(canary: string | null, slugs: string[]): void {
  if (canary && !slugs.includes(canary)) {
    throw new FleetError('FAILED', `the canary ${canary} is not in the fleet; nothing was rolled`, {
      outcome: 'failed',
      slug: canary,
      next: `the fleet has ${nameList(slugs, 10)}`,
    });
  }
}
