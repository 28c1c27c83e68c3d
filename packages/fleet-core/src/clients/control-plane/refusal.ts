import { type Problem, REDEPLOY_PATH } from '../../contract.js';
import { FleetError } from '../../errors.js';
import { nextOf } from './problem.js';
import type { Exchange } from './retry.js';

/** Answers of whoever stands in front of a control plane that is away. */
const UNABLE = new Set([502, 503, 504]);

/** One that says why it is unable is there, and a minute changes nothing. */
const unableHint = (problem: Problem | undefined) =>
  problem
    ? 'the control plane itself says that it is unable: run with --verbose for its words, masked, and ask whoever runs it'
    : 'it may be restarting: try again in a minute';

/** An exchange that brought no usable answer. */
export interface Unanswered {
  exchange: Exchange;
  /** Why, safe to print. */
  reason: string;
  /** A web page answered, so something in front of the control plane. */
  html: boolean;
  /** What the control plane said of it for programs and people. */
  problem: Problem | undefined;
}

/** The error behind an exchange that will not be repeated. */
export function refusal(
  controlPlane: string,
  { exchange, reason, html, problem }: Unanswered,
  path: string = REDEPLOY_PATH,
): FleetError {
  const url = `${controlPlane}${path}`;
  if ('failure' in exchange) {
    return new FleetError(
      'CP_UNREACHABLE',
      `the control plane at ${controlPlane} cannot be reached: ${reason}`,
      {
        next: 'check --control-plane, and that the control plane runs',
      },
    );
  }
  const { status } = exchange;
  const next = nextOf(problem);
  switch (status) {
    case 401:
      return new FleetError(
        'CP_UNAUTHORIZED',
        `the control plane ${problem?.detail ? 'refused the call' : 'does not accept the token'} (${reason})`,
        {
          next: next ?? 'check FLEET_CP_TOKEN: it may be wrong, rotated, or of another environment',
        },
      );
    case 403:
      return new FleetError(
        'CP_UNAUTHORIZED',
        `${html ? 'a proxy in front of the control plane' : 'the control plane'} refused the call (${html ? 'HTTP 403' : reason})`,
        {
          next: html
            ? 'its rules for clients block this one: ask whoever runs it'
            : (next ?? 'the token lacks the right to redeploy the fleet'),
        },
      );
    case 404:
      return new FleetError('CP_CONTRACT', `there is no redeploy endpoint at ${url} (HTTP 404)`, {
        next: 'check --control-plane: it is the base URL, without /cp/admin',
      });
    case 412:
      return new FleetError(
        'LOCK_LOST',
        'the control plane does not accept the fence of this run (HTTP 412); nothing was rolled by this call',
        {
          outcome: 'lock_lost',
          next: 'its lease is over, somebody newer holds the lock, or another lock group guards this fleet; look with: fleet lock status',
        },
      );
    case 428:
      return new FleetError(
        'CP_FENCE',
        'the control plane guards this fleet with a lock and refuses rolls without one (HTTP 428)',
        {
          next: 'run without --no-lock, with the lock group of this fleet',
        },
      );
    case 501:
      return new FleetError('CP_CONTRACT', `the control plane does not roll tenants (${reason})`, {
        next: next ?? 'what rolls them is not wired there: ask whoever runs it, or check --control-plane',
      });
    case 429:
      return new FleetError('CP_CONTRACT', `the control plane takes no more requests for now (${reason})`, {
        next: next ?? 'it limits its callers: wait a minute, then run the same command again',
      });
    case 409:
      return new FleetError(
        'CP_FENCE',
        `the control plane refuses the roll as it conflicts with another one (${reason})`,
        {
          next:
            next ??
            'somebody rolls this fleet past its lock: wait until that has ended, then run the same command again',
        },
      );
    case 400:
    case 422:
      return new FleetError('CP_CONTRACT', `the control plane calls the request malformed (${reason})`, {
        next: next ?? 'check the target tag and the canary; the control plane may speak a newer contract',
      });
  }
  return new FleetError(
    'CP_CONTRACT',
    `the control plane answered ${reason}, which is no answer to a redeploy`,
    {
      next: next ?? (UNABLE.has(status) ? unableHint(problem) : 'check --control-plane'),
    },
  );
}
