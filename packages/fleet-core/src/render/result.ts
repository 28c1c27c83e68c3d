/** The closing block of a run: what a tired person needs to know, in the order in which they need it. */

import { isDeployed } from '../result/outcome.js';
import { type FleetResult, isOnTarget, isPart, type TenantResult } from '../result/result.js';
import { formatDuration } from '../text/duration.js';
import { oneLine } from '../text/sanitize.js';
import { NAMED, nameList, plural, shortSha } from '../text/words.js';
import { type RenderOptions, statusInWords, type Tone, targetOf } from './event.js';

/** The verdict in one line: what happened, in capitals, then to what. */
export function verdictOf(result: FleetResult): string {
  const fleet = oneLine(result.environment ?? 'the fleet');
  const target = oneLine(targetOf(result));
  const { enumerated, on_target, excused } = result.counts;
  const rolled = result.tenants.filter((tenant) => tenant.phase !== null).length;
  const halfWay = `the roll of ${fleet} to ${target} was stopped after ${rolled} of ${plural(enumerated, 'tenant')}`;
  if (isPart(result.scope) && isDeployed(result.outcome))
    return `PART OF THE FLEET: ${on_target} of ${plural(enumerated, 'tenant')} that were meant run ${target}; ${fleet} has ${result.scope?.of}, and is NOT deployed by this.`;
  switch (result.outcome) {
    case 'succeeded':
      return `DEPLOYED: ${fleet} runs ${target}; ${on_target} of ${plural(enumerated, 'tenant')} answered with it.`;
    case 'succeeded_with_quarantine':
      return `DEPLOYED WITH QUARANTINE: ${fleet} runs ${target}, but for ${plural(enumerated - on_target - excused, 'tenant')} within the tolerance.`;
    case 'planned':
      return on_target > 0 && result.tenants.every((tenant) => tenant.phase === null)
        ? `PLANNED: nothing to roll; ${fleet} runs ${target} already.`
        : `PLANNED: nothing was rolled; ${fleet} would be rolled to ${target}.`;
    case 'superseded':
      return rolled
        ? `SUPERSEDED: a newer commit owns ${fleet}; ${halfWay}.`
        : `SUPERSEDED: a newer commit owns ${fleet}; it was not rolled back to ${target}.`;
    case 'held':
      if (isOnTarget(result.counts))
        return `HELD: deploys of ${fleet} are frozen${rolled ? '' : ', nothing was rolled'}; ${plural(on_target, 'tenant')} answered with ${target} all the same.`;
      return rolled
        ? `HELD: ${halfWay}.`
        : `HELD: nothing was rolled; ${fleet} is NOT deployed to ${target}.`;
    case 'failed':
      return `FAILED: ${fleet} is not proven to run ${target}.`;
    case 'lock_timeout':
      return `LOCK TIMEOUT: ${fleet} was not rolled to ${target}; its lock was not granted in time.`;
    case 'lock_lost':
      return `LOCK LOST: ${halfWay}.`;
    case 'refused':
      return rolled ? `REFUSED: ${halfWay}.` : `REFUSED: ${fleet} was not rolled to ${target}.`;
    case 'control_plane_error':
      return `CONTROL PLANE ERROR: ${fleet} is not proven to run ${target}.`;
    case 'handed_over':
      return `HANDED OVER: the control plane rolls ${fleet} to ${target}; nothing is proven yet.`;
    case 'interrupted':
      if (result.rollout?.detached)
        return `DETACHED: the control plane goes on rolling ${fleet} to ${target}; nothing is proven yet.`;
      return `INTERRUPTED: stopped before ${fleet} was proven to run ${target}.`;
  }
}

/** How an outcome is meant. */
export function outcomeTone(outcome: FleetResult['outcome']): Tone {
  if (outcome === 'succeeded' || outcome === 'planned') return 'good';
  const warns = ['succeeded_with_quarantine', 'superseded', 'handed_over'].includes(outcome);
  return warns ? 'warn' : 'bad';
}

/** The closing block: the verdict, the counts, every tenant that is not on target with why, what to do next. */
export function renderResult(result: FleetResult, options: RenderOptions = {}): string[] {
  const lines = [verdictOf(result)];
  if (result.reason) lines.push(`Reason: ${oneLine(result.reason, 400)}`);
  if (result.counts.enumerated) lines.push(`${countsInWords(result)} (${timesOf(result)})`);
  if (result.outcome === 'planned') lines.push(...planLines(result));
  const named = unproven(result).filter((tenant) => result.outcome !== 'planned' || tenant.phase === null);
  lines.push(...bounded(named.map(stragglerLine)));
  if (options.verbose && result.lock) {
    const { group, fencing_token: token, waited_ms: waited } = result.lock;
    lines.push(`Lock ${group}: fencing token ${token ?? 'none'}, waited ${formatDuration(waited)}.`);
  }
  const lead = leadTimeInWords(result);
  if (lead) lines.push(`Lead time: ${lead}.`);
  const behind = behindInWords(result);
  if (behind) lines.push(`${behind}.`);
  lines.push(...bounded(result.warnings.map((warning) => `Warning: ${oneLine(warning, 400)}`)));
  lines.push(...result.next.map((step) => `Next: ${oneLine(step, 400)}`));
  for (const { why, command } of result.next_commands ?? []) {
    lines.push(`Next, ${oneLine(why, 400)}:`, `  ${oneLine(command, 2000)}`);
  }
  return lines;
}

