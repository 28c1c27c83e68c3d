/** Transitions against PostgreSQL itself: what one reads, writes, and tells. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { Database, type Reader } from '../../src/db/database.js';
import { type EmbeddedDatabase, startEmbedded } from '../../src/db/embedded.js';
import { migrate } from '../../src/db/migrate.js';
import * as transitions from '../../src/lock/rules/transitions.js';
import { pollClaim, renewFast } from '../../src/lock/store/queries.js';
import { type Committed, LockStore, parseNote, writeNote } from '../../src/lock/store/store.js';

const body = { session: 'session', ttl_seconds: 30, holder: { name: 'x' } };

let server: EmbeddedDatabase;
let db: Database;
beforeAll(async () => {
  server = await startEmbedded();
  await migrate(server.url);
  db = new Database(server.url);
});
afterAll(async () => {
  await db.close();
  await server.close();
});

let group: string;
let told: Committed[];
let store: LockStore;
beforeEach(() => {
  group = `g${randomUUID()}`;
  told = [];
  store = new LockStore(db, randomUUID(), [(what) => told.push(what)]);
});

const ids = (count: number) => Array.from({ length: count }, () => randomUUID());
const claim = (claimId: string) =>
  store.transact(group, { subject: claimId }, (draft) =>
    transitions.claim(draft, claimId, body, { queue: 500 }),
  );
const release = (claimId: string) =>
  store.transact(group, { subject: claimId }, (draft) => transitions.release(draft, claimId, body));
const held = () =>
  db.rows<{ claim_id: string }>({
    text: "SELECT claim_id FROM lock_claims WHERE group_name = $1 AND state = 'held'",
    values: [group],
  });

it('hands over in order, also where the queue is longer than what a transition reads of it', async () => {
  const queue = ids(30);
  for (const id of queue) await claim(id);
  const order: string[] = [];
  for (let [row] = await held(); row; [row] = await held()) {
    order.push(row.claim_id);
    await release(row.claim_id);
  }
  expect(order).toEqual(queue);
});

it('tells those who wait here what became of each claim, once it is committed', async () => {
  const [first = '', second = ''] = ids(2);
  await claim(first);
  await claim(second);
  told.length = 0;
  await release(first);
  expect(told.map(({ claims }) => claims.map(({ claimId, state }) => [claimId, state]))).toEqual([
    [
      [first, 'released'],
      [second, 'held'],
    ],
  ]);
});

it('leaves nothing behind when it is refused, and tells nobody', async () => {
  const [first = '', second = ''] = ids(2);
  await claim(first);
  told.length = 0;
  const refused = store.transact(group, { subject: second }, (draft) => {
    transitions.claim(draft, second, body, { queue: 500 });
    throw new Error('refused');
  });
  await expect(refused).rejects.toThrow('refused');
  const rows = await db.rows({ text: 'SELECT FROM lock_claims WHERE claim_id = $1', values: [second] });
  expect([rows.length, told]).toEqual([0, []]);
});

it('takes one at a time: of two who come at once to a free lock, one waits', async () => {
  const claims = await Promise.all(ids(8).map(claim));
  expect(claims.map(({ state }) => state).sort()).toEqual(['held', ...Array(7).fill('queued')]);
  expect(new Set(claims.map(({ place }) => place)).size).toBe(8);
});

it('a poll and a renewal look up one claim, however many wait', async () => {
  const [holder = '', waiter = '', ...crowd] = ids(200);
  for (const id of [holder, waiter, ...crowd]) await claim(id);
  const [{ token = 0 } = {}] = await db.rows<{ token: number }>({
    text: 'SELECT token FROM lock_claims WHERE claim_id = $1',
    values: [holder],
  });
  const read = await db.transaction(async (tx) => {
    const before = await claimsRead(tx);
    await pollClaim(tx, group, waiter);
    await renewFast(tx, group, holder, { session: 'session', token, step: undefined, heldMs: 0 });
    return { writes: [], result: (await claimsRead(tx)) - before };
  });
  expect(read).toBeLessThan(6);
});

it.each([
  ['of few claims names them', 3, false],
  ['that would be too long makes everybody look again', 250, true],
])('a notification %s', (_what, count, wakeAll) => {
  const claims = ids(count);
  const note = parseNote(writeNote({ from: 'here', group: 'g', claims, wakeAll: false }));
  expect(note).toEqual({ from: 'here', group: 'g', claims: wakeAll ? [] : claims, wakeAll });
});

/** How many claims this connection has read since it told last. */
async function claimsRead(tx: Reader): Promise<number> {
  const rows = await tx.rows<{ read: number }>({
    text: `SELECT (seq_tup_read + idx_tup_fetch)::int AS read FROM pg_stat_xact_user_tables
      WHERE relname = 'lock_claims'`,
  });
  return rows[0]?.read ?? 0;
}
