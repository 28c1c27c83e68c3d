import { describe, expect, it } from 'vitest';
import { Observer } from '../../src/lock/liveness/liveness.js';
import type { LiveRow } from '../../src/lock/store/queries.js';

const held = (patch: Partial<LiveRow> = {}): LiveRow => ({
  group: 'g',
  claimId: 'a',
  state: 'held',
  renewSeq: 0,
  pollSeq: 0,
  ttlSeconds: 30,
  confirmed: true,
  maxHoldSeconds: null,
  heldMs: 0,
  token: 1,
  ...patch,
});
const nobody = () => false;
const s = 1000;

describe('a silent holder', () => {
  it('is lost after a whole TTL without a change before our eyes, not a moment earlier', () => {
    const observer = new Observer();
    expect(observer.look([held()], 0, 0, nobody).lost).toEqual([]);
    expect(observer.look([held()], 30 * s - 1, 30 * s, nobody).lost).toEqual([]);
    expect(observer.look([held()], 30 * s, 30 * s, nobody).lost).toEqual([
      { group: 'g', claimId: 'a', seq: 0, reason: 'expired' },
    ]);
  });

  it('is judged by when the read was sent, and first seen when it was answered', () => {
    const observer = new Observer();
    observer.look([held()], 0, 5 * s, nobody);
    // Answered at 36 s, but the counters are only known to have stood still until it was sent at 34.9 s.
    expect(observer.look([held()], 34.9 * s, 36 * s, nobody).lost).toEqual([]);
    expect(observer.look([held()], 35 * s, 36 * s, nobody).lost).toHaveLength(1);
  });

  it('counts anew from each renewal', () => {
    const observer = new Observer();
    observer.look([held()], 0, 0, nobody);
    observer.look([held({ renewSeq: 1 })], 29 * s, 29 * s, nobody);
    expect(observer.look([held({ renewSeq: 1 })], 58 * s, 58 * s, nobody).lost).toEqual([]);
    expect(observer.look([held({ renewSeq: 1 })], 59 * s, 59 * s, nobody).lost).toHaveLength(1);
  });

  it('starts over when the observation restarts', () => {
    const observer = new Observer();
    observer.look([held()], 0, 0, nobody);
    observer.restart();
    expect(observer.look([held()], 31 * s, 31 * s, nobody).lost).toEqual([]);
    expect(observer.look([held()], 60 * s, 60 * s, nobody).lost).toEqual([]);
    expect(observer.look([held()], 61 * s, 61 * s, nobody).lost).toHaveLength(1);
  });

  it('who never renewed a grant from a long poll is given 15 s', () => {
    const observer = new Observer();
    observer.look([held({ confirmed: false })], 0, 0, nobody);
    expect(observer.look([held({ confirmed: false })], 14.9 * s, 15 * s, nobody).lost).toEqual([]);
    expect(observer.look([held({ confirmed: false })], 15 * s, 15 * s, nobody).lost[0]?.reason).toBe(
      'unconfirmed',
    );
  });

  it('counts as not alive after three quarters of its TTL, and as alive right after a restart', () => {
    const observer = new Observer();
    const row = held();
    observer.sawHolder('g', row, 0);
    expect(observer.health('g', row, 22 * s)).toEqual({ secondsAgo: 22, alive: true });
    expect(observer.health('g', row, 22.5 * s).alive).toBe(false);
    observer.restart();
    expect(observer.health('g', row, 22.5 * s)).toEqual({ secondsAgo: 0, alive: true });
  });
});

describe('the longest hold', () => {
  it('ends a holder that renews well', () => {
    const observer = new Observer();
    observer.sawHolder('g', held(), 0);
    const at = (now: number, renewSeq: number) =>
      observer.look([held({ renewSeq, maxHoldSeconds: 60 })], now, now, nobody).lost;
    expect(at(25 * s, 1)).toEqual([]);
    expect(at(50 * s, 2)).toEqual([]);
    expect(at(60 * s, 3)[0]?.reason).toBe('max_hold');
  });

  it('goes on from what another server has stored', () => {
    const observer = new Observer();
    observer.look([held({ heldMs: 50 * s, maxHoldSeconds: 60 })], 0, 0, nobody);
    expect(observer.heldMs('g', { claimId: 'a', token: 1, heldMs: 0 }, 9 * s)).toBe(59 * s);
    expect(
      observer.look([held({ renewSeq: 1, maxHoldSeconds: 60 })], 10 * s, 10 * s, nobody).lost[0]?.reason,
    ).toBe('max_hold');
  });
});

describe('a silent waiter', () => {
  const waiter = (pollSeq = 0) => held({ state: 'queued', token: null, pollSeq });

  it('is abandoned after 60 s without a poll', () => {
    const observer = new Observer();
    observer.look([waiter()], 0, 0, nobody);
    expect(observer.look([waiter()], 59.9 * s, 60 * s, nobody).abandoned).toEqual([]);
    expect(observer.look([waiter()], 60 * s, 60 * s, nobody).abandoned).toEqual([
      { group: 'g', claimId: 'a', seq: 0 },
    ]);
  });

  it('stays while a long poll is open, and for 60 s after it', () => {
    const observer = new Observer();
    observer.look([waiter()], 0, 0, nobody);
    expect(observer.look([waiter()], 100 * s, 100 * s, () => true).abandoned).toEqual([]);
    expect(observer.look([waiter()], 159 * s, 159 * s, nobody).abandoned).toEqual([]);
    expect(observer.look([waiter()], 160 * s, 160 * s, nobody).abandoned).toHaveLength(1);
  });

  it('counts anew from each poll', () => {
    const observer = new Observer();
    observer.look([waiter(0)], 0, 0, nobody);
    observer.look([waiter(1)], 59 * s, 59 * s, nobody);
    expect(observer.look([waiter(1)], 118 * s, 118 * s, nobody).abandoned).toEqual([]);
  });
});
