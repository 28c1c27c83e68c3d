/** Reads the files that the configuration is made of. */
import { join } from 'node:path';
import { isFleetError, usageError } from '../errors.js';
import type { Config } from './config.js';
import type { Command } from './options.js';
import { type Layers, resolveConfig } from './resolve.js';
import { type Files, type Given, readSecrets, textOf } from './secrets.js';
import { settingsFor } from './settings.js';
import { type Env, eventBehind } from './trigger.js';
import { parseYaml } from './yaml.js';

export const DEFAULT_CONFIG_FILE = 'fleet.config.yaml';
/** Names that a configuration file is found by. */
export const CONFIG_FILES: readonly string[] = [DEFAULT_CONFIG_FILE, 'fleet.config.yml', 'fleet.config.json'];
/** Folders that are looked into at most, on the way to the root of a repository. */
const MOST_FOLDERS = 40;

interface Source {
  path: string;
  text: string;
}

/**
 * Resolves the configuration of a command from flags, environment and the files that those name.
 *
 * @throws FleetError `USAGE` for an unreadable file, a bad value or a missing one; nothing was requested by then.
 */
export async function loadConfig(command: Command, given: Given, files: Files): Promise<Config> {
  if (command === 'announce') return loadAnnouncing(given, files);
  return { ...resolveConfig(command, await layersOf(command, given, files)), typed: given.flags };
}

/** What can be read of it: a file that is no good is left out. */
async function loadAnnouncing(given: Given, files: Files): Promise<Config> {
  const bare = { flags: given.flags, env: await withEventBehind(given.env, files) };
  const secrets = await readSecrets(settingsFor('announce'), given, files);
  try {
    return resolveConfig('announce', await layersOf('announce', given, files));
  } catch (error) {
    if (!isFleetError(error)) throw error;
    return resolveConfig('announce', { ...bare, secrets });
  }
}

/** All that a configuration is made of. @throws FleetError `USAGE` for an unreadable file. */
export async function layersOf(command: Command, given: Given, files: Files): Promise<Layers> {
  const env = await withEventBehind(given.env, files);
  const { source, searched } = await findConfig(given, files);
  const file = source && { path: source.path, content: parseYaml(source.text, source.path) };
  const secrets = await readSecrets(settingsFor(command), given, files);
  return { flags: given.flags, env, file, searched, secrets };
}

/** The environments that the configuration file names, in its order; none where there is no file. */
export async function environmentNames(given: Given, files: Files): Promise<string[]> {
  const { source } = await findConfig(given, files);
  const content = source && parseYaml(source.text, source.path);
  const { environments } = (content ?? {}) as { environments?: object | null };
  return Object.keys(environments ?? {});
}

/** A called workflow is judged by the event that began it, where the payload names that. */
async function withEventBehind(env: Env, files: Files): Promise<Env> {
  const { GITHUB_EVENT_NAME: event, GITHUB_EVENT_PATH: path } = env;
  if (event !== 'workflow_call' || !path) return env;
  const payload = await files.readFile(path).catch(() => '');
  return { ...env, GITHUB_EVENT_NAME: eventBehind(payload) ?? event };
}

/** The file that was named, else the nearest of the usual names; where there is none, where it was looked for. */
async function findConfig(
  { flags, env }: Given,
  files: Files,
): Promise<{ source?: Source; searched?: string }> {
  const typed = textOf(flags.config);
  const path = typed ?? textOf(env.FLEET_CONFIG);
  if (path === undefined) return nearest(files);
  const option = typed === undefined ? 'FLEET_CONFIG' : '--config';
  const text = await files.readFile(path).catch((cause) => unreadable(option, path, cause));
  return { source: { path, text } };
}

/**
 * Looks in this folder, then in those above it up to the root of the repository: whoever stands in a folder of it means
 * the file of its root.
 */
async function nearest(files: Files): Promise<{ source?: Source; searched?: string }> {
  let found: Source | undefined;
  for (let depth = 0; depth <= MOST_FOLDERS; depth++) {
    const folder = '../'.repeat(depth);
    found ??= await sourceIn(folder, files);
    if (found && depth === 0) return { source: found };
    const isRoot = await files.readFile(`${folder}.git`).then(
      () => true,
      (error) => !isAbsent(error),
    );
    if (isRoot) return found ? { source: found } : { searched: searchedIn(folder, files) };
  }
  return { searched: searchedIn('../'.repeat(MOST_FOLDERS), files) };
}

/** `in /srv/server/docs and above, up to /srv/server`. */
function searchedIn(top: string, { folder }: Files): string {
  const here = folder?.();
  if (here === undefined) return 'here or above';
  const end = join(here, top);
  return end === join(here) ? `in ${here}` : `in ${here} and above, up to ${end}`;
}

async function sourceIn(folder: string, files: Files): Promise<Source | undefined> {
  const there: Source[] = [];
  for (const name of CONFIG_FILES) {
    const path = folder + name;
    const text = await files.readFile(path).catch((cause) => {
      if (!isAbsent(cause)) unreadable(path, path, cause);
      return undefined;
    });
    if (text !== undefined) there.push({ path, text });
  }
  const [first, second] = there;
  if (!first || !second) return first;
  throw usageError(`${first.path} and ${second.path} are both there`, {
    option: '--config',
    next: `remove one of them, or say --config ${first.path}`,
  });
}

function unreadable(option: string, path: string, cause: unknown): never {
  const why = isAbsent(cause) ? ': there is no such file' : '';
  throw usageError(`${option}: cannot read ${path}${why}`, { option, cause });
}

const isAbsent = (error: unknown) => (error as { code?: unknown }).code === 'ENOENT';
