/** How the gates alone ended, as plain lines. */
import type { GatesResult } from '../result/gates.js';
import { formatDuration } from '../text/duration.js';
import { oneLine } from '../text/sanitize.js';
import { plural } from '../text/words.js';

/** The verdict, and what to do where it is no pass. */
export function renderGates({ outcome, reason, gates, next, ...times }: GatesResult): string[] {
  const took = formatDuration(Math.max(0, Date.parse(times.finished_at) - Date.parse(times.started_at)));
  const passed = gates.filter((gate) => gate.passed).length;
  if (outcome === 'passed') return [`PASSED: ${plural(passed, 'gate')}, after ${took}.`];
  return [
    `${outcome.toUpperCase()}: ${oneLine(reason, 400)} (after ${took}).`,
    ...next.map((step) => `Next: ${oneLine(step, 400)}`),
  ];
}
