/** The queue under load, under newer and older commits, and under people who break, freeze and limit it. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ControlPlane } from '../../src/control-plane.js';
import { type EmbeddedDatabase, startEmbedded } from '../../src/db/embedded.js';
import {
  type Answer,
  Client,
  eventually,
  expectProblem,
  freshDatabase,
  startPlane,
  type TestClaim,
  TOKEN,
} from '../support/plane.js';
import { endProcesses, startHolder, startWaiter } from '../support/processes.js';

let server: EmbeddedDatabase;
let planes: [ControlPlane, ControlPlane];
let client: Client;
/** The same lock at the other replica. */
let there: Client;
beforeAll(async () => {
  server = await startEmbedded();
  const options = { databaseUrl: await freshDatabase(server), queueLimit: 600 };
  planes = [await startPlane(options), await startPlane(options)];
});
afterAll(async () => {
  await endProcesses();
  await Promise.all(planes.map((plane) => plane.close()));
  await server.close();
});
beforeEach(() => {
  client = new Client(planes[0].url);
  there = new Client(planes[1].url, client.group);
});

const main = (number: number) => ({ order: { key: 'shop@main', number } });
const count = async (kind: string) => (await client.kinds()).filter((each) => each === kind).length;
const breaks = (token: number) => ({
  reason: 'stuck',
  actor: 'ada',
  fencing_token: token,
  confirm_alive: true,
});

describe('a crowd', { timeout: 60_000 }, () => {
  it('L19: a waiter that dies in the queue, or right after its grant, costs the others seconds', async () => {
    const holder = await client.holding('holder', { ttl: 60 });
    const lock = { url: planes[0].url, group: client.group };
    const dead = await startWaiter({ ...lock, name: 'dead' });
    const next = await startWaiter({ ...lock, name: 'next' });
    await dead.kill();
    await holder.release();
    await next.heard('held');
    const lost = (await client.events()).find((event) => event.kind === 'lost');
    expect(lost).toMatchObject({
      claim_id: dead.find('claim')?.claimId,
      detail: { reason: 'unconfirmed' },
    });
    await next.kill();
  });

  it('L21: 500 wait and one release: one grant, one answer, and then one after the other in order', async () => {
    const holder = await client.holding('holder', { ttl: 600 });
    const waiters: TestClaim[] = [];
    const all = Array.from({ length: 500 }, (_, i) => client.claim(`w${i}`, { ttl: 600 }));
    // As many at a time as the server has connections: more would only tell it to come back.
    for (let at = 0; at < all.length; at += 10)
      await Promise.all(all.slice(at, at + 10).map((claim) => claim.put()));
    const { queue } = await client.status();
    for (const { claim_id } of queue) waiters.push(...all.filter((claim) => claim.id === claim_id));
    expect(waiters).toHaveLength(500);
    const answered: number[] = [];
    const gone = new AbortController();
    const poll = (waiter: TestClaim, index: number) =>
      fetch(`${client.url}${waiter.path}?wait_seconds=25`, {
        method: 'PUT',
        headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
        body: JSON.stringify({ session: waiter.session, ttl_seconds: 600, holder: { name: waiter.name } }),
        signal: gone.signal,
      }).then(
        async (answer) => {
          waiter.token = ((await answer.json()) as { fencing_token: number }).fencing_token;
          answered.push(index);
        },
        () => {},
      );
    const polls = waiters.map(poll);
    await holder.release();
    for (let next = 0; next < 6; next += 1) {
      await eventually(() => answered.length > next);
      // A round trip later nobody else has been answered.
      expect((await client.status()).held.claim_id).toBe(waiters[next]?.id);
      expect(answered).toEqual(Array.from({ length: next + 1 }, (_, index) => index));
      await waiters[next]?.release();
    }
    await eventually(() => answered.length === 7);
    expect(await count('granted')).toBe(8);
    gone.abort();
    await Promise.all(polls);
  });

  it('L26: a push storm of 100 commits leaves one waiter, tells each by whom, and delays no other branch', async () => {
    const holder = await client.holding('holder', { ttl: 600 });
    const storm = Array.from({ length: 100 }, (_, i) => client.claim(`run ${i}`, main(i)));
    await storm[0]?.put();
    const hotfix = await client.waiting('hotfix', { order: { key: 'shop@hotfix', number: 1 } });
    // More at once than the server has connections: whom it tells to come back comes back, as every client does.
    const polls = storm.map(async (claim) => {
      for (;;) {
        const answer = await claim.put({ wait: 20 });
        if (answer.status !== 503) return answer;
      }
    });
    await eventually(async () => {
      const { queue } = await client.status();
      return queue.length === 2 && queue[0].order.number === 99;
    }, 30_000);
    expect((await hotfix.put()).body).toMatchObject({ position: 2, queue_length: 2 });
    await holder.release();
    const answers = await Promise.all(polls);
    const winners = answers.flatMap((answer, index) => (answer.status === 200 ? [index] : []));
    expect(winners).toEqual([99]);
    for (const [index, answer] of answers.slice(0, 99).entries()) {
      expect(['superseded', 'outdated']).toContain(answer.body.error);
      expect(answer.body.by.number).toBeGreaterThan(index);
    }
    await storm[99]?.release();
    expect((await client.status()).held.claim_id).toBe(hotfix.id);
  });
});

