/** Why a request to roll is not carried out. */
import { Problem } from '../problem.js';

export const keyGivenUp = () =>
  new Problem(
    409,
    'roll_given_up',
    'The sender of this request has given it up; nothing was rolled.',
    'Use a new key for a new roll.',
  );

export const keyConflict = () =>
  new Problem(
    422,
    'idempotency_key_reused',
    'This Idempotency-Key was used for another body.',
    'Use a new key for a new roll.',
  );

export const stillRunning = () =>
  new Problem(
    503,
    'still_running',
    'The roll of this key is still running.',
    'Send the same request again.',
    { retryAfterSeconds: 2 },
  );

export const untried = () =>
  new Problem(
    503,
    'dry_run_untried',
    'A roll is under way, and nothing has shown yet that a dry run rolls no tenant here.',
    'Send the same request again after it.',
    { retryAfterSeconds: 5 },
  );
