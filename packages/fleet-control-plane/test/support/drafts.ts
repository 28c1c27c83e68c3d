import { Draft } from '../../src/lock/draft.js';
import type { Claim, GroupState } from '../../src/lock/model.js';

export const claim = (claimId: string, patch: Partial<Claim> = {}): Claim => ({
  claimId,
  state: 'queued',
  session: 'session',
  fingerprint: '',
  holder: { name: claimId },
  ttlSeconds: 30,
  maxHoldSeconds: null,
  orderKey: null,
  orderNumber: null,
  place: 2,
  token: null,
  confirmed: false,
  renewSeq: 0,
  pollSeq: 0,
  heldMs: 0,
  step: null,
  queuedAt: new Date(0),
  acquiredAt: null,
  endedAt: null,
  endReason: null,
  endedBy: null,
  result: null,
  ...patch,
});
export const holder = (patch: Partial<Claim> = {}) =>
  claim('holder', { state: 'held', place: 1, token: 7, confirmed: true, ...patch });

/** A lock with one holder and one waiter, about which a call is made. */
export function draftOf(held: Claim | null, patch: Partial<GroupState> = {}): Draft {
  const waiting = [claim('next')];
  return new Draft({
    name: 'g',
    stamp: '',
    version: 4,
    lastToken: 7,
    lastPlace: 2,
    lastEvent: 4,
    frozen: null,
    timeline: 0,
    now: new Date(0),
    held,
    waiting,
    waitingCount: waiting.length,
    subject: held,
    marks: [],
    ...patch,
  });
}
export const kinds = (draft: Draft) =>
  draft.events.map((event) => `${event.seq} ${event.kind} ${event.claimId}`);