describe('an older commit', () => {
  it('L27: that arrives after a newer one is outdated: queued, held or rolled; a rollback passes', async () => {
    const by = async (answer: Promise<Answer>) => expectProblem(await answer, 409, 'outdated').by;
    const holder = await client.holding('holder', { ttl: 600 });
    const newer = await client.waiting('run 9', main(9));
    expect(await by(client.claim('run 8', main(8)).put())).toMatchObject({ number: 9, state: 'queued' });
    await holder.release();
    expect(await by(there.claim('run 7', main(7)).put())).toMatchObject({ number: 9, state: 'held' });
    const rollback = await client.waiting('rollback', { order: { key: 'shop@main rollback', number: 1 } });
    await newer.release();
    expect((await client.status()).held.claim_id).toBe(rollback.id);
    await rollback.release();

    const staging = new Client(planes[0].url, 'staging');
    const rolled = await staging.holding('run 9', main(9));
    const headers = { 'fleet-lock-group': 'staging', 'fleet-fence': String(rolled.token) };
    expect((await staging.redeploy({ target_tag: `x-${'a'.repeat(40)}` }, headers)).status).not.toBe(412);
    await rolled.release();
    expect(await by(staging.claim('run 8', main(8)).put())).toMatchObject({ number: 9, state: 'rolled' });
    expect((await staging.claim('run 9 again', main(9)).put()).status).toBe(200);
  });

  it('L28: is granted or superseded when both happen at once, never both', async () => {
    for (let round = 0; round < 15; round += 1) {
      const lock = new Client(planes[0].url);
      const other = new Client(planes[1].url, lock.group);
      const holder = await lock.holding('holder', { ttl: 600 });
      const old = await lock.waiting('run 1', main(1));
      const newer = other.claim('run 2', main(2));
      const [, answer] = await Promise.all([holder.release(), newer.put()]);
      const kinds = (await lock.events())
        .filter((event) => event.claim_id === old.id)
        .map(({ kind }) => kind);
      const granted = kinds.includes('granted');
      expect(kinds).toEqual(['queued', granted ? 'granted' : 'superseded']);
      if (granted) expect(answer.status).toBe(202);
      expect((await lock.status()).held.claim_id).toBe(granted ? old.id : newer.id);
    }
  });
});

describe('people', () => {
  it('L29: break, break, release and renewal at once have one effect and one audit row', async () => {
    for (let round = 0; round < 15; round += 1) {
      const lock = new Client(planes[0].url);
      const other = new Client(planes[1].url, lock.group);
      const holder = await lock.holding('holder', { ttl: 600 });
      const next = await lock.waiting('next', { ttl: 600 });
      const [release, renewal, ...broken] = await Promise.all([
        holder.release({ fencing_token: holder.token }),
        holder.renew(),
        lock.post('break', breaks(holder.token)),
        other.post('break', breaks(holder.token)),
      ]);
      const done = broken.filter((answer) => answer.status === 200).length;
      expect(done + (release.body.already ? 0 : 1)).toBe(1);
      for (const answer of broken) if (answer.status !== 200) expectProblem(answer, 409, 'token_mismatch');
      if (renewal.status !== 200) expectProblem(renewal, 409, 'lease_lost');
      const kinds = await lock.kinds();
      expect(kinds.filter((kind) => kind === 'broken' || kind === 'released')).toHaveLength(1);
      expect((await other.status()).held.claim_id).toBe(next.id);
    }
  });

  it('L29: a break of a process that lives and renews ends its work', async () => {
    const holder = await startHolder({ url: planes[0].url, group: client.group, ttlMs: 3000 });
    expect((await there.post('break', breaks(holder.token))).status).toBe(200);
    expect((await holder.heard('lost')).message).toMatch(/broken/);
    expect((await client.status()).held).toBeNull();
    await holder.kill();
  });

  it('L31: a freeze grants nothing and keeps the order; the one who holds ends in peace', async () => {
    const holder = await client.holding('holder', { ttl: 600 });
    const a = await client.waiting('a');
    const b = await there.waiting('b');
    await there.post('freeze', { reason: 'move', actor: 'ada' });
    expect((await holder.renew()).status).toBe(200);
    await holder.release();
    await Promise.all(planes.map((plane) => plane.sweep()));
    const frozen = await client.status();
    expect([frozen.held, frozen.queue.map((entry: { claim_id: string }) => entry.claim_id)]).toEqual([
      null,
      [a.id, b.id],
    ]);
    await client.post('unfreeze', { reason: 'moved', actor: 'ada' });
    expect((await there.status()).held.claim_id).toBe(a.id);
    await a.release();
    expect((await there.status()).held.claim_id).toBe(b.id);
  });

  it('L32: the longest hold, the longest wait and a full queue end in words', {
    timeout: 30_000,
  }, async () => {
    const lock = { url: planes[0].url, group: client.group };
    const holder = await client.holding('holder', { ttl: 600, maxHold: 3 });
    const patient = await startWaiter({ ...lock, name: 'patient', waitMs: 30_000 });
    const hasty = await startWaiter({ ...lock, name: 'hasty', waitMs: 1000 });
    expect(await hasty.heard('failed')).toMatchObject({ code: 'LOCK_TIMEOUT' });
    await hasty.gone;
    expect((await client.events()).find((event) => event.kind === 'left')?.claim_id).toBe(
      hasty.find('claim')?.claimId,
    );
    await patient.heard('held');
    expect(expectProblem(await holder.renew(), 409, 'lease_lost').reason).toBe('max_hold');
    await patient.kill();

    const small = await startPlane({ databaseUrl: await freshDatabase(server), queueLimit: 1 });
    const crowded = new Client(small.url);
    await crowded.holding('holder');
    await crowded.waiting('one');
    expectProblem(await crowded.claim('two').put(), 429, 'queue_full');
    await small.close();
  });
});
