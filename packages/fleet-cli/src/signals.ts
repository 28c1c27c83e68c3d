/** The first signal ends a run in order, the second at once. */
import { constants } from 'node:os';
import type { Terminal } from './console.js';

/** Runs `work` with a signal that SIGINT and SIGTERM abort; its reason is the name of the signal. */
export async function interruptible(
  terminal: Terminal,
  work: (signal: AbortSignal) => Promise<number>,
): Promise<number> {
  const controller = new AbortController();
  const stop = (name: 'SIGINT' | 'SIGTERM') => {
    if (controller.signal.aborted) process.exit(128 + constants.signals[name]);
    terminal.line(
      'stderr',
      `${name}: stopping in order and giving the lock back; once more stops at once`,
      'warn',
    );
    controller.abort(name);
  };
  process.on('SIGINT', stop).on('SIGTERM', stop);
  try {
    return await work(controller.signal);
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop);
  }
}
