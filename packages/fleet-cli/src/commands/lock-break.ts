/** `fleet lock break`: ends the hold of a run that cannot give it back. */
import type { Layers } from '@tenant-fleet/fleet-core/config';
import { breakLock, leaseToBreak, oneLine, readLock, usageError } from '@tenant-fleet/fleet-core/program';
import { renderLockStatus } from '@tenant-fleet/fleet-core/render';
import { Terminal } from '../terminal/console.js';
import { confirm, isPersonThere } from '../terminal/prompt.js';
import { interruptible } from '../terminal/signals.js';
import { type NoteFlags, prepareNote } from './lock-note.js';

export async function runLockBreak(
  flags: Layers['flags'],
  output: NoteFlags & { fencingToken?: string; confirmAlive?: boolean },
): Promise<number> {
  const terminal = new Terminal(output);
  const seen = output.fencingToken === undefined ? undefined : tokenOf(output.fencingToken);
  const { config, note } = await prepareNote(flags, output);
  const asks = !output.yes;
  if (asks && !isPersonThere()) {
    throw usageError('--yes is missing: nobody is here to be asked', {
      option: '--yes',
      next: 'look with fleet lock status, then say --yes --fencing-token N; the last digits of it are enough',
    });
  }
  const tell = (says: string, broken: number | null) => {
    terminal.line(output.json ? 'stderr' : 'stdout', says);
    if (output.json)
      terminal.document({
        schema: 'fleet-lock-note/1',
        ...{ group: config.lock?.group, done: 'broken', fencing_token: broken, ...note },
      });
  };
  return interruptible(
    terminal,
    async (signal) => {
      const status = await readLock(config, { signal });
      for (const line of renderLockStatus(status)) terminal.line('stderr', line);
      const held = leaseToBreak(status, { seen, confirmAlive: output.confirmAlive });
      if (!held) {
        tell(`Nobody holds the lock ${oneLine(status.group, 63)}: nothing was broken.`, null);
        return 0;
      }
      const what = `the hold of ${oneLine(held.holder.name)} (fencing token ${held.fencing_token})`;
      const declined = asks && (await confirm(`Break ${what}?`, 'nothing was broken', terminal, signal));
      if (declined) return declined;
      const target = { fencingToken: held.fencing_token, confirmAlive: output.confirmAlive };
      await breakLock(config, { ...target, ...note }, { signal });
      tell(`Lock ${oneLine(status.group, 63)}: broke ${what}.`, held.fencing_token);
      return 0;
    },
    { says: null },
  );
}

/** Whole, or its last digits. */
function tokenOf(text: string): string {
  if (/^(?!0+$)\d{1,16}$/.test(text)) return text;
  throw usageError(`--fencing-token: ${JSON.stringify(text.slice(0, 20))} is not a fencing token`, {
    option: '--fencing-token',
    next: 'fleet lock status shows it',
  });
}
