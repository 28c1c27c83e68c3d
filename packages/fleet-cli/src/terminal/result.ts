/** How a result is shown and where it is written. */
import type { FleetResult } from '@tenant-fleet/fleet-core';
import { usageError } from '@tenant-fleet/fleet-core/program';
import { outcomeTone, renderHtml, renderJunit, renderResult } from '@tenant-fleet/fleet-core/render';
import type { OutputFlags } from '../flags.js';
import type { Terminal } from './console.js';
import { checkWritable, writeWhole } from './report-files.js';

/** The closing block, and with `--json` the document: the one thing then on stdout. */
export function show(result: FleetResult, output: OutputFlags, terminal: Terminal): void {
  const [verdict = '', ...rest] = renderResult(result, output);
  const stream = output.json || output.events === '-' ? 'stderr' : 'stdout';
  terminal.line(stream, verdict, outcomeTone(result.outcome));
  for (const line of rest) terminal.line(stream, line);
  if (output.json) terminal.document(result);
}

/** What a result can be written as, by the flag that names the file. */
const REPORTS = [
  ['--report-json', 'reportJson', (result) => `${JSON.stringify(result, null, 2)}\n`],
  ['--report-html', 'reportHtml', renderHtml],
  ['--report-junit', 'reportJunit', renderJunit],
] as const satisfies [string, keyof OutputFlags, (result: FleetResult) => string][];

/** @throws FleetError `USAGE` where a report could not be written. */
export async function checkReports(output: OutputFlags): Promise<void> {
  const { events, json } = output;
  if (events === '-' && json) {
    throw usageError('--events -: stdout is taken by the document of --json', { option: '--events' });
  }
  if (events !== undefined && events !== '-') await checkWritable('--events', events);
  const taken = new Map<string, string>();
  for (const [option, flag] of REPORTS) {
    const path = output[flag];
    if (path === undefined) continue;
    await checkWritable(option, path);
    const other = taken.get(path);
    if (other) throw usageError(`${option}: names the same file as ${other}`, { option });
    taken.set(path, option);
  }
}

/** A report that cannot be written is said aloud; it does not change what happened to the fleet. */
export async function writeReports(
  result: FleetResult,
  output: OutputFlags,
  terminal: Terminal,
): Promise<void> {
  for (const [option, flag, content] of REPORTS) {
    const path = output[flag];
    if (path === undefined) continue;
    await writeWhole(path, content(result)).catch((error: NodeJS.ErrnoException) => {
      terminal.error(`${option}: ${path} was not written (${error.code ?? 'unknown reason'})`);
    });
  }
}
