/** Puts the layers of configuration on top of each other: flag > environment variable > file > default. */

import { usageError } from '../errors.js';
import { type Config, checkOptions, type Label } from './config.js';
import { parseDuration } from './duration.js';
import { type Found, fileLayer } from './file.js';
import { runUrlOf } from './links.js';
import type { Command, FleetOptions, Trigger } from './options.js';
import { readBoolean } from './setting.js';
import { SETTINGS, type Setting, type SettingName, settingOf } from './settings.js';

export type Env = Readonly<Record<string, string | undefined>>;

export interface Layers {
  /** Values as typed, by setting name; a switch is `true` or `false`. An empty text clears the setting. */
  flags: Partial<Record<SettingName, string | string[] | boolean>>;
  env: Env;
  /** The configuration file, parsed. */
  file?: { path: string; content: unknown };
  /** Content of the token file, where one was named. */
  token?: string;
}

type Value = string | number | boolean | string[];

/**
 * Resolves and checks the configuration of a command.
 *
 * @throws FleetError `USAGE` that names the place of the bad value: flag, variable, or key of the file.
 */
export function resolveConfig(command: Command, layers: Layers): Config {
  const { options, label } = resolveOptions(layers);
  return checkOptions(command, options, label);
}

/** The options of the layers, each value read by its kind, and how each is called towards the user. */
export function resolveOptions(layers: Layers): { options: FleetOptions; label: Label } {
  const setting = settingOf('environment') as Setting & { name: 'environment' };
  const environment = (found: Found) => read(setting, found) as string | undefined;
  const typed = lookUp(setting, layers);
  const file = fileLayer(layers.file, typed && environment(typed), environment);
  const labels = new Map<SettingName, string>();
  const values = new Map<SettingName, Value>();
  for (const setting of SETTINGS) {
    const found = lookUp(setting, layers) ?? file.values.get(setting.name);
    if (!found) continue;
    labels.set(setting.name, found.label);
    const value = read(setting, found);
    if (value !== undefined) values.set(setting.name, value);
  }
  const get = <T extends Value>(name: SettingName) => values.get(name) as T | undefined;
  const { env } = layers;
  const options: FleetOptions = {
    environment: get('environment') ?? file.environment,
    controlPlane: get('control-plane'),
    controlPlaneHost: get('control-plane-host'),
    controlPlaneToken: layers.token ?? env.FLEET_CP_TOKEN,
    tenantUrl: get('tenant-url'),
    tenant: get('tenant'),
    targetTag: get('target-tag'),
    expectedSha: get('expected-sha'),
    strategy: get('strategy'),
    canary: get('canary'),
    soakMs: get('soak'),
    batchSize: get('batch-size'),
    maxStragglers: get('max-stragglers'),
    ephemeral: get('ephemeral'),
    force: get('force'),
    settleBudgetMs: get('settle-budget'),
    probeTimeoutMs: get('probe-timeout'),
    probeConcurrency: get('probe-concurrency'),
    confirmations: get('confirmations'),
    lockGroup: get('lock-group'),
    lockWaitMs: get('lock-wait'),
    lockTtlMs: get('lock-ttl'),
    lockUrl: get('lock-url'),
    noLock: get('no-lock'),
    lockInherited: inheritedLock(env),
    giteaUrl: get('gitea-url'),
    giteaToken: env.GITEA_TOKEN || undefined,
    giteaWebUrl: get('gitea-web-url'),
    allowHttpGitea: get('allow-http-gitea'),
    repository: get('repository'),
    branch: get('branch'),
    onlyBranch: get('only-branch'),
    requireContext: get('require-context'),
    killSwitch: get('kill-switch'),
    hold: get('hold'),
    image: get('image'),
    imageWaitMs: get('image-wait'),
    registryUser: env.FLEET_REGISTRY_USER || undefined,
    registryPassword: env.FLEET_REGISTRY_PASSWORD || undefined,
    supersededBy: get('superseded-by'),
    order: get('order'),
    alertIssue: get('alert-issue'),
    commitStatus: get('commit-status'),
    alertWebhook: env.FLEET_ALERT_WEBHOOK || undefined,
    timeoutMs: get('timeout'),
    dryRun: get('dry-run'),
    trigger: triggerOf(env, get('gitea-web-url') ?? get('gitea-url')),
  };
  return { options, label: (name) => labels.get(name) ?? `--${name}` };
}

