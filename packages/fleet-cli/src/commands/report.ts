/** Shows a result that an earlier run saved. */
import { renderHtml } from '@tenant-fleet/fleet-core/render';
import type { OutputFlags } from '../flags.js';
import { Terminal } from '../terminal/console.js';
import { checkWritable, readResult, writeWhole } from '../terminal/report-files.js';
import { show } from '../terminal/result.js';

/** @throws FleetError `USAGE` for a file that is no result. */
export async function runReport(file: string, output: OutputFlags & { html?: string }): Promise<number> {
  const result = await readResult(file);
  if (output.html !== undefined) {
    await checkWritable('--html', output.html);
    await writeWhole(output.html, renderHtml(result));
  }
  show(result, output, new Terminal(output));
  return 0;
}
