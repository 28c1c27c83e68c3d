/** Reads the files that the configuration is made of. */
import { parse, YAMLParseError } from 'yaml';
import { usageError } from '../errors.js';
import type { Config } from './config.js';
import type { Command } from './options.js';
import { type Layers, resolveConfig } from './resolve.js';
import { type SettingName, settingsFor } from './settings.js';

export const DEFAULT_CONFIG_FILE = 'fleet.config.yaml';

/** What is typed and what the environment holds: all that a configuration begins with. */
export type Given = Pick<Layers, 'flags' | 'env'>;

export interface Files {
  /** Reads a small UTF-8 file. */
  readFile: (path: string) => Promise<string>;
}

/**
 * Resolves the configuration of a command from flags, environment and the files that those name.
 *
 * @throws FleetError `USAGE` for an unreadable file, a bad value or a missing one; nothing was requested by then.
 */
export async function loadConfig(command: Command, given: Given, files: Files): Promise<Config> {
  const { flags, env } = given;
  const named = text(flags.config) ?? text(env.FLEET_CONFIG);
  const path = named ?? DEFAULT_CONFIG_FILE;
  const namedBy = text(flags.config) ? '--config' : 'FLEET_CONFIG';
  const source = await readConfig(path, named === undefined ? undefined : namedBy, files);
  const file = source === undefined ? undefined : { path, content: parseYaml(source, path) };
  return resolveConfig(command, { flags, env, file, secrets: await readSecrets(command, given, files) });
}

/** The secrets of a command that stand in files: a file that is typed goes before a variable, that before its file. */
async function readSecrets(command: Command, { flags, env }: Given, files: Files) {
  const secrets: Layers['secrets'] = {};
  for (const { name, kind, env: variables } of settingsFor(command)) {
    if (kind !== 'secret') continue;
    const setting = `${name}-file` as SettingName;
    const typed = text(flags[setting]);
    const given = text(flags[name]) ?? variables.some((variable) => text(env[variable]));
    const variable = `FLEET_${setting.toUpperCase().replaceAll('-', '_')}`;
    const path = typed ?? (given ? undefined : text(env[variable]));
    if (path !== undefined) secrets[name] = await readSecret(path, typed ? `--${setting}` : variable, files);
  }
  return secrets;
}

/** The file's text; undefined where it is absent and nobody asked for it by name. */
async function readConfig(path: string, askedBy: string | undefined, files: Files) {
  try {
    return await files.readFile(path);
  } catch (cause) {
    if (isAbsent(cause) && askedBy === undefined) return undefined;
    const option = askedBy ?? path;
    const why = isAbsent(cause) ? ': there is no such file' : '';
    throw usageError(`${option}: cannot read ${path}${why}`, { option, cause });
  }
}

async function readSecret(path: string, option: string, files: Files): Promise<string> {
  // Whoever gives the secret itself in place of its file must not find it in a log: neither path nor cause is kept.
  const bad = (why: string) =>
    usageError(`${option}: ${why}`, {
      option,
      hint: 'name a file that holds it; a secret itself is never an argument',
    });
  const content = await files.readFile(path).catch((error: unknown) => {
    throw bad(
      `cannot read the file that it names: ${isAbsent(error) ? 'there is no such file' : 'it is not readable'}`,
    );
  });
  if (!content.trim()) throw bad('the file that it names is empty');
  return content;
}

const isAbsent = (error: unknown) => (error as { code?: unknown }).code === 'ENOENT';

/** YAML 1.2, of which JSON is a part; duplicate keys are errors. */
function parseYaml(source: string, path: string): unknown {
  try {
    return parse(source, { maxAliasCount: 20, logLevel: 'error' });
  } catch (cause) {
    const where = cause instanceof YAMLParseError && cause.linePos ? `:${cause.linePos[0].line}` : '';
    const what =
      cause instanceof YAMLParseError ? cause.message.split('\n')[0]?.replace(/ at line.*$/, '') : 'not YAML';
    throw usageError(`${path}${where}: ${what}`, { option: '--config', cause });
  }
}

const text = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined;
