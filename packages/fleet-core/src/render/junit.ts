/** Results as JUnit XML, which CI servers show as tests. */
import { isDeployed } from '../result/outcome.js';
import type { FleetResult, TenantResult } from '../result/result.js';
import { formatDuration } from '../text/duration.js';
import { shortSha } from '../text/words.js';
import { targetOf } from './event.js';
import { statusOf, verdictOf } from './result.js';

/** One test of a suite. */
export interface JunitCase {
  /** What it stands under. */
  group: string;
  name: string;
  ms: number;
  status: 'passed' | 'failed' | 'skipped';
  /** Why it failed or was skipped, in one line. */
  message?: string | null;
  /** More of why it failed. */
  text?: string;
}

/** Characters that no XML document may hold. */
const FORBIDDEN = /[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu;
const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const escaped = (text: string) =>
  text.replace(FORBIDDEN, '\ufffd').replace(/[&<>"]/g, (character) => ENTITIES[character] ?? character);

/** A suite as a document. */
export function junitOf({ name, ms, cases }: { name: string; ms: number; cases: JunitCase[] }): string {
  const seconds = (time: number) => (time / 1000).toFixed(3);
  const count = (status: JunitCase['status']) => cases.filter((one) => one.status === status).length;
  const totals = `tests="${cases.length}" failures="${count('failed')}" skipped="${count('skipped')}" time="${seconds(ms)}"`;
  const body = cases.map((one) => {
    const open = `    <testcase classname="${escaped(one.group)}" name="${escaped(one.name)}" time="${seconds(one.ms)}"`;
    if (one.status === 'passed') return `${open}/>`;
    const message = escaped(one.message ?? '');
    const inner =
      one.status === 'skipped'
        ? `<skipped message="${message}"/>`
        : `<failure message="${message}">${escaped(one.text ?? '')}</failure>`;
    return `${open}>\n      ${inner}\n    </testcase>`;
  });
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites ${totals}>`,
    `  <testsuite name="${escaped(name)}" ${totals}>`,
    ...body,
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}

/**
 * A run as a suite: its verdict, then each tenant. What proves nothing is no passed test: the verdict of a run that was
 * held, superseded or only planned is skipped, as are tenants that were excused or tolerated.
 */
export function renderJunit(result: FleetResult): string {
  const fleet = result.environment ?? 'fleet';
  const ms = Math.max(0, Date.parse(result.finished_at) - Date.parse(result.started_at));
  const verdict: JunitCase = {
    ...{ group: fleet, name: 'verdict', ms, status: STATUS[result.outcome] ?? 'failed' },
    message: verdictOf(result),
    text: [result.reason, ...result.next].join('\n'),
  };
  return junitOf({
    name: `fleet: ${fleet} to ${targetOf(result)}`,
    ms,
    cases: [verdict, ...result.tenants.map((tenant) => caseOf(tenant, fleet, result))],
  });
}

const STATUS: Partial<Record<FleetResult['outcome'], JunitCase['status']>> = {
  succeeded: 'passed',
  succeeded_with_quarantine: 'passed',
  planned: 'skipped',
  superseded: 'skipped',
  held: 'skipped',
  handed_over: 'skipped',
};

function caseOf(tenant: TenantResult, group: string, { outcome }: FleetResult): JunitCase {
  const { slug, status, detail, observed_sha: sha, probes, phase, on_target_after_ms: after } = tenant;
  const says = [statusOf(tenant), detail ?? (sha ? `answers ${shortSha(sha)}` : 'no commit seen')].join(': ');
  const open = status === 'excused' || isDeployed(outcome) || ['planned', 'handed_over'].includes(outcome);
  return {
    ...{ group, name: slug, ms: after ?? 0 },
    status: status === 'on_target' ? 'passed' : open ? 'skipped' : 'failed',
    message: says,
    text: `${phase ? `rolled in ${phase}` : 'not rolled'}, asked ${probes} times${after === null ? '' : `, on target after ${formatDuration(after)}`}`,
  };
}
