import type { RedeployAnswer, RedeployRequest } from '@tenant-fleet/fleet-core/contract';
import type { Problem } from '../problem.js';

/** One roll and no other, also after a failover that hands out numbers again. */
export interface RollRef {
  id: number;
  nonce: string;
}

/**
 * Why the end of a roll was not seen. `unavailable`: whoever should carry it out hardly began it, and its holder may send
 * it again. `lost`: it may be under way.
 */
export type Unseen = 'unavailable' | 'lost';

/** What is known of a roll before it is sent. */
export interface Prospect {
  /** Longest time that it takes, in seconds; null: it ends with the process that carries it out. */
  may_last_seconds: number | null;
  /** What every tenant of it answers once it has had its effect, as the first digits of a commit; null: nothing shows it. */
  settle_sha: string | null;
}

export interface Roll extends RollRef, Prospect {
  group: string;
  fencing_token: number | null;
  claim_id: string | null;
  idempotency_key: string | null;
  fingerprint: string;
  target_tag: string;
  /** In the order in which they are rolled; empty: the whole fleet. */
  slugs: string[];
  owner: string;
  started_at: Date;
  ended_at: Date | null;
  /** Of a roll that is open: why its end was not seen; null: its owner carries it out. */
  unseen: Unseen | null;
  result: string | null;
  status: number | null;
  answer: RedeployAnswer | null;
}

export type NewRoll = Omit<Roll, 'started_at' | 'ended_at' | 'unseen' | 'result' | 'status' | 'answer'>;

/** How a roll came out. */
export type RollEnd =
  /** `problem`: what the caller is told instead, where a dry run rolled. */
  | { kind: 'answered'; answer: RedeployAnswer; problem?: Problem }
  /** It was refused before anything changed. */
  | { kind: 'refused'; problem: Problem }
  | { kind: 'unseen'; why: Unseen; problem: Problem };

/** A roll that this process carried out, for whoever counts them. */
export interface RollSeen {
  group: string;
  kind: RollEnd['kind'];
  ms: number;
}

/** Who asks for a roll. */
export interface RollBy {
  group: string;
  fencing_token: number;
}

/** Whatever really rolls tenants: the port behind the record of rolls. */
export interface Roller {
  /** Whether a roll goes on when the process that asked for it is gone. */
  readonly outlives: boolean;
  /**
   * The tenants that a request is about, in the order in which they are rolled; empty: the whole fleet.
   * @throws Problem for a request that fits no tenant.
   */
  slugsOf(request: RedeployRequest): string[];
  /** Whether nothing has shown yet that a dry run rolls no tenant: such a one is recorded as a roll. */
  previewMayRoll(): Promise<boolean>;
  /**
   * Answers a dry run.
   * @throws Problem
   */
  preview(request: RedeployRequest, slugs: string[], signal: AbortSignal): Promise<RollEnd>;
  /** Looks ahead, before a roll is recorded. */
  prepare(request: RedeployRequest, slugs: string[], by: RollBy): Promise<Prospect>;
  /**
   * Carries a recorded roll out to its end, whoever listens. Where it does not outlive its process, a tenant changes only
   * while the record is open. Failures are rows of the answer; it rejects for none of them.
   */
  roll(roll: RollRef, slugs: string[], request: RedeployRequest): Promise<RollEnd>;
  /** Whether every tenant of a roll answers its `settle_sha`. */
  isSettled(roll: Roll): Promise<boolean>;
}
