import { type DestinationStream, type Logger, pino } from 'pino';
import type { Committed } from '../lock/store/store.js';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** One JSON object a line, on standard error: standard output is for what programs read at the start. */
export const jsonLogger = (
  level: LogLevel,
  to: DestinationStream = pino.destination({ fd: 2, sync: true }),
): Logger => pino({ level, base: { pid: process.pid }, timestamp: pino.stdTimeFunctions.isoTime }, to);

/** A line for the operator, at the level that its words ask for. */
export function operatorLine(logger: Logger, line: string): void {
  if (line.startsWith('internal error')) logger.error(line);
  else logger[line.startsWith('ATTENTION') ? 'warn' : 'info'](line);
}

/** What this process changed of a lock. */
export function logCommitted(logger: Logger, { group, claims }: Committed): void {
  for (const claim of claims) {
    if (claim.renewSeq > 0 && claim.state === 'held') continue;
    logger.info(
      {
        group,
        claim: claim.claimId,
        state: claim.state,
        fencing_token: claim.token,
        holder: claim.holder.name,
        token: claim.holder.token_name,
        reason: claim.endReason ?? undefined,
      },
      'claim',
    );
  }
}
