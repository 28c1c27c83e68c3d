import type { RedeployAnswer, RedeployRequest } from '@tenant-fleet/fleet-core/contract';
import type { Phase } from './phases.js';

/** One roll and no other, also after a failover that hands out numbers again. */
export interface RollRef {
  id: number;
  nonce: string;
}

export interface Roll extends RollRef {
  group: string;
  fencing_token: number | null;
  claim_id: string | null;
  idempotency_key: string | null;
  fingerprint: string;
  target_tag: string;
  slugs: string[];
  owner: string;
  started_at: Date;
  ended_at: Date | null;
  result: string | null;
  status: number | null;
  answer: RedeployAnswer | null;
}

export type NewRoll = Pick<
  Roll,
  | 'id'
  | 'nonce'
  | 'group'
  | 'fencing_token'
  | 'claim_id'
  | 'idempotency_key'
  | 'fingerprint'
  | 'target_tag'
  | 'slugs'
  | 'owner'
>;

/** Whatever really rolls tenants: the port behind the record of rolls. */
export interface Roller {
  /** Slugs of the tenants that there are, in the order in which they are rolled. */
  list(): string[];
  /**
   * Carries a recorded roll out to its end, whoever listens. A tenant may only change while the record of the roll is
   * open. Failures are rows of the answer; it rejects for none of them.
   */
  roll(roll: RollRef, phases: Phase[], request: RedeployRequest): Promise<RedeployAnswer>;
}
