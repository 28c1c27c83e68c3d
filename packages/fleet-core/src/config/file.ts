/** The configuration file: its schema, and the part of it that concerns one environment. */
import leven from 'leven';
import * as z from 'zod';
import { usageError } from '../errors.js';
import { POLICY_BOUNDS, policyBoundsSchema } from './policy-bounds.js';
import { SETTINGS, type Setting, type SettingKind, type SettingName } from './settings.js';

/** A value as it was written, and how its place is called towards the user. */
export interface Found {
  raw: string | string[] | boolean | number;
  label: string;
}

const SHAPES: Record<SettingKind, string> = {
  text: 'a text',
  file: 'a text',
  secret: 'a text',
  list: 'a list of texts',
  duration: 'a text such as 90s or 4m',
  integer: 'a whole number',
  boolean: 'true or false',
  choice: 'a text',
};

/** What may be written for a setting; its meaning is read later, with that of flags and variables. */
function valueSchema({ name, kind }: Pick<Setting, 'name' | 'kind'>) {
  const text = z.string();
  switch (kind) {
    case 'list':
      return z.union([text, z.array(text)]);
    case 'boolean':
      return z.union([z.boolean(), text]);
    case 'integer':
    case 'duration':
      return z.union([z.number(), text]);
    default:
      // YAML reads on, no and 1 as they are meant for a switch.
      return name === 'hold' ? z.union([text, z.boolean(), z.number()]) : text;
  }
}

/** The same, as strict as an editor should be: units, choices, ranges, help texts. */
function editorSchema({ kind, choices, min, percent, help, default: preset }: Setting) {
  const strict = () => {
    switch (kind) {
      case 'list':
        return z.array(z.string());
      case 'boolean':
        return z.boolean();
      case 'integer': {
        const whole = z
          .number()
          .int()
          .min(min ?? 0);
        return percent ? z.union([whole, z.string().regex(/^\d+(\.\d+)?%$/)]) : whole;
      }
      case 'duration':
        return z.string().regex(/^\d+(\.\d+)?(ms|s|m|h)$/);
      case 'choice':
        return z.enum(choices as [string, ...string[]]);
      default:
        return z.string();
    }
  };
  return strict()
    .optional()
    .describe(preset === undefined ? help : `${help} (default: ${preset})`);
}

const inFile = (SETTINGS as readonly Setting[]).filter((setting) => !setting.noFile);
const IN_FILE = [...inFile.map(({ name }) => name), POLICY_BOUNDS];
const shape = (settings: readonly Setting[]) =>
  Object.fromEntries(settings.map((one) => [one.name, editorSchema(one)]));

/**
 * `fleet.config.yaml`: keys of all environments at the top, those of one below its name. Made when it is asked for: a
 * rollout has no use for it.
 */
export const configFileSchema = () => {
  // Keys that a server reads, and no command: both may have the same file.
  const serversOwn = {
    [POLICY_BOUNDS]: policyBoundsSchema()
      .optional()
      .describe('read by a server that rolls by this file: what a request may change of it, and how far'),
  };
  const own = { ...shape(inFile.filter(({ name }) => name !== 'environment')), ...serversOwn };
  return z.strictObject({
    ...shape(inFile),
    ...serversOwn,
    environments: z
      .record(z.string(), z.strictObject(own))
      .optional()
      .describe('named environments; their keys win over those at the top'),
  });
};

/** The same as JSON Schema, for editors. */
export function configFileJsonSchema(): object {
  return z.toJSONSchema(configFileSchema());
}

export interface FileLayer {
  environment?: string;
  values: Map<SettingName, Found>;
}

/**
 * The part of the file that concerns the chosen environment: its own keys over those at the top.
 *
 * @param asked Environment that flag or variable name, where one does; `preset` reads the one that the file names.
 * @throws FleetError `USAGE` that names the key.
 */
export function fileLayer(
  file: { path: string; content: unknown } | undefined,
  asked: string | undefined,
  preset: (found: Found) => string | undefined,
): FileLayer {
  const values = new Map<SettingName, Found>();
  if (!file || file.content === null || file.content === undefined) return { values };
  const top = record(file.content, file.path);
  const { environments: listed, ...shared } = top;
  const environments =
    listed === undefined || listed === null ? {} : record(listed, `environments in ${file.path}`);
  const names = Object.keys(environments);
  addKeys(values, shared, '', file.path);
  const named = values.get('environment');
  const chosen = asked ?? (named && preset(named)) ?? (names.length === 1 ? names[0] : undefined);
  if (names.length && chosen === undefined) {
    throw usageError(`--environment is missing: ${file.path} has ${names.join(', ')}`, {
      option: '--environment',
      next: `give --environment ${names[0]}`,
    });
  }
  if (names.length && chosen !== undefined && !Object.hasOwn(environments, chosen)) {
    throw usageError(`--environment: ${file.path} has no environment ${JSON.stringify(chosen)}`, {
      option: '--environment',
      next: `it has ${names.join(', ')}`,
    });
  }
  if (chosen !== undefined && names.length) {
    const own = record(environments[chosen] ?? {}, `environments.${chosen} in ${file.path}`);
    addKeys(values, own, `environments.${chosen}.`, file.path);
  }
  return { environment: chosen, values };
}

function addKeys(
  values: Map<SettingName, Found>,
  keys: Record<string, unknown>,
  prefix: string,
  path: string,
): void {
  const seen = new Set<SettingName>();
  for (const [key, raw] of Object.entries(keys)) {
    const name = key
      .replace(/([a-z])([A-Z])/g, '$1-$2')
      .replaceAll('_', '-')
      .toLowerCase();
    // Only a server reads it, and both may have the same file.
    if (name === POLICY_BOUNDS) continue;
    const label = `${prefix}${key} in ${path}`;
    const setting = SETTINGS.find((entry) => entry.name === name);
    if (!setting || (setting as Setting).noFile || (prefix && name === 'environment')) {
      const secret = setting?.kind === 'secret' || /token|secret|password/.test(name);
      throw usageError(`${label}: unknown key`, {
        option: label,
        next: secret
          ? 'a secret never stands in this file: use its variable, for example FLEET_CP_TOKEN, or a file that --token-file names'
          : didYouMean(name, [...IN_FILE, ...(prefix ? [] : ['environments'])]),
      });
    }
    if (seen.has(setting.name))
      throw usageError(`${label}: ${setting.name} is given twice`, { option: label });
    seen.add(setting.name);
    if (raw === null || raw === undefined) continue;
    const parsed = valueSchema(setting).safeParse(raw);
    if (!parsed.success) {
      const quotes = [raw].flat().some((one) => typeof one === 'number');
      // YAML has read 1.10 as 1.1 by now.
      const next = quotes ? 'put the value in quotes' : undefined;
      throw usageError(`${label}: must be ${SHAPES[setting.kind]}`, { option: label, next });
    }
    values.set(setting.name, { raw: raw as string | string[], label });
  }
}

function record(value: unknown, where: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw usageError(`${where}: must be a mapping of names to values`, { option: where });
}

/** The nearest of the names that are known, for a typing error. */
export function didYouMean(name: string, known: readonly string[]): string | undefined {
  const scored = known.map((one) => ({ one, distance: leven(name, one) }));
  const best = scored.sort((a, b) => a.distance - b.distance)[0];
  return best && best.distance <= 3 ? `did you mean ${best.one}?` : undefined;
}
