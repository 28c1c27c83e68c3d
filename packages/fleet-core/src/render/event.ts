/** Events as plain text for logs and people; what a line looks like in colour is the adapter's affair. */

import type { FleetEvent } from '../events/events.js';
import type { Policy } from '../result/result.js';
import { formatDuration } from '../text/duration.js';
import { NAMED, nameList, plural, shortSha } from '../text/words.js';
import { holderInWords } from './holder.js';

export interface RenderOptions {
  /** Adds what helps whoever debugs a run: details of the control plane, every state change, times. */
  verbose?: boolean;
}

/** How a line is meant, for adapters that colour. */
export type Tone = 'good' | 'bad' | 'warn' | 'quiet' | 'plain';

/** What is rolled, in words: tag and short commit, as far as they are known. */
export function targetOf(target: { target_tag: string | null; expected_sha: string | null }): string {
  const sha = target.expected_sha && shortSha(target.expected_sha);
  if (target.target_tag) return sha ? `${target.target_tag} (${sha})` : target.target_tag;
  return sha ? `commit ${sha}` : 'no target';
}

/** The line of an event, or null where it is not worth one. */
export function renderEvent(event: FleetEvent, options: RenderOptions = {}): string | null {
  const line = lineOf(event, options.verbose ?? false);
  if (line === null) return null;
  return options.verbose ? `${event.at.slice(11, 19)} ${line}` : line;
}

function batchesInWords({ batch_size: size, batch_growth: growth = 1, batch_max: max }: Policy): string {
  const grown = growth > 1 ? `, each ${growth} times as large as the one before` : '';
  return `batches of ${size}${grown}${max ? `, ${max} at most` : ''}`;
}

/** The effective settings, for readers who wonder whether theirs arrived. */
export function policyInWords(policy: Policy): string {
  const { ephemeral, lock_group: group } = policy;
  return [
    policy.strategy,
    policy.canary ? `canary ${policy.canary} soaking ${formatDuration(policy.soak_ms)}` : 'no canary',
    batchesInWords(policy),
    `at most ${plural(policy.max_stragglers, 'straggler')}`,
    `settle budget ${formatDuration(policy.settle_budget_ms)}`,
    `${plural(policy.confirmations, 'confirmation')}`,
    ephemeral.length ? `ephemeral ${ephemeral.join(' ')}` : 'none ephemeral',
    group ? `lock ${group}` : 'no lock',
    `superseded by ${policy.superseded_by}`,
  ].join(', ');
}

