/** Stage 1: everything that a run needs to know, checked before the first request. */

import { lockGroupSchema, shaSchema, slugSchema, TTL_SECONDS, tagSchema } from '../contract.js';
import { usageError } from '../errors.js';
import { hostOf, tenantUrlProblem, urlProblem } from '../io/address.js';
import { type Announcing, checkAnnouncing } from './alerts.js';
import { parseDuration } from './duration.js';
import { checkGitea, type GiteaAccess } from './gitea.js';
import { globProblem } from './glob.js';
import { checkImage, type ImageSource } from './image.js';
import type { Command, FleetOptions, Trigger } from './options.js';
import { type SettingName, settingOf } from './settings.js';
import { parseSwitch } from './switch.js';
import { checkToken } from './token.js';

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
  settleBudgetMs: number;
  probeTimeoutMs: number;
  probeConcurrency: number;
  confirmations: number;
  lock: {
    group: string;
    url: string;
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

/** How an option is called towards the user: `--soak`, `FLEET_SOAK`, `soak in fleet.config.yaml`. */
export type Label = (name: SettingName) => string;

const flagLabel: Label = (name) => `--${name}`;

/**
 * Checks options and fills in the defaults.
 *
 * @throws FleetError `USAGE` that names the option, what is wrong with it and what is allowed.
 */
export function checkOptions(command: Command, options: FleetOptions, label: Label = flagLabel): Config {
  const dryRun = command === 'plan' || (command === 'redeploy' && options.dryRun === true);
  const rolls = command === 'redeploy' && !dryRun;
  const fail = (name: SettingName, problem: string, hint?: string): never => {
    throw usageError(`${label(name)}: ${problem}`, { option: label(name), hint });
  };
  const need = (name: SettingName, value: string | undefined): string => {
    if (value === undefined || value === '') throw missing(name);
    return value;
  };
  const whole = (name: SettingName, value: number | undefined): number => {
    const { min = 0, default: fallback } = settingOf(name);
    const number = value ?? Number(fallback);
    if (!Number.isSafeInteger(number) || number < min)
      fail(name, `${number} is not a whole number of at least ${min}`);
    return number;
  };
  const span = (
    name: SettingName,
    value: number | undefined,
    min: number,
    max = Number.MAX_SAFE_INTEGER,
  ): number => {
    const ms = value ?? parseDuration(settingOf(name).default ?? '', label(name));
    if (!Number.isFinite(ms) || ms < min || ms > max) {
      fail(
        name,
        `must be ${max === Number.MAX_SAFE_INTEGER ? `at least ${min}ms` : `from ${min / 1000}s to ${max / 1000}s`}`,
      );
    }
    return ms;
  };
  const choice = (name: SettingName, value: string | undefined): void => {
    const { choices = [] } = settingOf(name);
    if (value !== undefined && !choices.includes(value))
      fail(name, `${JSON.stringify(value)} is not known`, `give ${choices.join(', ')}`);
  };
  const origin = (name: SettingName, value: string, insecure = false): string => {
    const problem = urlProblem(value, insecure);
    if (problem) fail(name, problem[0], problem[1]);
    return value.replace(/\/+$/, '');
  };

  const wantsCp = command !== 'verify' || !options.tenant?.length;
  const controlPlane =
    wantsCp && command !== 'lock' ? origin('control-plane', need('control-plane', options.controlPlane)) : '';
  const pinned = (url: string): string => {
    const only = options.controlPlaneHost?.toLowerCase();
    if (only && url && hostOf(url) !== only)
      fail('control-plane', `names ${hostOf(url)}, and this environment may only talk to ${only}`);
    return url;
  };
  pinned(controlPlane);
  const token = wantsCp ? checkToken(options.controlPlaneToken, 'FLEET_CP_TOKEN') : '';

  const tenantUrl = command === 'lock' ? '' : need('tenant-url', options.tenantUrl);
  const templateProblem = command === 'lock' ? null : tenantUrlProblem(tenantUrl);
  if (templateProblem) fail('tenant-url', templateProblem[0], templateProblem[1]);

  const targetTag =
    command === 'redeploy' || command === 'plan'
      ? need('target-tag', options.targetTag)
      : (options.targetTag ?? '');
  if (targetTag && !tagSchema.safeParse(targetTag).success) {
    fail(
      'target-tag',
      `${JSON.stringify(targetTag.slice(0, 140))} is not an image tag`,
      'letters, digits, "_", "." and "-", at most 128 of them',
    );
  }
  const expected = options.expectedSha?.trim() || undefined;
  if (!expected && !dryRun && command !== 'lock') throw missing('expected-sha');
  const sha = expected === undefined ? undefined : shaSchema.safeParse(expected);
  if (sha && !sha.success)
    fail(
      'expected-sha',
      `${JSON.stringify(expected?.slice(0, 60))} is not a full commit id`,
      'give all 40 hex digits',
    );
  if (sha?.data && /^0{40}$/.test(sha.data)) fail('expected-sha', 'is all zeros, which no commit is');

  const canary = options.canary?.trim() || null;
  if (canary && !slugSchema.safeParse(canary).success)
    fail('canary', `${JSON.stringify(canary)} is not a tenant slug (one DNS label)`);
  for (const slug of options.tenant ?? []) {
    if (!slugSchema.safeParse(slug).success)
      fail('tenant', `${JSON.stringify(slug)} is not a tenant slug (one DNS label)`);
  }
  for (const glob of options.ephemeral ?? []) {
    const problem = globProblem(glob);
    if (problem) fail('ephemeral', problem[0], problem[1]);
  }

  const environment = options.environment?.trim() || null;
  let lock: Config['lock'] = null;
  if ((rolls || command === 'lock') && !options.noLock) {
    const group = options.lockGroup?.trim() || environment;
    if (!group) {
      throw usageError('no lock group: nothing keeps two rolls of this fleet apart', {
        option: label('lock-group'),
        hint: 'give --lock-group or --environment; or say --no-lock and mean it',
      });
    }
    if (!lockGroupSchema.safeParse(group).success)
      fail('lock-group', `${JSON.stringify(group)} must match ^[a-z0-9][a-z0-9._-]{0,62}$`);
    lock = {
      group,
      url: options.lockUrl
        ? origin('lock-url', options.lockUrl)
        : pinned(origin('control-plane', need('control-plane', options.controlPlane))),
      waitMs: span('lock-wait', options.lockWaitMs, 0),
      ...(options.lockInherited?.group === group
        ? { inheritedToken: options.lockInherited.fencingToken }
        : {}),
      ttlMs: span('lock-ttl', options.lockTtlMs, TTL_SECONDS.min * 1000, TTL_SECONDS.max * 1000),
    };
  }

  const requireContexts = (options.requireContext ?? []).map((context) => context.trim());
  if (requireContexts.some((context) => !context)) {
    fail(
      'require-context',
      'has an empty name',
      'an empty list of required checks would let everything through',
    );
  }
  const killSwitch = options.killSwitch?.trim() || null;
  if (killSwitch && !/^[A-Za-z_][A-Za-z0-9_]{0,254}$/.test(killSwitch))
    fail('kill-switch', `${JSON.stringify(killSwitch)} is not a variable name`);
  const hold = options.hold === undefined ? null : parseSwitch(options.hold);
  if (hold === 'unknown') {
    fail(
      'hold',
      `${JSON.stringify(options.hold?.slice(0, 40))} is neither on nor off`,
      'on: 1 true yes on disabled disable; off: 0 false no off, or empty',
    );
  }

  const order = options.order;
  const branch = options.branch?.trim() || null;
  const giteaToken = options.giteaToken ? checkToken(options.giteaToken, 'GITEA_TOKEN') : null;
  const supersededBy =
    options.supersededBy ??
    // Without a lock there is no claim that could carry an order.
    (order !== undefined && !options.noLock
      ? 'claim'
      : branch && giteaToken && options.repository && options.giteaUrl
        ? 'head'
        : 'off');
  if (order !== undefined) whole('order', order);

  const gated = command === 'redeploy' || command === 'plan';
  const users: [SettingName, boolean][] = [
    ['kill-switch', gated && killSwitch !== null],
    ['require-context', gated && requireContexts.length > 0],
    ['superseded-by', gated && supersededBy === 'head'],
    // What announces nothing needs no right to: a plan runs where secrets are not handed out.
    ['alert-issue', rolls && options.alertIssue === true],
    ['commit-status', rolls && options.commitStatus === true],
  ];
  const gitea = checkGitea({ options, token: giteaToken, branch, users, fail, origin });
  if (supersededBy === 'head' && !branch && gated) fail('branch', 'is needed by --superseded-by head');

  choice('strategy', options.strategy);
  choice('superseded-by', options.supersededBy);
  const trigger = options.trigger ?? {};
  return {
    command,
    environment,
    controlPlane,
    controlPlaneToken: token,
    tenantUrl,
    tenants: options.tenant?.length ? [...new Set(options.tenant)] : null,
    targetTag,
    expectedSha: sha?.data ?? null,
    strategy: options.strategy ?? (settingOf('strategy').default as 'scoped'),
    canary,
    soakMs: span('soak', options.soakMs, 0),
    batchSize: whole('batch-size', options.batchSize),
    maxStragglers: whole('max-stragglers', options.maxStragglers),
    ephemeral: options.ephemeral ?? [],
    force: options.force ?? false,
    settleBudgetMs: span('settle-budget', options.settleBudgetMs, 0),
    probeTimeoutMs: span('probe-timeout', options.probeTimeoutMs, 1),
    probeConcurrency: whole('probe-concurrency', options.probeConcurrency),
    confirmations: whole('confirmations', options.confirmations),
    lock,
    gitea,
    branch,
    onlyBranch: options.onlyBranch?.trim() || null,
    requireContexts,
    killSwitch,
    image: gated ? checkImage(options, span('image-wait', options.imageWaitMs, 0), fail) : null,
    hold: hold === null || hold === 'unknown' ? null : hold === 'armed',
    supersededBy,
    order:
      supersededBy === 'claim' && order !== undefined
        ? {
            key: `${options.repository || environment || lock?.group || 'fleet'}@${branch ?? '-'}`,
            number: order,
          }
        : null,
    announcing: checkAnnouncing(command === 'lock' ? {} : options, environment ?? lock?.group, fail),
    timeoutMs: span('timeout', options.timeoutMs, 1),
    dryRun,
    trigger,
    askedBy: askedBy(trigger),
  };

  function missing(name: SettingName) {
    const hint = `give --${name}, set ${settingOf(name).env.join(' or ')}, or write ${name}: in fleet.config.yaml`;
    return usageError(`--${name} is missing`, { option: `--${name}`, hint });
  }
}

/** A pushed tag is somebody's wish, a rollback for example; the push of a branch is what follows from a merge. */
const askedBy = ({ event, refType }: Trigger): Config['askedBy'] =>
  event === 'schedule' || (event === 'push' && refType !== 'tag') ? 'ci' : 'human';
