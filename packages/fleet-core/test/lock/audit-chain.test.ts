import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { auditText, type LockEvent } from '../../src/contract.js';
import { verifyChain } from '../../src/lock/audit-chain.js';

function chain(count: number, unchained = 0): LockEvent[] {
  const events: LockEvent[] = [];
  let prev: string | null = null;
  for (let seq = 1; seq <= count; seq++) {
    const event: LockEvent = {
      seq,
      at: `2026-01-01T00:00:0${seq % 10}.000Z`,
      kind: 'granted',
      claim_id: null,
      fencing_token: seq,
      actor: 'ann',
      detail: { z: 1, a: { c: [1, { y: 2, b: 'é' }], b: null } },
    };
    if (seq <= unchained) events.push(event);
    else {
      const hash: string = createHash('sha256').update(auditText(prev, event)).digest('hex');
      events.push({ ...event, prev, hash });
      prev = hash;
    }
  }
  return events;
}
const row = (events: LockEvent[], seq: number) => events[seq - 1] as LockEvent;

test('a log that nobody touched holds, whatever the order of its keys', () => {
  const events = chain(5);
  row(events, 3).detail = { a: { b: null, c: [1, { b: 'é', y: 2 }] }, z: 1 };
  expect(verifyChain(events)).toEqual({ verified: 5, unchained: 0, head: row(events, 5).hash, broken: null });
  expect(verifyChain([])).toEqual({ verified: 0, unchained: 0, head: null, broken: null });
});

test('rows from before the chain are counted apart', () => {
  expect(verifyChain(chain(5, 2))).toMatchObject({ verified: 3, unchained: 2, broken: null });
});

test('a row that is gone from before the chain shows', () => {
  expect(verifyChain(chain(5, 3).toSpliced(1, 1)).broken).toMatchObject({ seq: 3 });
});

test.each<[string, (events: LockEvent[]) => LockEvent[], number]>([
  ['a changed actor', (events) => events.with(2, { ...row(events, 3), actor: 'ben' }), 3],
  ['a changed detail', (events) => events.with(2, { ...row(events, 3), detail: { z: 2 } }), 3],
  ['a changed time', (events) => events.with(2, { ...row(events, 3), at: '2026-01-02T00:00:00.000Z' }), 3],
  ['a row that is gone', (events) => events.toSpliced(2, 1), 4],
  ['a first row that is gone', (events) => events.slice(1), 2],
  ['a row without its hash', (events) => events.with(2, { ...row(events, 3), hash: null }), 3],
  [
    'a row that was hashed anew',
    (events) => {
      const forged = { ...row(events, 3), actor: 'ben' };
      const hash = createHash('sha256')
        .update(auditText(forged.prev ?? null, forged))
        .digest('hex');
      return events.with(2, { ...forged, hash });
    },
    4,
  ],
])('%s shows', (_what, change, seq) => {
  expect(verifyChain(change(chain(5))).broken).toMatchObject({ seq });
});
