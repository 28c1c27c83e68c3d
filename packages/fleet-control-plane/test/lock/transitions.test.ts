import { describe, expect, it } from 'vitest';
import { abandon, expire, renew } from '../../src/lock/rules/transitions.js';
import { claim, draftOf, holder, kinds } from '../support/drafts.js';

describe('the end of a silent holder', () => {
  it('loses the lock to the next when nothing has moved since it was looked at', () => {
    const draft = draftOf(holder({ renewSeq: 3 }));
    expect(expire(draft, 'holder', 3, 'expired')).toBe(true);
    expect(kinds(draft)).toEqual(['5 lost holder', '6 granted next']);
    expect(draft.state.held).toMatchObject({ claimId: 'next', token: 8, confirmed: false });
    expect(draft.version).toBe(5);
  });

  it.each([
    ['it renewed meanwhile', holder({ renewSeq: 4 }), 'holder', 3],
    ['another holds meanwhile', claim('other', { state: 'held', renewSeq: 3 }), 'holder', 3],
  ])('does not come when %s', (_what, held, claimId, seq) => {
    const draft = draftOf(held);
    expect(expire(draft, claimId, seq, 'expired')).toBe(false);
    expect(draft.dirty).toBe(false);
  });
});

describe('the end of a silent waiter', () => {
  it('comes when it has not polled since it was looked at, and grants nothing', () => {
    const draft = draftOf(holder());
    expect(abandon(draft, 'next', 0)).toBe(true);
    expect(kinds(draft)).toEqual(['5 abandoned next']);
    expect(draft.state.held?.claimId).toBe('holder');
  });

  it('does not come when it polled meanwhile', () => {
    const draft = draftOf(holder(), { waiting: [claim('next', { pollSeq: 1 })] });
    expect(abandon(draft, 'next', 0)).toBe(false);
    expect(draft.dirty).toBe(false);
  });
});

describe('a renewal', () => {
  it('ends a hold that is too long, and hands over', () => {
    const draft = draftOf(holder({ maxHoldSeconds: 60 }));
    expect(renew(draft, 'session', 7, undefined, 60_000)).toMatchObject({
      state: 'lost',
      endReason: 'max_hold',
    });
    expect(kinds(draft)).toEqual(['5 lost holder', '6 granted next']);
  });

  it('keeps one that is not, without an audit row', () => {
    const draft = draftOf(holder({ maxHoldSeconds: 60 }));
    expect(renew(draft, 'session', 7, undefined, 59_999)).toMatchObject({ state: 'held', renewSeq: 1 });
    expect([kinds(draft), draft.version, draft.dirty]).toEqual([[], 4, true]);
  });

  it('shows a new step to those who watch', () => {
    const draft = draftOf(holder());
    expect(renew(draft, 'session', 7, 'canary', 0)).toMatchObject({ step: 'canary' });
    expect([kinds(draft), draft.version]).toEqual([[], 5]);
  });
});
