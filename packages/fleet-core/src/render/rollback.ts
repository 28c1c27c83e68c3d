/** What a rollback would do, for the person who is asked. All texts of records were written by somebody else. */
import type { RolloutEntry } from '../contract.js';
import type { FleetResult } from '../result/result.js';
import { formatDuration } from '../text/duration.js';
import { oneLine } from '../text/sanitize.js';
import { nameList, plural, shortSha } from '../text/words.js';
import { statusOf } from './result.js';

/** Names in one line; whoever has more tenants reads the groups. */
const NAMED = 40;

/**
 * From where to where, and what every tenant runs and would run.
 *
 * @param plan Result of a dry run to that target.
 * @param now Milliseconds since 1970.
 */
export function renderRollback(
  { from, to }: { from: RolloutEntry; to: RolloutEntry },
  plan: FleetResult,
  now: number,
): string[] {
  const would = shortSha(`${plan.expected_sha}`);
  const groups = new Map<string, string[]>();
  for (const tenant of plan.tenants) {
    const was = oneLine(tenant.observed_sha ? shortSha(tenant.observed_sha) : statusOf(tenant), 40);
    const change = tenant.phase === null ? `${was}, stays` : `${was} -> ${would}`;
    groups.set(change, [...(groups.get(change) ?? []), oneLine(tenant.slug, 63)]);
  }
  return [
    `From: ${rolloutInWords(from, now)}`,
    `Back to: ${rolloutInWords(to, now)}`,
    ...[...groups].map(
      ([change, slugs]) => `  ${change}: ${plural(slugs.length, 'tenant')}, ${nameList(slugs, NAMED)}`,
    ),
  ];
}

function rolloutInWords(
  { claim_id, holder, state, started_at, ended_at, rollout }: RolloutEntry,
  now: number,
) {
  const ago = now - Date.parse(ended_at ?? started_at);
  const verdict = state === 'running' ? 'running' : (rollout.outcome ?? 'ended without a verdict');
  return [
    `${shortSha(oneLine(`${rollout.expected_sha}`, 64))} (${oneLine(rollout.target_tag, 128)})`,
    `rollout ${oneLine(claim_id).slice(0, 8)}`,
    oneLine(verdict, 60).replaceAll('_', ' '),
    `by ${oneLine(holder.actor ?? holder.name)}`,
    ...(Number.isFinite(ago) ? [`${formatDuration(Math.max(0, ago))} ago`] : []),
  ].join(', ');
}
