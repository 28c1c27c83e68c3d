/** The right to roll, kept alive: renewal, margin and stop by its own timer on the monotonic clock. */

import type { LockClient, ReleaseResult } from '../clients/control-plane/lock.js';
import type { Draining } from '../contract.js';
import { FleetError } from '../errors.js';
import type { Emit } from '../events/emitter.js';
import { sleep } from '../io/sleep.js';
import type { Ports } from '../ports.js';
import { cut } from '../text/cut.js';
import { oneLine } from '../text/sanitize.js';
import { DrainWatch } from './draining.js';
import { RolloutRecords } from './records.js';

export interface Grant {
  claimId: string;
  session: string;
  fencingToken: number;
  ttlMs: number;
  /** Monotonic milliseconds read before the request went out that brought the grant. */
  sentAt: number;
  /** How long the claim waited before. */
  waitedMs: number;
  /** A roll under an older token that still runs: until it has ended, the lease is held and not usable. */
  draining: Draining | null;
}

/** Part of the TTL that is not used, at most: what the server's own granularity may cost. */
const MARGIN_MAX_MS = 2_000;
/** A wall clock that runs off the monotonic one by more than this has slept or was set. */
const SUSPEND_DRIFT_MS = 1_000;
/** Between two renewals at least, whatever TTL the server names. */
const RENEW_PACE_MS = 250;
/** How often the server is asked whether a roll under an older token has ended. */
const DRAINING_POLL_MS = 2_000;
/** A release must end within what a CI server leaves after its signal, which is seven seconds and less. */
const RELEASE_TIMEOUT_MS = 2_000;
const RELEASE_TRIES = 2;

/** Milliseconds for which a lease may be used, counted from before the request was sent. */
export function usableMs(ttlMs: number): number {
  return ttlMs - Math.min(ttlMs / 10, MARGIN_MAX_MS);
}

export class Lease {
  /** Aborted, with a {@link FleetError} `LOCK_LOST` as its reason, as soon as the lease is lost. */
  readonly signal: AbortSignal;
  readonly fencingToken: number;
  readonly waitedMs: number;
  /** What the holder is doing, sent with each renewal. */
  step = '';

  /** What runs of this fleet leave behind on the server. */
  readonly records: RolloutRecords;

  /** Private: its session proves the claim. */
  readonly #grant: Grant;
  readonly #lost = new AbortController();
  readonly #over = new AbortController();
  #ttlMs: number;
  #usableUntil: number;
  #drift: number;
  #failed = false;
  #draining: Draining | null;
  readonly #drains: DrainWatch;
  #renewing: Promise<void> | null = null;
  #released: Promise<boolean> | null = null;
  #stopAlarm: () => void = () => {};
  #loop: Promise<void>;

  constructor(
    private readonly client: LockClient,
    grant: Grant,
    private readonly ports: Pick<Ports, 'clock' | 'random'>,
    private readonly emit: Emit,
  ) {
    this.signal = this.#lost.signal;
    this.#drains = new DrainWatch(client.group, ports.clock, emit);
    this.#grant = grant;
    this.records = new RolloutRecords(client, grant, ports, emit);
    this.fencingToken = grant.fencingToken;
    this.waitedMs = grant.waitedMs;
    this.#ttlMs = grant.ttlMs;
    this.#usableUntil = grant.sentAt + usableMs(grant.ttlMs);
    this.#draining = grant.draining;
    this.#drift = this.#driftNow();
    this.#setAlarm();
    this.#loop = this.#keepAlive();
  }

  get group(): string {
    return this.client.group;
  }

  get claimId(): string {
    return this.#grant.claimId;
  }

  /** Proves the claim, for a child process that leaves a record under it. */
  get session(): string {
    return this.#grant.session;
  }

  /** Milliseconds between the end of use and the moment at which the server may grant to somebody else. */
  get graceMs(): number {
    return this.#ttlMs - usableMs(this.#ttlMs);
  }

  /** Milliseconds of use that are left without another renewal. */
  get usableForMs(): number {
    return this.#usableUntil - this.ports.clock.monotonic();
  }

