/** The one question before a roll, asked only where a person sits at a terminal. */
import { createInterface } from 'node:readline/promises';
import { type Config, exitCodeOf } from '@tenant-fleet/fleet-core';
import type { Terminal } from './console.js';
import type { OutputFlags } from './run.js';

/** The exit code where the person declined; null where the roll may start. */
export async function confirmRoll(
  config: Config,
  output: OutputFlags,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<number | null> {
  const rolls = config.command === 'redeploy' && !config.dryRun;
  const person = process.stdin.isTTY && process.stderr.isTTY && !process.env.CI;
  if (!rolls || !person || output.yes) return null;

  const fleet = config.environment ?? 'the fleet';
  const commit = config.expectedSha ? ` (${config.expectedSha.slice(0, 7)})` : '';
  const ask = createInterface({ input: process.stdin, output: process.stderr });
  // In raw mode Ctrl-C is a key, not a signal.
  ask.on('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  try {
    const answer = await ask.question(`Roll ${fleet} to ${config.targetTag}${commit}? [y/N] `, { signal });
    if (/^y(?:es)?$/i.test(answer.trim())) return null;
    terminal.line('stderr', 'Declined: nothing was rolled.');
    return exitCodeOf('refused', { askedBy: 'human' });
  } catch (error) {
    if (!signal.aborted) throw error;
    terminal.line('stderr', 'Nothing was rolled.');
    return exitCodeOf('interrupted', { askedBy: 'human', signal: signal.reason });
  } finally {
    ask.close();
  }
}
