import type { ClaimRequest } from '@tenant-fleet/fleet-core/contract';
import { describe, expect, it } from 'vitest';
import type { Claim, GroupState } from '../../src/lock/rules/claim.js';
import * as transitions from '../../src/lock/rules/transitions.js';
import { Problem } from '../../src/problem.js';
import { checkFence, parseFence } from '../../src/rolls/fence.js';
import type { Roll } from '../../src/rolls/roll.js';
import { claim, draftOf, holder, kinds } from '../support/drafts.js';

const body: ClaimRequest = { session: 'session', ttl_seconds: 30, holder: { name: 'new' } };
const fingerprint = transitions.fingerprintOf(body);
const main = (number: number) => ({ key: 'shop@main', number });
const onMain = (number: number) => ({ orderKey: 'shop@main', orderNumber: number });
const refusal = (call: () => unknown): string => {
  try {
    call();
  } catch (error) {
    return error instanceof Problem ? error.code : 'another error';
  }
  return 'none';
};
const arrive = (held: Claim | null, patch: Partial<GroupState>, order = main(5)) => {
  const draft = draftOf(held, { subject: null, ...patch });
  const now = transitions.claim(draft, 'new', { ...body, order }, { queue: 10 });
  return { draft, now };
};

describe('a claim that arrives', () => {
  it('gets a free lock at once, confirmed', () => {
    const { draft, now } = arrive(null, { waiting: [], waitingCount: 0 });
    expect(now).toMatchObject({ state: 'held', token: 8, confirmed: true });
    expect(kinds(draft)).toEqual(['5 granted new']);
  });

  it('waits while the lock is frozen, though it is free', () => {
    const frozen = { reason: 'why', actor: 'ada', since: '', until: null };
    const { draft, now } = arrive(null, { waiting: [], waitingCount: 0, frozen });
    expect([now.state, draft.state.held]).toEqual(['queued', null]);
  });

  it('takes the earliest place of the older ones of its key, and leaves the others alone', () => {
    const waiting = [
      claim('a', { place: 2 }),
      claim('b', { place: 3, ...onMain(3) }),
      claim('c', { place: 4 }),
      claim('d', { place: 5, ...onMain(4) }),
    ];
    const { draft, now } = arrive(holder(onMain(2)), { waiting, waitingCount: 4, lastPlace: 5 });
    expect([now.place, draft.state.lastPlace, draft.state.held?.claimId]).toEqual([3, 5, 'holder']);
    expect(kinds(draft)).toEqual(['5 superseded b', '6 superseded d', '7 queued new']);
  });

  it.each<[string, Claim, Partial<GroupState>]>([
    ['waits', holder(), { waiting: [claim('next', onMain(6))] }],
    ['holds', holder(onMain(6)), {}],
    ['has rolled', holder(), { marks: [{ ...main(6), holder: { name: 'x' } }] }],
  ])('is outdated when a newer one of its key %s', (_what, held, patch) => {
    const { draft, now } = arrive(held, patch);
    expect([now.state, now.endedBy?.number]).toEqual(['outdated', 6]);
    expect(kinds(draft)).toEqual(['5 outdated new']);
  });
});

describe('a claim that arrives again', () => {
  const again = (known: Claim, more: Partial<ClaimRequest> = {}) => {
    const draft = draftOf(known.state === 'held' ? known : holder(), { subject: known });
    return {
      draft,
      call: () => transitions.claim(draft, known.claimId, { ...body, ...more }, { queue: 10 }),
    };
  };

  it('renews when it holds, and changes nothing when it waits', () => {
    const held = again(holder({ fingerprint, renewSeq: 4 }));
    expect(held.call()).toMatchObject({ renewSeq: 5, token: 7 });
    expect(held.draft.renewed.has('holder')).toBe(true);
    const waiting = again(claim('next', { fingerprint }));
    expect(waiting.call()).toMatchObject({ state: 'queued', place: 2 });
    expect(waiting.draft.dirty).toBe(false);
  });

  it.each<[string, Claim, Partial<ClaimRequest>]>([
    ['another session', holder({ fingerprint }), { session: 'another' }],
    ['another body', holder({ fingerprint }), { ttl_seconds: 31 }],
    ['its end', claim('x', { fingerprint, state: 'released' }), {}],
    ['its loss', claim('x', { fingerprint, state: 'lost' }), {}],
  ])('is refused after %s', (_what, known, more) => {
    const { draft, call } = again(known, more);
    expect(call).toThrow();
    expect(draft.dirty).toBe(false);
  });
});

