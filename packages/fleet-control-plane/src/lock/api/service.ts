import type {
  ClaimRequest,
  Frozen,
  RolloutRequest,
  releaseRequestSchema,
  renewAnswerSchema,
} from '@tenant-fleet/fleet-core/contract';
import type * as z from 'zod';
import type { Clock } from '../../clock.js';
import type { Database, Query } from '../../db/database.js';
import { badRequest } from '../../problem.js';
import type { Observer } from '../liveness/liveness.js';
import { type Claim, drainingOf, effectiveTtl, isLive, type OpenRoll } from '../rules/claim.js';
import { claimOver, claimUnknown, holderAlive, leaseLost } from '../rules/refusals.js';
import * as transitions from '../rules/transitions.js';
import { changeSession, pollClaim, readClaim, readPlace, renewFast, storeHeldMs } from '../store/queries.js';
import { saveFinalRollout, saveRollout } from '../store/rollouts.js';
import type { LockStore } from '../store/store.js';
import { claimTopic, type WakeHub } from '../waiting/long-polls.js';
import { claimQueued } from './views.js';

export interface LockDeps {
  db: Database;
  /** Connections for renewals alone: nothing that waits for a row may keep them from coming in. */
  renewals: Database;
  store: LockStore;
  hub: WakeHub;
  observer: Observer;
  clock: Clock;
  /** Most claims that wait in one group. */
  queueLimit: number;
}

type ReleaseRequest = z.infer<typeof releaseRequestSchema>;

/** A claim as last seen, with what its answer depends on. */
interface Seen {
  claim: Claim;
  openRolls: OpenRoll[];
  /** Whether to look if the lock is frozen, and to say so at once. */
  tellFrozen: boolean;
}

type RenewAnswer = z.infer<typeof renewAnswerSchema>;

function renewed(claim: { ttlSeconds: number; openRolls: OpenRoll[] }, token: number): RenewAnswer {
  const draining = drainingOf(claim.openRolls, token);
  return { state: 'held', ttl_seconds: claim.ttlSeconds, ...(draining && { draining }) };
}

export type ClaimAnswer = { status: 200 | 202; body: Record<string, unknown> };

/** The calls of the lock, each as one function; routes only parse and answer. */
export class LockService {
  constructor(private readonly deps: LockDeps) {}

  /** Makes or repeats a claim and waits for the lock, at most `waitSeconds`, without a database connection. */
  async claim(
    group: string,
    claimId: string,
    body: ClaimRequest,
    waitSeconds: number,
    signal: AbortSignal,
  ): Promise<ClaimAnswer> {
    const { clock, hub } = this.deps;
    const until = clock.now() + waitSeconds * 1000;
    const ticket = hub.open(claimTopic(group, claimId));
    try {
      let seen = await this.enter(group, claimId, body);
      for (;;) {
        const { claim, openRolls } = seen;
        if (claim.state === 'held') return this.held(claim, openRolls);
        if (claim.state !== 'queued') throw claimOver(claim);
        const left = until - clock.now();
        const over = left <= 0 || signal.aborted;
        if (over || seen.tellFrozen) {
          const answer = await this.queued(group, claim);
          if (over || answer.status === 200 || answer.body.frozen) return answer;
        }
        const waking = await ticket.next(left, signal);
        const tellFrozen = waking.kind === 'look';
        // Asked even when nothing happened: it counts the poll, and it catches a wake-up that got lost.
        seen = { ...(waking.kind === 'claim' ? waking : await this.recheck(group, claimId)), tellFrozen };
      }
    } finally {
      ticket.close();
    }
  }

  /** Takes the claim into the queue, or finds it there: who polls again does not take the group's lock. */
  private async enter(group: string, claimId: string, body: ClaimRequest): Promise<Seen> {
    const { db, store, queueLimit } = this.deps;
    const { session } = body;
    const fingerprint = transitions.fingerprintOf(body);
    const known = await pollClaim(db, group, claimId, { session, fingerprint });
    const own = known !== undefined && known.session === session && known.fingerprint === fingerprint;
    if (known && (!isLive(known) || (known.state === 'queued' && own)))
      return { claim: known, openRolls: known.openRolls, tellFrozen: known.frozen !== null };
    return store.transact(group, { subject: claimId, orderKey: body.order?.key }, (draft) => {
      const claim = transitions.claim(draft, claimId, body, { queue: queueLimit });
      const { openRolls, frozen } = draft.state;
      return { claim, openRolls, tellFrozen: frozen !== null };
    });
  }

  private async recheck(group: string, claimId: string): Promise<Omit<Seen, 'tellFrozen'>> {
    const claim = await pollClaim(this.deps.db, group, claimId);
    if (!claim) throw claimUnknown();
    return { claim, openRolls: claim.openRolls };
  }

  private held(claim: Claim, openRolls: OpenRoll[]): ClaimAnswer {
    const draining = drainingOf(openRolls, claim.token);
    return {
      status: 200,
      body: {
        state: 'held',
        fencing_token: claim.token,
        ttl_seconds: effectiveTtl(claim),
        acquired_at: claim.acquiredAt?.toISOString(),
        ...(draining && { draining }),
      },
    };
  }

  private async queued(group: string, claim: Claim): Promise<ClaimAnswer> {
    const { db, observer, clock } = this.deps;
    const place = await readPlace(db, group, claim.place);
    if (!place) throw claimUnknown();
    if (place.held?.claimId === claim.claimId) return this.held(place.held, place.openRolls);
    return { status: 202, body: claimQueued(place, observer, group, clock.now(), clock.wall()) };
  }

