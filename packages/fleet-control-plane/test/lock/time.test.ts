import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ControlPlane } from '../../src/control-plane.js';
import { ManualClock } from '../support/clock.js';
import { advance, Client, eventually, expectProblem, sql, startPlane } from '../support/plane.js';

const clock = new ManualClock();
let plane: ControlPlane;
let client: Client;
beforeAll(async () => {
  plane = await startPlane({ clock });
});
afterAll(() => plane.close());
beforeEach(() => {
  client = new Client(plane.url);
});
const tick = (seconds: number) => advance(clock, plane, seconds);

describe('a holder that goes silent', () => {
  it('keeps the lease for its whole TTL, then loses it to the next', async () => {
    const holder = await client.holding('holder', { ttl: 10 });
    const next = await client.waiting('next');
    await tick(9);
    expect((await client.status()).held.claim_id).toBe(holder.id);
    await tick(2);
    expect((await client.status()).held.claim_id).toBe(next.id);
    expect(expectProblem(await holder.renew(), 409, 'lease_lost').reason).toBe('expired');
    expect((await holder.put()).body).toMatchObject({ error: 'claim_over', state: 'lost' });
    expect(await client.kinds()).toEqual(['granted', 'queued', 'lost', 'granted']);
  });

  it('keeps it as long as it renews', async () => {
    const holder = await client.holding('holder', { ttl: 10 });
    for (let round = 0; round < 5; round += 1) {
      await tick(8);
      expect((await holder.renew()).status).toBe(200);
    }
  });

  it('gets a whole lease from the answer to a repeated claim', async () => {
    const holder = await client.holding('holder', { ttl: 10 });
    await tick(8);
    expect((await holder.put()).status).toBe(200);
    await tick(8);
    expect((await holder.renew()).status).toBe(200);
  });

  it('is shown as not alive before it is lost, and may be broken without confirmation then', async () => {
    const holder = await client.holding('holder', { ttl: 20 });
    await tick(5);
    expect((await client.status()).held).toMatchObject({ alive: true, last_renew_seconds_ago: 5 });
    await tick(11);
    expect((await client.status()).held).toMatchObject({ alive: false, last_renew_seconds_ago: 16 });
    const broken = await client.post('break', { fencing_token: holder.token, reason: 'dead', actor: 'ada' });
    expect(broken.status).toBe(200);
  });

  it('is not punished when the control plane itself stood still', async () => {
    const holder = await client.holding('holder', { ttl: 10 });
    await tick(5);
    // Nothing ran for a minute, as after SIGSTOP: the sweep comes far too late.
    clock.step(60_000);
    await plane.sweep();
    await tick(9);
    expect((await holder.renew()).status).toBe(200);
  });

  it('is not judged by the wall clock, here or in the database', async () => {
    const holder = await client.holding('holder', { ttl: 10 });
    await tick(2);
    clock.jumpWall(3_600_000);
    await sql(plane.databaseUrl, "UPDATE lock_claims SET acquired_at = now() - interval '1 hour'");
    await tick(2);
    clock.jumpWall(-7_200_000);
    await tick(2);
    expect((await holder.renew()).status).toBe(200);
  });
});

describe('a grant that a long poll brought', () => {
  it('ends after 15 s when nobody renews it, and the next one gets it', async () => {
    const holder = await client.holding('holder');
    const dead = await client.waiting('dead', { ttl: 300 });
    const next = await client.waiting('next');
    await holder.release();
    await tick(14);
    expect((await client.status()).held.claim_id).toBe(dead.id);
    await tick(2);
    expect((await client.status()).held.claim_id).toBe(next.id);
    dead.token = (await client.events()).find(
      (event) => event.claim_id === dead.id && event.fencing_token,
    ).fencing_token;
    expect(expectProblem(await dead.renew(), 409, 'lease_lost').reason).toBe('unconfirmed');
  });

  it('has its full TTL from the first renewal on', async () => {
    const holder = await client.holding('holder');
    const next = await client.waiting('next', { ttl: 60 });
    await holder.release();
    await next.put();
    await next.renew();
    await tick(50);
    expect((await next.renew()).status).toBe(200);
  });
});

describe('the longest hold', () => {
  it('ends the lease of a holder that renews well, and frees the lock', async () => {
    const holder = await client.holding('holder', { ttl: 10, maxHold: 20 });
    const next = await client.waiting('next');
    for (let round = 0; round < 3; round += 1) {
      await tick(6);
      expect((await holder.renew()).status).toBe(200);
    }
    await tick(3);
    expect(expectProblem(await holder.renew(), 409, 'lease_lost').reason).toBe('max_hold');
    expect((await client.status()).held.claim_id).toBe(next.id);
  });
});

describe('a waiter that goes silent', () => {
  it('is abandoned after 60 s, and others keep their order', async () => {
    const holder = await client.holding('holder', { ttl: 3600 });
    const silent = await client.waiting('silent');
    const polite = await client.waiting('polite');
    for (let round = 0; round < 3; round += 1) {
      await tick(19);
      expect((await polite.put()).body.position).toBe(2);
    }
    await tick(4);
    expect((await polite.put()).body.position).toBe(1);
    expect((await silent.put()).body).toMatchObject({ error: 'claim_over', state: 'abandoned' });
    await holder.release();
    expect((await polite.put()).status).toBe(200);
  });

  it('stays while its long poll is open, and is answered when that is over', async () => {
    const holder = await client.holding('holder', { ttl: 3600 });
    const waiter = await client.waiting('waiter');
    const poll = waiter.put({ wait: 25 });
    // The poll is open once it was counted in the database.
    await eventually(
      async () =>
        (
          await sql<{ poll_seq: string }>(
            plane.databaseUrl,
            'SELECT poll_seq FROM lock_claims WHERE claim_id = $1',
            [waiter.id],
          )
        )[0]?.poll_seq === '1',
    );
    await tick(26);
    expect((await poll).body.position).toBe(1);
    await tick(58);
    expect((await waiter.put()).status).toBe(202);
    await holder.release();
  });
});

describe('a freeze with an end', () => {
  it('is lifted when its time is over, and the first waiter gets the lock', async () => {
    const until = new Date(clock.wall() + 60_000).toISOString();
    await client.post('freeze', { reason: 'lunch', actor: 'ada', until });
    const waiter = await client.waiting('waiter');
    await tick(30);
    expect((await client.status()).frozen).toMatchObject({ reason: 'lunch', until });
    await waiter.put();
    await tick(31);
    expect(await client.status()).toMatchObject({ frozen: null, held: { claim_id: waiter.id } });
    expect(await client.kinds()).toEqual(['frozen', 'queued', 'unfrozen', 'granted']);
  });

  it('must end in the future', async () => {
    const until = new Date(clock.wall() - 1000).toISOString();
    expectProblem(await client.post('freeze', { reason: 'lunch', actor: 'ada', until }), 400, 'bad_request');
  });
});

it('grants a lock that was left free while somebody waits', async () => {
  const holder = await client.holding('holder');
  const waiter = await client.waiting('waiter');
  // What a replica of an older version, or a hand in the database, may leave behind.
  await sql(plane.databaseUrl, "UPDATE lock_claims SET state = 'lost' WHERE claim_id = $1", [holder.id]);
  const poll = waiter.put({ wait: 20 });
  await tick(1);
  expect((await poll).status).toBe(200);
});
