/** Why the lock was not had, in words: which lock, who has it, what to do. */

import type { Refused } from '../clients/control-plane/lock.js';
import type { ClaimQueued, Frozen, Problem, Superseder } from '../contract.js';
import { FleetError } from '../errors.js';
import { isWebAddress } from '../io/address.js';
import { holderInWords } from '../render/holder.js';
import { frozenInWords } from '../render/lock.js';
import { formatDuration } from '../text/duration.js';
import { oneLine } from '../text/sanitize.js';

/**
 * The wait is over.
 *
 * @param last What the queue was last seen to be; null: it never was, so nobody is known to hold the lock.
 * @param reason Why the server gave no answer at the end, where it gave none.
 */
export function lockTimeout(
  group: string,
  last: ClaimQueued | null,
  waitedMs: number,
  reason: string | null,
): FleetError {
  const place = last ? `, place ${last.position} of ${last.queue_length}` : '';
  const who = last?.holder ? `; held by ${holderInWords(last.holder)}` : '';
  const then = last ? '; then no usable answer' : ': the lock server gave no usable answer';
  return new FleetError(
    'LOCK_TIMEOUT',
    `waited ${formatDuration(waitedMs)} for the lock ${group} in vain${place}${who}${reason ? `${then} (${reason})` : ''}`,
    {
      outcome: 'lock_timeout',
      next: last
        ? `nothing was rolled; raise --lock-wait, or look with: fleet lock status --lock-group ${group}`
        : 'nothing was rolled; look at the lock server and its database, then run the same command again',
    },
  );
}

/** A person froze the lock: waiting for it would only end in its own timeout. */
export function lockFrozen(group: string, frozen: Frozen): FleetError {
  return new FleetError('LOCK_FROZEN', `the lock ${group} is frozen${frozenInWords(frozen)}`, {
    outcome: 'held',
    next: 'nothing is rolled until it is unfrozen; then run the same command again',
  });
}

/** A newer commit of the same branch goes before this one. */
export function lockSuperseded(group: string, { error, by }: Problem): FleetError {
  const who = by ? ` (${supersederInWords(by)})` : '';
  return new FleetError(
    'SUPERSEDED',
    error === 'superseded'
      ? `a newer commit of the same branch took this run's place in the queue of ${group}${who}`
      : `a newer commit of the same branch already waits for, holds or has rolled ${group}${who}`,
    { outcome: 'superseded', next: 'nothing to do: the newer run deploys' },
  );
}

/** The other claim has the higher number, and is not newer: to leave the fleet to it would leave it undeployed. */
export function lockWronglySuperseded(group: string, { by }: Problem, why: string): FleetError {
  const who = by ? ` (${supersederInWords(by)})` : '';
  return new FleetError('LOCK_REFUSED', `${group} counts another run as newer${who}, and it is not: ${why}`, {
    outcome: 'refused',
    next: 'give --order a number that grows for every run that rolls this fleet, or say --superseded-by off',
  });
}

/** Who counts as newer: name, number, commit, where to look. */
function supersederInWords({
  number,
  holder,
  sha = holder?.sha,
  run_url = holder?.run_url,
}: Superseder): string {
  const parts = [
    holder?.name,
    typeof number === 'number' && `number ${number}`,
    sha && `commit ${sha.slice(0, 7)}`,
    isWebAddress(run_url) && run_url,
  ];
  return oneLine(parts.filter(Boolean).join(', ') || 'not named', 300);
}

export function lockUnreachable(url: string, reason: string): FleetError {
  return new FleetError('CP_UNREACHABLE', `the lock server at ${url} cannot be reached: ${reason}`, {
    next: 'check --control-plane or --lock-url, and that the control plane runs',
  });
}

/** The server keeps no promise that waiting could rely on, or calls the claim wrong. */
export const claimRefused = ({ status, problem }: Refused): FleetError =>
  new FleetError(
    'CP_CONTRACT',
    `the lock server refused the claim (HTTP ${status}, ${oneLine(problem.error, 60)})`,
    {
      next: problem.detail
        ? oneLine(problem.detail)
        : 'check --lock-group, --lock-ttl and the version of the lock server',
    },
  );

/** A claim that went from process to process is over, or another one has it by now. */
export const claimTaken = (group: string, { error, state }: Problem): FleetError =>
  new FleetError(
    'LOCK_LOST',
    `the lock ${group} was lost: ${error === 'claim_in_use' ? 'another process goes on with this run' : `its claim has ended (${oneLine(state ?? 'unknown', 40)})`}`,
    { outcome: 'lock_lost', next: `look with: fleet lock log --lock-group ${group}` },
  );

/** What a server that cannot do it all leaves unguarded, in one sentence; null where nothing is missing. */
export function missingInWords(features: ReadonlySet<string>): string | null {
  const said: string[] = [];
  if (!features.has('draining')) said.push('does not say whether an older roll still runs');
  if (!features.has('rollouts'))
    said.push(
      'keeps no record that would show tenants that are gone, soaks that ended, or calls that were left open',
    );
  if (!said.length) return null;
  return `the lock server ${said.join(', and ')}: a roll that a stopped run left behind may still land; update fleet-control-plane`;
}
