/** Stage 1: everything that a run needs to know, checked before the first request. */
import { type Announcing, checkAnnouncing } from './alerts.js';
import { Check, flagLabel, type Label } from './check.js';
import { checkGates } from './gates.js';
import type { GiteaAccess } from './gitea.js';
import type { ImageSource } from './image.js';
import { checkLock } from './lock.js';
import type { Command, FleetOptions, Trigger } from './options.js';
import { checkTarget } from './target.js';
import { askedBy } from './trigger.js';

/** {@link FleetOptions} checked and complete. */
export interface Config {
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
  batchSize: number;
  maxStragglers: number;
  ephemeral: string[];
  force: boolean;
  /** Slugs and globs of the part of the fleet that is meant; empty: all of it. */
  only: string[];
  /** Slugs and globs of tenants that are left out. */
  exclude: string[];
  /** How many tenants the control plane must list at least. */
  minTenants: number;
  /** Slugs that the last recorded rollout had and that may be gone. */
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
  announcing: Announcing;
  timeoutMs: number;
  dryRun: boolean;
  trigger: Trigger;
  askedBy: 'ci' | 'human';
}

export type { Label } from './check.js';

/**
 * Checks options and fills in the defaults.
 *
 * @throws FleetError `USAGE` that names the option, what is wrong with it and what is allowed.
 */
export function checkOptions(command: Command, options: FleetOptions, label: Label = flagLabel): Config {
  const check = new Check(command, options, label);
  const { values } = check;
  const target = checkTarget(check);
  const lock = checkLock(check);
  const gates = checkGates(check, lock);
  check.done();
  const trigger = values.trigger ?? {};
  return {
    command,
    environment: values.environment ?? null,
    ...target,
    strategy: values.strategy,
    canary: values.canary ?? null,
    soakMs: values.soakMs,
    batchSize: values.batchSize,
    maxStragglers: values.maxStragglers,
    ephemeral: values.ephemeral ?? [],
    force: values.force ?? false,
    only: values.only ?? [],
    exclude: values.exclude ?? [],
    minTenants: values.minTenants,
    allowMissing: values.allowMissing ?? [],
    settleBudgetMs: values.settleBudgetMs,
    probeTimeoutMs: values.probeTimeoutMs,
    probeConcurrency: values.probeConcurrency,
    confirmations: values.confirmations,
    lock,
    ...gates,
    announcing: checkAnnouncing(check, values.environment ?? lock?.group),
    timeoutMs: values.timeoutMs,
    dryRun: check.dryRun,
    trigger,
    askedBy: askedBy(trigger),
  };
}
