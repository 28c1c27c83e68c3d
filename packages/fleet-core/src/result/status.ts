/** What somebody sees who looks at a fleet: the document of `fleet status`. */
import type { LockStatus } from '../contract.js';
import type { NextCommand } from './result.js';
import type { LastLook } from './watch.js';

export const STATUS_SCHEMA = 'fleet-status/1';

/** What could be found out, or why not. */
export type Known<T> = { known: true; value: T } | { known: false; why: string; next: string | null };

export interface CommitGroup {
  /** 40 lower-case hex digits, or `dev`. */
  commit: string;
  /** Tag under which a rollout on record brought it; null: none on record did. */
  tag: string | null;
  /** Tenants that answered with it, in the order of the control plane. */
  slugs: string[];
}

/** A tenant that named no commit. */
export interface UnreadTenant {
  slug: string;
  status: 'unreachable' | 'invalid';
  why: string;
}

export interface TenantsSeen {
  listed: number;
  /** The largest group first. */
  commits: CommitGroup[];
  unread: UnreadTenant[];
  /** Tenants that come and go; they are in the groups too, and never off. */
  ephemeral: string[];
  /** The commit of more tenants than any other; null: no such commit. */
  majority: string | null;
  /** Tenants on another commit than the majority. */
  off_majority: string[];
  /** Tenants on another commit than the last proven one; null: none is known. */
  off_proven: string[] | null;
}

export interface LockSeen extends LockStatus {
  /** Seconds until the lock frees itself, unless its holder renews; null: nobody holds it, or the server does not say. */
  frees_in_seconds: number | null;
}

/** A rollout on record. */
export interface RolloutSeen {
  fencing_token: number;
  claim_id: string;
  target_tag: string;
  expected_sha: string;
  /** null: it ended without a verdict. */
  outcome: string | null;
  by: string;
  /** ISO 8601. */
  at: string;
  run_url: string | null;
}

export interface FleetStatus {
  schema: typeof STATUS_SCHEMA;
  /** ISO 8601. */
  at: string;
  took_ms: number;
  environment: string | null;
  control_plane: string;
  tenants: Known<TenantsSeen>;
  /** Who holds the lock, who waits, open rolls, a freeze. */
  lock: Known<LockSeen>;
  /** null: no rollout on record proved the fleet. */
  last_proven: Known<RolloutSeen | null>;
  /** The newest rollout, where it rolled and proved nothing; null: it did prove the fleet, or is under way. */
  unfinished: RolloutSeen | null;
  /** The last look of `fleet watch`; null: no Gitea is configured, or nothing is proven. */
  last_look: Known<LastLook | null> | null;
  /** What to type; null: nothing has to be done. */
  next: NextCommand | null;
  /** 5 where the control plane could not be used. */
  exit_code: 0 | 5;
}
