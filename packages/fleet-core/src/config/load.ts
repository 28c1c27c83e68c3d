/** Reads the files that the configuration is made of. */
import { parse, YAMLParseError } from 'yaml';
import { usageError } from '../errors.js';
import type { Ports } from '../ports.js';
import type { Config } from './config.js';
import type { Command } from './options.js';
import { type Layers, resolveConfig } from './resolve.js';

export const DEFAULT_CONFIG_FILE = 'fleet.config.yaml';

/**
 * Resolves the configuration of a command from flags, environment and the files that those name.
 *
 * @throws FleetError `USAGE` for an unreadable file, a bad value or a missing one; nothing was requested by then.
 */
export async function loadConfig(
  command: Command,
  layers: Pick<Layers, 'flags' | 'env'>,
  ports: Pick<Ports, 'readFile'>,
): Promise<Config> {
  const { flags, env } = layers;
  const named = text(flags.config) ?? text(env.FLEET_CONFIG);
  const path = named ?? DEFAULT_CONFIG_FILE;
  const namedBy = text(flags.config) ? '--config' : 'FLEET_CONFIG';
  const source = await readConfig(path, named === undefined ? undefined : namedBy, ports);
  const file = source === undefined ? undefined : { path, content: parseYaml(source, path) };

  const tokenFile =
    text(flags['token-file']) ?? (text(env.FLEET_CP_TOKEN) ? undefined : text(env.FLEET_TOKEN_FILE));
  const tokenFrom = text(flags['token-file']) ? '--token-file' : 'FLEET_TOKEN_FILE';
  const token = tokenFile === undefined ? undefined : await readToken(tokenFile, tokenFrom, ports);
  return resolveConfig(command, { flags, env, file, token });
}

/** The file's text; undefined where it is absent and nobody asked for it by name. */
async function readConfig(path: string, askedBy: string | undefined, ports: Pick<Ports, 'readFile'>) {
  try {
    return await ports.readFile(path);
  } catch (cause) {
    if (isAbsent(cause) && askedBy === undefined) return undefined;
    const option = askedBy ?? path;
    const why = isAbsent(cause) ? ': there is no such file' : '';
    throw usageError(`${option}: cannot read ${path}${why}`, { option, cause });
  }
}

async function readToken(path: string, option: string, ports: Pick<Ports, 'readFile'>) {
  try {
    return await ports.readFile(path);
  } catch (error) {
    // Whoever gives the token itself in place of its file must not find it in a log: neither path nor cause is kept.
    const why = isAbsent(error) ? 'there is no such file' : 'it is not readable';
    throw usageError(`${option}: cannot read the file that it names: ${why}`, {
      option,
      hint: 'name a file; the token itself is never an argument',
    });
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

const text = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined;
