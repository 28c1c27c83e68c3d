/** The options of a run, as a program gives them. */
export type Command = 'redeploy' | 'plan' | 'verify' | 'lock';

/** Options of a run. Durations are milliseconds. Defaults are those of the command line. */
export interface FleetOptions {
  /** Named environment; names the lock group where `lockGroup` is absent. */
  environment?: string;
  /** Base URL of the control plane; `https`, or `http` on loopback. */
  controlPlane?: string;
  /** The one host that `controlPlane` may name. */
  controlPlaneHost?: string;
  /** Bearer token of the control plane. Sent to it and to the lock server of the same origin rules only. */
  controlPlaneToken?: string;
  /** `https://{slug}.example.com`: `{slug}` in host or path; `/buildinfo` is appended. */
  tenantUrl?: string;
  /** `verifyFleet` only: the tenants to verify, instead of those that the control plane lists. */
  tenant?: string[];
  /** Image tag to roll to. */
  targetTag?: string;
  /** Commit that every tenant must report: 40 hex digits. Required unless `dryRun`. */
  expectedSha?: string;
  /** Default `scoped`. */
  strategy?: 'scoped' | 'single-call';
  /** Slug of the tenant that is rolled and proven first. Empty: none. */
  canary?: string;
  /** Default 60 000. */
  soakMs?: number;
  /** At least 1, default 3. */
  batchSize?: number;
  /** At least 0, default 0; counted over the whole rollout. */
  maxStragglers?: number;
  /** Globs of tenants that may vanish mid-roll. */
  ephemeral?: string[];
  /** Rolls tenants that are on target too. */
  force?: boolean;
  /** Default 240 000. */
  settleBudgetMs?: number;
  /** Default 10 000, more than 0. */
  probeTimeoutMs?: number;
  /** Default 32, at least 1. */
  probeConcurrency?: number;
  /** Default 1, at least 1. */
  confirmations?: number;
  /** Lock that guards the fleet; default `environment`. */
  lockGroup?: string;
  /** Default 1 200 000. */
  lockWaitMs?: number;
  /** Default 30 000; 2 000 to 3 600 000. */
  lockTtlMs?: number;
  /** Server of the lock; default `controlPlane`. */
  lockUrl?: string;
  /** Rolls without a lock. */
  noLock?: boolean;
  /** A lease that a parent process (`fleet lock run`) holds and renews: used instead of waiting behind it. */
  lockInherited?: { group: string; fencingToken: number };
  giteaUrl?: string;
  giteaToken?: string;
  /** Allows `http` for Gitea on hosts other than loopback. */
  allowHttpGitea?: boolean;
  /** Address of Gitea for people: links begin with it. Default `giteaUrl`. */
  giteaWebUrl?: string;
  /** `owner/name`. */
  repository?: string;
  branch?: string;
  /** The one branch whose CI runs may roll. */
  onlyBranch?: string;
  requireContext?: string[];
  /** Name of the Gitea repository variable. */
  killSwitch?: string;
  /** Kill switch as a value. */
  hold?: string;
  /** Repository of the image, host included and tag left out: `registry.example.com/team/server`. Default: not looked at. */
  image?: string;
  /** Default 300 000, at least 0: how long `targetTag` may take to appear in `image` with `expectedSha` in its label. */
  imageWaitMs?: number;
  /** User at the registry of `image`; needs `registryPassword`. Default: anonymous. */
  registryUser?: string;
  registryPassword?: string;
  supersededBy?: 'claim' | 'head' | 'off';
  /** Place of this commit among those of its branch. */
  order?: number;
  /**
   * One open issue in `repository` while the environment fails. Needs `giteaUrl` and a `giteaToken` that may write
   * issues. Default false.
   */
  alertIssue?: boolean;
  /** Commit status `fleet/<environment>`. Needs `giteaUrl` and a `giteaToken` that may write to the repository. Default false. */
  commitStatus?: boolean;
  /** Webhook that takes `{"text": ...}` as Slack does, told of each failure. `https`, or `http` on loopback; a secret. */
  alertWebhook?: string;
  /** Default 1 800 000, for the whole run. */
  timeoutMs?: number;
  dryRun?: boolean;
  /** What started the run. */
  trigger?: Trigger;
}

/** What started the run, as CI tells it. All absent: a person at a terminal. */
export interface Trigger {
  /** `push`, `schedule`, `workflow_dispatch`, `release`; any other event is not trusted. */
  event?: string;
  /** `tag` where a tag was pushed, which people do by hand; anything else is a branch. */
  refType?: string;
  actor?: string;
  runId?: string;
  runAttempt?: string;
  job?: string;
  runUrl?: string;
}
