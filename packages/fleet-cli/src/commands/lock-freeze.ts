/** `fleet lock freeze` and `unfreeze`: nobody is granted the lock meanwhile. */
import type { Layers } from '@tenant-fleet/fleet-core/config';
import { freezeEnd, freezeLock, unfreezeLock } from '@tenant-fleet/fleet-core/program';
import type { OutputFlags } from '../flags.js';
import { Terminal } from '../terminal/console.js';
import { interruptible } from '../terminal/signals.js';
import { type NoteFlags, prepareNote } from './lock-note.js';

export async function runLockFreeze(
  flags: Layers['flags'],
  output: NoteFlags & { for?: string; until?: string; replace?: boolean },
): Promise<number> {
  const until = freezeEnd(output, Date.now());
  const { config, note } = await prepareNote(flags, output);
  const end = until ? `until ${until}` : 'until fleet lock unfreeze';
  return act(output, async (signal) => {
    const freeze = { ...note, ...(until ? { until } : {}) };
    await freezeLock(config, output.replace ? { ...freeze, replace: true } : freeze, { signal });
    return {
      says: `Lock ${config.lock?.group}: frozen ${end}. Whoever holds it keeps it; nobody else is granted it.`,
      document: { group: config.lock?.group, done: 'frozen', ...freeze },
    };
  });
}

export async function runLockUnfreeze(flags: Layers['flags'], output: NoteFlags): Promise<number> {
  const { config, note } = await prepareNote(flags, output);
  return act(output, async (signal) => {
    await unfreezeLock(config, note, { signal });
    return {
      says: `Lock ${config.lock?.group}: not frozen any more.`,
      document: { group: config.lock?.group, done: 'unfrozen', ...note },
    };
  });
}

async function act(
  output: OutputFlags,
  act: (signal: AbortSignal) => Promise<{ says: string; document: object }>,
): Promise<number> {
  const terminal = new Terminal(output);
  return interruptible(
    terminal,
    async (signal) => {
      const { says, document } = await act(signal);
      terminal.line(output.json ? 'stderr' : 'stdout', says);
      if (output.json) terminal.document({ schema: 'fleet-lock-note/1', ...document });
      return 0;
    },
    { says: null },
  );
}
