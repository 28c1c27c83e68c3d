/** Control planes and databases that stop, die, lose each other, or come back as another one. */
import { execFile } from 'node:child_process';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EmbeddedDatabase, startEmbedded } from '../../src/db/embedded.js';
import { portOf, TcpProxy, throughProxy } from '../fixtures/proxy.js';
import { Client, eventually, expectProblem, freshDatabase, startPlane } from '../support/plane.js';
import { endProcesses, startHolder, startPlaneProcess, startWaiter } from '../support/processes.js';
import { startStandby } from '../support/standby.js';

let server: EmbeddedDatabase;
beforeAll(async () => {
  server = await startEmbedded();
});
afterAll(async () => {
  await endProcesses();
  await server.close();
});

describe.concurrent('a control plane', { timeout: 60_000 }, () => {
  it('L11: killed and started again: holder, token and queue are as before', async () => {
    const databaseUrl = await freshDatabase(server);
    const first = await startPlaneProcess(databaseUrl);
    const lock = { url: first.url, group: 'g' };
    const holder = await startHolder({ ...lock, ttlMs: 20_000 });
    const waiter = await startWaiter({ ...lock, name: 'waiter', ttlMs: 20_000 });
    await first.process.kill();
    await holder.heard('lock.renew_failed', 30_000);
    const second = await startPlaneProcess(databaseUrl, '--port', new URL(first.url).port);
    const client = new Client(second.url, 'g');
    await holder.heard('lock.recovered', 30_000);
    const status = await client.status();
    expect(status.held.fencing_token).toBe(holder.token);
    expect(status.queue[0].claim_id).toBe(waiter.find('claim')?.claimId);
    holder.tell({ do: 'release' });
    expect(Number((await waiter.heard('held')).token)).toBeGreaterThan(holder.token);
    expect(await client.kinds()).toEqual(['granted', 'queued', 'released', 'granted']);
  });

  it('L11: away for longer than the TTL: the holder stops by itself, and the next gets a higher token', async () => {
    const databaseUrl = await freshDatabase(server);
    const first = await startPlaneProcess(databaseUrl);
    const lock = { url: first.url, group: 'g' };
    const holder = await startHolder({ ...lock, ttlMs: 2000 });
    await first.process.kill();
    await holder.heard('lost');
    const second = await startPlaneProcess(databaseUrl);
    // The new process has not seen the holder silent for a TTL yet, so it is still its lock.
    const client = new Client(second.url, 'g');
    expect((await client.status()).held.fencing_token).toBe(holder.token);
    const next = client.claim('next', { ttl: 60 });
    await eventually(async () => (await next.put()).status === 200);
    expect(next.token).toBeGreaterThan(holder.token);
  });

  it('L12: stopped past the TTL and continued ends no lease that it could not renew', async () => {
    const plane = await startPlaneProcess(await freshDatabase(server));
    const client = new Client(plane.url, 'g');
    const holder = await client.holding('holder', { ttl: 3 });
    plane.process.signal('SIGSTOP');
    await new Promise((done) => setTimeout(done, 4500));
    plane.process.signal('SIGCONT');
    expect((await holder.renew()).status).toBe(200);
    expect(await client.kinds()).toEqual(['granted']);
  });

  it('L13: cut off from the database says so, and ends and grants nothing while another serves', async () => {
    const proxy = await TcpProxy.start(portOf(server.url));
    const databaseUrl = await freshDatabase(server);
    const cut = await startPlane({ databaseUrl: throughProxy(databaseUrl, proxy) });
    const whole = await startPlane({ databaseUrl });
    const here = new Client(cut.url, 'g');
    const there = new Client(whole.url, 'g');
    const holder = await here.holding('holder', { ttl: 3 });
    const waiter = await there.waiting('waiter');
    proxy.partition();
    expectProblem(await here.claim('new').put(), 503, 'database_unavailable');
    const moved = Object.assign(there.claim('holder', { ttl: 3 }), {
      ...{ id: holder.id, session: holder.session, token: holder.token },
    });
    // The cut one sees nothing for longer than the TTL, and the holder renews elsewhere.
    for (const end = Date.now() + 4500; Date.now() < end; ) {
      expect((await moved.renew()).status).toBe(200);
      await cut.sweep();
      await new Promise((done) => setTimeout(done, 300));
    }
    proxy.heal();
    await eventually(async () => (await here.claim('again').put()).status === 202);
    await cut.sweep();
    expect((await there.kinds()).filter((kind) => kind === 'lost')).toEqual([]);
    await moved.release();
    expect((await there.status()).held.claim_id).toBe(waiter.id);
    await Promise.all([cut.close(), whole.close()]);
    await proxy.close();
  });

  it('L22: all clients come back at once after a restart: no refusal, every place as it was', async () => {
    const databaseUrl = await freshDatabase(server);
    const first = await startPlaneProcess(databaseUrl);
    const before = new Client(first.url, 'g');
    await before.holding('holder', { ttl: 600 });
    const waiters = await Promise.all(
      Array.from({ length: 80 }, async (_, i) => {
        const waiter = before.claim(`w${i}`);
        await eventually(async () => (await waiter.put()).status === 202);
        return waiter;
      }),
    );
    const places = (await before.status()).queue.map((entry: { claim_id: string }) => entry.claim_id);
    await first.process.kill();
    await startPlaneProcess(databaseUrl, '--port', new URL(first.url).port);
    const answers = await Promise.all(waiters.map((waiter) => waiter.put()));
    expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set([202]));
    for (const [index, answer] of answers.entries())
      expect(answer.body.position).toBe(places.indexOf(waiters[index]?.id) + 1);
  });
});

