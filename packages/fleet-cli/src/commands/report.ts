/** Shows a result that an earlier run saved. */
import { usageError } from '@tenant-fleet/fleet-core/program';
import { renderHtml, renderJunit, renderSummary } from '@tenant-fleet/fleet-core/render';
import type { OutputFlags } from '../flags.js';
import { Terminal } from '../terminal/console.js';
import { checkWritable, readResult, writeWhole } from '../terminal/report-files.js';
import { show } from '../terminal/result.js';

const FORMATS = ['text', 'markdown', 'html', 'junit', 'json'];

export interface ReportFlags extends OutputFlags {
  html?: string;
  format?: string;
}

/** @throws FleetError `USAGE` for a file that is no result, or a format that is none. */
export async function runReport(file: string, output: ReportFlags): Promise<number> {
  const format = formatOf(output);
  const result = await readResult(file);
  if (output.html !== undefined) {
    await checkWritable('--html', output.html);
    await writeWhole(output.html, renderHtml(result));
  }
  if (format === 'html') process.stdout.write(renderHtml(result));
  else if (format === 'junit') process.stdout.write(renderJunit(result));
  else if (format === 'markdown') process.stdout.write(renderSummary(result));
  else show(result, { ...output, json: format === 'json' }, new Terminal(output));
  return 0;
}

function formatOf({ format, json }: ReportFlags): string {
  const asked = format ?? (json ? 'json' : 'text');
  const fits = FORMATS.includes(asked) && (!json || asked === 'json');
  if (fits) return asked;
  throw usageError(
    json
      ? '--format: --json says already that it is JSON'
      : `--format: ${JSON.stringify(asked.slice(0, 20))} is not known`,
    { option: '--format', next: `give ${FORMATS.join(', ')}` },
  );
}
