import {
  claimIdSchema,
  type Draining,
  fencingTokenSchema,
  lockGroupSchema,
} from '@tenant-fleet/fleet-core/contract';
import type { Claim } from '../lock/rules/claim.js';
import { badRequest, Problem } from '../problem.js';
import type { Roll } from './roll.js';

const CLAIM_FIRST =
  'Claim the lock and send Fleet-Lock-Group and Fleet-Fence with the token that you were granted.';

/** The right to roll that a request carries. */
export interface Fence {
  token: number;
  /** The claim that the token was granted to, where the request names it. */
  claimId: string | undefined;
}

/** Reads the headers that every real roll carries. */
export function parseFence(
  headers: { group: string | undefined; fence: string | undefined; claim: string | undefined },
  guardedBy: string,
): Fence {
  if (headers.group === undefined || headers.fence === undefined) {
    throw new Problem(
      428,
      'fence_missing',
      `A real roll of this fleet needs the lock "${guardedBy}".`,
      CLAIM_FIRST,
    );
  }
  if (!lockGroupSchema.safeParse(headers.group).success)
    throw badRequest('Fleet-Lock-Group is not the name of a lock group.', CLAIM_FIRST);
  const token = fencingTokenSchema.safeParse(
    /^\d{1,16}$/.test(headers.fence) ? Number(headers.fence) : Number.NaN,
  );
  if (!token.success) throw badRequest('Fleet-Fence is not a fencing token.', CLAIM_FIRST);
  if (headers.group !== guardedBy) {
    throw new Problem(
      412,
      'stale_fence',
      `This fleet is guarded by the lock group "${guardedBy}", not by "${headers.group}".`,
      `Claim the lock "${guardedBy}".`,
      { extra: { lock_group: guardedBy } },
    );
  }
  if (headers.claim !== undefined && !claimIdSchema.safeParse(headers.claim).success)
    throw badRequest('Fleet-Claim is not the id of a claim.', CLAIM_FIRST);
  return { token: token.data, claimId: headers.claim?.toLowerCase() };
}

/**
 * Decides under the group's row lock whether the bearer of a token may roll now.
 *
 * @param draining The open rolls as those who wait are told of them.
 * @throws Problem 412 as {@link checkHolder}; 409 `draining`.
 */
export function checkFence(
  fence: Fence,
  held: Claim | null,
  lastToken: number,
  open: Pick<Roll, 'id' | 'fencing_token' | 'target_tag' | 'slugs'>[],
  draining: Draining | null = null,
): void {
  checkHolder(fence, held, lastToken);
  const running = open[0];
  if (running) {
    throw new Problem(
      409,
      'draining',
      `A roll under token ${running.fencing_token} to ${running.target_tag} is still running (${running.slugs.length} tenants).`,
      'Send the same request again after Retry-After seconds; the lock stays yours while you renew it.',
      {
        retryAfterSeconds: 2,
        extra: { roll: { id: running.id, fencing_token: running.fencing_token }, draining },
      },
    );
  }
}

/**
 * Whether the bearer of a token holds the lock. A database that was restored from a backup may have granted the number
 * a second time, to another claim.
 *
 * @throws Problem 412 `stale_fence`.
 */
export function checkHolder({ token, claimId }: Fence, held: Claim | null, lastToken: number): void {
  const isOthers = held?.token === token && claimId !== undefined && held.claimId !== claimId;
  if (held?.token !== token || isOthers) {
    const why = isOthers
      ? 'was granted to another claim'
      : token > lastToken
        ? 'was never granted'
        : held
          ? `is not the newest: ${held.holder.name} holds the lock with ${held.token}`
          : 'belongs to a lease that is over';
    throw new Problem(
      412,
      'stale_fence',
      `Fencing token ${token} ${why}.`,
      'Stop: the right to roll this fleet is gone. Claim the lock again if the work is still needed.',
      {
        extra: { last_fencing_token: lastToken },
      },
    );
  }
}