function lookUp(setting: Setting & { name: SettingName }, layers: Layers): Found | undefined {
  const flag = layers.flags[setting.name];
  if (flag !== undefined) return { raw: flag, label: `--${setting.name}` };
  for (const name of setting.env) {
    const raw = layers.env[name];
    // CI passes '' for a variable that is not set; only --hold gives the empty value a meaning, and that is "off".
    if (raw !== undefined && (raw !== '' || setting.name === 'hold')) return { raw, label: name };
  }
  return undefined;
}

function read(setting: Setting, { raw, label }: Found): Value | undefined {
  const bad = (problem: string, hint?: string) => usageError(`${label}: ${problem}`, { option: label, hint });
  const texts = Array.isArray(raw) ? raw : [String(raw)];
  if (texts.some((text) => text.includes('${{'))) {
    throw bad(
      'contains "${{": CI did not fill in an expression',
      'check that the context exists at that level',
    );
  }
  if (setting.kind === 'list') {
    // A comma between braces belongs to a glob.
    const items = Array.isArray(raw) ? raw : String(raw).split(/[\n,](?![^{}\n]*\})/);
    const kept = items.map((item) => item.trim());
    if (kept.every((item) => !item)) {
      // A list that is typed and empty would open the gate that it was meant to close.
      const typed = Array.isArray(raw) && raw.length > 0 && setting.name === 'require-context';
      if (kept.length > 1 || typed) throw bad('has only empty entries');
      return undefined;
    }
    return Array.isArray(raw) ? kept : kept.filter(Boolean);
  }
  if (Array.isArray(raw)) throw bad('takes one value, not a list');
  if (setting.kind === 'boolean') {
    if (typeof raw === 'boolean') return raw;
    const on = readBoolean(String(raw).trim());
    if (on !== undefined) return on;
    throw bad(`${JSON.stringify(raw)} is neither true nor false`);
  }
  const text = String(raw).trim();
  if (setting.name === 'hold') return text;
  if (text === '') return undefined;
  switch (setting.kind) {
    case 'duration':
      return parseDuration(text, label);
    case 'integer':
      if (!/^\d{1,15}$/.test(text) || Number(text) < (setting.min ?? 0)) {
        throw bad(`${JSON.stringify(text)} is not a whole number of at least ${setting.min ?? 0}`);
      }
      return Number(text);
    case 'choice':
      if (!setting.choices?.includes(text)) {
        throw bad(`${JSON.stringify(text)} is not known`, `give ${setting.choices?.join(', ')}`);
      }
      return text;
    default:
      return text;
  }
}

/** The lease of a parent process, as `fleet lock run` hands it to its child. */
function inheritedLock({
  FLEET_LOCK_GROUP: group,
  FLEET_LOCK_FENCE: fence,
}: Env): FleetOptions['lockInherited'] {
  if (!group || !fence) return undefined;
  if (/^[1-9]\d{0,15}$/.test(fence) && Number.isSafeInteger(Number(fence)))
    return { group, fencingToken: Number(fence) };
  throw usageError(`FLEET_LOCK_FENCE: ${JSON.stringify(fence.slice(0, 30))} is not a fencing token`, {
    option: 'FLEET_LOCK_FENCE',
    hint: 'fleet lock run sets it for its child; unset it to take a lock of its own',
  });
}

/** What CI says of the run that this is part of. @param webUrl Address of the CI server for people. */
export function triggerOf(env: Env, webUrl: string | undefined = env.GITHUB_SERVER_URL): Trigger {
  return {
    event: env.GITHUB_EVENT_NAME || undefined,
    refType: env.GITHUB_REF_TYPE || undefined,
    actor: env.GITHUB_ACTOR || undefined,
    runId: env.GITHUB_RUN_ID || undefined,
    runAttempt: env.GITHUB_RUN_ATTEMPT || undefined,
    job: env.GITHUB_JOB || undefined,
    runUrl: runUrlOf(webUrl, env.GITHUB_REPOSITORY, env.GITHUB_RUN_NUMBER),
  };
}
