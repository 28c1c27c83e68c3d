/** What the step leaves: outputs, report files, the summary page. The log says the same, since any may be ignored. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { summary } from '@actions/core';
import type { FleetResult, TenantStatus } from '@tenant-fleet/fleet-core';
import type { Env } from '@tenant-fleet/fleet-core/config';
import { renderHtml, renderSummary } from '@tenant-fleet/fleet-core/render';
import { attempt, setOutput } from './runner.js';

export function writeOutputs(env: Env, result: FleetResult): void {
  const slugs = (status: TenantStatus) =>
    JSON.stringify(
      result.tenants.filter((tenant) => tenant.status === status).map(({ slug }) => slug),
      null,
      1,
    );
  setOutput(env, 'outcome', result.outcome);
  setOutput(env, 'deployed', String(result.deployed));
  setOutput(env, 'on-target', slugs('on_target'));
  setOutput(env, 'stale', slugs('stale'));
  const paths = writeReport(env, result);
  setOutput(env, 'report', paths?.report ?? '');
  setOutput(env, 'result-json', JSON.stringify(inShort(result, paths), null, 1));
}

interface Paths {
  report: string;
  document: string;
}

/** Some runners print every output, up to three times: the whole document stands in a file. */
const inShort = (result: FleetResult, paths: Paths | null) => ({
  schema: result.schema,
  outcome: result.outcome,
  deployed: result.deployed,
  reason: result.reason,
  environment: result.environment,
  target_tag: result.target_tag,
  expected_sha: result.expected_sha,
  counts: result.counts,
  exit_code: result.exit_code,
  ...paths,
});

/** Writes the result as HTML and as JSON beside it; null where there is no room for them. */
function writeReport(env: Env, result: FleetResult): Paths | null {
  const folder = join(env.RUNNER_TEMP || tmpdir(), 'fleet-report');
  const file = join(folder, `${result.started_at.replace(/[^0-9]/g, '')}-${process.pid}`);
  const paths = { report: `${file}.html`, document: `${file}.json` };
  const written = attempt('the report', () => {
    mkdirSync(folder, { recursive: true });
    writeFileSync(paths.document, `${JSON.stringify(result, null, 2)}\n`);
    writeFileSync(paths.report, renderHtml(result));
  });
  return written ? paths : null;
}

export async function writeSummary(env: Env, result: FleetResult): Promise<void> {
  if (!env.GITHUB_STEP_SUMMARY) return;
  try {
    await summary.addRaw(renderSummary(result), true).write();
  } catch {
    // Runners that know no summary name a file that is not there; the log has said it all.
  }
}
