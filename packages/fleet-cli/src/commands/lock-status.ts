/** Who holds the lock and who waits, once or for as long as somebody looks. */
import type { FleetEvent } from '@tenant-fleet/fleet-core';
import type { Layers } from '@tenant-fleet/fleet-core/config';
import type { LockStatus } from '@tenant-fleet/fleet-core/contract';
import { readLock, watchLock } from '@tenant-fleet/fleet-core/program';
import { renderEvent, renderLockStatus, toneOf } from '@tenant-fleet/fleet-core/render';
import { configOf } from '../config.js';
import type { OutputFlags } from '../flags.js';
import { Terminal } from '../terminal/console.js';
import { blockFor } from '../terminal/live/block-for.js';
import { exitCodeOfSignal, interruptible } from '../terminal/signals.js';
import { isReaderGone } from '../terminal/streams.js';

export async function runLockStatus(
  flags: Layers['flags'],
  output: OutputFlags & { watch?: boolean },
): Promise<number> {
  const terminal = new Terminal(output);
  const config = await configOf('lock', flags);
  const show = (status: LockStatus) => {
    if (output.json) terminal.document({ schema: 'fleet-lock-status/1', ...status }, output.watch ? 0 : 2);
    else for (const line of blockOf(status, output)) terminal.line('stdout', line);
  };
  const emit = (event: FleetEvent) => terminal.line('stderr', renderEvent(event) ?? '', toneOf(event));
  return interruptible(
    terminal,
    async (signal) => {
      if (!output.watch) {
        show(await readLock(config, { signal }));
        return 0;
      }
      // Nobody reads any more (`... | head`): there is nothing left to watch for.
      const gone = new AbortController();
      process.stdout.on('error', (error) => isReaderGone(error) && gone.abort());
      const context = { ports: { emit }, signal: AbortSignal.any([signal, gone.signal]) };
      const block = await blockFor(output, terminal);
      try {
        for await (const status of watchLock(config, context))
          block ? block.show(blockOf(status, output).map(plain)) : show(status);
      } finally {
        block?.end('stays');
      }
      return signal.aborted ? exitCodeOfSignal(signal.reason) : 0;
    },
    { says: null },
  );
}

const plain = (text: string) => ({ text, tone: 'plain' as const });

/** A watch tells when each block was true. */
function blockOf(status: LockStatus, { watch }: { watch?: boolean }): string[] {
  const [first, ...rest] = renderLockStatus(status);
  return watch ? [`${new Date().toISOString().slice(11, 19)} ${first}`, ...rest] : [`${first}`, ...rest];
}
