/** Who holds the lock and who waits, once or for as long as somebody looks; and what happened to it. */
import {
  type Layers,
  type LockStatus,
  loadConfig,
  readLock,
  readLockLog,
  renderLockEvent,
  renderLockStatus,
  systemPorts,
  usageError,
  watchLock,
} from '@tenant-fleet/fleet-core';
import { Terminal } from '../terminal/console.js';
import { exitCodeOfSignal, interruptible } from '../terminal/signals.js';
import type { OutputFlags } from './run.js';

export async function runLockStatus(
  flags: Layers['flags'],
  output: OutputFlags & { watch?: boolean },
): Promise<number> {
  const terminal = new Terminal(output);
  const config = await loadConfig('lock', { flags, env: process.env }, systemPorts());
  const show = (status: LockStatus) => {
    if (output.json) terminal.line('stdout', JSON.stringify(status, null, output.watch ? 0 : 2));
    else for (const line of blockOf(status, output)) terminal.line('stdout', line);
  };
  return interruptible(
    terminal,
    async (signal) => {
      if (!output.watch) {
        show(await readLock(config, { signal }));
        return 0;
      }
      // Nobody reads any more (`... | head`): there is nothing left to watch for.
      const gone = new AbortController();
      process.stdout.once('error', () => gone.abort());
      for await (const status of watchLock(config, { signal: AbortSignal.any([signal, gone.signal]) })) {
        show(status);
      }
      return signal.aborted ? exitCodeOfSignal(signal.reason) : 0;
    },
    { says: null },
  );
}

/** A watch tells when each block was true. */
function blockOf(status: LockStatus, { watch }: { watch?: boolean }): string[] {
  const [first, ...rest] = renderLockStatus(status);
  return watch ? [`${new Date().toISOString().slice(11, 19)} ${first}`, ...rest] : [`${first}`, ...rest];
}

export async function runLockLog(
  flags: Layers['flags'],
  output: OutputFlags & { after?: string },
): Promise<number> {
  const terminal = new Terminal(output);
  const { after = '0' } = output;
  if (!/^\d{1,15}$/.test(after)) {
    throw usageError(`--after: ${JSON.stringify(after.slice(0, 20))} is not the number of an event`, {
      option: '--after',
      hint: 'every line of the log begins with one',
    });
  }
  const config = await loadConfig('lock', { flags, env: process.env }, systemPorts());
  return interruptible(
    terminal,
    async (signal) => {
      const events = await readLockLog(config, Number(after), { signal });
      if (output.json) {
        terminal.line('stdout', JSON.stringify({ group: config.lock?.group, events }, null, 2));
      } else for (const event of events) terminal.line('stdout', renderLockEvent(event));
      if (!events.length && !output.json) terminal.line('stderr', 'No events.');
      return 0;
    },
    { says: null },
  );
}
