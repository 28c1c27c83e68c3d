/** Made from the table of settings and checked by a test; change it there, then run the test with `-u`. */
export interface SettingOptions {
  /** Named environment of the configuration file; names the lock group too. */
  environment?: string;
  /** Base URL of the control plane. */
  controlPlane?: string;
  /**
   * Host, or host:port, that secrets may be sent to: control plane, lock, Gitea, registry and webhook; any other
   * is refused.
   */
  controlPlaneHost?: string[];
  /** Control plane token. */
  controlPlaneToken?: string;
  /** Tenant URL with {slug} in host or path; /buildinfo is appended. */
  tenantUrl?: string;
  /** Verify just this tenant, without asking the control plane for the fleet. */
  tenant?: string[];
  /** Image tag to roll to; TAG@sha256:DIGEST for one image exactly. */
  targetTag?: string;
  /** The 40-hex commit that every tenant must then report. */
  expectedSha?: string;
  /** The part of the fleet that this is about. */
  only?: string[];
  /** Tenants that are left out. */
  exclude?: string[];
  /** How many tenants the control plane must list at least. At least 1, default 1. */
  minTenants?: number;
  /** Tenant of the last rollout that may be gone, or how many may be. */
  allowMissing?: string[];
  /**
   * Scoped: this tool rolls canary and batches, each proven before the next; single-call: the control plane does,
   * in one call. Default `scoped`.
   */
  strategy?: 'scoped' | 'single-call';
  /** Tenant that is rolled and proven first. */
  canary?: string;
  /** How long the canary is watched before the rest follows. Milliseconds, at least 0, default 60 000. */
  soakMs?: number;
  /** Tenants of a batch, or a share: 5%. At least 1, default 3. */
  batchSize?: number | `${number}%`;
  /** By how much batches grow while all are proven. At least 1, default 1. */
  batchGrowth?: number;
  /** How many tenants are rolled at once at most, however batches grow. At least 1. */
  batchMax?: number;
  /** How many tenants may stay unproven in the whole rollout; never the canary. At least 0, default 0. */
  maxStragglers?: number;
  /** Tenants that may vanish mid-roll, for example e2e-*. */
  ephemeral?: string[];
  /** Roll tenants that are on target too, and roll although no tenant can be read. */
  force?: boolean;
  /**
   * How long one tenant may go on answering with the old commit; all budgets run at the same time. Milliseconds,
   * at least 0, default 240 000.
   */
  settleBudgetMs?: number;
  /** Limit of one /buildinfo request. Milliseconds, at least 1, default 10 000. */
  probeTimeoutMs?: number;
  /** How many tenants are asked at the same moment. At least 1, default 64. */
  probeConcurrency?: number;
  /** Answers in a row, on fresh connections, that prove a tenant. At least 1, default 1. */
  confirmations?: number;
  /** Lock that guards this fleet (default: the environment name). */
  lockGroup?: string;
  /** How long to wait for the lock. Milliseconds, at least 0, default 1 200 000. */
  lockWaitMs?: number;
  /** Life of the lease without renewal, 2s to 1h. Milliseconds, 2 000 to 3 600 000, default 30 000. */
  lockTtlMs?: number;
  /** Control plane that serves the lock (default: the control plane). */
  lockUrl?: string;
  /** Token of the server of the lock (default: that of the control plane). */
  lockToken?: string;
  /** Roll without a lock: nothing then keeps two rolls apart. */
  noLock?: boolean;
  /** Gitea server. */
  giteaUrl?: string;
  /** Gitea token for gates and alerts. */
  giteaToken?: string;
  /** Allow http:// for Gitea on a host other than loopback. */
  allowHttpGitea?: boolean;
  /** Address of Gitea for people, which links to runs and issues begin with (default: `giteaUrl`). */
  giteaWebUrl?: string;
  /** Repository, owner/name. */
  repository?: string;
  /** Branch that this fleet follows. */
  branch?: string;
  /** The one branch whose CI runs may roll this environment. */
  onlyBranch?: string;
  /**
   * Commit status that must be green first; in a variable or an input one a line, since a name may have a comma.
   */
  requireContext?: string[];
  /** Gitea repository variable that freezes deploys while armed. */
  killSwitch?: string;
  /** Kill switch given as a value: 1 true yes on disabled disable hold the roll. */
  hold?: string;
  /**
   * Repository of the image, without tag: wait until the target tag is there and its label names the expected
   * commit.
   */
  image?: string;
  /** How long the image may take to appear. Milliseconds, at least 0, default 300 000. */
  imageWaitMs?: number;
  /** User at the registry of the image (default: anonymous). */
  registryUser?: string;
  /** Password at the registry of the image. */
  registryPassword?: string;
  /**
   * What makes this run outdated: a newer claim, a newer branch head, or nothing (default: claim where an order is
   * known, else head where a branch and a Gitea token are).
   */
  supersededBy?: 'claim' | 'head' | 'off';
  /** Place of this commit among those of its branch; the higher wins. At least 0. */
  order?: number;
  /** Keep one open issue in the repository while this environment fails; the next deployed run closes it. */
  alertIssue?: boolean;
  /** Show the run on the expected commit, as status fleet/ENVIRONMENT. */
  commitStatus?: boolean;
  /** Slack-compatible webhook that is told of each failure and of the recovery. */
  alertWebhook?: string;
  /**
   * How long a freeze or a quarantine may last before the watch alerts; 0s: for ever. Milliseconds, at least 0,
   * default 86 400 000.
   */
  maxAgeMs?: number;
  /**
   * How long a green commit of the branch may wait for its rollout; 0s: for ever. Milliseconds, at least 0,
   * default 7 200 000.
   */
  maxLagMs?: number;
  /**
   * How long no rollout may be started, where a schedule starts them; 0s: for ever. Milliseconds, at least 0,
   * default 0.
   */
  maxQuietMs?: number;
  /** Limit of the whole run. Milliseconds, at least 1, default 1 800 000. */
  timeoutMs?: number;
  /** Show gates, plan and what tenants run; roll nothing. */
  dryRun?: boolean;
  /** Have the control plane roll by its own configuration, and watch it. */
  onServer?: boolean;
  /** As --on-server, without watching: see fleet rollout attach. */
  detach?: boolean;
}

/** Those that have a default. */
export type DefaultedOption =
  | 'minTenants'
  | 'strategy'
  | 'soakMs'
  | 'batchSize'
  | 'batchGrowth'
  | 'maxStragglers'
  | 'settleBudgetMs'
  | 'probeTimeoutMs'
  | 'probeConcurrency'
  | 'confirmations'
  | 'lockWaitMs'
  | 'lockTtlMs'
  | 'imageWaitMs'
  | 'maxAgeMs'
  | 'maxLagMs'
  | 'maxQuietMs'
  | 'timeoutMs';
