/** What the audit log keeps of what a person does to a lock: who, why, and until when. Checked before any request. */
import type { Config } from '../config/config.js';
import { parseDuration } from '../config/duration.js';
import { breakRequestSchema, freezeRequestSchema } from '../contract.js';
import { usageError } from '../errors.js';
import { cut } from '../text/cut.js';
import type { AuditNote } from './admin.js';

/**
 * A note for the audit log. In CI the actor is who started the run, elsewhere the user of this machine.
 *
 * @param option Flag that gives the reason.
 * @throws FleetError `USAGE` for a reason that is missing or too long.
 */
export function auditNoteOf(
  { trigger }: Pick<Config, 'trigger'>,
  reason: string | undefined,
  { user, host }: { user: string; host: string },
  option = '--reason',
): AuditNote {
  const why = reason?.trim() ?? '';
  const bad = (problem: string) =>
    usageError(`${option}${problem}`, {
      option,
      next: 'say why in up to 500 characters: the audit log keeps it',
    });
  if (!why) throw bad(' is missing');
  if (!breakRequestSchema.shape.reason.safeParse(why).success) throw bad(': is too long');
  return { actor: cut(trigger.actor || `${user}@${host}`, 200), reason: why };
}

/**
 * The end of a freeze as the wire takes it; undefined: it lasts until somebody lifts it.
 *
 * @param end `--for` as a duration or `--until` as a moment, at most one of them.
 * @param now Milliseconds since 1970.
 * @throws FleetError `USAGE`.
 */
export function freezeEnd(end: { for?: string; until?: string }, now: number): string | undefined {
  if (end.for !== undefined && end.until !== undefined) {
    throw usageError('--until: --for says already how long', { option: '--until', next: 'give one of them' });
  }
  if (end.for !== undefined) {
    const ms = parseDuration(end.for, '--for');
    if (ms === 0)
      throw usageError('--for: no time at all', { option: '--for', next: 'give for example 30m' });
    return new Date(now + ms).toISOString();
  }
  if (end.until === undefined) return undefined;
  const bad = (problem: string, next: string) =>
    usageError(`--until: ${JSON.stringify(end.until?.slice(0, 40))} ${problem}`, { option: '--until', next });
  if (!freezeRequestSchema.shape.until.safeParse(end.until).success) {
    throw bad('is not a moment with its time zone', 'write for example 2030-01-31T18:00:00Z');
  }
  if (Date.parse(end.until) <= now) throw bad('has passed', 'name a moment to come');
  return end.until;
}
