import type { Outcome } from './result/outcome.js';
import { oneLine } from './text/sanitize.js';

/**
 * Stable codes. Match on these, never on text.
 *
 * `USAGE` is the caller's fault and is raised before any request; every other code names the stage that failed.
 */
export type ErrorCode =
  | 'USAGE'
  | 'GATE_REFUSED'
  | 'SUPERSEDED'
  | 'HELD'
  /** A person froze the lock; `HELD` is a kill switch. */
  | 'LOCK_FROZEN'
  | 'LOCK_TIMEOUT'
  | 'LOCK_LOST'
  | 'LOCK_REFUSED'
  | 'LOCK_UNKNOWN_ENDPOINT'
  | 'CP_UNREACHABLE'
  | 'CP_UNAUTHORIZED'
  | 'CP_CONTRACT'
  | 'CP_FENCE'
  | 'FAILED'
  | 'TIMEOUT'
  | 'INTERNAL';

export interface FleetErrorDetails {
  /** What to do next: one sentence or a command. */
  next?: string;
  /** The option at fault, as the user wrote it (`--soak`, `FLEET_SOAK`, `soak` in a file). */
  option?: string;
  /** The tenant at fault. */
  slug?: string;
  /** Outcome that a run ends with when this error stops it. */
  outcome?: Outcome;
  cause?: unknown;
}

const BRAND = Symbol.for('@tenant-fleet/fleet-error');

/** The one error class of the library. `message` says what happened, `next` what to do about it. */
export class FleetError extends Error {
  override readonly name = 'FleetError';
  readonly code: ErrorCode;
  readonly next?: string;
  readonly option?: string;
  readonly slug?: string;
  readonly outcome?: Outcome;
  /** Marks instances across two copies of the package. */
  readonly [BRAND] = true;

  constructor(code: ErrorCode, message: string, details: FleetErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.next = details.next;
    this.option = details.option;
    this.slug = details.slug;
    this.outcome = details.outcome;
  }
}

/** True for a {@link FleetError} of any copy of this package. */
export function isFleetError(error: unknown): error is FleetError {
  return typeof error === 'object' && error !== null && BRAND in error;
}

/** A mistake of the caller: exit code 2, no request was sent. One line each, whatever was typed or read. */
export function usageError(message: string, details: Omit<FleetErrorDetails, 'outcome'> = {}): FleetError {
  const { option, next } = details;
  return new FleetError('USAGE', oneLine(message, 500), {
    ...details,
    option: option && oneLine(option),
    next: next && oneLine(next, 500),
  });
}
