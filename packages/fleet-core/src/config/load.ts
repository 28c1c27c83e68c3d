/** Reads the files that the configuration is made of. */
import { parse, YAMLParseError } from 'yaml';
import { usageError } from '../errors.js';
import type { Config } from './config.js';
import type { Command } from './options.js';
import { resolveConfig } from './resolve.js';
import { type Files, type Given, readSecrets, textOf } from './secrets.js';
import { settingsFor } from './settings.js';
import { type Env, eventBehind } from './trigger.js';

export const DEFAULT_CONFIG_FILE = 'fleet.config.yaml';

/**
 * Resolves the configuration of a command from flags, environment and the files that those name.
 *
 * @throws FleetError `USAGE` for an unreadable file, a bad value or a missing one; nothing was requested by then.
 */
export async function loadConfig(command: Command, given: Given, files: Files): Promise<Config> {
  const { flags } = given;
  const env = await withEventBehind(given.env, files);
  const named = textOf(flags.config) ?? textOf(env.FLEET_CONFIG);
  const path = named ?? DEFAULT_CONFIG_FILE;
  const namedBy = textOf(flags.config) ? '--config' : 'FLEET_CONFIG';
  const source = await readConfig(path, named === undefined ? undefined : namedBy, files);
  const file = source === undefined ? undefined : { path, content: parseYaml(source, path) };
  return resolveConfig(command, {
    flags,
    env,
    file,
    secrets: await readSecrets(settingsFor(command), given, files),
  });
}

/** A called workflow is judged by the event that began it, where the payload names that. */
async function withEventBehind(env: Env, files: Files): Promise<Env> {
  const { GITHUB_EVENT_NAME: event, GITHUB_EVENT_PATH: path } = env;
  if (event !== 'workflow_call' || !path) return env;
  const payload = await files.readFile(path).catch(() => '');
  return { ...env, GITHUB_EVENT_NAME: eventBehind(payload) ?? event };
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
