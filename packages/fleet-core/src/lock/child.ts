/** A lease lent to a child process: what it is told, and when it must be gone. */
import type { Config } from '../config/config.js';
import type { RunContext } from '../context.js';
import { FleetError } from '../errors.js';
import { readLock } from './admin.js';
import type { Lease } from './lease.js';

/** Variables that let a `fleet redeploy` in the child roll under this lease instead of waiting behind it. */
export function leaseEnv(
  lease: Pick<Lease, 'group' | 'claimId' | 'fencingToken'>,
): Record<'FLEET_LOCK_GROUP' | 'FLEET_LOCK_CLAIM' | 'FLEET_LOCK_FENCE', string> {
  return {
    FLEET_LOCK_GROUP: lease.group,
    FLEET_LOCK_CLAIM: lease.claimId,
    FLEET_LOCK_FENCE: String(lease.fencingToken),
  };
}

/**
 * Milliseconds that a child may still take to end, asked at the moment the lease is lost: half of what is left until
 * the server may grant to somebody else. A machine that slept has nothing left to give.
 */
export function killInMs({ graceMs, usableForMs }: Pick<Lease, 'graceMs' | 'usableForMs'>): number {
  return Math.max(0, graceMs / 2 + Math.min(0, usableForMs));
}

/**
 * Whether a parent process already holds the lock for this one.
 *
 * @throws FleetError `LOCK_LOST` where the lease that the parent handed down holds no more; as {@link readLock}.
 */
export async function isLeaseInherited(config: Config, context: RunContext = {}): Promise<boolean> {
  const token = config.lock?.inheritedToken;
  if (token === undefined) return false;
  const { held, group } = await readLock(config, context);
  if (held?.fencing_token === token) return true;
  throw new FleetError(
    'LOCK_LOST',
    `the lease that FLEET_LOCK_FENCE names (${token}) does not hold ${group} any more`,
    { outcome: 'lock_lost', hint: 'unset FLEET_LOCK_FENCE to take a lock of its own' },
  );
}
