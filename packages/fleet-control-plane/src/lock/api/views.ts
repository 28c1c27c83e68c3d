import type { Observer } from '../liveness/liveness.js';
import { type Claim, drainingOf, orderOf } from '../rules/claim.js';
import type { GroupView, Place } from '../store/queries.js';

/** Whole seconds would hide a fresh renewal, more digits would only be noise. */
const round = (seconds: number) => Math.round(Math.max(0, seconds) * 1000) / 1000;

// People read these, so the wall clock will do; nothing is decided by them.
const since = (at: Date | null, wall: number) => round(at ? (wall - at.getTime()) / 1000 : 0);

function holding(held: Claim, observer: Observer, group: string, now: number, wall: number) {
  const { alive, secondsAgo } = observer.health(group, held, now);
  return {
    held_for_seconds: since(held.acquiredAt, wall),
    last_renew_seconds_ago: round(secondsAgo),
    step: held.step,
    alive,
  };
}

/** What a waiter is told: its place, and who it waits for. */
export function claimQueued(
  { ahead, waiting, held, frozen }: Place,
  observer: Observer,
  group: string,
  now: number,
  wall: number,
): Record<string, unknown> {
  return {
    state: 'queued',
    position: ahead + 1,
    queue_length: Math.max(waiting, ahead + 1),
    holder: held && { ...held.holder, ...holding(held, observer, group, now, wall) },
    ...(frozen && { frozen }),
  };
}

/** Who holds a group, as everybody may see it. */
export const heldView = (held: Claim, observer: Observer, group: string, now: number, wall: number) => ({
  claim_id: held.claimId,
  // Who holds has a token.
  fencing_token: held.token ?? 0,
  holder: { ...held.holder },
  ttl_seconds: held.ttlSeconds,
  ...holding(held, observer, group, now, wall),
});

export function statusOf(
  group: string,
  view: GroupView,
  observer: Observer,
  now: number,
  wall: number,
): Record<string, unknown> {
  const { row, held, waiting, openRolls } = view;
  return {
    group,
    version: row?.version ?? 0,
    held: held && heldView(held, observer, group, now, wall),
    queue: waiting.map((claim, index) => ({
      claim_id: claim.claimId,
      position: index + 1,
      holder: claim.holder,
      waiting_for_seconds: since(claim.queuedAt, wall),
      order: orderOf(claim),
    })),
    frozen: row?.frozen ?? null,
    draining: drainingOf(openRolls, held?.token ?? null),
    last_fencing_token: row?.lastToken ?? 0,
  };
}
