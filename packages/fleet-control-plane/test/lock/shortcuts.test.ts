/** Renewals and polls of known waiters go without the group's lock; they must refuse what the long way refuses. */
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { ControlPlane } from '../../src/control-plane.js';
import { ManualClock } from '../support/clock.js';
import { advance, Client, eventually, expectProblem, sql, startPlane } from '../support/plane.js';

let clock: ManualClock;
let plane: ControlPlane;
let client: Client;
beforeAll(async () => {
  clock = new ManualClock();
  plane = await startPlane({ clock, fleet: { tenants: ['acme'] } });
});
afterAll(() => plane.close());
beforeEach(() => {
  client = new Client(plane.url);
});

it.each<[string, Record<string, unknown>, string]>([
  ['another session', { session: 'another-session' }, 'claim_in_use'],
  ['another token', { fencing_token: 1 }, 'lease_lost'],
])('a renewal with %s is refused and keeps nobody alive', async (_what, body, code) => {
  const holder = await client.holding('holder', { ttl: 10 });
  const waiter = await client.waiting('waiter');
  expect((await holder.renew()).status).toBe(200);
  await advance(clock, plane, 9);
  expectProblem(await holder.renew(body), 409, code);
  await advance(clock, plane, 2);
  expect((await client.status()).held.claim_id).toBe(waiter.id);
});

it('a renewal is served while claims wait for every connection that they have', async () => {
  const holder = await client.holding('holder');
  expect((await holder.renew()).status).toBe(200);
  const other = new pg.Client({ connectionString: plane.databaseUrl });
  await other.connect();
  await other.query('BEGIN');
  await other.query('SELECT FROM lock_groups WHERE name = $1 FOR UPDATE', [client.group]);
  let answered = 0;
  const claims = Array.from({ length: 15 }, (_, index) => client.claim(`c${index}`).put());
  for (const claim of claims) claim.then(() => (answered += 1));
  await eventually(async () => (await waitingForRows()) === 10);
  expect([(await holder.renew()).status, answered]).toEqual([200, 0]);
  await other.query('ROLLBACK');
  await other.end();
  await Promise.all(claims);
});

async function waitingForRows(): Promise<number> {
  const rows = await sql<{ n: number }>(
    plane.databaseUrl,
    "SELECT count(*)::int AS n FROM pg_stat_activity WHERE wait_event_type = 'Lock'",
  );
  return rows[0]?.n ?? 0;
}

it('a renewal of a hold that is too long ends it', async () => {
  const holder = await client.holding('holder', { ttl: 10, maxHold: 16.5 });
  const waiter = await client.waiting('waiter');
  for (const seconds of [8, 8]) {
    await advance(clock, plane, seconds);
    expect((await holder.renew()).status).toBe(200);
  }
  // Less than the sweeps are apart, so that the renewal itself has to see it.
  clock.step(600);
  expectProblem(await holder.renew(), 409, 'lease_lost');
  expect((await client.status()).held.claim_id).toBe(waiter.id);
});

it('a hold is as long as it was, whatever renewed it and whoever served it', async () => {
  const own = new ManualClock();
  const options = { databaseUrl: plane.databaseUrl, clock: own, fleet: { tenants: ['acme'] } };
  const first = await startPlane(options);
  const holder = await new Client(first.url, client.group).holding('holder', { ttl: 10, maxHold: 20 });
  for (const step of ['canary', 'batch-1']) {
    await advance(own, first, 8);
    expect((await holder.renew({ step })).status).toBe(200);
  }
  await first.close();
  const second = await startPlane(options);
  const there = new Client(second.url, client.group);
  await advance(own, second, 6);
  expect((await there.status()).held).toBeNull();
  await second.close();
});

it.each<[string, (claim: { session: string }) => { ttl?: number }, number, string]>([
  [
    'another session',
    (claim) => {
      claim.session = 'another-session';
      return {};
    },
    409,
    'claim_in_use',
  ],
  ['another body', () => ({ ttl: 31 }), 422, 'claim_differs'],
])('a poll with %s is refused and keeps no place', async (_what, change, status, code) => {
  await client.holding('holder', { ttl: 3600 });
  const waiter = await client.waiting('waiter');
  await waiter.put();
  await advance(clock, plane, 50);
  const { session } = waiter;
  expectProblem(await waiter.put(change(waiter)), status, code);
  waiter.session = session;
  await advance(clock, plane, 12);
  expect((await client.status()).queue).toEqual([]);
});
