import { blankClaim, type Claim, type GroupState } from '../../src/lock/rules/claim.js';
import { Draft } from '../../src/lock/rules/draft.js';

export const claim = (claimId: string, patch: Partial<Claim> = {}): Claim => ({
  ...blankClaim(claimId, 'session', new Date(0)),
  holder: { name: claimId },
  ttlSeconds: 30,
  place: 2,
  ...patch,
});
export const holder = (patch: Partial<Claim> = {}) =>
  claim('holder', { state: 'held', place: 1, token: 7, confirmed: true, ...patch });

/** A lock with one holder and one waiter, about which a call is made. */
export function draftOf(held: Claim | null, patch: Partial<GroupState> = {}): Draft {
  const waiting = [claim('next')];
  return new Draft({
    name: 'g',
    version: 4,
    lastToken: 7,
    lastPlace: 2,
    lastEvent: 4,
    lastHash: null,
    frozen: null,
    timeline: 0,
    now: new Date(0),
    held,
    waiting,
    waitingCount: waiting.length,
    subject: held,
    marks: [],
    openRolls: [],
    ...patch,
  });
}
export const kinds = (draft: Draft) =>
  draft.events.map((event) => `${event.seq} ${event.kind} ${event.claimId}`);
