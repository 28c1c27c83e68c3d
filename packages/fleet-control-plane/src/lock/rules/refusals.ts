import type { Frozen } from '@tenant-fleet/fleet-core/contract';
import leven from 'leven';
import { Problem } from '../../problem.js';
import type { Claim, EndedBy } from './claim.js';

const LOST_NEXT =
  'Start nothing new with this lease. Make a new claim with a new claim id if the work is still needed.';

export const claimInUse = () =>
  new Problem(
    409,
    'claim_in_use',
    'This claim belongs to another session.',
    'Make a claim of your own with a new claim id; two processes never share one.',
  );

/** What a claim that has ended answers for ever. */
export function claimOver(claim: Claim): Problem {
  const extra = { state: claim.state, by: claim.endedBy && supersederOf(claim.endedBy) };
  if (claim.state === 'superseded') {
    return new Problem(
      409,
      'superseded',
      `Run ${claim.endedBy?.number} of the same key is newer and took this claim's place.`,
      'Nothing to do: the newer run deploys.',
      { extra },
    );
  }
  if (claim.state === 'outdated') {
    return new Problem(
      409,
      'outdated',
      `Run ${claim.endedBy?.number} of the same key is newer and waits, holds, has rolled or is proven on the fleet.`,
      'Nothing to do. To go back on purpose, claim with an order key of its own.',
      { extra },
    );
  }
  return new Problem(
    410,
    'claim_over',
    `This claim has ended (${claim.state}) and cannot come back.`,
    'Make a new claim with a new claim id.',
    {
      extra: { state: claim.state, ...(claim.endReason && { reason: claim.endReason }) },
    },
  );
}

/** Who is newer, with what tells whether its number counts by the same counter. */
function supersederOf(by: EndedBy) {
  const { sha, run_url, repository } = by.holder;
  return { ...by, ...(sha && { sha }), ...(run_url && { run_url }), ...(repository && { repository }) };
}

/** The database lost a claim that it had: a standby was promoted that lacked it. */
export const claimUnknown = () =>
  new Problem(
    503,
    'claim_unknown',
    'The database no longer knows this claim.',
    'Send the same request again.',
    {
      retryAfterSeconds: 1,
    },
  );

export const otherBody = () =>
  new Problem(
    422,
    'claim_differs',
    'This claim was made with another body.',
    'Repeat the request exactly as it was first sent, or make a new claim with a new claim id.',
  );

export const alreadyFrozen = (frozen: Frozen) =>
  new Problem(
    409,
    'already_frozen',
    `The lock is frozen already${frozen.actor ? `, by ${frozen.actor}` : ''}: ${frozen.reason}.`,
    'Leave that freeze, or repeat with "replace": true to take its place.',
    { extra: { frozen } },
  );

export const notFrozen = () =>
  new Problem(
    409,
    'not_frozen',
    'The lock is not frozen.',
    'Nothing to do. Check that this is the lock you mean.',
  );

/** @param known the names of the groups that there are. */
export function unknownGroup(group: string, known: string[]): Problem {
  const scored = known.map((name) => ({ name, distance: leven(group, name, { maxDistance: NEAR + 1 }) }));
  const best = scored.sort((a, b) => a.distance - b.distance)[0];
  const nearest = best && best.distance <= NEAR ? best.name : null;
  return new Problem(
    404,
    'unknown_group',
    `This control plane has no lock group "${group}".`,
    nearest ? `Did you mean "${nearest}"?` : 'GET /cp/admin/fleet-locks lists those that there are.',
    { extra: nearest ? { nearest } : {} },
  );
}

/** Most typing errors by which a name counts as meant. */
const NEAR = 3;

export const queueFull = (limit: number) =>
  new Problem(
    429,
    'queue_full',
    `${limit} claims wait already.`,
    'Try again later, or end claims that nobody needs.',
    {
      retryAfterSeconds: 10,
    },
  );

const REASONS: Record<string, string> = {
  unknown_claim: 'The server knows no such claim.',
  not_held: 'This claim waits; it does not hold the lock.',
  token_mismatch: 'The fencing token is not the one this claim was granted.',
  max_hold: 'The claim held the lock longer than its own max_hold_seconds.',
  expired: 'The lease was not renewed within its TTL.',
  unconfirmed: 'The grant was never renewed.',
  broken: 'A person broke the hold.',
  released: 'The lease was released before.',
};

export const leaseLost = (reason: string) =>
  new Problem(409, 'lease_lost', REASONS[reason] ?? `The claim has ended (${reason}).`, LOST_NEXT, {
    extra: { reason },
  });

export const tokenMismatch = (token: number, held: Claim | null) =>
  new Problem(
    409,
    'token_mismatch',
    held
      ? `Token ${token} does not hold the lock; ${held.holder.name} holds it with token ${held.token}.`
      : `Token ${token} does not hold the lock; nobody does.`,
    'Read the status again before you break anything.',
    { extra: { held: held ? { fencing_token: held.token, holder: held.holder } : null } },
  );

export const holderAlive = (claim: Claim, secondsAgo: number) =>
  new Problem(
    409,
    'holder_alive',
    `${claim.holder.name} renewed ${secondsAgo.toFixed(1)} s ago${claim.step ? `, at "${claim.step}"` : ''}.`,
    'Wait, or repeat with "confirm_alive": true to break it all the same.',
    {
      extra: {
        holder: claim.holder,
        step: claim.step,
        last_renew_seconds_ago: secondsAgo,
      },
    },
  );
