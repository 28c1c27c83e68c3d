import type { ClaimState, Draining, Frozen, Holder, Order } from '@tenant-fleet/fleet-core/contract';

/** A holder, with what the server knows of it. */
export interface KnownHolder extends Holder {
  /** Name of the token that claimed, where it has one. */
  token_name?: string | undefined;
}

/** One claim, as its row says. */
export interface Claim {
  claimId: string;
  state: ClaimState;
  session: string;
  fingerprint: string;
  holder: KnownHolder;
  /** Seconds a lease lives without renewal. */
  ttlSeconds: number;
  maxHoldSeconds: number | null;
  orderKey: string | null;
  orderNumber: number | null;
  /** Place in the queue: the lowest is next. */
  place: number;
  token: number | null;
  /** False while a grant that a long poll brought has not been renewed yet. */
  confirmed: boolean;
  renewSeq: number;
  pollSeq: number;
  /** Milliseconds held so far, by the servers' monotonic clocks; written at every renewal. */
  heldMs: number;
  step: string | null;
  /** Times are for people; nothing is decided by them. */
  queuedAt: Date;
  acquiredAt: Date | null;
  endedAt: Date | null;
  endReason: string | null;
  endedBy: EndedBy | null;
  result: string | null;
}

/** A claim of which nothing is known but who made it. */
export const blankClaim = (claimId: string, session: string, now: Date): Claim => ({
  claimId,
  state: 'queued',
  session,
  fingerprint: '',
  holder: { name: 'unknown' },
  ttlSeconds: 0,
  maxHoldSeconds: null,
  orderKey: null,
  orderNumber: null,
  place: 0,
  token: null,
  confirmed: false,
  renewSeq: 0,
  pollSeq: 0,
  heldMs: 0,
  step: null,
  queuedAt: now,
  acquiredAt: null,
  endedAt: null,
  endReason: null,
  endedBy: null,
  result: null,
});

/** What superseded or outdated a claim. */
export interface EndedBy {
  number: number;
  holder: Holder;
  state: 'queued' | 'held' | 'rolled';
}

/** The highest order of a key that ever started a real roll, or was proven on the fleet without one. */
export interface Mark {
  key: string;
  number: number;
  holder: Holder;
}

/** A roll that may still change tenants. */
export interface OpenRoll {
  /** Null: of a control plane that knows no fence. */
  token: number | null;
  slugs: string[];
  sinceSeconds: number;
}

/** Everything a transition may look at, read under the group's row lock. */
export interface GroupState {
  name: string;
  version: number;
  lastToken: number;
  lastPlace: number;
  lastEvent: number;
  /** Hash of the last row of the audit log; null where it is no chain yet. */
  lastHash: string | null;
  frozen: Frozen | null;
  /** The database's timeline: it grows with every promotion of a standby. */
  timeline: number;
  /** The database's time, for people. */
  now: Date;
  held: Claim | null;
  /** The head of the queue and the waiters of the arriving key, in order of their places. */
  waiting: Claim[];
  /** How many wait in all. */
  waitingCount: number;
  /** The claim that the call is about, in whatever state; null when unknown. */
  subject: Claim | null;
  marks: Mark[];
  openRolls: OpenRoll[];
}

/** One row of the audit log. */
export interface Event {
  seq: number;
  kind: string;
  claimId: string | null;
  token: number | null;
  actor: string | null;
  detail: Record<string, unknown> | null;
}

export const orderOf = (claim: Pick<Claim, 'orderKey' | 'orderNumber'>): Order | null =>
  claim.orderKey === null || claim.orderNumber === null
    ? null
    : { key: claim.orderKey, number: claim.orderNumber };

export const isLive = (claim: Claim): boolean => claim.state === 'queued' || claim.state === 'held';

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
