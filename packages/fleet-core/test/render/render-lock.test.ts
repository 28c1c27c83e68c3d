import { describe, expect, it, test } from 'vitest';
import type { LockEvent, LockStatus } from '../../src/contract.js';
import { renderLockEvent, renderLockStatus } from '../../src/render/index.js';

const free: LockStatus = {
  group: 'staging',
  version: 4,
  held: null,
  queue: [],
  frozen: null,
  last_fencing_token: 3,
};
const held: LockStatus['held'] = {
  claim_id: '6f1c2b2e-0000-4000-8000-000000000001',
  fencing_token: 7,
  holder: {
    name: 'fleet redeploy staging',
    actor: 'ann',
    host: 'ci-1',
    sha: 'b'.repeat(40),
    run_url: 'https://ci.example.com/1',
  },
  held_for_seconds: 95.4,
  last_renew_seconds_ago: 4.2,
  step: 'batch-2',
  alive: true,
};

describe('status', () => {
  it('free', () => {
    expect(renderLockStatus(free)).toEqual(['Lock staging: free; last fencing token 3']);
  });

  it('held, with a queue', () => {
    const queue = [
      { claim_id: 'a', position: 1, holder: { name: 'nightly', actor: 'bob' }, waiting_for_seconds: 12 },
      { claim_id: 'b', position: 2, holder: { name: 'later' }, waiting_for_seconds: 0.2 },
    ];
    expect(renderLockStatus({ ...free, held, queue })).toEqual([
      'Lock staging: held by fleet redeploy staging (ann@ci-1) for 1m 35s, commit bbbbbbb, https://ci.example.com/1, fencing token 7',
      '  doing: batch-2, last renewed 4.2s ago',
      '  1. nightly (bob), waiting 12s',
      '  2. later, waiting 200ms',
    ]);
  });

  it('a holder that is gone is told apart', () => {
    const gone = { ...held, alive: false, step: null, last_renew_seconds_ago: 40 };
    expect(renderLockStatus({ ...free, held: gone })[1]).toBe(
      '  last renewed 40s ago; it does not renew any more',
    );
  });

  it('frozen: by whom, until when, why', () => {
    const frozen = { actor: 'ann', reason: 'incident 12', until: '2030-01-01T00:00:00Z', since: null };
    expect(renderLockStatus({ ...free, frozen })).toEqual([
      'Lock staging: FROZEN by ann until 2030-01-01T00:00:00Z: incident 12',
      '  nobody holds it; last fencing token 3',
    ]);
    expect(renderLockStatus({ ...free, frozen, held })[1]).toMatch(
      /^ {2}held by fleet redeploy staging \(ann@ci-1\)/,
    );
    expect(renderLockStatus({ ...free, frozen: {} })[0]).toBe('Lock staging: FROZEN: no reason given');
  });

  it('held by whom, and what frees it and when', () => {
    const lines = (more: object) =>
      renderLockStatus({ ...free, held: { ...held, ttl_seconds: 30, ...more } });
    expect(lines({})[1]).toBe(
      '  doing: batch-2, last renewed 4.2s ago; frees itself in 26s unless it renews',
    );
    expect(lines({ alive: false, step: null })[1]).toBe(
      '  last renewed 4.2s ago; it does not renew any more and frees itself in 26s',
    );
  });

  it('what others wrote stays on its line and out of force', () => {
    const evil = { name: 'a\n::error::b', actor: '\u001b[31mred', host: 'x\u202ey' };
    const [line = '', ...rest] = renderLockStatus({ ...free, held: { ...held, holder: evil } });
    expect(rest).toHaveLength(1);
    expect(line).not.toMatch(/[\n\u001b\u202e]|::/);
  });
});

const claim = '6f1c2b2e-1111-4000-8000-000000000001';
const event = (rest: Partial<LockEvent>): LockEvent => ({
  seq: 12,
  at: '2026-11-22T21:18:59.123Z',
  kind: 'granted',
  claim_id: claim,
  ...rest,
});
const holder = { name: 'fleet redeploy staging', actor: 'ann' };

test.each<[Partial<LockEvent>, string]>([
  [
    { fencing_token: 7, actor: 'ann', detail: { holder, order: 3 } },
    'granted token 7: fleet redeploy staging, ann',
  ],
  [{ kind: 'queued', detail: { holder: { name: 'nightly' }, place: 3 } }, 'queued claim 6f1c2b2: nightly'],
  [
    { kind: 'released', fencing_token: 7, actor: 'ann', detail: { result: 'not_proven' } },
    'released token 7: by ann, not proven',
  ],
  [{ kind: 'left', detail: null }, 'left claim 6f1c2b2'],
  [{ kind: 'lost', fencing_token: 7, detail: { reason: 'max_hold' } }, 'lost token 7: max_hold'],
  [
    {
      kind: 'broken',
      fencing_token: 7,
      actor: 'bob@host',
      detail: { reason: 'broken', why: 'stuck', confirm_alive: true, holder },
    },
    'broken token 7: held by fleet redeploy staging, bob@host, stuck',
  ],
  [
    { kind: 'superseded', detail: { by: { number: 9, holder, state: 'queued' } } },
    'superseded claim 6f1c2b2: for number 9, fleet redeploy staging',
  ],
  [
    { kind: 'frozen', claim_id: null, actor: 'ann', detail: { reason: 'incident', until: 'tomorrow' } },
    'frozen: by ann, until tomorrow, incident',
  ],
  [{ kind: 'unfrozen', claim_id: null, actor: 'ann', detail: { reason: 'over' } }, 'unfrozen: by ann, over'],
  [{ kind: 'of a later version', claim_id: null, detail: { holder: 5, by: 'x' } }, 'of a later version'],
])('event %#', (rest, says) => {
  expect(renderLockEvent(event(rest))).toBe(`#12 2026-11-22 21:18:59Z ${says}`);
});

test('an event stays on one line, whatever it carries', () => {
  const line = renderLockEvent(event({ actor: 'a\nb', kind: 'x\r\ny', detail: { why: 'c\n::error::' } }));
  expect(line).not.toMatch(/[\r\n]|::/);
});
