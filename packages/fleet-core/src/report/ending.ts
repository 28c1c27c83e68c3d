/** How a run that did not reach its verdict ends. */
import { type ErrorCode, FleetError, isFleetError } from '../errors.js';
import type { Outcome } from '../result/outcome.js';
import { plural } from '../text/words.js';
import type { Ledger } from '../verify/ledger.js';
import { halfWay, rolledOf } from './rolled.js';

export interface Ending {
  outcome: Outcome;
  reason: string;
  next: string[];
  /** Of the error that ended it. */
  code?: ErrorCode;
}

const MAY_GO_ON = 'a call that was under way may still be rolling its tenants: run fleet verify';

/** Where the run is when it is cut off: it decides what running out of time means. */
export type Stage = 'gate' | 'lock' | 'roll';

/** The reason of a deadline that passed. */
export function timeoutError(timeoutMs: number): FleetError {
  return new FleetError('TIMEOUT', `the run's time is up (--timeout ${timeoutMs / 1000}s)`, {
    next: 'run the same command again, with more time where it needs it: tenants on target are left out',
  });
}

/** What an error makes of the run. @throws the error where it is a fault of the library. */
export function endingOf(
  error: unknown,
  { stage, ledger }: { stage: Stage; ledger: Ledger },
  signal: AbortSignal | undefined,
): Ending {
  if (signal?.aborted && (error === signal.reason || !isFleetError(error))) {
    const rolling = rolledOf(ledger).length > 0;
    return {
      outcome: 'interrupted',
      reason: `interrupted${typeof signal.reason === 'string' ? ` by ${signal.reason}` : ''} ${rolling ? `while rolling${halfWay(ledger)}` : `before anything was rolled${notAsked(ledger)}`}`,
      next: [...(rolling ? [MAY_GO_ON] : []), 'run the same command again: tenants on target are left out'],
    };
  }
  if (!isFleetError(error)) throw error;
  const late: Record<Stage, Outcome> = { gate: 'refused', lock: 'lock_timeout', roll: 'failed' };
  const outcome = outcomeOf(error, late[stage]);
  // That somebody else rolls is no fault of how things are wired.
  const kind = outcome === 'control_plane_error' && error.code !== 'CP_FENCE' ? 'wiring: ' : '';
  const open = error.code === 'TIMEOUT' && rolledOf(ledger).length > 0;
  return {
    outcome,
    code: error.code,
    reason: `${error.message}${halfWay(ledger)}`,
    next: [...(open ? [MAY_GO_ON] : []), ...(error.next ? [kind + error.next] : [])],
  };
}

function notAsked(ledger: Ledger): string {
  const open = ledger.slugs.filter((slug) => ledger.get(slug).probes === 0);
  return open.length ? `; ${open.length} of ${plural(ledger.slugs.length, 'tenant')} were not asked yet` : '';
}

/** The outcome that an error stands for; `late` is that of a deadline, which depends on where it passed. */
export function outcomeOf({ outcome, code }: FleetError, late: Outcome = 'failed'): Outcome {
  if (outcome) return outcome;
  if (code === 'TIMEOUT') return late;
  return code === 'INTERNAL' ? 'failed' : 'control_plane_error';
}
