/** How a run ended. One table decides exit code and `deployed`, so that no two adapters can differ. */
export const OUTCOMES = [
  'succeeded',
  'succeeded_with_quarantine',
  'planned',
  'superseded',
  'held',
  'failed',
  'lock_timeout',
  'lock_lost',
  'refused',
  'control_plane_error',
  'interrupted',
  'handed_over',
] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** Exit code of a usage error: raised before any request, so there is no outcome and no result. */
export const USAGE_EXIT_CODE = 2;

/** Signals that end a run in order; each has its exit code, 128 + its number. */
export const STOP_SIGNALS = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;
export type StopSignal = keyof typeof STOP_SIGNALS;

/** The signal that is the reason of an abort; any other reason counts as SIGINT. */
export const stopSignalOf = (reason: unknown): StopSignal =>
  typeof reason === 'string' && Object.hasOwn(STOP_SIGNALS, reason) ? (reason as StopSignal) : 'SIGINT';

export interface ExitContext {
  /** Who asked for the roll: `ci` for the push of a branch or a schedule, `human` for a terminal, a manual run or a pushed tag. */
  askedBy: 'ci' | 'human';
  /** Signal that interrupted the run, where one did. */
  signal?: StopSignal;
}

/** The process exit code of an outcome. */
export function exitCodeOf(outcome: Outcome, context: ExitContext): number {
  switch (outcome) {
    case 'succeeded':
    case 'succeeded_with_quarantine':
    case 'planned':
    case 'superseded':
    case 'handed_over':
      return 0;
    // A person who asked for a roll, a rollback above all, must not take "frozen" for "done".
    case 'held':
      return context.askedBy === 'ci' ? 0 : 4;
    case 'failed':
      return 1;
    case 'lock_timeout':
    case 'lock_lost':
      return 3;
    case 'refused':
      return 4;
    case 'control_plane_error':
      return 5;
    case 'interrupted':
      return STOP_SIGNALS[context.signal ?? 'SIGINT'];
  }
}

/** True only where every tenant was proven on the target, within the tolerance. */
export function isDeployed(outcome: Outcome): boolean {
  return outcome === 'succeeded' || outcome === 'succeeded_with_quarantine';
}
