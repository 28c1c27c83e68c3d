/** The part of a fleet that a run is about. Pure. */
import { matcherOf } from '../config/glob.js';
import { FleetError } from '../errors.js';
import { nameList } from '../text/words.js';

export interface ScopePolicy {
  /** Slugs and globs that are meant; empty: all. */
  only: string[];
  /** Slugs and globs that are left out. */
  exclude: string[];
}

/** Tenants that are meant, in the order of the fleet. */
export function inScope(fleet: string[], { only, exclude }: ScopePolicy): string[] {
  const wanted = only.length ? matcherOf(only) : () => true;
  const left = matcherOf(exclude);
  return fleet.filter((slug) => wanted(slug) && !left(slug));
}

/** @throws FleetError `FAILED` where a name is of no tenant, or nobody is left: a silent skip would prove nothing. */
export function checkScope(fleet: string[], policy: ScopePolicy): void {
  const failed = (message: string) =>
    new FleetError('FAILED', `${message}; nothing was rolled`, {
      outcome: 'failed',
      next: `the fleet has ${nameList(fleet, 10)}`,
    });
  for (const name of policy.only)
    if (!fleet.some(matcherOf([name]))) throw failed(`--only ${name} is of no tenant of the fleet`);
  if (!inScope(fleet, policy).length) throw failed('--only and --exclude leave no tenant of the fleet');
}
