/** What a run announces, by what started it and how it ended. Pure. */

import type { CommitState } from '../clients/gitea/gitea.js';
import type { Config } from '../config/config.js';
import { TRUSTED_EVENTS } from '../config/trigger.js';
import { isDeployed, type Outcome } from '../result/outcome.js';
import { type FleetResult, isOnTarget, isPart } from '../result/result.js';

export interface Announcements {
  /** State of the commit status; null: none is written. */
  status: CommitState | null;
  /** `raise` opens the alert or tells it of one more failure. */
  alert: 'raise' | 'close' | null;
}

/** Whether a run may announce anything: a real roll, or one that did not begin, started by nobody from outside the project. */
export function mayAnnounce({ command, dryRun, trigger }: Config): boolean {
  const trusted = trigger.event === undefined || TRUSTED_EVENTS.includes(trigger.event);
  return (command === 'redeploy' || command === 'announce') && !dryRun && trusted;
}

/** What the ending of a run that {@link mayAnnounce} is worth. */
export function announcementsOf({
  outcome,
  exit_code: exitCode,
  counts,
  scope,
}: Pick<FleetResult, 'outcome' | 'exit_code' | 'counts' | 'scope'>): Announcements {
  // A part of the fleet that is proven says nothing of the environment.
  if (isPart(scope) && isDeployed(outcome)) return { status: 'warning', alert: null };
  // A freeze takes nothing back: a fleet that answers with the commit goes on to count as what it is.
  const proven = outcome === 'held' && !isPart(scope) && isOnTarget(counts);
  return { status: proven ? 'success' : stateOf(outcome), alert: alertOf(outcome, exitCode) };
}

function alertOf(outcome: Outcome, exitCode: number): Announcements['alert'] {
  if (isDeployed(outcome)) return 'close';
  // A freeze is somebody's will, and nobody's alarm, whoever asked for the roll.
  return exitCode !== 0 && outcome !== 'held' ? 'raise' : null;
}

function stateOf(outcome: Outcome): CommitState | null {
  switch (outcome) {
    case 'succeeded':
    case 'succeeded_with_quarantine':
      return 'success';
    // Neither red nor "deployed".
    case 'superseded':
    case 'held':
      return 'warning';
    case 'failed':
      return 'failure';
    case 'planned':
    case 'handed_over':
      return null;
    default:
      return 'error';
  }
}
