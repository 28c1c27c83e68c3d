/** What the step leaves: outputs, report files, the summary page. The log says the same, since any may be ignored. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { summary } from '@actions/core';
import type { Env, FleetResult, TenantStatus } from '@tenant-fleet/fleet-core';
import { renderHtml, renderResult } from '@tenant-fleet/fleet-core/render';
import { attempt, say, setOutput } from './runner.js';

/** A runner refuses longer values. */
const LONGEST_OUTPUT = 900_000;

export function writeOutputs(env: Env, result: FleetResult): void {
  const slugs = (status: TenantStatus) =>
    JSON.stringify(
      result.tenants.filter((tenant) => tenant.status === status).map(({ slug }) => slug),
      null,
      1,
    );
  const json = JSON.stringify(result, null, 1);
  setOutput(env, 'outcome', result.outcome);
  setOutput(env, 'deployed', String(result.deployed));
  setOutput(env, 'on-target', slugs('on_target'));
  setOutput(env, 'stale', slugs('stale'));
  const report = writeReport(env, result);
  setOutput(env, 'report', report ?? '');
  if (json.length <= LONGEST_OUTPUT) setOutput(env, 'result-json', json);
  else say(`the output result-json stays empty: the document is too long for the runner; the report has it`);
}

/** Writes the result as HTML and as JSON beside it; the path of the HTML file, null where there is none. */
function writeReport(env: Env, result: FleetResult): string | null {
  const folder = join(env.RUNNER_TEMP || tmpdir(), 'fleet-report');
  const file = join(folder, `${result.started_at.replace(/[^0-9]/g, '')}-${process.pid}`);
  const written = attempt('the report', () => {
    mkdirSync(folder, { recursive: true });
    writeFileSync(`${file}.json`, `${JSON.stringify(result, null, 2)}\n`);
    writeFileSync(`${file}.html`, renderHtml(result));
  });
  return written ? `${file}.html` : null;
}

export async function writeSummary(env: Env, result: FleetResult): Promise<void> {
  if (!env.GITHUB_STEP_SUMMARY) return;
  const [verdict = '', ...rest] = renderResult(result).map(escapeMarkup);
  try {
    await summary
      .addHeading(verdict, 3)
      .addRaw(`<pre>\n${rest.join('\n')}\n</pre>`, true)
      .write();
  } catch {
    // Runners that know no summary name a file that is not there; the log has said it all.
  }
}

const escapeMarkup = (text: string): string =>
  text.replace(/[&<>]/g, (character) => ({ '&': '&amp;', '<': '&lt;' })[character] ?? '&gt;');
