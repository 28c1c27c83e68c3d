/** What a run knows once its options are checked. */
import type { Announcing } from './alerts.js';
import type { BatchPolicy } from './batch.js';
import type { HandOver } from './hand-over.js';
import type { ImageSource } from './image.js';
import type { Command, Trigger } from './options.js';
import type { Refusal } from './trust.js';

export interface GiteaAccess {
  url: string;
  token: string | null;
  /** `owner/name`. */
  repository: string;
}

/** Options checked and complete. */
export interface Config extends BatchPolicy {
  command: Command;
  environment: string | null;
  controlPlane: string;
  controlPlaneToken: string;
  tenantUrl: string;
  tenants: string[] | null;
  targetTag: string;
  expectedSha: string | null;
  strategy: 'scoped' | 'single-call';
  canary: string | null;
  soakMs: number;
  maxStragglers: number;
  ephemeral: string[];
  force: boolean;
  /** Slugs and globs of the part of the fleet that is meant; empty: all of it. */
  only: string[];
  /** Slugs and globs of tenants that are left out. */
  exclude: string[];
  /** How many tenants the control plane must list at least. */
  minTenants: number;
  /** Slugs that the last recorded rollout had and that may be gone; a number says how many more may be. */
  allowMissing: string[];
  settleBudgetMs: number;
  probeTimeoutMs: number;
  probeConcurrency: number;
  confirmations: number;
  lock: {
    group: string;
    url: string;
    token: string;
    waitMs: number;
    ttlMs: number;
    /** Fencing token of a lease that a parent process holds and renews. */
    inheritedToken?: number;
    /** Session of its claim: opens the record of the claim to this process. */
    inheritedSession?: string;
  } | null;
  gitea: GiteaAccess | null;
  branch: string | null;
  onlyBranch: string | null;
  requireContexts: string[];
  killSwitch: string | null;
  image: ImageSource | null;
  hold: boolean | null;
  supersededBy: 'claim' | 'head' | 'off';
  order: { key: string; number: number } | null;
  /** A server rolls, and is told this; null: this process does. */
  handOver: HandOver | null;
  announcing: Announcing;
  timeoutMs: number;
  dryRun: boolean;
  trigger: Trigger;
  askedBy: 'ci' | 'human';
  /** What is allowed, and worth a look before the roll. */
  warnings: string[];
  /** Why no secret may leave: then the configuration has none, and only the reason is left to be told. */
  refusal: Refusal | null;
  /** What the watch takes for too long, milliseconds; 0: nothing is. */
  watch: { maxAgeMs: number; maxLagMs: number; maxQuietMs: number };
  /** The rollout on record to which this run goes back. */
  rollback?: { claim_id: string; fencing_token: number };
  /** Freezes the lock before it is given back, once the target is proven: who does so, and why. */
  freeze?: { actor: string; reason: string };
  /** What was typed, by the names of the settings: for the commands that a person is told to type next. */
  typed?: Record<string, string | string[] | boolean | undefined>;
}
