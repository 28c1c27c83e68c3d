/** How a result is shown and where it is written. */
import type { FleetResult } from '@tenant-fleet/fleet-core';
import { usageError } from '@tenant-fleet/fleet-core/program';
import { outcomeTone, renderHtml, renderResult } from '@tenant-fleet/fleet-core/render';
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

/** @throws FleetError `USAGE` where a report could not be written. */
export async function checkReports({ reportJson, reportHtml, events, json }: OutputFlags): Promise<void> {
  if (events === '-' && json) {
    throw usageError('--events -: stdout is taken by the document of --json', { option: '--events' });
  }
  if (events !== undefined && events !== '-') await checkWritable('--events', events);
  if (reportJson !== undefined) await checkWritable('--report-json', reportJson);
  if (reportHtml !== undefined) await checkWritable('--report-html', reportHtml);
  if (reportJson !== undefined && reportJson === reportHtml) {
    throw usageError('--report-html: names the same file as --report-json', { option: '--report-html' });
  }
}

/** A report that cannot be written is said aloud; it does not change what happened to the fleet. */
export async function writeReports(
  result: FleetResult,
  output: OutputFlags,
  terminal: Terminal,
): Promise<void> {
  const { reportJson, reportHtml } = output;
  const files: [string, string | undefined, () => string][] = [
    ['--report-json', reportJson, () => `${JSON.stringify(result, null, 2)}\n`],
    ['--report-html', reportHtml, () => renderHtml(result)],
  ];
  for (const [option, path, content] of files) {
    if (path === undefined) continue;
    await writeWhole(path, content()).catch((error: NodeJS.ErrnoException) => {
      terminal.error(`${option}: ${path} was not written (${error.code ?? 'unknown reason'})`);
    });
  }
}
