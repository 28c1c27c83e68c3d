/** The first signal ends a run in order, the second leaves out all but the lock, the third ends it where it stands. */
import { constants } from 'node:os';
import { STOP_SIGNALS, type StopSignal } from '@tenant-fleet/fleet-core/program';
import type { Terminal } from './console.js';

interface Manner {
  /** Said at the first signal; null: nothing. */
  says?: string | null;
  /** What the second signal does besides. */
  again?: () => void;
}

/** How long the lock may take to be given back after a second signal; two tries of a release take 4 s. */
const LAST_MS = 5_000;
const NAMES = Object.keys(STOP_SIGNALS) as StopSignal[];

/** Exit code of a process that ended by a signal, as shells say it. */
export const exitCodeOfSignal = (name: NodeJS.Signals): number => 128 + constants.signals[name];

/**
 * Runs `work` with a signal that the first stop signal aborts, and one that the second aborts; the reason of both is
 * the name of the signal. An error that nobody caught ends the work as a signal does, and is thrown in the end.
 */
export async function interruptible(
  terminal: Terminal,
  work: (signal: AbortSignal, hurry: AbortSignal) => Promise<number>,
  manner: Manner = {},
): Promise<number> {
  const {
    says = 'stopping in order and giving the lock back; once more hurries, a third time ends it at once',
  } = manner;
  const [stopping, hurry] = [new AbortController(), new AbortController()];
  const stop = (name: StopSignal) => {
    if (hurry.signal.aborted) process.exit(exitCodeOfSignal(name));
    if (stopping.signal.aborted) {
      hurry.abort(name);
      manner.again?.();
      setTimeout(() => process.exit(exitCodeOfSignal(name)), LAST_MS).unref();
      return;
    }
    if (says !== null) terminal.line('stderr', `${name}: ${says}`, 'warn');
    stopping.abort(name);
  };
  let crash: { error: unknown } | undefined;
  const crashed = (error: unknown) => {
    crash ??= { error };
    stopping.abort('SIGTERM');
  };
  for (const name of NAMES) process.on(name, stop);
  process.on('uncaughtException', crashed);
  try {
    const exitCode = await work(stopping.signal, hurry.signal);
    if (crash) throw crash.error;
    return exitCode;
  } finally {
    process.off('uncaughtException', crashed);
    for (const name of NAMES) process.off(name, stop);
  }
}