function lineOf(event: FleetEvent, verbose: boolean): string | null {
  switch (event.code) {
    case 'run.started':
    case 'run.handed_over':
    case 'run.taken_over':
    case 'run.paused':
    case 'run.resumed':
    case 'run.finished':
      return runLine(event, verbose);
    case 'gate.passed':
      return `gate ${event.gate}: passed${event.detail ? `, ${event.detail}` : ''}`;
    case 'gate.stopped':
      return `gate ${event.gate}: ${event.outcome}, ${event.reason}${event.obeyed ? '' : ' (a real roll would stop here)'}`;
    case 'gate.waiting':
      return `gate ${event.gate}: waiting for ${nameList(event.pending)}, ${formatDuration(event.waited_ms)} so far`;
    case 'lock.waiting':
    case 'lock.acquired':
    case 'lock.unanswered':
    case 'lock.draining':
    case 'lock.renew_failed':
    case 'lock.recovered':
    case 'lock.lost':
    case 'lock.frozen':
    case 'lock.released':
    case 'lock.release_failed':
      return lockLine(event);
    case 'plan.ready': {
      const ready = `plan: ${plural(event.tenants, 'tenant')}, ${event.on_target.length} on target already`;
      if (!event.waves.length) return `${ready}, nothing to roll`;
      const waves = event.waves.map(
        (wave) =>
          `${wave.phase} ${nameList(wave.slugs)}${wave.soak_only ? ' (on target: soaks again, is not rolled)' : ''}`,
      );
      const verb = event.dry_run ? 'would roll' : 'will roll';
      return `${ready}; ${verb} (${event.strategy}): ${nameList(waves, NAMED, '; ')}`;
    }
    case 'wave.started':
      return `${event.phase} (${event.wave}/${event.waves}): rolling ${nameList(event.slugs)}`;
    case 'wave.answered': {
      const status = event.http_status === null ? 'no answer' : `control plane answered ${event.http_status}`;
      return event.ok && !verbose
        ? null
        : `${event.phase}: ${status} after ${formatDuration(event.duration_ms)}${event.ok === false ? ', not ok' : ''}`;
    }
    case 'wave.proven':
      return `${event.phase}: proven, ${plural(event.slugs.length, 'tenant')} on target after ${formatDuration(event.duration_ms)}`;
    case 'wave.unproven':
      return `${event.phase}: NOT proven: ${nameList(event.stragglers)}${event.tolerated ? ' (within the tolerance, going on)' : ''}`;
    case 'call.retry':
      return `${event.phase}: ${event.reason}; attempt ${event.attempt} in ${formatDuration(event.wait_ms)}`;
    case 'call.draining':
      return `${event.phase}: waiting for ${event.own ? 'a roll that may be of this very run' : 'an older roll of this fleet'} to end${rollInWords(event)}`;
    case 'call.unknown':
      return `${event.phase}: the answer was lost (${event.reason}); asking the tenants what they run`;
    case 'call.detail':
      return verbose ? `${event.phase}${event.slug ? ` ${event.slug}` : ''}: ${event.text}` : null;
    case 'soak.started':
      return `canary ${event.slug}: soaking for ${formatDuration(event.soak_ms)}`;
    case 'soak.passed':
      return `canary ${event.slug}: soak passed, ${plural(event.probes, 'probe')} on target`;
    case 'tenant.changed':
      return tenantLine(event);
    case 'verify.started':
    case 'verify.looked':
    case 'verify.finished':
      return verifyLine(event, verbose);
    case 'status.shown':
      return `commit status ${event.context}: ${event.state} (${shortSha(event.sha)})`;
    case 'alert.issue': {
      const failed =
        event.action === 'opened' ? '' : `, ${plural(event.runs, 'failed run')} since ${event.since}`;
      return `alert: ${event.action} issue #${event.number}${failed}, ${event.url}`;
    }
    case 'alert.sent':
      return `alert: webhook told of the ${event.about}`;
    case 'warning':
      return `warning: ${event.reason}`;
    case 'heartbeat':
      return `still ${event.doing}, ${formatDuration(event.elapsed_ms)} so far${event.left_ms ? `, at most ${formatDuration(event.left_ms)} left` : ''}`;
  }
}

function runLine(event: Extract<FleetEvent, { code: `run.${string}` }>, verbose: boolean): string | null {
  switch (event.code) {
    case 'run.started': {
      const fleet = event.environment ?? 'the fleet';
      const doing = {
        redeploy: `rolling ${fleet} to ${targetOf(event)}`,
        plan: `planning a roll of ${fleet} to ${targetOf(event)}; nothing is changed`,
        verify: `verifying that ${fleet} runs ${targetOf(event)}; nothing is changed`,
      }[event.command];
      const via = event.control_plane ? `, control plane ${event.control_plane}` : '';
      const first = `${doing}${via}, limit ${formatDuration(event.timeout_ms)}`;
      return event.policy && verbose ? `${first}; ${policyInWords(event.policy)}` : first;
    }
    case 'run.handed_over':
      return `handed over to ${event.control_plane} as rollout ${event.id}: it goes on there whatever becomes of this process`;
    case 'run.taken_over':
      return `taken over by ${event.host} (${event.takeovers === 1 ? 'the first time' : `${event.takeovers} times by now`}): looking at what every tenant runs`;
    case 'run.paused':
      return `paused by ${event.actor} for at most ${formatDuration(event.limit_ms)}: ${event.reason}`;
    case 'run.resumed':
      return `resumed by ${event.actor}: ${event.reason}`;
    // The closing block says it all.
    case 'run.finished':
      return null;
  }
}

function verifyLine(
  event: Extract<FleetEvent, { code: `verify.${string}` }>,
  verbose: boolean,
): string | null {
  switch (event.code) {
    case 'verify.started':
      return `verifying ${plural(event.slugs.length, 'tenant')}, each has ${formatDuration(event.settle_budget_ms)} to settle`;
    case 'verify.looked':
      return `first look: ${event.on_target} of ${event.of} on target, not ${nameList(event.open)}; asking on for at most ${formatDuration(event.settle_budget_ms)} (--settle-budget 0s asks once)`;
    // Its tenants were told one by one, and the wave or the closing block sums them up.
    case 'verify.finished':
      return verbose
        ? `verified: ${event.on_target} of ${event.of} on target after ${formatDuration(event.duration_ms)}`
        : null;
  }
}

