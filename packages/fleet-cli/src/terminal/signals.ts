/** The first signal ends a run in order, the second at once. */
import { constants } from 'node:os';
import type { Terminal } from './console.js';

export type StopSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP';

interface Manner {
  /** Said at the first signal; null: nothing. */
  says?: string | null;
  /** What the second signal does; default: the process ends where it stands. */
  again?: (name: StopSignal) => void;
  /** Which signals are meant; default: SIGINT and SIGTERM. */
  signals?: readonly StopSignal[];
}

/** Exit code of a process that ended by a signal, as shells say it. */
export const exitCodeOfSignal = (name: NodeJS.Signals): number => 128 + constants.signals[name];

/** Runs `work` with a signal that the stop signals abort; its reason is the name of the signal. */
export async function interruptible(
  terminal: Terminal,
  work: (signal: AbortSignal) => Promise<number>,
  manner: Manner = {},
): Promise<number> {
  const { says = 'stopping in order and giving the lock back; once more stops at once' } = manner;
  const { signals = ['SIGINT', 'SIGTERM'] } = manner;
  const controller = new AbortController();
  const stop = (name: StopSignal) => {
    if (controller.signal.aborted) {
      if (manner.again) return manner.again(name);
      process.exit(exitCodeOfSignal(name));
    }
    if (says !== null) terminal.line('stderr', `${name}: ${says}`, 'warn');
    controller.abort(name);
  };
  for (const name of signals) process.on(name, stop);
  try {
    return await work(controller.signal);
  } finally {
    for (const name of signals) process.off(name, stop);
  }
}