describe('a release', () => {
  it('hands over', () => {
    const draft = draftOf(holder());
    transitions.release(draft, 'holder', { session: 'session', fencing_token: 7 });
    expect(kinds(draft)).toEqual(['5 released holder', '6 granted next']);
  });

  it.each([
    ['another session', holder(), { session: 'another' }],
    ['another token', holder(), { session: 'session', fencing_token: 6 }],
    ['another session, of a waiter', claim('next'), { session: 'another' }],
  ])('is refused with %s', (_what, subject, who) => {
    const draft = draftOf(holder(), { subject });
    expect(() => transitions.release(draft, subject.claimId, who)).toThrow();
    expect(draft.dirty).toBe(false);
  });

  it('of a claim that is still on its way keeps it out', () => {
    const draft = draftOf(holder(), { subject: null });
    expect(transitions.release(draft, 'late', { session: 'session' })).toMatchObject({ state: 'left' });
    expect(draft.changed.get('late')?.state).toBe('left');
  });
});

describe('what people do', () => {
  const who = { actor: 'ada', reason: 'why', confirmed: true, ip: '' };

  it('ends the hold that was seen, and hands over', () => {
    const draft = draftOf(holder());
    expect(() => transitions.breakHold(draft, 6, who)).toThrow();
    expect(draft.dirty).toBe(false);
    transitions.breakHold(draft, 7, who);
    expect(kinds(draft)).toEqual(['5 broken holder', '6 granted next']);
  });

  it('freezes and unfreezes, each with a row, and a frozen lock that gets free stays free', () => {
    const draft = draftOf(holder());
    transitions.freeze(draft, { reason: 'why', actor: 'ada', since: '', until: null });
    transitions.release(draft, 'holder', { session: 'session' });
    expect(draft.state.held).toBeNull();
    transitions.unfreeze(draft, { actor: 'ada', reason: 'done' });
    expect(kinds(draft)).toEqual(['5 frozen null', '6 released holder', '7 unfrozen null', '8 granted next']);
  });
});

describe('the fence', () => {
  const roll = (token: number) =>
    ({ id: 1, fencing_token: token, target_tag: 'x', slugs: [] }) as unknown as Roll;

  it.each<[string, Parameters<typeof checkFence>, string]>([
    ['the holder', [7, holder(), 7, []], 'none'],
    ['an older token', [6, holder(), 7, []], 'stale_fence'],
    ['one that was never granted', [8, holder(), 7, []], 'stale_fence'],
    ['the last one, of a lease that is over', [7, null, 7, []], 'stale_fence'],
    ['the holder, while an older roll runs', [7, holder(), 7, [roll(6)]], 'draining'],
    ['the holder, while a roll of its own runs', [7, holder(), 7, [roll(7)]], 'draining'],
    ['an older token, while its roll runs', [6, holder(), 7, [roll(6)]], 'stale_fence'],
  ])('answers %s', (_what, call, said) => {
    expect(refusal(() => checkFence(...call))).toBe(said);
  });

  it.each([
    [undefined, '7', 'fence_missing'],
    ['staging', undefined, 'fence_missing'],
    ['production', '7', 'stale_fence'],
    ['staging', '7', 'none'],
    ['staging', '7e0', 'bad_request'],
  ])('reads group %s with token %s', (group, fence, said) => {
    expect(refusal(() => parseFence({ group, fence }, 'staging'))).toBe(said);
  });
});
