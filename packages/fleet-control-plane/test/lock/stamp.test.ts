/** Transitions that are decided on what a process remembers: they count only if that is still so. */
import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { Problem } from '../../src/problem.js';
import { ownDatabase, Replica } from '../support/replica.js';

const own = ownDatabase();
const sql = <R>(text: string, values: unknown[]) => own.db.rows<R>({ text, values });

let here: Replica;
let there: Replica;
beforeEach(() => {
  here = new Replica(own.db);
  there = new Replica(own.db, here.group);
});
const [a, b, c] = [randomUUID(), randomUUID(), randomUUID()] as const;
const held = () => here.held();

describe('what is remembered', () => {
  it('spares the reads of those who come and go', async () => {
    await here.claim(a);
    await here.claim(b);
    await here.release(a);
    expect(await held()).toEqual([b]);
    await here.claim(c);
    await here.release(b);
    expect([await held(), here.reads]).toEqual([[c], 1]);
  });

  it('hands over in order also where the queue is longer than what is remembered of it', async () => {
    const ids = Array.from({ length: 30 }, () => randomUUID());
    for (const id of ids) await there.claim(id);
    const order: string[] = [];
    for (let left = ids.length; left > 0; left -= 1) {
      const [holder = ''] = await held();
      order.push(holder);
      await here.release(holder);
      if (left === 28) ids.push(...(await late()));
    }
    for (let [holder] = await held(); holder; [holder] = await held()) {
      order.push(holder);
      await here.release(holder);
    }
    expect(order).toEqual(ids);
    expect(here.reads).toBeLessThan(10);

    async function late() {
      const more = [randomUUID(), randomUUID()];
      for (const id of more) await here.claim(id);
      return more;
    }
  });

  it('follows what another replica tells', async () => {
    await here.claim(a);
    there.follow(here);
    await there.claim(b);
    here.follow(there);
    const { reads } = here;
    await here.release(a);
    there.follow(here);
    await there.claim(c);
    await there.release(b);
    expect([await held(), here.reads, there.reads]).toEqual([[c], reads, 1]);
  });
});

describe('what is remembered wrongly changes nothing', () => {
  it('a lock that looks free is held by somebody else', async () => {
    await here.claim(a);
    await here.release(a);
    await there.claim(b);
    expect((await here.claim(c)).state).toBe('queued');
    expect(await held()).toEqual([b]);
  });

  it('a holder that is gone releases nobody', async () => {
    await here.claim(a);
    await here.claim(b);
    await there.release(a);
    expect(await here.release(a)).toEqual({ state: 'released', already: true });
    expect(await held()).toEqual([b]);
  });

  it('a queue that looks full has room', async () => {
    await here.claim(a);
    await here.claim(b, { queue: 1 });
    await there.release(a);
    expect((await here.claim(c, { queue: 1 })).state).toBe('queued');
    await expect(here.claim(randomUUID(), { queue: 1 })).rejects.toBeInstanceOf(Problem);
  });

  it('an id that has ended does not come back', async () => {
    await here.claim(a);
    await here.release(a);
    await expect(here.claim(a)).rejects.toMatchObject({ code: 'claim_over' });
    expect(await held()).toEqual([]);
  });

  it('a newer order rolled meanwhile', async () => {
    await here.claim(a, { order: { key: 'main', number: 4 } });
    await here.release(a);
    await sql('INSERT INTO lock_order_marks VALUES ($1, $2, 9, $3)', [here.group, 'main', {}]);
    expect((await here.claim(b, { order: { key: 'main', number: 5 } })).state).toBe('outdated');
  });

  it('an order of the key waits where it was not remembered', async () => {
    const ids = Array.from({ length: 12 }, () => randomUUID());
    for (const id of ids) await there.claim(id);
    const waiter = randomUUID();
    await there.claim(waiter, { order: { key: 'main', number: 4 } });
    // The marks of all who wait are read, so the key as such is known.
    await sql('INSERT INTO lock_order_marks VALUES ($1, $2, 1, $3)', [here.group, 'main', {}]);
    await here.release(ids[0] ?? '');
    await here.claim(randomUUID(), { order: { key: 'main', number: 5 } });
    const [row] = await sql('SELECT state FROM lock_claims WHERE claim_id = $1', [waiter]);
    expect(row).toEqual({ state: 'superseded' });
  });

  it('claims were changed by hand', async () => {
    await here.claim(a);
    await here.claim(b);
    await here.claim(c);
    await sql("UPDATE lock_claims SET state = 'left' WHERE claim_id = $1", [b]);
    await here.release(a);
    expect(await held()).toEqual([c]);
  });

  it('a change that does not follow from it ends the memory', async () => {
    await here.claim(a);
    await there.claim(b);
    await there.claim(c);
    // The first of the two notifications got lost.
    there.heard.shift();
    here.follow(there);
    const { reads } = here;
    await here.release(a);
    expect([await held(), here.reads]).toEqual([[b], reads + 1]);
  });
});

it('a write that was decided on another timeline does nothing', async () => {
  await here.claim(a);
  const [before] = await sql<{ stamp: string; timeline: number }>(
    'SELECT stamp, fleet_lock_timeline() AS timeline FROM lock_groups WHERE name = $1',
    [here.group],
  );
  const write = async (timeline: number) => {
    const values = [here.group, before?.stamp, timeline, randomUUID()];
    const text = `SELECT fleet_lock_write($1, $2, $3, $4, 9, 9, 9, 9, NULL, NULL, NULL, NULL, '') AS written`;
    return (await sql<{ written: boolean }>(text, values))[0]?.written;
  };
  expect(await write((before?.timeline ?? 0) + 1)).toBe(false);
  expect(await write(before?.timeline ?? 0)).toBe(true);
});
