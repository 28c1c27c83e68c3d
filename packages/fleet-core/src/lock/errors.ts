/** Why the lock was not had, in words: which lock, who has it, what to do. */

import type { ClaimQueued, Frozen, Problem } from '../contract.js';
import { FleetError } from '../errors.js';
import { holderInWords } from '../render/holder.js';
import { formatDuration } from '../text/duration.js';
import { oneLine } from '../text/sanitize.js';

/** The wait is over. @param reason Why the server gave no answer at the end, where it gave none. */
export function lockTimeout(
  group: string,
  last: ClaimQueued | null,
  waitedMs: number,
  reason?: string,
): FleetError {
  const holder = last?.holder;
  const who = holder ? `; held by ${holderInWords(holder)}` : '';
  const place = last ? `, place ${last.position} of ${last.queue_length}` : '';
  const why = reason ? ` (${reason})` : '';
  return new FleetError(
    'LOCK_TIMEOUT',
    `waited ${formatDuration(waitedMs)} for the lock ${group} in vain${place}${who}${why}`,
    {
      outcome: 'lock_timeout',
      hint: `nothing was rolled; raise --lock-wait, or look with: fleet lock status --lock-group ${group}`,
    },
  );
}

/** A person froze the lock: waiting for it would only end in its own timeout. */
export function lockFrozen(group: string, frozen: Frozen): FleetError {
  const by = frozen.actor ? ` by ${oneLine(frozen.actor, 80)}` : '';
  const why = frozen.reason ? `: ${oneLine(frozen.reason, 160)}` : '';
  return new FleetError('HELD', `the lock ${group} is frozen${by}${why}`, {
    outcome: 'held',
    hint: 'nothing is rolled until it is unfrozen; then run the same command again',
  });
}

/** A newer commit of the same branch goes before this one. */
export function lockSuperseded(group: string, problem: Problem): FleetError {
  const by = problem.by?.holder;
  const who = by ? ` by ${oneLine([by.name, by.sha?.slice(0, 7)].filter(Boolean).join(' '), 120)}` : '';
  return new FleetError(
    'SUPERSEDED',
    problem.error === 'superseded'
      ? `a newer commit of the same branch took this run's place in the queue of ${group}${who}`
      : `a newer commit of the same branch already waits for, holds or has rolled ${group}${who}`,
    { outcome: 'superseded', hint: 'nothing to do: the newer run deploys' },
  );
}

export function lockUnreachable(url: string, reason: string): FleetError {
  return new FleetError('CP_UNREACHABLE', `the lock server at ${url} cannot be reached: ${reason}`, {
    hint: 'check --control-plane or --lock-url, and that the control plane runs',
  });
}