describe('the database', { timeout: 60_000 }, () => {
  it('L14: is lost between the commit and its answer: what was committed holds, and the same call finds it', async () => {
    const proxy = await TcpProxy.start(portOf(server.url));
    const plane = await startPlane({ databaseUrl: throughProxy(await freshDatabase(server), proxy) });
    const client = new Client(plane.url, 'g');
    const written = (chunk: Buffer) => chunk.includes('COMMIT\0');
    const holder = client.claim('holder', { ttl: 60 });
    proxy.cutBefore = written;
    expectProblem(await holder.put(), 503, 'database_unavailable');
    const next = await client.waiting('next', { ttl: 60 });
    expect((await holder.put()).status).toBe(200);
    const poll = next.put({ wait: 20 });
    proxy.cutBefore = written;
    const release = await holder.release();
    expect([200, 503]).toContain(release.status);
    // Whose commit got no answer told nobody, and the sweep makes up for that.
    expect((await poll).status).toBe(200);
    expect((await holder.release()).body).toEqual({ state: 'released', already: true });
    expect(await client.kinds()).toEqual(['granted', 'queued', 'released', 'granted']);
    await plane.close();
    await proxy.close();
  });

  it('L14: is killed under load: nothing half done, nothing twice', async () => {
    const own = await startEmbedded();
    const plane = await startPlane({ databaseUrl: own.url });
    const client = new Client(plane.url, 'g');
    const holder = await client.holding('holder', { ttl: 60 });
    const claims = Array.from({ length: 20 }, (_, i) => client.claim(`c${i}`, { ttl: 60 }));
    const storm = claims.map((claim) => claim.put());
    await Promise.all([own.kill(), ...storm, holder.release()]);
    await own.start();
    await eventually(async () => (await holder.release()).status === 200);
    for (const claim of claims) await eventually(async () => (await claim.put()).status < 300);
    const status = await client.status();
    expect([status.held === null, status.queue.length]).toEqual([false, 19]);
    const kinds = await client.kinds();
    for (const [kind, times] of [
      ['granted', 2],
      ['released', 1],
    ] as const)
      expect(kinds.filter((each) => each === kind)).toHaveLength(times);
    await plane.close();
    await own.close();
  });

  it('L15: a standby without the last grant is promoted: no token comes again, the lost holder is fenced', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'fleet-failover-'));
    // PostgreSQL's own user has to get through when the tests run as root.
    await chmod(folder, 0o711);
    const primary = await startEmbedded(join(folder, 'primary'));
    const proxy = await TcpProxy.start(portOf(primary.url));
    const plane = await startPlane({ databaseUrl: throughProxy(primary.url, proxy) });
    const client = new Client(plane.url, 'staging');
    // It served the last transition that the standby has, and remembers what that left behind.
    const behind = await TcpProxy.start(portOf(primary.url));
    const idle = await startPlane({ databaseUrl: throughProxy(primary.url, behind) });
    const there = new Client(idle.url, 'staging');
    const first = await there.holding('first', { ttl: 600 });
    await first.release();
    proxy.partition();
    behind.partition();
    await primary.stop();
    // The standby has what was written until now.
    await promisify(execFile)('cp', ['-a', join(folder, 'primary'), join(folder, 'standby')]);
    await primary.start();
    proxy.heal();
    const lost = client.claim('lost', { ttl: 600 });
    await eventually(async () => (await lost.put()).status === 200);
    proxy.partition();
    await primary.kill();

    const standby = await (await startStandby(join(folder, 'standby'))).promote();
    for (const way of [proxy, behind]) {
      way.target = portOf(standby.url);
      way.heal();
    }

    const renewal = await eventualAnswer(() => lost.renew());
    expectProblem(renewal, 409, 'lease_lost');
    const next = there.claim('next', { ttl: 600 });
    expect((await eventualAnswer(() => next.put())).status).toBe(200);
    expect(next.token).toBeGreaterThan(lost.token);
    const headers = { 'fleet-lock-group': 'staging', 'fleet-fence': String(lost.token) };
    const roll = await client.redeploy({ target_tag: `x-${'a'.repeat(40)}` }, headers);
    expectProblem(roll, 412, 'stale_fence');
    await Promise.all([plane.close(), idle.close()]);
    await Promise.all([proxy.close(), behind.close()]);
    await standby.close();
    await primary.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('L16: a row that somebody keeps locked is answered 503, without a trace of the call', async () => {
    const databaseUrl = await freshDatabase(server);
    const plane = await startPlane({ databaseUrl });
    const client = new Client(plane.url, 'g');
    const holder = await client.holding('holder', { ttl: 60 });
    const before = [await client.status(), await client.events()];
    const blocker = new pg.Client({ connectionString: databaseUrl });
    await blocker.connect();
    await blocker.query('BEGIN');
    await blocker.query('SELECT 1 FROM lock_groups FOR UPDATE');
    // More calls at once than the server has connections.
    const calls = await Promise.all([
      holder.release(),
      ...Array.from({ length: 30 }, (_, i) => client.claim(`c${i}`).put()),
    ]);
    for (const answer of calls) {
      expect(answer.status).toBe(503);
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    }
    await blocker.query('ROLLBACK');
    await blocker.end();
    const [status, events] = [await client.status(), await client.events()];
    expect([status.version, status.queue, events]).toEqual([before[0].version, [], before[1]]);
    expect((await holder.release()).body).toEqual({ state: 'released', already: false });
    await plane.close();
  });
});

/** The first answer that is not about a database that is just coming back. */
async function eventualAnswer(call: () => ReturnType<Client['call']>) {
  let answer = await call();
  await eventually(async () => {
    if (answer.status === 503) answer = await call();
    return answer.status !== 503;
  });
  return answer;
}
