/** A holder that is stopped, killed, cut off or broken: what it still sends must change nothing. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EmbeddedDatabase, startEmbedded } from '../../src/db/embedded.js';
import { HttpProxy, moment } from '../fixtures/proxy.js';
import { endWorlds, expectNoOverlap, FailureWorld, tagOf } from '../support/failure-world.js';
import { Client, eventually, expectProblem } from '../support/plane.js';
import { endProcesses, startHolder, startWaiter } from '../support/processes.js';

let server: EmbeddedDatabase;
beforeAll(async () => {
  server = await startEmbedded();
});
afterAll(async () => {
  await endProcesses();
  await endWorlds();
  await server.close();
});

describe.concurrent('a holder', { timeout: 40_000 }, () => {
  it('L1: stopped past its TTL and continued: the next holds, the old one sees its loss and starts nothing', async () => {
    const world = await FailureWorld.start(server);
    const old = await startHolder({ ...world.lock, name: 'old' });
    const next = await startWaiter({ ...world.lock, name: 'next', ttlMs: 8000 });
    old.signal('SIGSTOP');
    const { token } = await next.heard('held');
    expect(Number(token)).toBeGreaterThan(old.token);
    next.tell({ do: 'roll', tag: tagOf('2') });
    expect(await next.heard('rolled')).toMatchObject({ status: 200 });
    old.signal('SIGCONT');
    await old.heard('lost');
    old.tell({ do: 'roll', tag: tagOf('1') });
    expect(await old.heard('error')).toMatchObject({ code: 'LOCK_LOST' });
    expect((await world.rolls()).map((roll) => roll.target_tag)).toEqual([tagOf('2')]);
    expect((await world.client.status()).held.fencing_token).toBe(token);
  });

  it('L2: stopped between its look at the lease and the request: only the fence stops that roll', async () => {
    const world = await FailureWorld.start(server);
    const old = await startHolder({ ...world.lock, name: 'old' });
    const next = await startWaiter({ ...world.lock, name: 'next', ttlMs: 8000 });
    old.tell({ do: 'roll', tag: tagOf('1'), pause: true });
    await next.heard('held');
    next.tell({ do: 'roll', tag: tagOf('2') });
    expect(await next.heard('rolled')).toMatchObject({ status: 200 });
    old.signal('SIGCONT');
    expect(await old.heard('rolled')).toMatchObject({ status: 412, error: 'stale_fence' });
    await old.heard('lost');
    expect((await world.rolls()).map((roll) => roll.target_tag)).toEqual([tagOf('2')]);
  });

  it('L3: killed while its roll runs: the next is told to wait until that roll is over', async () => {
    const world = await FailureWorld.start(server, 5000);
    const old = await startHolder({ ...world.lock, name: 'old' });
    const next = await startWaiter({ ...world.lock, name: 'next', ttlMs: 20_000 });
    old.tell({ do: 'roll', tag: tagOf('1') });
    await eventually(async () => (await world.rolls()).length === 1);
    await old.kill();
    expect(await next.heard('lock.draining')).toMatchObject({ fencing_token: old.token });
    const token = await world.grantedToken();
    expectProblem(await world.roll(token, '2'), 409, 'draining');
    // The grant is of use once that roll is over.
    expect(await next.heard('held')).toMatchObject({ token });
    expect((await world.rolls())[0]?.ended_at).not.toBeNull();
    expect((await world.roll(token, '2')).status).toBe(200);
    const rolls = await world.rolls();
    expect(rolls.map((roll) => [roll.fencing_token, roll.result])).toEqual([
      [old.token, 'ok'],
      [token, 'ok'],
    ]);
    expectNoOverlap(rolls);
  });

  it('L8: whose release got no answer and who then dies: the lock is free at once', async () => {
    const world = await FailureWorld.start(server);
    const proxy = await HttpProxy.start(world.plane.url);
    const old = await startHolder({ ...world.lock, url: proxy.url, name: 'old', ttlMs: 60_000 });
    const next = await startWaiter({ ...world.lock, name: 'next', ttlMs: 8000 });
    proxy.plan = ({ path }) => (path.endsWith('/release') ? { lose: 'answer', silent: true } : {});
    old.tell({ do: 'release' });
    await next.heard('held');
    await old.kill();
    expect(await world.client.kinds()).toEqual(['granted', 'queued', 'released', 'granted']);
    await proxy.close();
  });

  it('L20: killed together with all who wait: the lock is free and the queue empty by itself', async () => {
    const world = await FailureWorld.start(server);
    const holder = await startHolder({ ...world.lock, name: 'holder' });
    const all = [
      holder,
      await startWaiter({ ...world.lock, name: 'a' }),
      await startWaiter({ ...world.lock, name: 'b' }),
    ];
    await Promise.all(all.map((process) => process.kill()));
    await eventually(async () => {
      const { held, queue } = await world.client.status();
      return held === null && queue.length === 0;
    }, 30_000);
    const kinds = await world.client.kinds();
    expect(kinds.filter((kind) => kind === 'granted')).toHaveLength(3);
    expect(kinds.filter((kind) => kind === 'lost')).toHaveLength(3);
    expect((await world.client.claim('new').put()).status).toBe(200);
  });

  it('L23: cut off from the server stops before another is granted, and what it sent arrives too late', async () => {
    const world = await FailureWorld.start(server);
    const proxy = await HttpProxy.start(world.plane.url);
    const old = await startHolder({ ...world.lock, url: proxy.url, name: 'old' });
    const next = await startWaiter({ ...world.lock, name: 'next', ttlMs: 10_000 });
    // On its way when the network breaks, and delivered when the next one holds.
    const { come, now } = moment();
    proxy.next(({ path }) => path.endsWith('/redeploy-fleet'), { lose: 'request', repeat: come });
    old.tell({ do: 'roll', tag: tagOf('1') });
    await old.heard('error');
    proxy.partition();
    await old.heard('lost');
    // Its own timer ended it: the server still shows it as the holder.
    expect(next.find('held')).toBeUndefined();
    await next.heard('held');
    next.tell({ do: 'roll', tag: tagOf('2') });
    expect(await next.heard('rolled')).toMatchObject({ status: 200 });
    now();
    await eventually(() =>
      proxy.answered.some(({ path, status }) => path.endsWith('-fleet') && status === 412),
    );
    expect((await world.rolls()).map((roll) => roll.target_tag)).toEqual([tagOf('2')]);
    await proxy.close();
  });

  it('L25: replayed, foreign and invented tokens are refused before anything happens', async () => {
    const world = await FailureWorld.start(server);
    const first = await world.client.holding('first');
    await first.release();
    const now = await world.client.holding('now');
    const other = await new Client(world.plane.url, 'elsewhere').holding('other');
    for (const token of [first.token, now.token + 1, Number.MAX_SAFE_INTEGER]) {
      expectProblem(await world.roll(token, '1'), 412, 'stale_fence');
    }
    const headers = { 'fleet-lock-group': 'elsewhere', 'fleet-fence': String(other.token) };
    const foreign = await world.client.redeploy({ target_tag: tagOf('1') }, headers);
    expectProblem(foreign, 412, 'stale_fence');
    expect(await world.rolls()).toEqual([]);
  });

  it('L30: broken in the middle of its roll: it stops, and the next rolls when that one is over', async () => {
    const world = await FailureWorld.start(server, 4000);
    const old = await startHolder({ ...world.lock, name: 'old' });
    const next = await startWaiter({ ...world.lock, name: 'next', ttlMs: 20_000 });
    old.tell({ do: 'roll', tag: tagOf('1') });
    await eventually(async () => (await world.rolls()).length === 1);
    const by = { reason: 'wrong image', actor: 'ada', fencing_token: old.token };
    expectProblem(await world.client.post('break', by), 409, 'holder_alive');
    expect((await world.client.post('break', { ...by, confirm_alive: true })).status).toBe(200);
    await next.heard('lock.draining');
    const token = await world.grantedToken();
    await old.heard('lost');
    expect((await world.rolls())[0]?.ended_at).toBeNull();
    expectProblem(await world.roll(token, '2'), 409, 'draining');
    expect(await next.heard('held')).toMatchObject({ token });
    expect((await world.roll(token, '2')).status).toBe(200);
    expectProblem(await world.roll(old.token, '1'), 412, 'stale_fence');
    expectNoOverlap(await world.rolls());
  });

  it('L36: whose event loop stands still past the lease learns it too late, and the fence holds', async () => {
    const world = await FailureWorld.start(server);
    const old = await startHolder({ ...world.lock, name: 'old' });
    const next = await startWaiter({ ...world.lock, name: 'next', ttlMs: 20_000 });
    old.tell({ do: 'block', ms: 6000, tag: tagOf('1') });
    await next.heard('held');
    expect(await old.heard('rolled')).toMatchObject({ status: 412, error: 'stale_fence' });
    await old.heard('lost');
    expect(await world.rolls()).toEqual([]);
  });
});
