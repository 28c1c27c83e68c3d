/** What happened to a lock, oldest first. */
import { readLockLog, usageError } from '@tenant-fleet/fleet-core';
import type { Layers } from '@tenant-fleet/fleet-core/config';
import { renderLockEvent } from '@tenant-fleet/fleet-core/render';
import { configOf } from '../config.js';
import type { OutputFlags } from '../flags.js';
import { Terminal } from '../terminal/console.js';
import { interruptible } from '../terminal/signals.js';

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
  const config = await configOf('lock', flags);
  return interruptible(
    terminal,
    async (signal) => {
      const events = await readLockLog(config, Number(after), { signal });
      if (output.json) {
        terminal.document({ group: config.lock?.group, events });
      } else for (const event of events) terminal.line('stdout', renderLockEvent(event));
      if (!events.length && !output.json) terminal.line('stderr', 'No events.');
      return 0;
    },
    { says: null },
  );
}
