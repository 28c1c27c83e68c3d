/** `fleet history`: the rollouts on record, or one of them with its tenants. */
import type { Layers } from '@tenant-fleet/fleet-core/config';
import { readHistory, readRollout, usageError } from '@tenant-fleet/fleet-core/program';
import { type HistoryLine, renderHistory, renderRollout } from '@tenant-fleet/fleet-core/render';
import { configOf } from '../config.js';
import type { OutputFlags } from '../flags.js';
import { Terminal } from '../terminal/console.js';
import { exitCodeOfSignal, interruptible } from '../terminal/signals.js';

const PRESET = '10';

/** @throws FleetError `USAGE` before any request; what reading the record throws. */
export async function runHistory(
  flags: Layers['flags'],
  output: OutputFlags & { n?: string },
  [verb, id, ...more]: string[],
): Promise<number> {
  const terminal = new Terminal(output);
  const limit = limitOf(output.n);
  if (verb !== undefined && (verb !== 'show' || !id || more.length)) {
    throw usageError('fleet history takes nothing, or show and one rollout', {
      next: 'fleet history lists them, each with what to give: fleet history show 6f1c1f0e',
    });
  }
  const config = await configOf('history', flags);
  const group = config.lock?.group;
  const show = (document: object, lines: HistoryLine[]) => {
    if (output.json) terminal.document(document);
    else for (const { text, tone } of lines) terminal.line('stdout', text, tone);
  };
  return interruptible(
    terminal,
    async (signal) => {
      try {
        if (id) {
          const rollout = await readRollout(config, id, { signal });
          show({ schema: 'fleet-rollout/1', group, ...rollout }, renderRollout(rollout));
        } else {
          const rollouts = await readHistory(config, limit, { signal });
          show({ schema: 'fleet-history/1', group, rollouts }, renderHistory(rollouts));
          if (!rollouts.length) terminal.line('stderr', `No rollout of ${group} is on record.`);
        }
        return 0;
      } catch (error) {
        if (signal.aborted) return exitCodeOfSignal(signal.reason);
        throw error;
      }
    },
    { says: null },
  );
}

function limitOf(text = PRESET): number {
  if (/^[1-9]\d?$/.test(text)) return Number(text);
  throw usageError(`-n: ${JSON.stringify(text.slice(0, 20))} is not a number from 1 to 99`, { option: '-n' });
}
