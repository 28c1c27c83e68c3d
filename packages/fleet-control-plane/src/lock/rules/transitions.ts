import { hash } from 'node:crypto';
import type { ClaimRequest, Frozen, Order } from '@tenant-fleet/fleet-core/contract';
import { blankClaim, type Claim, isLive, nextToken, restoredToken } from './claim.js';
import { type Draft, judgeArrival, newerThan } from './draft.js';
import {
  alreadyFrozen,
  claimInUse,
  claimOver,
  leaseLost,
  notFrozen,
  otherBody,
  queueFull,
  tokenMismatch,
} from './refusals.js';

/** Identifies what a claim asks for; the session is left out, since it says who asks. */
export function fingerprintOf({ session: _session, ...rest }: ClaimRequest): string {
  return hash('sha256', JSON.stringify(rest));
}

/** A claim arrives, or arrives again. Returns it as it stands afterwards. */
export function claim(draft: Draft, claimId: string, body: ClaimRequest, limits: { queue: number }): Claim {
  const { state } = draft;
  const fingerprint = fingerprintOf(body);
  const known = state.subject;
  if (known) {
    if (!isLive(known)) throw claimOver(known);
    if (known.session !== body.session) throw claimInUse();
    if (known.fingerprint !== fingerprint) throw otherBody();
    // The answer makes the client count a whole lease from now on, so it has to be a renewal for the server too.
    if (known.state === 'held') {
      draft.renewed.add(claimId);
      return draft.change(known, { renewSeq: known.renewSeq + 1 });
    }
    return known;
  }
  const order = body.order ?? null;
  const verdict = judgeArrival(order, state.held, state.waiting, state.marks);
  const arriving: Claim = {
    ...blankClaim(claimId, body.session, state.now),
    fingerprint,
    holder: body.holder,
    ttlSeconds: body.ttl_seconds,
    maxHoldSeconds: body.max_hold_seconds ?? null,
    orderKey: order?.key ?? null,
    orderNumber: order?.number ?? null,
  };
  if (verdict.kind === 'outdated') {
    draft.create(arriving);
    return draft.end(arriving, 'outdated', { by: verdict.by });
  }
  if (verdict.supersedes.length === 0 && state.waitingCount >= limits.queue) throw queueFull(limits.queue);
  for (const older of verdict.supersedes) {
    draft.end(older, 'superseded', {
      by: { number: order?.number ?? 0, holder: body.holder, state: 'queued' },
    });
  }
  arriving.place = verdict.inherits ?? ++state.lastPlace;
  draft.create(arriving);
  draft.grantNext(claimId);
  const now = state.subject ?? arriving;
  if (now.state === 'queued') {
    draft.record('queued', now, {
      detail: { holder: now.holder, place: now.place, ...(order && { order: order.number }) },
    });
  }
  return now;
}

/** The claim, where it holds the lock with this session and token. @throws {Problem} `lease_lost`, `claim_in_use`. */
export function holding(known: Claim | null | undefined, session: string, token: number): Claim {
  if (!known) throw leaseLost('unknown_claim');
  if (known.session !== session) throw claimInUse();
  if (known.state === 'queued') throw leaseLost('not_held');
  if (known.state !== 'held') throw leaseLost(known.endReason ?? known.state);
  if (known.token !== token) throw leaseLost('token_mismatch');
  return known;
}

/** A holder renews: the slow way, which also takes a new step and explains a refusal. */
export function renew(
  draft: Draft,
  session: string,
  token: number,
  step: string | undefined,
  heldMs: number,
): Claim {
  const known = holding(draft.state.subject, session, token);
  if (known.maxHoldSeconds !== null && heldMs >= known.maxHoldSeconds * 1000) {
    const lost = draft.end(known, 'lost', { reason: 'max_hold' });
    draft.grantNext();
    return lost;
  }
  draft.renewed.add(known.claimId);
  if (step !== undefined && step !== known.step) draft.touchVersion();
  return draft.change(known, {
    confirmed: true,
    renewSeq: known.renewSeq + 1,
    ...(step !== undefined && { step }),
  });
}

/**
 * A run to which the holder lends its lease rolls, or is proven on the fleet: its order is marked as the claim's own is.
 *
 * @throws {Problem} as {@link holding}; `outdated` where a higher order of its key was before.
 */
export function markLent(draft: Draft, session: string, token: number, order: Order): void {
  const known = holding(draft.state.subject, session, token);
  const by = newerThan(order, [], draft.state.marks);
  if (by) throw claimOver({ ...known, state: 'outdated', endedBy: by });
  draft.mark({ ...known, orderKey: order.key, orderNumber: order.number });
}

/**
 * Another process goes on with a claim: from here on it belongs to this session. A lease gets a new token with it, so that
 * whoever had it before rolls nothing any more, and what was rolled under the old token is waited for.
 *
 * @returns The claim as it stands then; null where it cannot be gone on with, and a new one has to be made.
 */