/** Tenants that are not on target, those that fail a run before those that do not. */
export function unproven(result: Pick<FleetResult, 'tenants'>): TenantResult[] {
  const open = result.tenants.filter((tenant) => tenant.status !== 'on_target');
  return [
    ...open.filter((tenant) => tenant.status !== 'excused'),
    ...open.filter((tenant) => tenant.status === 'excused'),
  ];
}

/**
 * `12 tenants: 10 on target, 2 stale`. Whoever was not asked is no outage, and where no commit is expected nobody is behind
 * one.
 */
export function countsInWords(result: Pick<FleetResult, 'counts' | 'tenants' | 'expected_sha'>): string {
  const { counts, tenants } = result;
  const { enumerated, on_target, stale, invalid, unhealthy, excused } = counts;
  const not_asked = tenants.filter((tenant) => statusOf(tenant) === NOT_ASKED).length;
  const unreachable = counts.unreachable - not_asked;
  const compared = result.expected_sha === null ? { answer: on_target + stale } : { on_target, stale };
  const [first] = Object.keys(compared);
  const parts = Object.entries({ ...compared, unreachable, invalid, unhealthy, excused, not_asked })
    .filter(([name, count]) => count > 0 || name === first)
    .map(([name, count]) => `${count} ${statusInWords(name)}`);
  const none =
    result.expected_sha === null ? '; not compared, as no commit is expected (--expected-sha)' : '';
  return `${plural(enumerated, 'tenant')}: ${parts.join(', ')}${none}`;
}

const NOT_ASKED = 'not asked';

/** A tenant's status as people say it; one that nobody asked is not called unreachable. */
export function statusOf({ status, probes }: Pick<TenantResult, 'status' | 'probes'>): string {
  return status === 'unreachable' && probes === 0 ? NOT_ASKED : statusInWords(status);
}

/** How long the run took, and how long it stood in the queue where that matters. */
export function timesOf(result: FleetResult): string {
  const took = formatDuration(Math.max(0, Date.parse(result.finished_at) - Date.parse(result.started_at)));
  const waited = result.lock?.waited_ms ?? 0;
  return waited >= 1000 ? `took ${took}, ${formatDuration(waited)} of it in the queue` : `took ${took}`;
}

/** How long the commit took to all tenants, where that is known. */
export function leadTimeInWords({ lead_time: lead }: FleetResult): string | null {
  return lead ? `${formatDuration(lead.ms)} from the commit to its proof on the last tenant` : null;
}

/** How far the commit is behind its branch, where it is. */
export function behindInWords({ branch }: FleetResult): string | null {
  if (!branch?.behind_by) return null;
  const head = oneLine(shortSha(branch.head));
  return `The commit is ${plural(branch.behind_by, 'commit')} behind the head of ${oneLine(branch.name)} (${head})`;
}

function stragglerLine(tenant: TenantResult): string {
  const { slug, detail, phase, probes, observed_sha: sha } = tenant;
  const why = detail ? oneLine(detail) : '';
  const answer = sha ? `answers ${oneLine(shortSha(sha))}` : 'no commit seen';
  const facts = [
    statusOf(tenant),
    // The reason mostly names the commit already.
    ...(sha && why.includes(shortSha(sha)) ? [] : [answer]),
    ...(why ? [why] : []),
    phase ? `rolled in ${oneLine(phase)}` : 'not rolled',
    `asked ${plural(probes, 'time')}`,
  ];
  return `  ${oneLine(slug)}: ${facts.join(', ')}`;
}

function planLines(result: FleetResult): string[] {
  const phases = new Map<string, string[]>();
  for (const tenant of result.tenants) {
    const { phase, slug, observed_sha: sha } = tenant;
    if (phase === null) continue;
    const now = oneLine(sha ? shortSha(sha) : statusOf(tenant));
    phases.set(phase, [...(phases.get(phase) ?? []), `${oneLine(slug)} (now ${now})`]);
  }
  return bounded([...phases].map(([phase, tenants]) => `  ${oneLine(phase)}: ${nameList(tenants)}`));
}

function bounded(lines: string[]): string[] {
  if (lines.length <= NAMED) return lines;
  return [...lines.slice(0, NAMED), `  and ${lines.length - NAMED} more`];
}
