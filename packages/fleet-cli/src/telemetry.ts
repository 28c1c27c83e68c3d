/** Traces and metrics of a command, where the environment asks for them. */
import type { Config } from '@tenant-fleet/fleet-core/config';
import type { Telemetry } from '@tenant-fleet/fleet-telemetry';
import { wantsTelemetry } from '@tenant-fleet/fleet-telemetry/wanted';
import type { Terminal } from './terminal/console.js';

declare const FLEET_VERSION: string;

/** @param name Of the pipeline, as `fleet redeploy`. */
export async function telemetryOf(
  config: Config,
  name: string,
  terminal: Terminal,
): Promise<Telemetry | null> {
  const { env } = process;
  if (!wantsTelemetry(env, config.trigger)) return null;
  // Loaded only here: nobody else waits for the SDK.
  const { startTelemetry } = await import('@tenant-fleet/fleet-telemetry');
  const warn = (text: string) => terminal.line('stderr', text, 'warn');
  return startTelemetry({ env, version: FLEET_VERSION, config, name, warn });
}
