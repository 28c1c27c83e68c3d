/**
 * Every setting once: its flag, environment variables, kind, default and help text. The command line, the action's
 * inputs, the configuration file and the tables in the documentation are all made from this table.
 */

import { type Setting, setting } from './setting.js';

export const SETTINGS = [
  setting('config', {
    kind: 'file',
    value: 'FILE',
    group: 'target',
    noFile: true,
    help: 'configuration file (default: fleet.config.yaml, if there)',
  }),
  setting('environment', {
    kind: 'text',
    value: 'NAME',
    group: 'target',
    help: 'named environment of the configuration file; names the lock group too',
  }),
  setting('control-plane', {
    kind: 'text',
    value: 'URL',
    group: 'target',
    help: 'base URL of the control plane',
  }),
  setting('control-plane-host', {
    kind: 'text',
    value: 'HOST',
    group: 'target',
    help: 'the one host that the control plane URL may name, as a guard for production',
  }),
  setting('token-file', {
    kind: 'file',
    value: 'FILE',
    group: 'target',
    noFile: true,
    help: 'file with the control plane token; else FLEET_CP_TOKEN holds the token itself',
  }),
  setting('tenant-url', {
    kind: 'text',
    value: 'TEMPLATE',
    group: 'target',
    help: 'tenant URL with {slug} in host or path; /buildinfo is appended',
  }),
  setting('tenant', {
    kind: 'list',
    value: 'SLUG',
    group: 'target',
    help: 'verify just this tenant, without asking the control plane for the fleet (repeatable)',
  }),
  setting('target-tag', { kind: 'text', value: 'TAG', group: 'target', help: 'image tag to roll to' }),
  setting('expected-sha', {
    kind: 'text',
    value: 'SHA',
    group: 'target',
    env: ['FLEET_EXPECTED_SHA', 'GITHUB_SHA'],
    help: 'the 40-hex commit that every tenant must then report',
  }),

  setting('strategy', {
    kind: 'choice',
    value: 'NAME',
    choices: ['scoped', 'single-call'],
    default: 'scoped',
    group: 'rollout',
    help: 'scoped: this tool rolls canary and batches, each proven before the next; single-call: the control plane does, in one call',
  }),
  setting('canary', {
    kind: 'text',
    value: 'SLUG',
    group: 'rollout',
    help: 'tenant that is rolled and proven first',
  }),
  setting('soak', {
    kind: 'duration',
    value: 'DUR',
    default: '60s',
    group: 'rollout',
    help: 'how long the canary is watched before the rest follows',
  }),
  setting('batch-size', {
    kind: 'integer',
    value: 'N',
    min: 1,
    default: '3',
    group: 'rollout',
    help: 'how many tenants are rolled at once',
  }),
  setting('max-stragglers', {
    kind: 'integer',
    value: 'N',
    min: 0,
    default: '0',
    group: 'rollout',
    help: 'how many tenants may stay unproven in the whole rollout; never the canary',
  }),
  setting('ephemeral', {
    kind: 'list',
    value: 'GLOB',
    group: 'rollout',
    help: 'tenants that may vanish mid-roll, for example e2e-* (repeatable)',
  }),
  setting('force', {
    kind: 'boolean',
    group: 'rollout',
    help: 'roll tenants that are on target too, and roll although no tenant can be read',
  }),

  setting('settle-budget', {
    kind: 'duration',
    value: 'DUR',
    default: '240s',
    group: 'verify',
    help: 'how long one tenant may go on answering with the old commit; all budgets run at the same time',
  }),
  setting('probe-timeout', {
    kind: 'duration',
    value: 'DUR',
    default: '10s',
    group: 'verify',
    help: 'limit of one /buildinfo request',
  }),
  setting('probe-concurrency', {
    kind: 'integer',
    value: 'N',
    min: 1,
    default: '32',
    group: 'verify',
    help: 'how many tenants are asked at the same moment',
  }),
  setting('confirmations', {
    kind: 'integer',
    value: 'N',
    min: 1,
    default: '1',
    group: 'verify',
    help: 'answers in a row, on fresh connections, that prove a tenant',
  }),

  setting('lock-group', {
    kind: 'text',
    value: 'NAME',
    group: 'lock',
    help: 'lock that guards this fleet (default: the environment name)',
  }),
  setting('lock-wait', {
    kind: 'duration',
    value: 'DUR',
    default: '20m',
    group: 'lock',
    help: 'how long to wait for the lock',
  }),
  setting('lock-ttl', {
    kind: 'duration',
    value: 'DUR',
    default: '30s',
    group: 'lock',
    help: 'life of the lease without renewal, 2s to 1h',
  }),
  setting('lock-url', {
    kind: 'text',
    value: 'URL',
    group: 'lock',
    help: 'control plane that serves the lock (default: the control plane)',
  }),
  setting('no-lock', {
    kind: 'boolean',
    group: 'lock',
    help: 'roll without a lock: nothing then keeps two rolls apart',
  }),

  setting('gitea-url', {
    kind: 'text',
    value: 'URL',
    group: 'gates',
    env: ['FLEET_GITEA_URL', 'GITHUB_SERVER_URL'],
    help: 'Gitea server; its token comes from GITEA_TOKEN',
  }),
  setting('allow-http-gitea', {
    kind: 'boolean',
    group: 'gates',
    help: 'allow http:// for Gitea on a host other than loopback',
  }),
  setting('gitea-web-url', {
    kind: 'text',
    value: 'URL',
    group: 'gates',
    help: 'address of Gitea for people, which links to runs and issues begin with (default: gitea-url)',
  }),
  setting('repository', {
    kind: 'text',
    value: 'O/R',
    group: 'gates',
    env: ['FLEET_REPOSITORY', 'GITHUB_REPOSITORY'],
    help: 'repository, owner/name',
  }),
  setting('branch', {
    kind: 'text',
    value: 'B',
    group: 'gates',
    env: ['FLEET_BRANCH', 'GITHUB_REF_NAME'],
    help: 'branch that this fleet follows',
  }),
  setting('only-branch', {
    kind: 'text',
    value: 'B',
    group: 'gates',
    help: 'the one branch whose CI runs may roll this environment',
  }),
  setting('require-context', {
    kind: 'list',
    value: 'NAME',
    group: 'gates',
    help: 'commit status that must be green first (repeatable)',
  }),
  setting('kill-switch', {
    kind: 'text',
    value: 'VARIABLE',
    group: 'gates',
    help: 'Gitea repository variable that freezes deploys while armed',
  }),
  setting('hold', {
    kind: 'text',
    value: 'VALUE',
    group: 'gates',
    help: 'kill switch given as a value: 1 true yes on disabled disable hold the roll',
  }),
  setting('image', {
    kind: 'text',
    value: 'REF',
    group: 'gates',
    help: 'repository of the image, without tag: wait until the target tag is there and its label names the expected commit',
  }),
  setting('image-wait', {
    kind: 'duration',
    value: 'DUR',
    default: '5m',
    group: 'gates',
    help: 'how long the image may take to appear',
  }),
  setting('superseded-by', {
    kind: 'choice',
    value: 'MODE',
    choices: ['claim', 'head', 'off'],
    group: 'gates',
    help: 'what makes this run outdated: a newer claim, a newer branch head, or nothing (default: claim where an order is known, else head where a branch and a Gitea token are)',
  }),
  setting('order', {
    kind: 'integer',
    value: 'N',
    min: 0,
    group: 'gates',
    env: ['FLEET_ORDER', 'GITHUB_RUN_NUMBER'],
    help: 'place of this commit among those of its branch; the higher wins',
  }),

  setting('alert-issue', {
    kind: 'boolean',
    group: 'alerts',
    help: 'keep one open issue in the repository while this environment fails; the next deployed run closes it',
  }),
  setting('commit-status', {
    kind: 'boolean',
    group: 'alerts',
    help: 'show the run on the expected commit, as status fleet/ENVIRONMENT',
  }),

  setting('timeout', {
    kind: 'duration',
    value: 'DUR',
    default: '30m',
    group: 'run',
    help: 'limit of the whole run',
  }),
  setting('dry-run', {
    kind: 'boolean',
    group: 'run',
    help: 'show gates, plan and what tenants run; roll nothing',
  }),
] as const;

export type { Setting, SettingKind } from './setting.js';
export type SettingName = (typeof SETTINGS)[number]['name'];
export const SETTING_NAMES = SETTINGS.map((entry) => entry.name) as SettingName[];

/** The setting of a name. */
export function settingOf(name: SettingName): Setting {
  const found = SETTINGS.find((entry) => entry.name === name);
  if (!found) throw new RangeError(`no setting ${name}`);
  return found;
}