  async renew(
    group: string,
    claimId: string,
    body: { session: string; fencing_token: number; step?: string | undefined },
  ): Promise<RenewAnswer> {
    const { renewals, store, observer, clock } = this.deps;
    const seen = { claimId, token: body.fencing_token, heldMs: 0 };
    const heldMs = observer.heldMsIfKnown(group, seen, clock.now());
    const renewal = {
      session: body.session,
      token: body.fencing_token,
      step: body.step,
      heldMs: heldMs ?? 0,
    };
    const fast = heldMs === null ? undefined : await renewFast(renewals, group, claimId, renewal);
    if (fast) {
      observer.sawHolder(group, { ...seen, renewSeq: fast.renewSeq, heldMs: renewal.heldMs }, clock.now());
      return renewed(fast, body.fencing_token);
    }
    let held = 0;
    const writes = () => [storeHeldMs(group, claimId, held)];
    const claim = await store.transact(group, { subject: claimId, lock: [claimId], writes }, (draft) => {
      const { subject, openRolls } = draft.state;
      held = subject?.state === 'held' ? observer.heldMs(group, subject, clock.now()) : 0;
      return { ...transitions.renew(draft, body.session, body.fencing_token, body.step, held), openRolls };
    });
    if (claim.state !== 'held') throw leaseLost(claim.endReason ?? claim.state);
    return renewed(claim, body.fencing_token);
  }

  /**
   * Lets another process go on with a claim, or with a new one where that has ended.
   *
   * @param claimId the claim so far; null: there was none.
   * @param take.next what to go on with where there is none to take over; its session is that of a claim taken over, too.
   * @param take.reads read in the same transaction and given to `check`, which throws where it must not be.
   * @param take.writes written in the same transaction.
   */
  async takeOver(
    group: string,
    claimId: string | null,
    take: {
      next: { claimId: string; session: string };
      by: string;
      reads: Query[];
      check: (reads: unknown[][]) => void;
      writes: (claim: { claimId: string; session: string }) => Query[];
    },
  ): Promise<{ claimId: string; session: string }> {
    let claim = take.next;
    let moved: Query[] = [];
    const load = {
      ...(claimId !== null && { subject: claimId, lock: [claimId] }),
      reads: take.reads,
      writes: () => [...moved, ...take.writes(claim)],
    };
    await this.deps.store.transact(group, load, (draft, reads) => {
      take.check(reads);
      const { session } = take.next;
      if (claimId === null || !transitions.takeOver(draft, claimId, session, take.by)) return;
      claim = { claimId, session };
      moved = [changeSession(group, claimId, session)];
    });
    return claim;
  }

  release(group: string, claimId: string, body: ReleaseRequest): Promise<transitions.ReleaseOutcome> {
    let known: Claim | null = null;
    const { rollout, session } = body;
    const writes = () =>
      // Of a lease that was lost, too: the next run has to know what was left open.
      rollout && known?.token && known.session === session
        ? [saveFinalRollout(group, claimId, known.token, rollout)]
        : [];
    return this.deps.store.transact(group, { subject: claimId, writes }, (draft) => {
      known = draft.state.subject;
      return transitions.release(draft, claimId, body);
    });
  }

  /** Keeps the rollout of a holder as it stands. @throws {Problem} as a renewal; `outdated` for an order that is. */
  async keepRollout(
    group: string,
    claimId: string,
    { session, fencing_token, rollout, order }: RolloutRequest,
  ): Promise<{ state: 'held' }> {
    const { db, store } = this.deps;
    if (order)
      await store.transact(group, { subject: claimId, orderKey: order.key }, (draft) =>
        transitions.markLent(draft, session, fencing_token, order),
      );
    if (!(await saveRollout(db, group, claimId, { session, token: fencing_token }, rollout)))
      transitions.holding(await readClaim(db, group, claimId), session, fencing_token);
    return { state: 'held' };
  }

  async breakHold(
    group: string,
    body: transitions.AuditNote & { fencing_token: number; confirm_alive?: boolean | undefined },
    ip: string,
  ): Promise<Record<string, unknown>> {
    const { store, observer, clock } = this.deps;
    return store.transact(group, {}, (draft) => {
      const { held } = draft.state;
      if (held?.token === body.fencing_token && !body.confirm_alive) {
        const { alive, secondsAgo } = observer.health(group, held, clock.now());
        if (alive) throw holderAlive(held, secondsAgo);
      }
      const broken = transitions.breakHold(draft, body.fencing_token, {
        ...body,
        confirmed: body.confirm_alive ?? false,
        ip,
      });
      const next = draft.state.held;
      return {
        state: 'broken',
        claim_id: broken.claimId,
        fencing_token: broken.token,
        holder: broken.holder,
        granted: next && { claim_id: next.claimId, fencing_token: next.token, holder: next.holder },
      };
    });
  }

  async freeze(
    group: string,
    body: transitions.AuditNote & { until?: string | undefined; replace?: boolean | undefined },
  ): Promise<{ frozen: Frozen }> {
    if (body.until && Date.parse(body.until) <= this.deps.clock.wall()) {
      throw badRequest('"until" lies in the past.', 'Give a time to come, or leave "until" out.');
    }
    const frozen = await this.deps.store.transact(group, {}, (draft) =>
      transitions.freeze(
        draft,
        {
          reason: body.reason,
          actor: body.actor,
          ...transitions.saidBy(body),
          since: draft.state.now.toISOString(),
          until: body.until ?? null,
        },
        body.replace ?? false,
      ),
    );
    return { frozen };
  }

  async unfreeze(group: string, body: transitions.AuditNote): Promise<{ frozen: null }> {
    await this.deps.store.transact(group, {}, (draft) => transitions.unfreeze(draft, body));
    return { frozen: null };
  }
}
