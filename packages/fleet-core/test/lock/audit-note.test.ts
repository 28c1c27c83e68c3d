/** What surrounds an act on a lock and a command under it. */
import { describe, expect, it, test } from 'vitest';
import type { LockStatus } from '../../src/contract.js';
import { FleetError } from '../../src/index.js';
import { auditNoteOf, freezeEnd, killInMs, leaseEnv, leaseToBreak, outcomeOf } from '../../src/program.js';

const me = { user: 'ann', host: 'laptop' };

describe('a note', () => {
  it('is done by the user of the machine, and in CI by whoever started the run', () => {
    expect(auditNoteOf({ trigger: {} }, ' stuck ', me)).toEqual({ actor: 'ann@laptop', reason: 'stuck' });
    expect(auditNoteOf({ trigger: { actor: 'bob' } }, 'stuck', me).actor).toBe('bob');
  });

  it.each([
    [undefined, '--reason is missing'],
    ['  ', '--reason is missing'],
    ['x'.repeat(501), '--reason: is too long'],
  ])('%j is no reason', (reason, says) => {
    expect(() => auditNoteOf({ trigger: {} }, reason, me)).toThrow(says);
  });
});

const NOW = Date.parse('2026-01-01T00:00:00Z');

describe('the end of a freeze', () => {
  it.each([
    [{}, undefined],
    [{ for: '90m' }, '2026-01-01T01:30:00.000Z'],
    [{ until: '2026-01-01T02:00:00+01:00' }, '2026-01-01T02:00:00+01:00'],
  ])('%j', (end, expected) => {
    expect(freezeEnd(end, NOW)).toBe(expected);
  });

  it.each([
    [{ for: '5m', until: '2027-01-01T00:00:00Z' }, /--for says already/],
    [{ for: '5' }, /has no unit/],
    [{ for: '0s' }, /no time at all/],
    [{ until: 'tomorrow' }, /not a moment/],
    [{ until: '2027-01-01' }, /not a moment/],
    [{ until: '2027-01-01T00:00:00' }, /not a moment/],
    [{ until: '2026-01-01T00:00:00Z' }, /has passed/],
  ])('%j is refused', (end, says) => {
    expect(() => freezeEnd(end, NOW)).toThrow(says);
  });
});

describe('the hold that a break would end', () => {
  const status = (held: Partial<LockStatus['held']> | null) =>
    ({ group: 'staging', held: held && { fencing_token: 7, alive: false, ...held } }) as LockStatus;

  it('is the one that is shown, or none', () => {
    expect(leaseToBreak(status(null), {})).toBeNull();
    expect(leaseToBreak(status(null), { seen: '3' })).toBeNull();
    expect(leaseToBreak(status({}), {})?.fencing_token).toBe(7);
    expect(leaseToBreak(status({}), { seen: '7' })?.fencing_token).toBe(7);
    const long = status({ fencing_token: 1_099_511_627_778 });
    expect(leaseToBreak(long, { seen: '778' })?.fencing_token).toBe(1_099_511_627_778);
    for (const seen of ['78', '777', '0778'])
      expect(() => leaseToBreak(long, { seen })).toThrow(/does not hold/);
    expect(leaseToBreak(status({ alive: true }), { confirmAlive: true })?.fencing_token).toBe(7);
  });

  it('is never another one, nor one that lives', () => {
    expect(() => leaseToBreak(status({}), { seen: '6', confirmAlive: true })).toThrow(/6 does not hold/);
    expect(() => leaseToBreak(status({ alive: true }), {})).toThrow(/is alive/);
  });
});

describe('a lease lent to a child', () => {
  it('is named in its environment', () => {
    expect(leaseEnv({ group: 'staging', claimId: 'c', fencingToken: 7 })).toEqual({
      FLEET_LOCK_GROUP: 'staging',
      FLEET_LOCK_CLAIM: 'c',
      FLEET_LOCK_FENCE: '7',
    });
  });

  it.each([
    [2000, 0, 1000],
    [2000, 15_000, 1000],
    [2000, -400, 600],
    [2000, -60_000, 0],
  ])('grace %i, usable for %i: gone in %i', (graceMs, usableForMs, expected) => {
    expect(killInMs({ graceMs, usableForMs })).toBe(expected);
  });
});

test.each([
  [new FleetError('CP_UNREACHABLE', 'x'), 'control_plane_error'],
  [new FleetError('LOCK_UNKNOWN_ENDPOINT', 'x'), 'control_plane_error'],
  [new FleetError('LOCK_LOST', 'x', { outcome: 'lock_lost' }), 'lock_lost'],
  [new FleetError('INTERNAL', 'x'), 'failed'],
  [new FleetError('TIMEOUT', 'x'), 'failed'],
])('outcome of %s', (error, outcome) => {
  expect(outcomeOf(error)).toBe(outcome);
});
