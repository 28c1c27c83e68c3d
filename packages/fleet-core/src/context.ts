import type { Holder } from './contract.js';
import { FleetError } from './errors.js';
import type { Emit } from './events/emitter.js';
import type { Ports } from './ports.js';

/** What surrounds one call of the library: replaced ports, and how it is ended from outside. */
export interface RunContext {
  /** Replaced parts of the surroundings; `emit` receives the events. */
  ports?: Partial<Ports>;
  /** Ends the run as `interrupted`; the reasons `SIGTERM` and `SIGHUP` give exit codes 143 and 129, anything else 130. */
  signal?: AbortSignal;
  /** Ends at once what a run still does after its verdict: telling people. `signal` does so where it comes that late. */
  hurry?: AbortSignal;
  /** Ends a roll as `held` before its next wave; the wave under way is rolled and proven to its end. */
  stopAfterWave?: AbortSignal;
  /** Told of every claim of the lock before it is first sent; see {@link releaseClaim}. */
  onClaim?: (claim: ClaimHandle) => void;
  /** The committer's date of a commit, where what is around the run knows it, as a git clone does; for the lead time. */
  committedAt?: (sha: string) => Promise<string | null>;
  /** The parent process, where this one rolls under its lease. */
  lender?: Lender;
  /** What lets another process go on with this run. Default: nothing does. */
  durable?: Durable;
}

/** A run that outlives the process that runs it. */
export interface Durable {
  /** Id of the rollout. */
  id: string;
  /** The claim of the lock that all its processes use in turn: this one has taken it over, and nobody else knows the session. */
  claim: ClaimHandle;
  /** Whose run it is, for those who wait for the lock; the same in every process. */
  holder: Holder;
  /** How often another process went on with it before. */
  takeovers: number;
  /** When the first of its processes began it, milliseconds since 1970. */
  startedAt: number;
  /**
   * Does a step that changes something, and keeps its value as JSON. A step that an earlier process of this run ended is
   * not done again. One that was cut is: `work` looks before it acts.
   */
  step<T>(name: string, work: () => Promise<T>): Promise<T>;
  /** Asked before every wave: waits while the run is paused, rejects where a person ended it. */
  mayGoOn(signal: AbortSignal): Promise<void>;
  /** Other processes that ask tenants for it. Default: it asks them all by itself. */
  shards?: Shards;
}

/** Other processes that ask tenants. They only ask: what an answer counts is decided where the rollout runs. */
export interface Shards {
  /**
   * Has each tenant of a shard asked once, by a question that begins after this was called.
   *
   * @param signal Nobody waits for the answers any more.
   * @returns null where the shard was lost, failed or is late. Never rejects.
   */
  ask(shard: Shard, signal: AbortSignal): Promise<ShardAnswers | null>;
  /** Tenants of a shard. Default: 500 to 1,000. A round of no more than the most is not cut. */
  tenants?: { least: number; most: number };
}

/** Tenants to ask. No secret is in it. */
export interface Shard {
  slugs: string[];
  /** Address of a tenant, with `{slug}`. */
  tenantUrl: string;
  /** Longest wait for one answer, in milliseconds. */
  timeoutMs: number;
  /** Tenants that are asked at the same moment, at least 1. */
  concurrency: number;
}

/** The answers of a shard as JSON. Most tenants name the same commit, which stands in it once. */
export interface ShardAnswers {
  /** Commits, or `dev`. */
  commits: string[];
  /** Slug, place in `commits`, and how many milliseconds before the end of the shard it answered. */
  tenants: [string, number, number][];
}

/** A parent process that lends its lease to several children, and lets one of them roll at a time. */
export interface Lender {
  /**
   * Waits for the turn of this process.
   *
   * @returns `lost` aborts, with a `LOCK_LOST` as its reason, where the parent is gone or has lost the lease.
   * @throws FleetError `LOCK_LOST` where the parent is gone already; the reason of `signal`.
   */
  turn(signal: AbortSignal): Promise<{ lost: AbortSignal; end(): void }>;
}

/** What proves a claim, for a process that ends it in place of another: no address and no token. */
export interface ClaimHandle {
  claimId: string;
  session: string;
}

/** What every stage takes of its surroundings, besides what it works on. */
export interface StageContext extends Pick<Ports, 'clock' | 'random' | 'http'> {
  emit: Emit;
  /** Who else asks tenants. */
  shards?: Shards;
  /** Ends the stage: the run is interrupted, its time is up, or the lease is lost. */
  signal: AbortSignal;
}

/** @throws FleetError `HELD` where a person asked for no further wave: no success, so that nobody takes the rest for done. */
export function stopIfAsked({ stopAfterWave }: RunContext): void {
  if (!stopAfterWave?.aborted) return;
  throw new FleetError('HELD', 'stopped between two waves, as was asked for', {
    outcome: 'held',
    next: 'run the same command again to go on: tenants on target are left out',
  });
}
