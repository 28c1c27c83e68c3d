import type { Draining } from '@tenant-fleet/fleet-core/contract';
import type { Claim, OpenRoll } from './claim.js';

/** Tokens of one timeline; 2^40 grants last for thirty thousand years at one a second. */
const PER_TIMELINE = 2 ** 40;
const TIMELINE_MAX = 2 ** 13 - 1;

/**
 * The next fencing token. A standby that is promoted may lack the last grants of its predecessor, so `last` alone
 * could be handed out twice. PostgreSQL raises its timeline at every promotion: starting each timeline at its own
 * multiple of 2^40 puts the new server's tokens above all that the lost one can have issued, and 2^13 timelines
 * of 2^40 tokens stay below 2^53.
 */
export function nextToken(last: number, timeline: number): number {
  return Math.max(last, floorOf(timeline)) + 1;
}

const floorOf = (timeline: number) => Math.min(timeline, TIMELINE_MAX) * PER_TIMELINE;

/** Grants that a server may have made after the backup that it was restored from: thirty years at one a second. */
const RESTORE_JUMP = 2 ** 30;

/**
 * The last token that a restored server counts on from: above all that may have been granted since the backup, also
 * where the backup is from before the first grant of its timeline.
 */
export const restoredToken = (last: number, timeline: number): number =>
  Math.max(last, floorOf(timeline)) + RESTORE_JUMP;

/** Longest life, in seconds, of a grant that a long poll brought and that nobody has renewed yet. */
export const CONFIRM_WITHIN_SECONDS = 15;

/** Seconds a lease lives without renewal: less until the first renewal of a grant that a long poll brought. */
export function effectiveTtl(claim: Pick<Claim, 'ttlSeconds' | 'confirmed'>): number {
  return claim.confirmed ? claim.ttlSeconds : Math.min(claim.ttlSeconds, CONFIRM_WITHIN_SECONDS);
}

/**
 * The open rolls that a lease with this token has to outwait, as one; null when it is usable. Without a token: what the
 * next lease would have to outwait.
 */
export function drainingOf(open: OpenRoll[], token: number | null): Draining | null {
  const older = open.filter((roll) => roll.token === null || token === null || roll.token < token);
  if (older.length === 0) return null;
  return {
    fencing_token: Math.max(...older.map((roll) => roll.token ?? 0)),
    slugs: [...new Set(older.flatMap((roll) => roll.slugs))],
    since_seconds: Math.max(...older.map((roll) => roll.sinceSeconds)),
  };
}
