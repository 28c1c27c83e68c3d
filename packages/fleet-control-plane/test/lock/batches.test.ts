/** Several transitions in one write: each is whole, in its order, and answered by what was committed. */
import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Reader } from '../../src/db/database.js';
import { ownDatabase, Replica } from '../support/replica.js';

const own = ownDatabase();

let here: Replica;
let there: Replica;
beforeEach(() => {
  here = new Replica(own.db);
  there = new Replica(own.db, here.group);
});
const [holder, a, b, c] = [randomUUID(), randomUUID(), randomUUID(), randomUUID()] as const;
const ids = (count: number) => Array.from({ length: count }, () => randomUUID());
const states = (claims: { state: string }[]) => claims.map(({ state }) => state);

/** What of the log came after the given number of rows. */
const since = async (rows: number) => (await here.log()).slice(rows);

describe('arrivals at the same time', () => {
  it('are one write, each with its place in order and its own row in the log', async () => {
    await here.claim(holder);
    const { writes } = here;
    const crowd = ids(6);
    const claims = await Promise.all(crowd.map((id) => here.claim(id)));
    expect(states(claims)).toEqual(crowd.map(() => 'queued'));
    expect(claims.map(({ place }) => place)).toEqual([2, 3, 4, 5, 6, 7]);
    expect(await since(1)).toEqual(crowd.map((id) => `queued ${id}`));
    // The first finds its turn free.
    expect(here.writes - writes).toBe(2);
  });

  it('read once what is not remembered yet', async () => {
    const crowd = ids(6);
    const claims = await Promise.all(crowd.map((id) => here.claim(id)));
    expect(states(claims)).toEqual(['held', ...crowd.slice(1).map(() => 'queued')]);
    expect(here.reads).toBe(1);
  });

  it('are not kept back from a lock that nobody holds', async () => {
    await here.claim(holder);
    await here.release(holder);
    const { writes } = here;
    const claims = await Promise.all([a, b].map((id) => here.claim(id, { patient: true })));
    expect([states(claims), here.writes - writes]).toEqual([['held', 'queued'], 2]);
  });

  it('are not kept back from a lock that another replica frees', async () => {
    await here.claim(holder);
    there.follow(here);
    await there.release(holder);
    const { writes } = here;
    const arriving = here.claim(a, { patient: true });
    expect(here.writes - writes).toBe(0);
    here.follow(there);
    expect(here.writes - writes).toBe(1);
    expect((await arriving).state).toBe('held');
  });

  it('are gone when their sender leaves at once', async () => {
    await here.claim(holder);
    const arriving = here.claim(a, { patient: true });
    expect(await here.release(a)).toEqual({ state: 'left', already: false });
    await arriving;
    expect(await since(1)).toEqual([`queued ${a}`, `left ${a}`]);
  });

  it('supersede one another as if each had come alone', async () => {
    const order = (number: number) => ({ order: { key: 'main', number } });
    await here.claim(holder, order(1));
    const { reads, writes } = here;
    const claims = await Promise.all([a, b, c].map((id, index) => here.claim(id, order(2 + index))));
    expect(claims.map(({ place }) => place)).toEqual([2, 2, 2]);
    expect(await since(1)).toEqual([
      `queued ${a}`,
      ...[`superseded ${a}`, `queued ${b}`],
      ...[`superseded ${b}`, `queued ${c}`],
    ]);
    expect([here.reads - reads, here.writes - writes]).toEqual([0, 2]);
  });

  it('are one claim when they are the same', async () => {
    await here.claim(holder);
    const claims = await Promise.all([a, b, b].map((id) => here.claim(id)));
    expect(claims.map(({ place }) => place)).toEqual([2, 3, 3]);
    expect(await since(1)).toEqual([`queued ${a}`, `queued ${b}`]);
  });

  it('are refused one by one', async () => {
    await here.claim(holder);
    const answers = await Promise.allSettled([
      here.claim(a),
      here.claim(b),
      here.claim(c, { queue: 1 }),
      here.claim(randomUUID()),
    ]);
    expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
    expect(answers[2]).toMatchObject({ reason: { code: 'queue_full' } });
    expect(await since(1)).toHaveLength(3);
  });

  it('are decided one by one when what is remembered is wrong for one of them', async () => {
    await there.claim(c);
    await there.release(c);
    await here.claim(holder);
    const answers = await Promise.allSettled([a, b, c].map((id) => here.claim(id)));
    expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected']);
    expect(answers[2]).toMatchObject({ reason: { code: 'claim_over' } });
    expect(await since(3)).toEqual([`queued ${a}`, `queued ${b}`]);
  });

  it('are all told of a write that failed, and leave nothing behind', async () => {
    await here.claim(holder);
    const { send } = here;
    here.send = () => Promise.reject(new Error('the connection is gone'));
    const answers = await Promise.allSettled([a, b, c].map((id) => here.claim(id)));
    expect(answers.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    here.send = send;
    expect(await since(1)).toEqual([]);
    expect((await here.claim(a)).place).toBe(2);
  });
});

describe('a hand-over', () => {
  it('takes along who arrives at that moment', async () => {
    await here.claim(holder);
    await here.claim(a);
    const { writes } = here;
    const arriving = here.claim(b, { patient: true });
    await here.release(holder);
    expect([(await arriving).state, here.writes - writes]).toEqual(['queued', 1]);
    expect(await since(2)).toEqual([`queued ${b}`, `released ${holder}`, `granted ${a}`]);
  });

  it('grants to who arrives when nobody waited before', async () => {
    await here.claim(holder);
    const arriving = here.claim(a, { patient: true });
    await here.release(holder);
    expect(await here.held()).toEqual([a]);
    await arriving;
  });

  it('is in order when arrivals join a queue of which only the head is remembered', async () => {
    const queue = ids(30);
    for (const id of queue) await there.claim(id);
    const order: string[] = [];
    for (let round = 0; round < 60; round += 1) {
      const [next = ''] = await here.held();
      order.push(next);
      const late = round < 30 ? [randomUUID()] : [];
      queue.push(...late);
      const arriving = late.map((id) => here.claim(id, { patient: true }));
      await here.release(next);
      await Promise.all(arriving);
    }
    expect(order).toEqual(queue);
    expect(await here.held()).toEqual([]);
  });

  it('that has to read does not take back what arrived with it', async () => {
    const queue = ids(12);
    for (const id of [holder, ...queue]) await there.claim(id);
    // A read returns eight who wait; another replica ends those.
    await here.release(randomUUID()).catch(() => {});
    for (const id of queue.slice(0, 8)) {
      await there.release(id);
      here.follow(there);
    }
    const { reads } = here;
    const arriving = here.claim(a, { patient: true });
    await here.release(holder);
    expect((await arriving).state).toBe('queued');
    expect([await here.held(), here.reads - reads]).toEqual([[queue[8]], 1]);
  });
});

it('a write that another replica overtook is tried again on what that one told', async () => {
  await here.claim(holder);
  there.follow(here);
  await there.claim(a);
  const { reads, send } = here;
  here.send = async (query) => {
    here.send = send;
    const rows = await send(query);
    here.follow(there);
    return rows;
  };
  expect((await here.claim(b)).place).toBe(3);
  expect(here.reads).toBe(reads);
  expect(await since(1)).toEqual([`queued ${a}`, `queued ${b}`]);
});

it('a transition reads no more claims than it changes, however many wait', async () => {
  const crowd = ids(200);
  await Promise.all([holder, ...crowd].map((id) => here.claim(id, { queue: 200 })));
  let read = 0;
  here.send = (query) =>
    own.db.transaction(async (tx) => {
      const before = await claimsRead(tx);
      const result = await tx.rows(query);
      read = (await claimsRead(tx)) - before;
      return { writes: [], result };
    });
  await here.release(holder);
  expect([await here.held(), read]).toEqual([[crowd[0]], 2]);
});

/** How many claims this connection has read since it told last. */
async function claimsRead(tx: Reader): Promise<number> {
  const rows = await tx.rows<{ read: number }>({
    text: `SELECT (seq_tup_read + idx_tup_fetch)::int AS read FROM pg_stat_xact_user_tables
      WHERE relname = 'lock_claims'`,
  });
  return rows[0]?.read ?? 0;
}
