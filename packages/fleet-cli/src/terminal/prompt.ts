/** Questions, asked only where a person sits at a terminal. */
import { openSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { WriteStream } from 'node:tty';
import { exitCodeOf } from '@tenant-fleet/fleet-core';
import type { Config } from '@tenant-fleet/fleet-core/config';
import type { OutputFlags } from '../flags.js';
import type { Terminal } from './console.js';

/** Whether somebody is there to answer; what is printed may go elsewhere (`fleet ... 2>&1 | tee log`). */
export const isPersonThere = (): boolean => process.stdin.isTTY && !process.env.CI;

/**
 * Asks one question whose default is no.
 *
 * @param undone What has not happened where the answer is no: `nothing was rolled`.
 * @returns The exit code where the person declined; null for a yes.
 */
export async function confirm(
  question: string,
  undone: string,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<number | null> {
  const answer = await ask(`${question} [y/N] `, terminal, signal, undone);
  if (typeof answer === 'number') return answer;
  if (/^y(?:es)?$/i.test(answer)) return null;
  terminal.line('stderr', `Declined: ${undone}.`);
  return exitCodeOf('refused', { askedBy: 'human' });
}

/**
 * Asks for a line of text.
 *
 * @returns What was typed, empty for nothing; the exit code where a signal ended the question.
 */
export async function ask(
  question: string,
  terminal: Terminal,
  signal: AbortSignal,
  undone: string,
): Promise<string | number> {
  const output = process.stderr.isTTY ? process.stderr : new WriteStream(openSync('/dev/tty', 'w'));
  const reader = createInterface({ input: process.stdin, output });
  // In raw mode Ctrl-C is a key, not a signal.
  reader.on('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  // Ctrl-D ends the input, and the question would never be answered.
  const closed = new Promise<string>((resolve) => reader.once('close', () => resolve('')));
  try {
    const answer = (await Promise.race([reader.question(question, { signal }), closed])).trim();
    if (!answer) output.write('\n');
    return answer;
  } catch (error) {
    if (!signal.aborted) throw error;
    terminal.line('stderr', `${undone[0]?.toUpperCase()}${undone.slice(1)}.`);
    return exitCodeOf('interrupted', { askedBy: 'human', signal: signal.reason });
  } finally {
    reader.close();
    if (output !== process.stderr) output.destroy();
  }
}

/**
 * Asks before a real roll.
 *
 * @param preview Shows what the roll would do.
 * @returns The exit code where the person declined; null where the roll may start.
 */
export async function confirmRoll(
  config: Config,
  output: OutputFlags,
  terminal: Terminal,
  signal: AbortSignal,
  preview: () => Promise<void>,
): Promise<number | null> {
  const rolls = config.command === 'redeploy' && !config.dryRun;
  if (!rolls || !isPersonThere() || output.yes) return null;
  await preview();
  const fleet = config.environment ?? 'the fleet';
  const commit = config.expectedSha ? ` (${config.expectedSha.slice(0, 7)})` : '';
  return confirm(`Roll ${fleet} to ${config.targetTag}${commit}?`, 'nothing was rolled', terminal, signal);
}
