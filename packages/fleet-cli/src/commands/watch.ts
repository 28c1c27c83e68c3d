/** `fleet watch`: one look at a fleet between its rollouts, or one after the other. */
import { setTimeout } from 'node:timers/promises';
import { type Layers, parseDuration } from '@tenant-fleet/fleet-core/config';
import { usageError, watchFleet } from '@tenant-fleet/fleet-core/program';
import { renderEvent, renderWatch, toneOf } from '@tenant-fleet/fleet-core/render';
import { configOf } from '../config.js';
import type { OutputFlags } from '../flags.js';
import { Terminal } from '../terminal/console.js';
import { exitCodeOfSignal, interruptible } from '../terminal/signals.js';

/** More often nobody reads it, and each look asks every tenant. */
const LEAST_MS = 10_000;

/** @throws FleetError `USAGE` before any request; `GATE_REFUSED`. */
export async function runWatch(
  flags: Layers['flags'],
  output: OutputFlags & { every?: string },
): Promise<number> {
  const terminal = new Terminal(output);
  const pauseMs = output.every === undefined ? null : parseDuration(output.every, '--every');
  if (pauseMs !== null && pauseMs < LEAST_MS)
    throw usageError('--every: must be at least 10s', { option: '--every', next: 'for example --every 10m' });
  const config = await configOf('watch', flags);
  const emit = (event: Parameters<typeof toneOf>[0]) => {
    if (event.code === 'warning') return;
    const line = renderEvent(event, output);
    if (line !== null) terminal.line('stderr', line, toneOf(event));
  };
  return interruptible(
    terminal,
    async (signal) => {
      try {
        for (;;) {
          const report = await watchFleet(config, { ports: { emit }, signal });
          if (output.json) terminal.document(report, pauseMs === null ? 2 : 0);
          else for (const { text, tone } of renderWatch(report)) terminal.line('stdout', text, tone);
          if (pauseMs === null) return report.exit_code;
          await setTimeout(pauseMs, undefined, { signal });
        }
      } catch (error) {
        if (signal.aborted) return exitCodeOfSignal(signal.reason);
        throw error;
      }
    },
    { says: null },
  );
}
