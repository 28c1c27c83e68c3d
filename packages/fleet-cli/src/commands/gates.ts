/** `fleet gates`: waits at the gates as a roll does, and rolls nothing. */
import type { Layers } from '@tenant-fleet/fleet-core/config';
import { awaitGates } from '@tenant-fleet/fleet-core/program';
import { renderEvent, renderGates, toneOf } from '@tenant-fleet/fleet-core/render';
import { configOf } from '../config.js';
import type { OutputFlags } from '../flags.js';
import { Terminal } from '../terminal/console.js';
import { interruptible } from '../terminal/signals.js';

/** @throws FleetError `USAGE` before any request. */
export async function runGates(flags: Layers['flags'], output: OutputFlags): Promise<number> {
  const terminal = new Terminal(output);
  const config = await configOf('gates', flags);
  return interruptible(
    terminal,
    async (signal) => {
      const emit = (event: Parameters<typeof toneOf>[0]) => {
        const line = output.quiet ? null : renderEvent(event, output);
        if (line !== null) terminal.line('stderr', line, toneOf(event));
      };
      const result = await awaitGates(config, { ports: { emit }, signal });
      const [verdict = '', ...rest] = renderGates(result);
      const stream = output.json ? 'stderr' : 'stdout';
      terminal.line(stream, verdict, result.exit_code === 0 ? 'good' : 'bad');
      for (const line of rest) terminal.line(stream, line);
      if (output.json) terminal.document(result);
      return result.exit_code;
    },
    { says: null },
  );
}
