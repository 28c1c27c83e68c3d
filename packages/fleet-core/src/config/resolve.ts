/** Puts the layers of configuration on top of each other: flag > environment variable > file > default. */

import { sessionSchema } from '../contract.js';
import { usageError } from '../errors.js';
import { flagLabel, type Label, leniently } from './check.js';
import { checkOptions } from './check-options.js';
import type { Config } from './config.js';
import { parseDuration } from './duration.js';
import { type Found, fileLayer } from './file.js';
import type { Command, FleetOptions } from './options.js';
import { readBoolean } from './setting.js';
import { type NamedSetting, type Setting, type SettingName, settingOf, settingsFor } from './settings.js';
import { type Env, triggerOf } from './trigger.js';

export interface Layers {
  /** Values as typed, by setting name; a switch is `true` or `false`. An empty text clears the setting. */
  flags: Partial<Record<SettingName, string | string[] | boolean>>;
  env: Env;
  /** The configuration file, parsed. */
  file?: { path: string; content: unknown };
  /** Where one of the usual names was looked for in vain. */
  searched?: string;
  /** Secrets whose file was named, by setting name: what stands in those files. */
  secrets?: Partial<Record<SettingName, string>>;
}

type Value = string | number | boolean | string[];

/**
 * Resolves and checks the configuration of a command.
 *
 * @throws FleetError `USAGE` that names the place of the bad value: flag, variable, or key of the file.
 */
export function resolveConfig(command: Command, layers: Layers): Config {
  const { options, label, inFile } = resolveOptions(command, layers);
  return checkOptions(command, options, label, inFile, layers.searched);
}

/** The options of the layers, each value read by its kind, and how each is called towards the user. */
export function resolveOptions(
  command: Command,
  layers: Layers,
): { options: FleetOptions; label: Label; inFile: (name: SettingName) => boolean } {
  const setting = settingOf('environment');
  const environment = (found: Found) => read(setting, found) as string | undefined;
  const typed = lookUp(setting, layers);
  const file = fileLayer(layers.file, typed && environment(typed), environment);
  const labels = new Map<SettingName, string>();
  const inFile = new Set<SettingName>();
  const values: Record<string, Value | undefined> = { environment: file.environment };
  for (const setting of settingsFor(command)) {
    if (setting.kind === 'file') continue;
    const found = lookUp(setting, layers) ?? file.values.get(setting.name);
    if (!found) continue;
    labels.set(setting.name, found.label);
    if (found === file.values.get(setting.name)) inFile.add(setting.name);
    const value = leniently(command, setting, () => read(setting, found));
    if (value !== undefined) values[setting.option] = value;
  }
  const { env } = layers;
  const options = values as FleetOptions;
  options.lockInherited = inheritedLock(env);
  options.trigger = triggerOf(env, options.giteaWebUrl ?? options.giteaUrl);
  return {
    options,
    label: (name) => labels.get(name) ?? flagLabel(name),
    inFile: (name) => inFile.has(name),
  };
}

function lookUp(setting: NamedSetting, layers: Layers): Found | undefined {
  const { name, kind } = setting;
  const own = flagLabel(name);
  const stored = layers.secrets?.[name];
  if (stored !== undefined) return { raw: stored, label: own };
  const flag = layers.flags[name];
  if (flag !== undefined) return { raw: flag, label: own };
  for (const variable of setting.env) {
    const raw = layers.env[variable];
    // CI passes '' for a variable that is not set; only --hold gives the empty value a meaning, and that is "off".
    if (raw !== undefined && (raw !== '' || name === 'hold'))
      return { raw, label: kind === 'secret' ? own : variable };
  }
  return undefined;
}

function read(setting: Setting, { raw, label }: Found): Value | undefined {
  const bad = (problem: string, next?: string) => usageError(`${label}: ${problem}`, { option: label, next });
  const texts = Array.isArray(raw) ? raw : [String(raw)];
  if (setting.kind !== 'secret' && texts.some((text) => text.includes('${{'))) {
    throw bad(
      'contains "${{": CI did not fill in an expression',
      'check that the context exists at that level',
    );
  }
  if (setting.kind === 'list') {
    const items = Array.isArray(raw) ? raw : listOf(String(raw));
    const kept = items.map((item) => item.trim());
    if (kept.every((item) => !item)) {
      const typed = Array.isArray(raw) && raw.length > 0 && setting.narrows;
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
      if (setting.percent && text.endsWith('%')) return text;
      if (!/^\d{1,15}$/.test(text))
        throw bad(`${JSON.stringify(text)} is not a whole number of at least ${setting.min ?? 0}`);
      return Number(text);
    default:
      return text;
  }
}

/** One a line; commas part only where there is no line end, since a name may have one in it. */
function listOf(text: string): string[] {
  // A comma between braces belongs to a glob.
  const items = text.split(text.includes('\n') ? '\n' : /,(?![^{}]*\})/);
  return items.map((item) => (/^[\s,]*$/.test(item) ? '' : item));
}

/** The lease of a parent process, as `fleet lock run` hands it to its child. */
function inheritedLock({
  FLEET_LOCK_GROUP: group,
  FLEET_LOCK_FENCE: fence,
  FLEET_LOCK_SESSION: session,
}: Env): FleetOptions['lockInherited'] {
  if (!group || !fence) return undefined;
  if (/^[1-9]\d{0,15}$/.test(fence) && Number.isSafeInteger(Number(fence)))
    return {
      ...{ group, fencingToken: Number(fence) },
      ...(sessionSchema.safeParse(session).success ? { session } : {}),
    };
  throw usageError(`FLEET_LOCK_FENCE: ${JSON.stringify(fence.slice(0, 30))} is not a fencing token`, {
    option: 'FLEET_LOCK_FENCE',
    next: 'fleet lock run sets it for its child; unset it to take a lock of its own',
  });
}
