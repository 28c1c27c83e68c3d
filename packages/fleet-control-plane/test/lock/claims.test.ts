import type { ClaimRequest } from '@tenant-fleet/fleet-core/contract';
import { describe, expect, it } from 'vitest';
import { type Claim, drainingOf, type GroupState } from '../../src/lock/rules/claim.js';
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
    transitions.freeze(draft, { reason: 'why', actor: 'ada', since: '', until: null }, false);
    transitions.release(draft, 'holder', { session: 'session' });
    expect(draft.state.held).toBeNull();
    transitions.unfreeze(draft, { actor: 'ada', reason: 'done' });
    expect(kinds(draft)).toEqual(['5 frozen null', '6 released holder', '7 unfrozen null', '8 granted next']);
  });
});

describe('the fence', () => {
  const roll = (token: number) =>
    ({ id: 1, fencing_token: token, target_tag: 'x', slugs: [] }) as unknown as Roll;

  const fence = (token: number, claimId?: string) => ({ token, claimId });

  it.each<[string, Parameters<typeof checkFence>, string]>([
    ['the holder', [fence(7), holder(), 7, []], 'none'],
    ['the holder that names its claim', [fence(7, 'holder'), holder(), 7, []], 'none'],
    ['the number of another claim', [fence(7, 'other'), holder(), 7, []], 'stale_fence'],
    ['an older token', [fence(6), holder(), 7, []], 'stale_fence'],
    ['one that was never granted', [fence(8), holder(), 7, []], 'stale_fence'],
    ['the last one, of a lease that is over', [fence(7), null, 7, []], 'stale_fence'],
    ['the holder, while an older roll runs', [fence(7), holder(), 7, [roll(6)]], 'draining'],
    ['the holder, while a roll of its own runs', [fence(7), holder(), 7, [roll(7)]], 'draining'],
    ['an older token, while its roll runs', [fence(6), holder(), 7, [roll(6)]], 'stale_fence'],
  ])('answers %s', (_what, call, said) => {
    expect(refusal(() => checkFence(...call))).toBe(said);
  });

  const CLAIM = '0198f3a0-1111-4111-8111-111111111111';
  it.each([
    [undefined, '7', undefined, 'fence_missing'],
    ['staging', undefined, undefined, 'fence_missing'],
    ['production', '7', undefined, 'stale_fence'],
    ['staging', '7', undefined, 'none'],
    ['staging', '7', CLAIM, 'none'],
    ['staging', '7', 'mine', 'bad_request'],
    ['staging', '7e0', undefined, 'bad_request'],
  ])('reads group %s with token %s of claim %s', (group, fence, claim, said) => {
    expect(refusal(() => parseFence({ group, fence, claim }, 'staging'))).toBe(said);
  });
});

describe('what is proven or rolled', () => {
  it('marks its order in the very transition that hands over, and passes over who is older', () => {
    const waiting = [claim('older', onMain(3)), claim('next', { place: 3 })];
    const draft = draftOf(holder(onMain(5)), { waiting, waitingCount: 2 });
    transitions.release(draft, 'holder', { session: 'session', result: 'proven' });
    expect([...draft.marks.values()]).toEqual([{ ...main(5), holder: { name: 'holder' } }]);
    expect(kinds(draft)).toEqual(['5 released holder', '6 outdated older', '7 granted next']);
  });

  it.each(['not_proven', 'none', undefined])('leaves no mark where the result is %s', (result) => {
    const draft = draftOf(holder(onMain(5)));
    transitions.release(draft, 'holder', { session: 'session', result });
    expect(draft.marks.size).toBe(0);
  });

  it('never lowers a mark', () => {
    const draft = draftOf(holder(onMain(5)), { marks: [{ ...main(6), holder: { name: 'x' } }] });
    draft.mark(holder(onMain(5)));
    expect(draft.marks.size).toBe(0);
  });
});

describe('a lease drains', () => {
  const open = (token: number | null, slugs = ['a'], sinceSeconds = 1) => ({ token, slugs, sinceSeconds });
  it.each<[string, ReturnType<typeof open>[], number | null, number | null]>([
    ['while a roll of an older token runs', [open(6)], 7, 6],
    ['while a roll without a fence runs', [open(null)], 7, 0],
    ['for whoever comes next, whatever runs', [open(7)], null, 7],
    ['not for its own roll', [open(7)], 7, null],
    ['not when nothing runs', [], 7, null],
  ])('%s', (_what, rolls, token, said) => {
    expect(drainingOf(rolls, token)?.fencing_token ?? null).toBe(said);
  });

  it('and tells the tenants of all older rolls, and since when', () => {
    const rolls = [open(5, ['a', 'b'], 3), open(6, ['b', 'c'], 9)];
    expect(drainingOf(rolls, 7)).toEqual({ fencing_token: 6, slugs: ['a', 'b', 'c'], since_seconds: 9 });
  });
});
