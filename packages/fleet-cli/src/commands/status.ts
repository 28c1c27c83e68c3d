/** `fleet status`: one look at a fleet, or one after every change. */
import type { Layers } from '@tenant-fleet/fleet-core/config';
import { type FleetStatus, readStatus, watchStatus } from '@tenant-fleet/fleet-core/program';
import { renderStatus } from '@tenant-fleet/fleet-core/render';
import { configOf } from '../config.js';
import type { OutputFlags } from '../flags.js';
import { Terminal } from '../terminal/console.js';
import { blockFor } from '../terminal/live/block-for.js';
import { exitCodeOfSignal, interruptible } from '../terminal/signals.js';
import { isReaderGone } from '../terminal/streams.js';

/** @throws FleetError `USAGE` before any request; `GATE_REFUSED`. */
export async function runStatus(
  flags: Layers['flags'],
  output: OutputFlags & { watch?: boolean },
): Promise<number> {
  const terminal = new Terminal(output);
  const config = await configOf('status', flags);
  const say = (status: FleetStatus) => {
    if (output.json) return terminal.document(status, output.watch ? 0 : 2);
    for (const { text, tone } of renderStatus(status)) terminal.line('stdout', text, tone);
    if (output.watch) terminal.line('stdout', '');
  };
  return interruptible(
    terminal,
    async (signal) => {
      try {
        if (!output.watch) {
          const status = await readStatus(config, { signal });
          say(status);
          return status.exit_code;
        }
        // Nobody reads any more (`... | head`): there is nothing left to watch for.
        const gone = new AbortController();
        process.stdout.on('error', (error) => isReaderGone(error) && gone.abort());
        const block = await blockFor(output, terminal);
        try {
          const watched = watchStatus(config, { signal: AbortSignal.any([signal, gone.signal]) });
          for await (const status of watched) block ? block.show(renderStatus(status)) : say(status);
        } finally {
          block?.end('stays');
        }
      } catch (error) {
        if (!signal.aborted) throw error;
      }
      return signal.aborted ? exitCodeOfSignal(signal.reason) : 0;
    },
    { says: null },
  );
}
