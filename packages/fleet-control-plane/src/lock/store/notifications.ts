import { z } from 'zod';

/** PostgreSQL channel on which one replica tells the others what a commit changed. */
export const LOCK_CHANNEL = 'fleet_lock';
/** PostgreSQL refuses notifications of 8000 bytes and more. */
const PAYLOAD_MAX_BYTES = 7800;

const noteSchema = z.object({
  from: z.string(),
  group: z.string(),
  /** Claims that wait no longer: their polls have something to answer. */
  claims: z.array(z.string()),
  /** True when every waiter should look again, as at a freeze. */
  wakeAll: z.boolean(),
});
/** What another replica is told of a commit: who should look again. */
export type Note = z.infer<typeof noteSchema>;

/** Reads a notification; null for one that another version, or a hand, has written differently. */
export function parseNote(payload: string): Note | null {
  try {
    return noteSchema.parse(JSON.parse(payload));
  } catch {
    return null;
  }
}

/** Writes a notification; one that would be too long only makes everybody of the group look again. */
export function writeNote(note: Note): string {
  const payload = JSON.stringify(note);
  if (Buffer.byteLength(payload) <= PAYLOAD_MAX_BYTES) return payload;
  return JSON.stringify({ ...note, claims: [], wakeAll: true } satisfies Note);
}
