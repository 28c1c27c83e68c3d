import { createHash } from 'node:crypto';
import type { Trigger } from '../config/options.js';

/** Namespace of the claim ids of this library (RFC 9562, version 5). */
const NAMESPACE = Buffer.from('8d6f2f0e3c0b4f53a8b86f3a1d0c7e52', 'hex');

/**
 * A claim id that every step of one CI job makes alike, so that a later step can release what a killed one left.
 *
 * @returns undefined outside CI; then a random id serves.
 */
export function claimIdOf({ runId, runAttempt, job, runUrl }: Trigger, group: string): string | undefined {
  if (!runId || !job) return undefined;
  return nameBasedId(['fleet-lock', runUrl ?? '', runId, runAttempt ?? '1', job, group]);
}

/** The UUID (version 5) of these words: the same ones make the same id. */
export function nameBasedId(words: readonly string[]): string {
  const name = JSON.stringify(words);
  const hash = createHash('sha1').update(NAMESPACE).update(name).digest().subarray(0, 16);
  hash[6] = ((hash[6] as number) & 0x0f) | 0x50;
  hash[8] = ((hash[8] as number) & 0x3f) | 0x80;
  return hash.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
