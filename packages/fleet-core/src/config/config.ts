/** Stage 1: everything that a run needs to know, checked before the first request. */
import { type Announcing, checkAnnouncing } from './alerts.js';
import { Check, flagLabel, type Label } from './check.js';
import { checkGates } from './gates.js';
import type { GiteaAccess } from './gitea.js';
import type { ImageSource } from './image.js';
import { checkLock } from './lock.js';
import type { Command, FleetOptions, Trigger } from './options.js';
import type { SettingName } from './settings.js';
import { checkTarget } from './target.js';
import { askedBy } from './trigger.js';
import { type Receiver, type Refusal, refusalOf } from './trust.js';

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
  /** What is allowed, and worth a look before the roll. */
  warnings: string[];
  /** Why no secret may leave: then the configuration has none, and only the reason is left to be told. */
  refusal: Refusal | null;
}

export type { Label } from './check.js';

/**
 * Checks options and fills in the defaults.
 *
 * @throws FleetError `USAGE` that names the option, what is wrong with it and what is allowed.
 */
export function checkOptions(
  command: Command,
  options: FleetOptions,
  label: Label = flagLabel,
  inFile?: (name: SettingName) => boolean,
): Config {
  const check = new Check(command, options, label, inFile);
  const { values } = check;
  const target = checkTarget(check);
  const lock = checkLock(check);
  const gates = checkGates(check, lock);
  check.done();
  const trigger = values.trigger ?? {};
  const announcing = checkAnnouncing(check, values.environment ?? lock?.group);
  const config: Config = {
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
    announcing,
    timeoutMs: values.timeoutMs,
    dryRun: check.dryRun,
    trigger,
    askedBy: askedBy(trigger),
    warnings: warningsOf(target),
    refusal: null,
  };
  const refusal = refusalOf(check, receiversOf(check, config));
  return refusal ? withoutSecrets({ ...config, refusal }) : config;
}

/** A tag that ends in a commit says which one it was built from. */
function warningsOf({ targetTag, expectedSha }: Pick<Config, 'targetTag' | 'expectedSha'>): string[] {
  const [, commit = ''] = /(?:^|[-_.])([0-9a-f]{7,40})$/i.exec(targetTag) ?? [];
  // A date is made of the same digits.
  const isCommit = /[a-f]/i.test(commit) && /\d/.test(commit);
  if (!isCommit || !expectedSha || expectedSha.startsWith(commit.toLowerCase())) return [];
  const expected = expectedSha.slice(0, commit.length);
  return [
    `the tag ${targetTag} names the commit ${commit}, and the expected one is ${expected}: one of them is not what is meant`,
  ];
}

/** Every address that the command sends a secret to. */
function receiversOf({ values }: Check, config: Config): Receiver[] {
  const { controlPlane, controlPlaneToken, lock, gitea, image, announcing } = config;
  const receivers: Receiver[] = [];
  if (controlPlaneToken) receivers.push({ setting: 'control-plane', url: controlPlane });
  if (lock) receivers.push({ setting: values.lockUrl ? 'lock-url' : 'control-plane', url: lock.url });
  if (gitea?.token) receivers.push({ setting: 'gitea-url', url: gitea.url });
  if (image?.credentials) receivers.push({ setting: 'image', url: image.registry });
  if (announcing.webhook) receivers.push({ setting: 'alert-webhook', url: announcing.webhook });
  return receivers;
}

/** What is refused cannot leak: there is nothing left to send. */
const withoutSecrets = (config: Config): Config => ({
  ...config,
  controlPlaneToken: '',
  lock: config.lock && { ...config.lock, token: '' },
  gitea: null,
  image: null,
  announcing: { ...config.announcing, webhook: null },
});
