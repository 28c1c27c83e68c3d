/** `fleet rollback`: finds what was proven before, shows what would change, asks, and rolls as a redeploy does. */
import { hostname } from 'node:os';
import type { Layers } from '@tenant-fleet/fleet-core/config';
import { auditNoteOf, findRollback, rollbackConfig, usageError } from '@tenant-fleet/fleet-core/program';
import { renderRollback } from '@tenant-fleet/fleet-core/render';
import { configOf, userName } from '../config.js';
import type { OutputFlags } from '../flags.js';
import { Terminal } from '../terminal/console.js';
import { ask, confirm, isPersonThere } from '../terminal/prompt.js';
import { checkReports } from '../terminal/result.js';
import { exitCodeOfSignal, interruptible } from '../terminal/signals.js';
import { showPreview } from './preview.js';
import { carryOut } from './run.js';

const UNDONE = 'nothing was rolled';

/** @throws FleetError `USAGE` before any request; what finding the rollout throws. */
export async function runRollback(
  flags: Layers['flags'],
  output: OutputFlags & { to?: string; freeze?: string },
): Promise<number> {
  const terminal = new Terminal(output);
  const config = await configOf('rollback', flags);
  await checkReports(output);
  const noteOf = (reason: string) =>
    auditNoteOf(config, reason, { user: userName(), host: hostname() }, '--freeze');
  const note = output.freeze === undefined ? undefined : noteOf(output.freeze);
  const asks = !output.yes && !config.dryRun;
  if (asks && !isPersonThere()) {
    throw usageError('--yes is missing: nobody is here to be asked', {
      option: '--yes',
      next: 'look with --dry-run first, then say --yes',
    });
  }
  return interruptible(terminal, async (signal, hurry) => {
    const target = await findRollback(config, output.to, { signal }).catch((error) => {
      if (signal.aborted) return null;
      throw error;
    });
    if (!target) return exitCodeOfSignal(signal.reason);
    let roll = rollbackConfig(config, target, note);
    if (config.dryRun) {
      const plan = await carryOut(roll, output, terminal, { signal, hurry });
      const stream = output.json || output.events === '-' ? 'stderr' : 'stdout';
      if (plan.outcome === 'planned')
        for (const line of renderRollback(target, plan, Date.now())) terminal.line(stream, line);
      return plan.exit_code;
    }
    if (asks) {
      await showPreview({ ...roll, dryRun: true }, roll, terminal, signal, (plan) =>
        renderRollback(target, plan, Date.now()),
      );
      const fleet = config.environment ?? 'the fleet';
      const to = `${roll.targetTag} (${roll.expectedSha?.slice(0, 7)})`;
      const declined = await confirm(`Roll ${fleet} back to ${to}?`, UNDONE, terminal, signal);
      if (declined) return declined;
      // Asked for beforehand: between the end of the roll and a freeze, a push that waits would be granted the lock.
      const question = 'Freeze deploys behind it, so that the next push does not undo it? Why (empty: no): ';
      const reason = note ? '' : await ask(question, terminal, signal, UNDONE);
      if (typeof reason === 'number') return reason;
      if (reason) roll = rollbackConfig(config, target, noteOf(reason));
    }
    return (await carryOut(roll, output, terminal, { signal, hurry })).exit_code;
  });
}
