/** A claim that goes from process to process: who had it before is out, and nobody comes in between. */
import { describe, expect, it } from 'vitest';
import { takeOver } from '../../src/lock/rules/transitions.js';
import { claim, draftOf, holder, kinds } from '../support/drafts.js';

describe('a claim is taken over', () => {
  it('with a token above all that were granted: what the process before still sends is stale', () => {
    const draft = draftOf(holder({ renewSeq: 3 }));
    const taken = takeOver(draft, 'holder', 'new', 'other server');
    expect(taken).toMatchObject({ state: 'held', session: 'new', token: 8, renewSeq: 4, confirmed: true });
    expect(draft.state).toMatchObject({ lastToken: 8, held: { claimId: 'holder', session: 'new' } });
    expect(kinds(draft)).toEqual(['5 taken_over holder']);
    expect(draft.events[0]).toMatchObject({ token: 8, detail: { by: 'other server', from: 7 } });
  });

  it('in the queue with its place', () => {
    const waiter = claim('next');
    const draft = draftOf(holder(), { subject: waiter, waiting: [waiter] });
    expect(takeOver(draft, 'next', 'new', 'other server')).toMatchObject({
      state: 'queued',
      session: 'new',
      place: 2,
    });
    expect(draft.state).toMatchObject({ lastToken: 7, held: { claimId: 'holder' } });
  });

  it.each(['broken', 'superseded', 'outdated'] as const)('not out of what was decided: %s', (state) => {
    const draft = draftOf(holder(), { subject: claim('old', { state }) });
    expect(takeOver(draft, 'old', 'new', 'other server')).toMatchObject({ state });
    expect(draft.dirty).toBe(false);
  });

  it.each(['lost', 'released', 'left', 'abandoned'] as const)(
    'not after its end: %s asks for a new one',
    (state) => {
      const draft = draftOf(holder(), { subject: claim('old', { state }) });
      expect(takeOver(draft, 'old', 'new', 'other server')).toBeNull();
      expect(draft.dirty).toBe(false);
    },
  );

  it('before it arrived: then it never does', () => {
    const draft = draftOf(holder(), { subject: null });
    expect(takeOver(draft, 'late', 'new', 'other server')).toBeNull();
    expect(draft.state.subject).toMatchObject({ claimId: 'late', state: 'left' });
  });
});
