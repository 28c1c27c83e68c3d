/** `fleet config`: what is in force, and where each value comes from. */
import { configFileJsonSchema, type Layers, settingsInForce } from '@tenant-fleet/fleet-core/config';
import { systemPorts } from '@tenant-fleet/fleet-core/program';
import { renderSettings } from '@tenant-fleet/fleet-core/render';
import { givenOf } from '../config.js';
import type { OutputFlags } from '../flags.js';
import { Terminal } from '../terminal/console.js';

/** @throws FleetError `USAGE` for what a run would not take either. */
export async function runConfig(flags: Layers['flags'], output: OutputFlags): Promise<number> {
  const terminal = new Terminal(output);
  const settings = await settingsInForce(await givenOf(flags), systemPorts());
  if (output.json) terminal.document({ schema: 'fleet-config/1', settings });
  else for (const line of renderSettings(settings)) terminal.line('stdout', line);
  return 0;
}

/** The JSON Schema of the configuration file, for editors. */
export async function runConfigSchema(output: OutputFlags): Promise<number> {
  new Terminal(output).document(configFileJsonSchema());
  return 0;
}