  /**
   * Resolves when a new step may start: not near the end of the lease, not on the far side of a suspend that no renewal
   * has answered yet, and not while a roll under an older token still runs. Rejects with the reason of `signal`, with
   * `LOCK_LOST`, and with `LOCK_TIMEOUT` where that roll does not end.
   */
  async ready(signal: AbortSignal): Promise<void> {
    const guard = Math.min(8_000, this.#ttlMs / 4);
    const either = AbortSignal.any([signal, this.signal]);
    for (;;) {
      either.throwIfAborted();
      const slept = Math.abs(this.#driftNow() - this.#drift) > SUSPEND_DRIFT_MS;
      if (this.usableForMs > guard && !slept && !this.#draining) return;
      if (this.#draining) {
        this.#drains.sees(this.#draining);
        await sleep(this.ports.clock, DRAINING_POLL_MS, either);
      }
      await this.#renew();
      // A renewal that cannot even be sent fails at once: without a pause this would be a tight loop.
      if (this.#failed || this.usableForMs <= guard) await sleep(this.ports.clock, 250, either);
    }
  }

  /**
   * Gives the lease back; again does nothing more. Never throws: what cannot be released ends with its TTL.
   *
   * @returns Whether the server said that it is free.
   */
  release(result: ReleaseResult): Promise<boolean> {
    this.#released ??= this.#release(result);
    return this.#released;
  }

  async #release(wanted: ReleaseResult): Promise<boolean> {
    this.#end();
    await this.#loop;
    if (this.signal.aborted) return false;
    const { claimId, session, fencingToken } = this.#grant;
    // A server of the first version knows neither the word nor the record.
    const result = wanted === 'none' && !this.records.kept ? 'not_proven' : wanted;
    const rollout = this.records.current();
    let reason = '';
    for (let attempt = 0; attempt < RELEASE_TRIES; attempt++) {
      // A deadline of its own: the run's signal is aborted by now where it matters most.
      const answer = await this.client
        .release(
          claimId,
          { session, fencing_token: fencingToken, result, ...(rollout && { rollout }) },
          { timeoutMs: RELEASE_TIMEOUT_MS, fresh: attempt > 0 },
        )
        .catch((error: Error) => ({ kind: 'failed' as const, reason: error.message }));
      const tooLarge = answer.kind === 'refused' && answer.status === 413;
      if (tooLarge)
        this.emit({ code: 'warning', reason: 'the record of this rollout is too large to be kept' });
      // The release counts all the same.
      if (answer.kind === 'released' || tooLarge) {
        this.emit({ code: 'lock.released', group: this.group });
        return true;
      }
      reason = answer.kind === 'refused' ? oneLine(answer.problem.error, 60) : answer.reason;
      if (answer.kind === 'refused') break;
    }
    this.emit({ code: 'lock.release_failed', group: this.group, reason, free_after_ms: this.#ttlMs });
    return false;
  }

  async #keepAlive(): Promise<void> {
    const { clock, random } = this.ports;
    try {
      for (;;) {
        const gap = this.#failed
          ? Math.min(2_000, this.#ttlMs / 10) * (0.5 + random.fraction())
          : (this.#ttlMs / 3) * (0.9 + 0.2 * random.fraction());
        await sleep(clock, Math.max(gap, RENEW_PACE_MS), this.#over.signal);
        await this.#renew();
      }
    } catch {
      // The sleep was ended: the lease is over, and whoever ended it knows why.
    }
  }

  /** One renewal at a time; who comes meanwhile waits for the same one. */
  #renew(): Promise<void> {
    this.#renewing ??= this.#renewOnce().finally(() => {
      this.#renewing = null;
    });
    return this.#renewing;
  }

  async #renewOnce(): Promise<void> {
    const { clock } = this.ports;
    const { claimId, session, fencingToken } = this.#grant;
    const sentAt = clock.monotonic();
    const drift = this.#driftNow();
    const step = this.#draining ? 'draining' : cut(this.step, 300);
    const body = { session, fencing_token: fencingToken, ...(step ? { step } : {}) };
    const answer = await this.client
      .renew(claimId, body, {
        timeoutMs: Math.max(500, this.#ttlMs / 6),
        fresh: this.#failed,
        signal: this.#over.signal,
      })
      .catch((error: Error) => ({ kind: 'no_answer' as const, reason: error.message }));
    if (this.#over.signal.aborted) return;
    if (answer.kind === 'held') {
      this.#ttlMs = answer.ttlMs;
      this.#usableUntil = sentAt + usableMs(answer.ttlMs);
      this.#drift = drift;
      this.#draining = answer.draining;
      this.#setAlarm();
      if (this.#failed) this.emit({ code: 'lock.recovered', group: this.group });
      this.#failed = false;
    } else if (answer.kind === 'refused') {
      this.#lose(oneLine(answer.problem.reason ?? answer.problem.detail ?? answer.problem.error, 120));
    } else {
      this.#failed = true;
      this.emit({
        code: 'lock.renew_failed',
        group: this.group,
        usable_ms: Math.max(0, this.usableForMs),
        reason: answer.reason,
      });
    }
  }

  /** Ends the lease on time whatever the network does: by a timer, not by a call that may hang. */
  #setAlarm(): void {
    this.#stopAlarm();
    this.#stopAlarm = this.ports.clock.timer(this.usableForMs, () =>
      this.#lose('no renewal was answered before its end'),
    );
  }

  #lose(reason: string): void {
    if (this.#over.signal.aborted) return;
    this.#end();
    this.emit({ code: 'lock.lost', group: this.group, reason });
    this.#lost.abort(
      new FleetError('LOCK_LOST', `the lock ${this.group} was lost: ${reason}`, {
        outcome: 'lock_lost',
        next: `nothing more was started; look with: fleet lock status --lock-group ${this.group}, then run the same command again`,
      }),
    );
  }

  #end(): void {
    this.#stopAlarm();
    this.#over.abort();
  }

  #driftNow(): number {
    return this.ports.clock.wall() - this.ports.clock.monotonic();
  }
}
