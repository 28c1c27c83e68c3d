/** What happened to a lock, oldest first. */
import { FleetError } from '@tenant-fleet/fleet-core';
import type { Layers } from '@tenant-fleet/fleet-core/config';
import { type ChainReport, readLockLog, usageError, verifyChain } from '@tenant-fleet/fleet-core/program';
import { renderLockEvent } from '@tenant-fleet/fleet-core/render';
import { configOf } from '../config.js';
import type { OutputFlags } from '../flags.js';
import { Terminal } from '../terminal/console.js';
import { interruptible } from '../terminal/signals.js';

export async function runLockLog(
  flags: Layers['flags'],
  output: OutputFlags & { after?: string; verify?: boolean },
): Promise<number> {
  const terminal = new Terminal(output);
  const { after = '0' } = output;
  if (!/^\d{1,15}$/.test(after)) {
    throw usageError(`--after: ${JSON.stringify(after.slice(0, 20))} is not the number of an event`, {
      option: '--after',
      next: 'every line of the log begins with one',
    });
  }
  if (output.verify && output.after !== undefined) {
    throw usageError('--verify checks the log from its first row', {
      option: '--after',
      next: 'leave --after out',
    });
  }
  const config = await configOf('lock', flags);
  return interruptible(
    terminal,
    async (signal) => {
      const events = await readLockLog(config, Number(after), { signal });
      if (output.verify) {
        const report = verifyChain(events);
        const group = String(config.lock?.group);
        if (output.json) terminal.document({ schema: 'fleet-lock-chain/1', group, ...report });
        if (report.broken) throw logBroken(group, report.broken);
        if (!output.json) terminal.line('stdout', verified(group, report));
      } else if (output.json) {
        terminal.document({ schema: 'fleet-lock-log/1', group: config.lock?.group, events });
      } else for (const event of events) terminal.line('stdout', renderLockEvent(event));
      if (!events.length && !output.json) terminal.line('stderr', 'No events.');
      return 0;
    },
    { says: null },
  );
}

function verified(group: string, { verified, unchained, head }: ChainReport): string {
  const before = unchained ? `, ${unchained} from before it was a chain` : '';
  return `Lock ${group}: ${verified} rows of the audit log follow from one another${before}; head ${head ?? 'none'}`;
}

const logBroken = (group: string, { seq, why }: { seq: number; why: string }) =>
  new FleetError('LOCK_REFUSED', `the audit log of ${group} does not hold at #${seq}: ${why}`, {
    outcome: 'refused',
    next: 'somebody changed the database; compare with a backup',
  });