function lockLine(event: Extract<FleetEvent, { code: `lock.${string}` }>): string {
  switch (event.code) {
    case 'lock.waiting': {
      const place = `place ${event.position} of ${event.queue_length}, ${formatDuration(event.waited_ms)} so far`;
      return `lock ${event.group}: waiting, ${place}${event.holder ? `; held by ${holderInWords(event.holder)}` : ''}`;
    }
    case 'lock.acquired': {
      const after = event.waited_ms >= 1000 ? ` after ${formatDuration(event.waited_ms)}` : '';
      return `lock ${event.group}: acquired${after}, fencing token ${event.fencing_token}`;
    }
    case 'lock.unanswered':
      return `lock ${event.group}: no usable answer (${event.reason}), ${formatDuration(event.waited_ms)} so far`;
    case 'lock.draining': {
      return `lock ${event.group}: held, and waiting for an older roll to end${rollInWords(event)}, for at most ${formatDuration(event.at_most_ms)} more; look with: fleet lock status --lock-group ${event.group}`;
    }
    case 'lock.renew_failed':
      return `lock ${event.group}: renewal got no answer (${event.reason}), the lease is good for ${formatDuration(event.usable_ms)} more`;
    case 'lock.recovered':
      return `lock ${event.group}: renewed again`;
    case 'lock.lost':
      return `lock ${event.group}: LOST, ${event.reason}`;
    case 'lock.frozen':
      return `lock ${event.group}: frozen, ${event.reason}`;
    case 'lock.released':
      return `lock ${event.group}: released`;
    case 'lock.release_failed':
      return `lock ${event.group}: could not be released (${event.reason}), it frees itself in ${formatDuration(event.free_after_ms)}`;
  }
}

/** Whose roll, and since when, as far as that is known. */
function rollInWords(roll: {
  fencing_token: number | null;
  slugs: string[];
  since_ms: number | null;
}): string {
  const { fencing_token: token, slugs, since_ms: since } = roll;
  if (token === null && since === null) return '';
  return [
    `: of ${slugs.length ? nameList(slugs) : 'the whole fleet'}`,
    token !== null && `under fencing token ${token}`,
    since !== null && `since ${formatDuration(since)}`,
  ]
    .filter((part) => part !== false)
    .join(', ');
}

function tenantLine(event: Extract<FleetEvent, { code: 'tenant.changed' }>): string {
  const width = String(event.of).length;
  const progress = `[${String(event.on_target).padStart(width, '0')}/${event.of}]`;
  const why = event.detail ? `, ${event.detail}` : '';
  if (event.status === 'on_target')
    return `${progress} ${event.slug}: on target after ${formatDuration(event.after_ms)}${why}`;
  const answer = event.observed_sha ? `, answers ${shortSha(event.observed_sha)}` : '';
  const after = event.status === 'waiting' ? '' : ` after ${formatDuration(event.after_ms)}`;
  return `${progress} ${event.slug}: ${statusInWords(event.status)}${why || answer}${after}`;
}

/** A status as people say it. */
export const statusInWords = (status: string): string => status.replaceAll('_', ' ');

/** How an event is meant. */
export function toneOf(event: FleetEvent): Tone {
  switch (event.code) {
    case 'lock.lost':
    case 'wave.unproven':
      return 'bad';
    case 'wave.proven':
    case 'soak.passed':
    case 'lock.acquired':
      return 'good';
    case 'gate.stopped':
    case 'run.taken_over':
    case 'run.paused':
    case 'lock.unanswered':
    case 'lock.draining':
    case 'lock.renew_failed':
    case 'lock.release_failed':
    case 'call.retry':
    case 'call.draining':
    case 'call.unknown':
    case 'verify.looked':
    case 'warning':
      return 'warn';
    case 'tenant.changed':
      return event.status === 'on_target' ? 'good' : event.status === 'waiting' ? 'plain' : 'warn';
    case 'call.detail':
    case 'heartbeat':
      return 'quiet';
    default:
      return 'plain';
  }
}
