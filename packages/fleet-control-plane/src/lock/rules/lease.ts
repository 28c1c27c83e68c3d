import type { Claim } from './claim.js';

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
  return Math.max(last + 1, Math.min(timeline, TIMELINE_MAX) * PER_TIMELINE + 1);
}

/** Longest life, in seconds, of a grant that a long poll brought and that nobody has renewed yet. */
export const CONFIRM_WITHIN_SECONDS = 15;

/** Seconds a lease lives without renewal: less until the first renewal of a grant that a long poll brought. */
export function effectiveTtl(claim: Pick<Claim, 'ttlSeconds' | 'confirmed'>): number {
  return claim.confirmed ? claim.ttlSeconds : Math.min(claim.ttlSeconds, CONFIRM_WITHIN_SECONDS);
}
