import { z } from 'zod';
import type { Claim, GroupState } from '../rules/claim.js';
import { reviveClaim } from './write.js';

/** PostgreSQL channel on which one replica tells the others what a commit changed. */
export const LOCK_CHANNEL = 'fleet_lock';
/** PostgreSQL refuses notifications of 8000 bytes and more. */
const PAYLOAD_MAX_BYTES = 7800;

type Counters = Pick<
  GroupState,
  'stamp' | 'version' | 'lastToken' | 'lastPlace' | 'lastEvent' | 'frozen' | 'timeline' | 'waitingCount'
>;

/** What a commit changed, with the claims as they are now. */
export interface Change {
  /** Stamp of the state that was changed. */
  was: string;
  now: Counters;
  claims: Claim[];
}

/** What a commit tells those who wait. */
export interface Committed {
  group: string;
  change: Change;
  /** True when every waiter should look again, as at a freeze. */
  wakeAll: boolean;
}

const noteSchema = z.object({
  from: z.string(),
  group: z.string(),
  wakeAll: z.boolean(),
  /** Null when it would be too long. */
  change: z
    .object({
      was: z.string(),
      now: z.custom<Counters>((now) => z.looseObject({ stamp: z.string() }).safeParse(now).success),
      claims: z.array(
        z.custom<Claim>((claim) => z.looseObject({ claimId: z.string() }).safeParse(claim).success),
      ),
    })
    .nullable(),
});
/** What another replica is told of a commit. */
export type Note = z.infer<typeof noteSchema>;

/** Reads a notification; null for one that another version, or a hand, has written differently. */
export function parseNote(payload: string): Note | null {
  try {
    const note = noteSchema.parse(JSON.parse(payload));
    return {
      ...note,
      change: note.change && { ...note.change, claims: note.change.claims.map(reviveClaim) },
    };
  } catch {
    return null;
  }
}

/** Writes a notification; one that would be too long only makes everybody of the group look again. */
export function writeNote(from: string, { group, change, wakeAll }: Committed): string {
  const payload = JSON.stringify({ from, group, wakeAll, change } satisfies Note);
  if (Buffer.byteLength(payload) <= PAYLOAD_MAX_BYTES) return payload;
  return JSON.stringify({ from, group, wakeAll: true, change: null } satisfies Note);
}

/** Whether this process wrote a notification itself, told without reading it. */
export const isOwn = (payload: string, from: string) =>
  payload.startsWith(`{"from":${JSON.stringify(from)},`);
