/** Stage 3: waits for the right to roll one fleet. */

import {
  type ClaimAnswer,
  LockClient,
  type NoAnswer,
  type Refused,
  type ReleaseResult,
} from '../clients/control-plane/lock.js';
import { type ClaimQueued, type ClaimRequest, WAIT_SECONDS_MAX } from '../contract.js';
import type { Emit } from '../events/emitter.js';
import { pace, sleep } from '../io/sleep.js';
import type { Ports } from '../ports.js';
import {
  claimRefused,
  claimTaken,
  lockFrozen,
  lockSuperseded,
  lockTimeout,
  lockUnreachable,
  lockWronglySuperseded,
} from './errors.js';
import { cleanHolder } from './holder.js';
import { type Grant, Lease, usableMs } from './lease.js';
import type { LockOptions } from './options.js';

/** Asked for less than the longest wait: proxies cut idle requests at 30 s, and the answer needs its way too. */
const POLL_SECONDS = 20;
const REQUEST_TIMEOUT_MS = 10_000;
/** Without a first answer this many tries tell a wrong address from a passing outage. */
const FIRST_TRIES = 4;
/** A server that ends every claim that it is sent keeps no promise that waiting could rely on. */
const MOST_CLAIMS = 20;
/** Between two claims at least. */
const CLAIM_PACE_MS = 500;
const BACKOFF_MS = { first: 500, most: 8_000 } as const;

/**
 * Does `work` under the lock and gives the lock back, whatever happens.
 *
 * @param work Gets the lease; its signal aborts when the lease is lost, and nothing may start after that.
 * @param unlessDone With what the lock is given back where `work` throws.
 * @throws FleetError `LOCK_TIMEOUT`, `LOCK_LOST`, `SUPERSEDED`, `LOCK_FROZEN`, `CP_*`, `LOCK_UNKNOWN_ENDPOINT`; and what `work` throws.
 */
export async function withLease<T>(
  options: LockOptions,
  ports: Pick<Ports, 'clock' | 'random' | 'http'>,
  emit: Emit,
  signal: AbortSignal,
  work: (lease: Lease) => Promise<{ value: T; result: ReleaseResult }>,
  unlessDone: ReleaseResult = 'not_proven',
): Promise<T> {
  const lease = await new FleetLock(options, ports, emit).acquire(signal);
  let result = unlessDone;
  try {
    const done = await work(lease);
    result = done.result;
    return done.value;
  } finally {
    await lease.release(result);
  }
}

export class FleetLock {
  /** Private: it knows the token. */
  readonly #options: LockOptions;
  readonly #client: LockClient;
  readonly #session: string;
  #claimId: string;
  #fencingToken: number | undefined;
  /** Nothing was asked yet under this claim id. */
  #fresh = true;
  #claims = 0;
  /** The server may know the claim: there is something to leave. */
  #placed = false;

  constructor(
    options: LockOptions,
    private readonly ports: Pick<Ports, 'clock' | 'random' | 'http'>,
    private readonly emit: Emit,
  ) {
    this.#options = options;
    this.#client = new LockClient({ ...options.server, http: ports.http }, options.group);
    this.#session = options.claim?.session ?? ports.random.session();
    this.#claimId = options.claim?.claimId ?? options.claimId ?? ports.random.uuid();
    this.#announce();
  }

  /**
   * Waits until the lock is granted. Leaves the queue when it gives up or is aborted.
   *
   * @throws FleetError as {@link withLease}.
   */
  async acquire(signal: AbortSignal): Promise<Lease> {
    try {
      const grant = await this.#wait(signal);
      this.emit({
        code: 'lock.acquired',
        group: this.#options.group,
        fencing_token: grant.fencingToken,
        waited_ms: grant.waitedMs,
        ttl_ms: grant.ttlMs,
      });
      return await this.#usable(grant, signal);
    } catch (error) {
      await this.#leave();
      throw error;
    }
  }

  /** The lease, once no roll under an older token runs any more. */
  async #usable(grant: Grant, signal: AbortSignal): Promise<Lease> {
    const lease = new Lease(this.#client, grant, this.ports, this.emit);
    this.#placed = false;
    try {
      await lease.records.learn(AbortSignal.any([signal, lease.signal]));
      if (grant.draining) await lease.ready(signal);
      return lease;
    } catch (error) {
      await lease.release('not_proven');
      throw error;
    }
  }

  async #wait(signal: AbortSignal): Promise<Grant> {
    const { clock } = this.ports;
    const options = this.#options;
    const started = clock.monotonic();
    const waited = () => clock.monotonic() - started;
    let reached = false;
    let failures = 0;
    let last: ClaimQueued | null = null;
    let silence: string | null = null;
    let shown = '';

