/**
 * Every setting once. The command line, the inputs of the action, the configuration file and its schema, the options of
 * the library and docs/settings.md are all made from this table.
 */

import { TTL_SECONDS } from '../contract.js';
import { tenantUrlProblem } from '../io/address.js';
import {
  commit,
  hostPin,
  lockGroup,
  onOrOff,
  registryUser,
  secureUrl,
  slug,
  tag,
  token,
  variable,
  webhook,
  webUrl,
} from './checks.js';
import {
  ALERTS,
  ASKS,
  EVERY,
  GATED,
  GOES_ON,
  LOCKS,
  LOOKS,
  NAMES_RUN,
  NAMES_TARGET,
  ORDERS,
  REACHES,
  READS_GITEA,
  ROLLS,
  WAITS,
} from './command-sets.js';
import { globProblem, selectorProblem } from './glob.js';
import {
  ANNOUNCES,
  type Command,
  choice,
  duration,
  file,
  group,
  integer,
  list,
  type Setting,
  secret,
  text,
  toggle,
} from './setting.js';

const REDEPLOYS = { commands: ['redeploy'] } as const;

export const SETTINGS = [
  ...group(
    'target',
    EVERY,
    file(
      'config',
      'configuration file (default: fleet.config.yaml, .yml or .json, here or above, up to the root of the repository)',
    ),
    text('environment', 'NAME', 'named environment of the configuration file; names the lock group too'),
    text('control-plane', 'URL', 'base URL of the control plane', { check: secureUrl, commands: REACHES }),
    list(
      'control-plane-host',
      'HOST',
      'host, or host:port, that secrets may be sent to: control plane, lock, Gitea, registry and webhook; any other is refused',
      { check: hostPin, narrows: true },
    ),
    ...secret('token', 'control plane token', {
      option: 'controlPlaneToken',
      env: ['FLEET_CP_TOKEN'],
      check: token,
      commands: REACHES,
    }),
  ),
  ...group(
    'target',
    LOOKS,
    text('tenant-url', 'TEMPLATE', 'tenant URL with {slug} in host or path; /buildinfo is appended', {
      check: tenantUrlProblem,
      commands: ASKS,
    }),
    list('tenant', 'SLUG', 'verify just this tenant, without asking the control plane for the fleet', {
      commands: ['verify'],
      narrows: true,
      check: slug,
    }),
    text('target-tag', 'TAG', 'image tag to roll to; TAG@sha256:DIGEST for one image exactly', {
      check: tag,
      commands: NAMES_TARGET,
    }),
    text('expected-sha', 'SHA', 'the 40-hex commit that every tenant must then report', {
      env: ['FLEET_EXPECTED_SHA', 'GITHUB_SHA'],
      check: commit,
      commands: NAMES_TARGET,
    }),
    list('only', 'SLUG|GLOB', 'the part of the fleet that this is about', {
      check: selectorProblem,
      narrows: true,
    }),
    list('exclude', 'SLUG|GLOB', 'tenants that are left out', { check: selectorProblem, narrows: true }),
    integer('min-tenants', { min: 1, default: '1' }, 'how many tenants the control plane must list at least'),
    list('allow-missing', 'SLUG|N', 'tenant of the last rollout that may be gone, or how many may be', {
      commands: ROLLS,
      check: slug,
    }),
  ),
  ...group(
    'rollout',
    ROLLS,
    choice(
      'strategy',
      'NAME',
      ['scoped', 'single-call'],
      'scoped: this tool rolls canary and batches, each proven before the next; single-call: the control plane does, in one call',
      { default: 'scoped' },
    ),
    text('canary', 'SLUG', 'tenant that is rolled and proven first', { commands: LOOKS, check: slug }),
    duration('soak', '60s', 'how long the canary is watched before the rest follows'),
    integer('batch-size', { min: 1, default: '3', percent: true }, 'tenants of a batch, or a share: 5%'),
    integer('batch-growth', { min: 1, default: '1' }, 'by how much batches grow while all are proven'),
    integer('batch-max', { min: 1 }, 'how many tenants are rolled at once at most, however batches grow'),
    integer(
      'max-stragglers',
      { default: '0', commands: LOOKS },
      'how many tenants may stay unproven in the whole rollout; never the canary',
    ),
    list('ephemeral', 'GLOB', 'tenants that may vanish mid-roll, for example e2e-*', {
      commands: ASKS,
      check: globProblem,
    }),
    toggle('force', 'roll tenants that are on target too, and roll although no tenant can be read'),
  ),
  ...group(
    'verify',
    LOOKS,
    duration(
      'settle-budget',
      '240s',
      'how long one tenant may go on answering with the old commit; all budgets run at the same time',
    ),
    duration('probe-timeout', '10s', 'limit of one /buildinfo request', { min: 1, commands: ASKS }),
    integer(
      'probe-concurrency',
      { min: 1, default: '64', commands: ASKS },
      'how many tenants are asked at the same moment',
    ),
    integer(
      'confirmations',
      { min: 1, default: '1' },
      'answers in a row, on fresh connections, that prove a tenant',
    ),
  ),
  ...group(
    'lock',
    LOCKS,
    text('lock-group', 'NAME', 'lock that guards this fleet (default: the environment name)', {
      check: lockGroup,
    }),
    duration('lock-wait', '20m', 'how long to wait for the lock', { commands: WAITS }),
    duration('lock-ttl', '30s', 'life of the lease without renewal, 2s to 1h', {
      commands: WAITS,
      min: TTL_SECONDS.min * 1000,
      max: TTL_SECONDS.max * 1000,
    }),
    text('lock-url', 'URL', 'control plane that serves the lock (default: the control plane)', {
      check: secureUrl,
    }),
    ...secret('lock-token', 'token of the server of the lock (default: that of the control plane)', {
      check: token,
    }),
    toggle('no-lock', 'roll without a lock: nothing then keeps two rolls apart', { commands: GOES_ON }),
  ),
  ...group(
    'gates',
    GATED,
    text('gitea-url', 'URL', 'Gitea server', {
      commands: NAMES_RUN,
      env: ['FLEET_GITEA_URL', 'GITHUB_SERVER_URL'],
    }),
    ...secret('gitea-token', 'Gitea token for gates and alerts', {
      commands: READS_GITEA,
      env: ['GITEA_TOKEN'],
      check: token,
    }),
    toggle('allow-http-gitea', 'allow http:// for Gitea on a host other than loopback', {
      commands: READS_GITEA,
    }),
    text(
      'gitea-web-url',
      'URL',
      'address of Gitea for people, which links to runs and issues begin with (default: gitea-url)',
      { commands: NAMES_RUN, check: webUrl },
    ),
    text('repository', 'O/R', 'repository, owner/name', {
      commands: NAMES_RUN,
      env: ['FLEET_REPOSITORY', 'GITHUB_REPOSITORY'],
    }),
    text('branch', 'B', 'branch that this fleet follows', {
      commands: NAMES_RUN,
      env: ['FLEET_BRANCH', 'GITHUB_REF_NAME'],
    }),
    text('only-branch', 'B', 'the one branch whose CI runs may roll this environment'),
    list(
      'require-context',
      'NAME',
      'commit status that must be green first; in a variable or an input one a line, since a name may have a comma',
      { narrows: true, commands: [...GATED, 'watch'] },
    ),
    text('kill-switch', 'VARIABLE', 'Gitea repository variable that freezes deploys while armed', {
      check: variable,
    }),
    text('hold', 'VALUE', 'kill switch given as a value: 1 true yes on disabled disable hold the roll', {
      check: onOrOff,
    }),
    text(
      'image',
      'REF',
      'repository of the image, without tag: wait until the target tag is there and its label names the expected commit',
    ),
    duration('image-wait', '5m', 'how long the image may take to appear'),
    text('registry-user', 'NAME', 'user at the registry of the image (default: anonymous)', {
      check: registryUser,
    }),
    ...secret('registry-password', 'password at the registry of the image', { check: token }),
    choice(
      'superseded-by',
      'MODE',
      ['claim', 'head', 'off'],
      'what makes this run outdated: a newer claim, a newer branch head, or nothing (default: claim where an order is known, else head where a branch and a Gitea token are)',
      { commands: ORDERS },
    ),
    integer(
      'order',
      { env: ['FLEET_ORDER', 'GITHUB_RUN_ID'], commands: ORDERS },
      'place of this commit among those of its branch; the higher wins',
    ),
  ),
  ...group(
    'alerts',
    ALERTS,
    toggle(
      'alert-issue',
      'keep one open issue in the repository while this environment fails; the next deployed run closes it',
    ),
    toggle('commit-status', 'show the run on the expected commit, as status fleet/ENVIRONMENT'),
    ...secret('alert-webhook', 'Slack-compatible webhook that is told of each failure and of the recovery', {
      check: webhook,
    }),
  ),
  ...group(
    'alerts',
    ['watch'],
    duration(
      'max-age',
      '24h',
      'how long a freeze or a quarantine may last before the watch alerts; 0s: for ever',
    ),
    duration('max-lag', '2h', 'how long a green commit of the branch may wait for its rollout; 0s: for ever'),
    duration(
      'max-quiet',
      '0s',
      'how long no rollout may be started, where a schedule starts them; 0s: for ever',
    ),
  ),
  ...group(
    'run',
    LOOKS,
    duration('timeout', '30m', 'limit of the whole run', { min: 1, commands: [...LOOKS, 'gates'] }),
    toggle('dry-run', 'show gates, plan and what tenants run; roll nothing', {
      commands: ['redeploy', 'rollback'],
    }),
    toggle('on-server', 'have the control plane roll by its own configuration, and watch it', REDEPLOYS),
    toggle('detach', 'as --on-server, without watching: see fleet rollout attach', REDEPLOYS),
  ),
];

export type { Setting, SettingKind } from './setting.js';
export type SettingName = (typeof SETTINGS)[number]['name'];
export type NamedSetting = Setting & { name: SettingName };
export const SETTING_NAMES: readonly SettingName[] = SETTINGS.map((entry) => entry.name);

/** The setting of a name. */
export function settingOf(name: SettingName): NamedSetting {
  const found = SETTINGS.find((entry) => entry.name === name);
  if (!found) throw new RangeError(`no setting ${name}`);
  return found;
}

/** Whether a command has the flag, so that a person may be told of it. */
export function takes(command: Command, name: SettingName): boolean {
  const { commands, group } = settingOf(name);
  if (command === 'announce') return group === 'alerts' || ANNOUNCES.includes(name);
  return command === 'config' || command === 'doctor' || commands.includes(command);
}

/** The settings that a command takes, in the order of the table. */
export const settingsFor = (command: Command): NamedSetting[] =>
  SETTINGS.filter(({ name }) => takes(command, name));