export function takeOver(draft: Draft, claimId: string, session: string, by: string): Claim | null {
  const { state } = draft;
  const known = state.subject;
  if (!known) {
    // It may still be on its way from a process that is not there any more: it comes too late then.
    draft.create(tombstone(claimId, session, state.now));
    draft.record('left', state.subject, { detail: { reason: 'taken over before it arrived' } });
    return null;
  }
  if (!isLive(known)) {
    // What was decided on the claim stays decided; a lease that ran out or was given back is no decision.
    return ['broken', 'superseded', 'outdated'].includes(known.state) ? known : null;
  }
  const held = known.state === 'held';
  if (held) {
    state.lastToken = nextToken(state.lastToken, state.timeline);
    draft.renewed.add(claimId);
  }
  const next = draft.change(known, {
    session,
    ...(held && { token: state.lastToken, renewSeq: known.renewSeq + 1, confirmed: true }),
  });
  draft.record('taken_over', next, { detail: { by, ...(held && { from: known.token }) } });
  return next;
}

export interface ReleaseOutcome {
  state: string;
  already: boolean;
}

/** The holder is done, or a waiter leaves. Whoever came after is never touched. */
export function release(
  draft: Draft,
  claimId: string,
  body: { session: string; fencing_token?: number | undefined; result?: string | undefined },
): ReleaseOutcome {
  const known = draft.state.subject;
  if (!known) {
    // The claim may still be on its way. A claim that has left stays out when it arrives.
    draft.create(tombstone(claimId, body.session, draft.state.now));
    draft.record('left', draft.state.subject, { detail: { reason: 'left before it arrived' } });
    return { state: 'left', already: false };
  }
  if (!isLive(known)) return { state: known.state, already: true };
  if (known.session !== body.session) throw claimInUse();
  if (known.state === 'queued') {
    draft.end(known, 'left');
    return { state: 'left', already: false };
  }
  if (body.fencing_token !== undefined && body.fencing_token !== known.token)
    throw leaseLost('token_mismatch');
  if (body.result === 'proven') draft.mark(known);
  draft.end(known, 'released', body.result ? { result: body.result } : {});
  draft.grantNext();
  return { state: 'released', already: false };
}

const tombstone = (claimId: string, session: string, now: Date): Claim => ({
  ...blankClaim(claimId, session, now),
  state: 'left',
  endedAt: now,
});

/** Ends a holder that stopped renewing, unless it renewed since it was last looked at. */
export function expire(draft: Draft, claimId: string, renewSeq: number, reason: string): boolean {
  const { held } = draft.state;
  if (held?.claimId !== claimId || held.renewSeq !== renewSeq) return false;
  draft.end(held, 'lost', { reason });
  draft.grantNext();
  return true;
}

/** Ends a waiter that stopped polling, unless it polled since it was last looked at. */
export function abandon(draft: Draft, claimId: string, pollSeq: number): boolean {
  const waiter = draft.state.waiting.find((other) => other.claimId === claimId);
  if (!waiter || waiter.pollSeq !== pollSeq) return false;
  draft.end(waiter, 'abandoned', { reason: 'stopped polling' });
  return true;
}

/** What a person does to the lock. */
export interface AuditNote {
  reason: string;
  /** Name of the token, where it has one; else what the caller said. */
  actor: string;
  /** What the caller said beside the name of the token. */
  said?: string | undefined;
}

export const saidBy = ({ said }: AuditNote) => (said === undefined ? {} : { said });

/** A person ends the hold that they saw. */
export function breakHold(
  draft: Draft,
  token: number,
  who: AuditNote & { confirmed: boolean; ip: string },
): Claim {
  const { held } = draft.state;
  if (!held || held.token !== token) throw tokenMismatch(token, held);
  const broken = draft.end(held, 'broken', {
    reason: 'broken',
    actor: who.actor,
    detail: {
      why: who.reason,
      confirm_alive: who.confirmed,
      ip: who.ip,
      holder: held.holder,
      ...saidBy(who),
    },
  });
  draft.grantNext();
  return broken;
}

/** @param replace takes the place of a freeze that stands. */
export function freeze(draft: Draft, frozen: Frozen, replace: boolean): Frozen {
  if (draft.state.frozen && !replace) throw alreadyFrozen(draft.state.frozen);
  draft.state.frozen = frozen;
  draft.wakeAll = true;
  draft.record('frozen', null, { actor: frozen.actor ?? null, detail: { ...frozen } });
  return frozen;
}

export function unfreeze(draft: Draft, note: AuditNote): void {
  if (!draft.state.frozen) throw notFrozen();
  draft.state.frozen = null;
  draft.record('unfrozen', null, { actor: note.actor, detail: { reason: note.reason, ...saidBy(note) } });
  draft.grantNext();
}

/** Rows of the audit log were exported, and are taken away: this one vouches for where the rest begins. */
export function prune(draft: Draft, actor: string, detail: { through: number; head: string | null }): void {
  draft.record('pruned', null, { actor, detail });
}

/** The database was restored from a backup: no token that was granted after it is granted again. */
export function restore(draft: Draft, actor: string): void {
  const { state } = draft;
  const from = state.lastToken;
  state.lastToken = restoredToken(from, state.timeline);
  draft.record('restored', null, { actor, detail: { from, to: state.lastToken } });
}