    for (let first = true; ; first = false) {
      const left = options.waitMs - waited();
      if (!first && left <= 0) throw lockTimeout(options.group, last, waited(), silence);
      // A new claim is first asked for without waiting: what it waits for is then told at once.
      const waitSeconds = this.#fresh ? 0 : Math.min(POLL_SECONDS, WAIT_SECONDS_MAX, Math.ceil(left / 1000));
      this.#fresh = false;
      const sentAt = clock.monotonic();
      const answer = await this.#client.claim(this.#claimId, this.#request(), waitSeconds, {
        timeoutMs: REQUEST_TIMEOUT_MS + waitSeconds * 1000,
        fresh: failures > 0,
        signal,
      });

      this.#placed ||= answer.kind !== 'no_answer' || answer.sent;
      if (answer.kind === 'no_answer') {
        reached ||= answer.reached;
        failures++;
        if (!reached && (failures >= FIRST_TRIES || waited() >= options.waitMs))
          throw lockUnreachable(options.server.url, answer.reason);
        if (answer.reason !== silence) {
          silence = answer.reason;
          this.emit({
            code: 'lock.unanswered',
            group: options.group,
            reason: answer.reason,
            waited_ms: waited(),
          });
        }
        await sleep(clock, Math.min(this.#pauseMs(answer, failures), options.waitMs - waited()), signal);
        continue;
      }
      silence = null;
      reached = true;
      failures = 0;
      if (answer.kind === 'refused') {
        await this.#refused(answer, first, signal);
        await pace(this.ports, sentAt, CLAIM_PACE_MS, signal);
        continue;
      }
      if (answer.kind === 'held') {
        this.#fencingToken = answer.fencingToken;
        const grant = this.#grant(answer, sentAt, waited());
        // The server's clock may have started long before a waiting request came back.
        if (waitSeconds === 0) return grant;
        const confirmed = await this.#confirm(grant, signal);
        if (confirmed === 'held') return grant;
        // Unanswered, the claim may hold the lock: the same claim is asked again, since a new one would wait behind it.
        if (confirmed === 'lost' && !options.claim) this.#startOver();
        continue;
      }
      // A waiting request that comes back at once did not wait.
      if (waitSeconds > 0) await pace(this.ports, sentAt, CLAIM_PACE_MS, signal);
      last = answer.queued;
      if (last.frozen) throw lockFrozen(options.group, last.frozen);
      const { position, queue_length, holder } = last;
      const news = `${position} ${queue_length} ${holder?.name} ${holder?.step}`;
      if (news !== shown) {
        shown = news;
        this.emit({
          code: 'lock.waiting',
          group: options.group,
          position,
          queue_length,
          holder: holder ? cleanHolder(holder) : null,
          waited_ms: waited(),
        });
      }
    }
  }

  #pauseMs({ retryAfterMs }: NoAnswer, failures: number): number {
    const most = Math.min(BACKOFF_MS.most, BACKOFF_MS.first * 2 ** Math.min(failures, 5));
    return retryAfterMs ?? most * (0.5 + this.ports.random.fraction() / 2);
  }

  #request(): ClaimRequest {
    const { holder, order, ttlMs } = this.#options;
    return { session: this.#session, ttl_seconds: ttlMs / 1000, holder, ...(order ? { order } : {}) };
  }

  #grant(answer: Extract<ClaimAnswer, { kind: 'held' }>, sentAt: number, waitedMs: number): Grant {
    return {
      claimId: this.#claimId,
      session: this.#session,
      fencingToken: answer.fencingToken,
      ttlMs: answer.ttlMs,
      sentAt,
      waitedMs: Math.round(waitedMs),
      draining: answer.draining,
    };
  }

  /** Renews a grant that a waiting request brought, and only then calls it usable. */
  async #confirm(grant: Grant, signal: AbortSignal): Promise<'held' | 'lost' | 'unanswered'> {
    const { clock } = this.ports;
    const end = clock.monotonic() + usableMs(grant.ttlMs);
    for (let fresh = false; clock.monotonic() < end; fresh = true) {
      const sentAt = clock.monotonic();
      const renewed = await this.#client.renew(
        grant.claimId,
        { session: grant.session, fencing_token: grant.fencingToken },
        { timeoutMs: Math.max(500, grant.ttlMs / 6), fresh, signal },
      );
      if (renewed.kind === 'held') {
        grant.sentAt = sentAt;
        grant.ttlMs = renewed.ttlMs;
        grant.draining = renewed.draining;
        return 'held';
      }
      if (renewed.kind === 'refused') return 'lost';
      if (!fresh) {
        const { group } = this.#options;
        this.emit({ code: 'lock.unanswered', group, reason: renewed.reason, waited_ms: grant.waitedMs });
      }
      await sleep(clock, Math.min(500, grant.ttlMs / 10), signal);
    }
    return 'unanswered';
  }

  /** A definite no: ends the waiting, or starts over with a claim of its own. */
  async #refused(answer: Refused, first: boolean, signal: AbortSignal): Promise<void> {
    const { problem } = answer;
    const { group, doubt } = this.#options;
    switch (problem.error) {
      case 'superseded':
      case 'outdated': {
        const why = problem.by && doubt ? await doubt(problem.by, signal) : null;
        throw why === null ? lockSuperseded(group, problem) : lockWronglySuperseded(group, problem, why);
      }
      // The claim of this job was used up by an earlier attempt, or an earlier process of it still lives.
      case 'claim_over':
      case 'claim_in_use':
        if (this.#options.claim) throw claimTaken(group, problem);
        if ((!first || this.#options.claimId !== undefined) && this.#claims < MOST_CLAIMS) {
          this.#startOver();
          return;
        }
    }
    throw claimRefused(answer);
  }

  #startOver(): void {
    this.#claimId = this.ports.random.uuid();
    this.#fencingToken = undefined;
    this.#placed = false;
    this.#fresh = true;
    this.#claims++;
    this.#announce();
  }

  #announce(): void {
    this.#options.onClaim?.({ claimId: this.#claimId, session: this.#session });
  }

  /** Leaves the queue under a deadline of its own; a claim that cannot leave is abandoned by the server in a minute. */
  async #leave(): Promise<void> {
    if (!this.#placed) return;
    const body = { session: this.#session, fencing_token: this.#fencingToken, result: 'not_proven' as const };
    await this.#client.release(this.#claimId, body, { timeoutMs: 2_000, fresh: true }).catch(() => {});
  }
}
