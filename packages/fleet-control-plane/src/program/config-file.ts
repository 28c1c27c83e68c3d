import { parseDuration } from '@tenant-fleet/fleet-core/config';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { parse } from 'yaml';
import { PAUSE_LIMIT_MS, type RolloutOptions } from '../rollouts/start.js';
import { read, UsageError } from './read.js';

export interface ConfigFlags {
  config?: string;
  pauseLimit: number;
}

export const addConfig = (program: Command): Command =>
  program
    .option(
      '--config <file>',
      'environments that this server rolls by itself, in the format of fleet.config.yaml; else the variable FLEET_CP_CONFIG',
    )
    .addOption(
      new Option('--pause-limit <duration>', 'longest pause of such a rollout')
        .argParser(duration)
        .default(PAUSE_LIMIT_MS, '1h'),
    );

/** What this server rolls by itself; nothing without a file. @throws UsageError */
export async function rolloutsOf(
  { config, pauseLimit }: ConfigFlags,
  env: NodeJS.ProcessEnv,
  legacy: boolean,
): Promise<RolloutOptions> {
  const path = config ?? (env.FLEET_CP_CONFIG || undefined);
  if (path === undefined) return {};
  if (legacy) throw new UsageError('--config needs the lock, and --legacy has none.');
  const text = await read(path, 'configuration');
  try {
    return { config: { path, content: parse(text) }, pauseLimitMs: pauseLimit };
  } catch (error) {
    throw new UsageError(`the configuration ${path} is not YAML: ${String(error).split('\n', 1)[0]}`);
  }
}

/** Milliseconds. */
function duration(text: string): number {
  try {
    return parseDuration(text, 'it');
  } catch (error) {
    throw new InvalidArgumentError(`${(error as Error).message}.`);
  }
}
