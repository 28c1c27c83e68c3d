import type { ClaimRequest, Frozen } from '@tenant-fleet/fleet-core/contract';
import type { Clock } from '../../clock.js';
import type { Database } from '../../db/database.js';
import { badRequest } from '../../problem.js';
import type { Observer } from '../liveness/liveness.js';
import { type Claim, isLive } from '../rules/claim.js';
import { effectiveTtl } from '../rules/lease.js';
import { claimOver, claimUnknown, holderAlive, leaseLost } from '../rules/refusals.js';
import * as transitions from '../rules/transitions.js';
import { pollClaim, readGroup, readPlace, renewFast, storeHeldMs } from '../store/queries.js';
import type { LockStore } from '../store/store.js';
import { claimTopic, statusTopic, type WakeHub } from '../waiting/long-polls.js';
import { claimQueued, statusOf } from './views.js';

export interface LockDeps {
  db: Database;
  store: LockStore;
  hub: WakeHub;
  observer: Observer;
  clock: Clock;
  /** Most claims that wait in one group. */
  queueLimit: number;
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
      const first = await this.enter(group, claimId, body);
      let { claim } = first;
      let tellFrozen = first.frozen;
      for (;;) {
        if (claim.state === 'held') return this.held(claim);
        if (claim.state !== 'queued') throw claimOver(claim);
        const left = until - clock.now();
        const over = left <= 0 || signal.aborted;
        if (over || tellFrozen) {
          const answer = await this.queued(group, claim);
          if (over || answer.status === 200 || answer.body.frozen) return answer;
        }
        const waking = await ticket.next(left, signal);
        tellFrozen = waking.kind === 'look';
        // Asked even when nothing happened: it counts the poll, and it catches a wake-up that got lost.
        claim = waking.kind === 'claim' ? waking.claim : await this.recheck(group, claimId);
      }
    } finally {
      ticket.close();
    }
  }

  /** Takes the claim into the queue, or finds it there: who polls again does not take the group's lock. */
  private async enter(
    group: string,
    claimId: string,
    body: ClaimRequest,
  ): Promise<{ claim: Claim; frozen: boolean }> {
    const { db, store, queueLimit } = this.deps;
    const { session } = body;
    const fingerprint = transitions.fingerprintOf(body);
    const known = await pollClaim(db, group, claimId, { session, fingerprint });
    const own = known?.session === session && known.fingerprint === fingerprint;
    if (known && (!isLive(known) || (known.state === 'queued' && own)))
      return { claim: known, frozen: known.frozen !== null };
    return store.transact(group, { subject: claimId, orderKey: body.order?.key }, (draft) => {
      const claim = transitions.claim(draft, claimId, body, { queue: queueLimit });
      return { claim, frozen: draft.state.frozen !== null };
    });
  }

  private async recheck(group: string, claimId: string): Promise<Claim> {
    const claim = await pollClaim(this.deps.db, group, claimId);
    if (!claim) throw claimUnknown();
    return claim;
  }

  private held(claim: Claim): ClaimAnswer {
    const ttl = effectiveTtl(claim);
    return {
      status: 200,
      body: {
        state: 'held',
        fencing_token: claim.token,
        ttl_seconds: ttl,
        acquired_at: claim.acquiredAt?.toISOString(),
      },
    };
  }

  private async queued(group: string, claim: Claim): Promise<ClaimAnswer> {
    const { db, observer, clock } = this.deps;
    const place = await readPlace(db, group, claim.place);
    if (!place) throw claimUnknown();
    if (place.held?.claimId === claim.claimId) return this.held(place.held);
    return { status: 202, body: claimQueued(place, observer, group, clock.now(), clock.wall()) };
  }

  async renew(
    group: string,
    claimId: string,
    body: { session: string; fencing_token: number; step?: string | undefined },
  ): Promise<{ state: 'held'; ttl_seconds: number }> {
    const { db, store, observer, clock } = this.deps;
    const seen = { claimId, token: body.fencing_token, heldMs: 0 };
    const heldMs = observer.heldMsIfKnown(group, seen, clock.now());
    const renewal = {
      session: body.session,
      token: body.fencing_token,
      step: body.step,
      heldMs: heldMs ?? 0,
    };
    const fast = heldMs === null ? undefined : await renewFast(db, group, claimId, renewal);
    if (fast) {
      observer.sawHolder(group, { ...seen, renewSeq: fast.renewSeq, heldMs: renewal.heldMs }, clock.now());
      return { state: 'held', ttl_seconds: fast.ttlSeconds };
    }
    let held = 0;
    const writes = () => [storeHeldMs(group, claimId, held)];
    const claim = await store.transact(group, { subject: claimId, lock: [claimId], writes }, (draft) => {
      const subject = draft.state.subject;
      held = subject?.state === 'held' ? observer.heldMs(group, subject, clock.now()) : 0;
      return transitions.renew(draft, body.session, body.fencing_token, body.step, held);
    });
    if (claim.state !== 'held') throw leaseLost(claim.endReason ?? claim.state);
    return { state: 'held', ttl_seconds: claim.ttlSeconds };
  }

  release(
    group: string,
    claimId: string,
    body: { session: string; fencing_token?: number | undefined; result?: string | undefined },
  ): Promise<transitions.ReleaseOutcome> {
    return this.deps.store.transact(group, { subject: claimId }, (draft) =>
      transitions.release(draft, claimId, body),
    );
  }

  async status(
    group: string,
    afterVersion: number | undefined,
    waitSeconds: number,
    signal: AbortSignal,
  ): Promise<Record<string, unknown>> {
    const { db, hub, clock, observer } = this.deps;
    const until = clock.now() + waitSeconds * 1000;
    const ticket = hub.open(statusTopic(group));
    try {
      for (;;) {
        const view = await readGroup(db, group);
        const left = until - clock.now();
        // Only the very version that the caller has is waited on: a lower one means that the database was restored.
        if (
          afterVersion === undefined ||
          (view.row?.version ?? 0) !== afterVersion ||
          left <= 0 ||
          signal.aborted
        )
          return statusOf(group, view, observer, clock.now(), clock.wall());
        await ticket.next(left, signal);
      }
    } finally {
      ticket.close();
    }
  }

  async breakHold(
    group: string,
    body: transitions.Deed & { fencing_token: number; confirm_alive?: boolean | undefined },
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
    body: transitions.Deed & { until?: string | undefined },
  ): Promise<{ frozen: Frozen }> {
    if (body.until && Date.parse(body.until) <= this.deps.clock.wall()) {
      throw badRequest('"until" lies in the past.', 'Give a time to come, or leave "until" out.');
    }
    const frozen = await this.deps.store.transact(group, {}, (draft) =>
      transitions.freeze(draft, {
        reason: body.reason,
        actor: body.actor,
        ...transitions.saidBy(body),
        since: draft.state.now.toISOString(),
        until: body.until ?? null,
      }),
    );
    return { frozen };
  }

  async unfreeze(group: string, body: transitions.Deed): Promise<{ frozen: null; already: boolean }> {
    const lifted = await this.deps.store.transact(group, {}, (draft) => transitions.unfreeze(draft, body));
    return { frozen: null, already: !lifted };
  }
}
