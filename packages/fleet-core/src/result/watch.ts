/** What somebody sees who watches a fleet: the document of `fleet watch`. */
export const WATCH_SCHEMA = 'fleet-watch/1';

export const FINDINGS = [
  /** The control plane, the lock server or Gitea could not be asked. */
  'blind',
  /** Tenants left the proven commit. */
  'drift',
  /** Tenants that answer nothing, or no commit. */
  'silent',
  /** Tenants that the last proven rollout left behind, for too long. */
  'quarantine',
  /** The lock is frozen, for too long. */
  'freeze',
  /** A green commit of the branch waits for its rollout, for too long. */
  'behind',
  /** No rollout was started, for too long. */
  'quiet',
] as const;
export type FindingKind = (typeof FINDINGS)[number];

export interface Finding {
  kind: FindingKind;
  says: string;
  /** Tenants that it is about. */
  slugs: string[];
  /** Since when, ISO 8601; null: not known. */
  since: string | null;
  /** What to type; null: what is said has to be looked into. */
  next: string | null;
}

export interface WatchReport {
  schema: typeof WATCH_SCHEMA;
  /** ISO 8601. */
  at: string;
  environment: string | null;
  /** What was looked at is all well where there is none. */
  findings: Finding[];
  /** What was not looked at, and why. */
  unwatched: string[];
  /** The commit that was proven last; null: none is on record. */
  proven_sha: string | null;
  warnings: string[];
  /** 0 where all is well, 1 where something was found, 5 where the control plane could not be used. */
  exit_code: 0 | 1 | 5;
}

/** The last look of a watch, as Gitea keeps it on the proven commit. */
export interface LastLook {
  /** ISO 8601. */
  at: string;
  well: boolean;
  says: string;
}
