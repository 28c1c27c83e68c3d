/** Where secrets are read from: what is typed, variables, and the files that either names. */
import { usageError } from '../errors.js';
import type { Layers } from './resolve.js';
import { type NamedSetting, SETTINGS, type SettingName, settingOf } from './settings.js';

/** What is typed and what the environment holds: all that a configuration begins with. */
export type Given = Pick<Layers, 'flags' | 'env'>;

export interface Files {
  /** Reads a small UTF-8 file. */
  readFile: (path: string) => Promise<string>;
  /** The folder that relative paths begin at, told where a file was looked for in vain. */
  folder?: () => string;
}

/**
 * The secrets of settings that stand in files: a file that is typed goes before a variable, that before a file that a
 * variable names.
 *
 * @throws FleetError `USAGE` for a file that cannot be read, or is empty.
 */
export async function readSecrets(
  settings: readonly NamedSetting[],
  { flags, env }: Given,
  files: Files,
): Promise<Layers['secrets']> {
  const secrets: Layers['secrets'] = {};
  for (const setting of settings) {
    if (setting.kind !== 'secret') continue;
    const from = sourceOf(setting, { flags, env });
    if (from?.path !== undefined) secrets[setting.name] = await readSecret(from.path, from.option, files);
  }
  return secrets;
}

/** What gives a secret, and the file where it names one; undefined where nothing does. */
export function sourceOf(
  setting: NamedSetting,
  { flags, env }: Given,
): { option: string; path?: string } | undefined {
  const [typed, stored] = filesOf(setting, { flags, env });
  if (typed) return typed;
  if (textOf(flags[setting.name])) return { option: setting.name };
  const variable = setting.env.find((name) => textOf(env[name]));
  return variable === undefined ? stored : { option: variable };
}

/**
 * Every text that must not be printed, whatever the command: each value of each secret, used or not. What cannot be read
 * cannot come to stand anywhere, so nothing is thrown.
 */
export async function secretsOf({ flags, env }: Given, files: Files): Promise<string[]> {
  const found: (string | undefined)[] = [];
  for (const setting of SETTINGS) {
    if (setting.kind !== 'secret') continue;
    found.push(textOf(flags[setting.name]), ...setting.env.map((variable) => env[variable]));
    for (const from of filesOf(setting, { flags, env }))
      found.push(from && (await files.readFile(from.path).catch(() => undefined)));
  }
  return [...new Set(found.map((secret) => secret?.trim()).filter((secret) => !!secret))] as string[];
}

/** The file that is typed, and the one that a variable names. */
function filesOf({ name }: NamedSetting, { flags, env }: Given) {
  const setting = settingOf(`${name}-file` as SettingName);
  const [variable = ''] = setting.env;
  const typed = textOf(flags[setting.name]);
  const stored = textOf(env[variable]);
  return [
    typed === undefined ? undefined : { path: typed, option: `--${setting.name}` },
    stored === undefined ? undefined : { path: stored, option: variable },
  ] as const;
}

async function readSecret(path: string, option: string, files: Files): Promise<string> {
  // Whoever gives the secret itself in place of its file must not find it in a log: neither path nor cause is kept.
  const bad = (why: string) =>
    usageError(`${option}: ${why}`, {
      option,
      next: 'name a file that holds it; a secret itself is never an argument',
    });
  const content = await files.readFile(path).catch((error: { code?: unknown }) => {
    const why = error.code === 'ENOENT' ? 'there is no such file' : 'it is not readable';
    throw bad(`cannot read the file that it names: ${why}`);
  });
  if (!content.trim()) throw bad('the file that it names is empty');
  return content;
}

export const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined;
