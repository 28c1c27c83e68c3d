/** Messages that are lost, repeated or late, on the way there and on the way back. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ControlPlane } from '../../src/control-plane.js';
import { HttpProxy, moment, type Seen } from '../fixtures/proxy.js';
import { Client, eventually, expectProblem, startPlane } from '../support/plane.js';
import { endProcesses, startClient, startHolder, startWaiter } from '../support/processes.js';

let plane: ControlPlane;
beforeAll(async () => {
  plane = await startPlane({});
});
afterAll(async () => {
  await endProcesses();
  await plane.close();
});

/** Each test has a lock and a network of its own; `near` goes straight to the server, `far` through the proxy. */
const it = test.extend<{ proxy: HttpProxy; near: Client; far: Client }>({
  // biome-ignore lint/correctness/noEmptyPattern: this is how the test runner learns what a fixture needs
  proxy: async ({}, use) => {
    const proxy = await HttpProxy.start(plane.url);
    await use(proxy);
    await proxy.close();
  },
  // biome-ignore lint/correctness/noEmptyPattern: as above
  near: async ({}, use) => use(new Client(plane.url)),
  far: async ({ proxy, near }, use) => use(new Client(proxy.url, near.group)),
});

const claims = (seen: Seen) => seen.method === 'PUT';
const renewals = (seen: Seen) => seen.path.endsWith('/renew');
const releases = (seen: Seen) => seen.path.endsWith('/release');
const granted = async (near: Client) => (await near.kinds()).filter((kind) => kind === 'granted').length;

describe.concurrent('a claim', () => {
  it('L4: whose answer is lost is repaired by the same claim: one grant, one token', async ({
    proxy,
    near,
  }) => {
    proxy.next(claims, { lose: 'answer' });
    const holder = await startHolder({ url: proxy.url, group: near.group, ttlMs: 10_000 });
    const { held } = await near.status();
    expect(held.fencing_token).toBe(holder.token);
    expect(await near.kinds()).toEqual(['granted']);
    expect(holder.lines.filter((line) => line.said === 'claim')).toHaveLength(1);
    await holder.kill();
  });

  it('L5: that is repeated, or arrives after its release, does not come back', async ({
    proxy,
    near,
    far,
  }) => {
    const claim = far.claim('late');
    // Lost on its way for its sender, and delivered when the same claim was made, held and released.
    const { come, now } = moment();
    proxy.next(claims, { lose: 'request', repeat: come });
    await expect(claim.put()).rejects.toThrow();
    proxy.next(claims, { repeat: come });
    expect((await claim.put()).status).toBe(200);
    expect((await claim.release()).body).toEqual({ state: 'released', already: false });
    now();
    await eventually(() => proxy.answered.filter(claims).length === 3);
    expect(proxy.answered.filter(claims).map(({ status }) => status)).toEqual([200, 410, 410]);
    expect(await near.status()).toMatchObject({ held: null, queue: [] });
    expect(await near.kinds()).toEqual(['granted', 'released']);
  });

  it('L5: that arrives after its sender has left the queue stays out', async ({ proxy, near, far }) => {
    const claim = far.claim('impatient');
    const { come, now } = moment();
    proxy.next(claims, { lose: 'request', repeat: come });
    await expect(claim.put()).rejects.toThrow();
    expect((await claim.release()).body).toEqual({ state: 'left', already: false });
    now();
    await eventually(() => proxy.answered.filter(claims).length === 1);
    expect(proxy.answered.find(claims)?.status).toBe(410);
    expect(await near.status()).toMatchObject({ held: null, queue: [] });
  });

  it('L6: of two processes with one claim id one holds, and the other waits behind it as itself', async ({
    near,
  }) => {
    const shared = { url: plane.url, group: near.group, claimId: randomUUID(), ttlMs: 5000 };
    const one = await startHolder({ ...shared, name: 'one' });
    const two = startClient({ ...shared, name: 'two' });
    await eventually(async () => (await near.status()).queue.length === 1);
    expect((await near.status()).held.fencing_token).toBe(one.token);
    expect(two.lines.filter((line) => line.said === 'claim')).toHaveLength(2);
    one.tell({ do: 'release' });
    expect(Number((await two.heard('held')).token)).toBeGreaterThan(one.token);
    await Promise.all([one.kill(), two.kill()]);
  });
});

describe.concurrent('a release', () => {
  it('L7: that is repeated or late never touches who came after', async ({ proxy, near, far }) => {
    const holder = await far.holding('holder');
    const next = await near.waiting('next');
    // Once lost and delivered late, once in time and repeated late.
    const { come, now } = moment();
    proxy.next(releases, { lose: 'request', repeat: come });
    await expect(holder.release({ fencing_token: holder.token })).rejects.toThrow();
    proxy.next(releases, { repeat: come });
    expect((await holder.release({ fencing_token: holder.token })).body.already).toBe(false);
    now();
    await eventually(() => proxy.answered.filter(releases).length === 3);
    expect((await near.status()).held.claim_id).toBe(next.id);
    expect((await near.kinds()).filter((kind) => kind === 'released')).toHaveLength(1);
  });

  it('L7: with the claim of another is refused', async ({ near }) => {
    const holder = await near.holding('holder');
    const path = `${holder.path}/release`;
    const foreign = { session: 'another-session', fencing_token: holder.token };
    expectProblem(await near.call('POST', path, foreign), 409, 'claim_in_use');
    expect((await near.status()).held.claim_id).toBe(holder.id);
  });
});

describe.concurrent('a renewal', { timeout: 30_000 }, () => {
  it('L9: whose answer is lost costs nothing', async ({ proxy, near }) => {
    const holder = await startHolder({ url: proxy.url, group: near.group, ttlMs: 6000 });
    proxy.next(renewals, { lose: 'answer' });
    await holder.heard('lock.renew_failed');
    await holder.heard('lock.recovered');
    expect((await near.status()).held.fencing_token).toBe(holder.token);
    expect(holder.find('lost')).toBeUndefined();
    await holder.kill();
  });

  it('L9: that is late or repeated helps a lease no more once another holds', async ({
    proxy,
    near,
    far,
  }) => {
    const old = await far.holding('old', { ttl: 2 });
    const next = await near.waiting('next', { ttl: 600 });
    const { come, now } = moment();
    proxy.next(renewals, { lose: 'request', repeat: come });
    await expect(old.renew()).rejects.toThrow();
    await eventually(async () => (await near.status()).held?.claim_id === next.id);
    const { status } = await next.put();
    expect(status).toBe(200);
    now();
    await eventually(() => proxy.answered.some(renewals));
    expect(proxy.answered.find(renewals)?.status).toBe(409);
    expect((await near.status()).held.claim_id).toBe(next.id);
    expect(await granted(near)).toBe(2);
  });

  it("L9: that hangs does not move the holder's own end: it stops before the server lets go", async ({
    proxy,
    near,
  }) => {
    const holder = await startHolder({ url: proxy.url, group: near.group, ttlMs: 3000 });
    proxy.plan = (seen) => (renewals(seen) ? { lose: 'request', silent: true } : {});
    await holder.heard('lost');
    expect((await near.status()).held.fencing_token).toBe(holder.token);
    await holder.kill();
  });
});

describe.concurrent('a waiter', { timeout: 30_000 }, () => {
  it('L33: whose polls are cut or left hanging keeps its place', async ({ proxy, near }) => {
    const holder = await near.holding('holder', { ttl: 60 });
    const first = await startWaiter({ url: proxy.url, group: near.group, name: 'first', ttlMs: 10_000 });
    const second = await near.waiting('second');
    let cuts = 0;
    proxy.plan = (seen) => {
      if (!claims(seen) || cuts >= 2) return {};
      cuts += 1;
      return { lose: cuts % 2 ? 'request' : 'answer', answerDelayMs: 0 };
    };
    // The long poll that is open ends now, and the next ones are lost.
    proxy.partition();
    proxy.heal();
    await eventually(() => cuts === 2);
    expect((await near.status()).queue.map((entry: { claim_id: string }) => entry.claim_id)).toEqual([
      first.find('claim')?.claimId,
      second.id,
    ]);
    await holder.release();
    await first.heard('held');
    expect(await granted(near)).toBe(2);
    await first.kill();
  });

  it('L33: whose poll hangs on a dead connection does not keep the others waiting', async ({
    proxy,
    near,
    far,
  }) => {
    const holder = await near.holding('holder', { ttl: 60 });
    const silent = far.claim('silent', { ttl: 2 });
    await silent.put();
    proxy.next(claims, { lose: 'answer', silent: true });
    const hanging = silent.put({ wait: 20 }).catch(() => 'cut');
    const next = await near.waiting('next');
    await holder.release();
    await eventually(async () => (await near.status()).held?.claim_id === next.id);
    expect((await near.events()).find((event) => event.kind === 'lost')).toMatchObject({
      claim_id: silent.id,
      detail: { reason: 'unconfirmed' },
    });
    proxy.partition();
    expect(await hanging).toBe('cut');
  });
});

describe.concurrent('a cancelled job', { timeout: 40_000 }, () => {
  // Where the process may be when the signal comes; each ends with the lock free.
  const points = ['claiming', 'queued', 'granting', 'held', 'releasing'] as const;
  it.for(points)('L34: killed while it is %s leaves nothing behind', async (point, { proxy, near }) => {
    const holder = await near.holding('holder', { ttl: 60 });
    proxy.plan = (seen) => {
      if (point === 'claiming' && claims(seen)) return { answerDelayMs: 5000 };
      if (point === 'granting' && renewals(seen)) return { lose: 'request', silent: true };
      if (point === 'releasing' && releases(seen)) return { lose: 'request', silent: true };
      return {};
    };
    const job = startClient({ url: proxy.url, group: near.group, name: 'job' });
    const claimId = String((await job.heard('claim')).claimId);
    const queued = async () =>
      (await near.status()).queue.some((entry: { claim_id: string }) => entry.claim_id === claimId);
    await eventually(queued);
    if (point !== 'claiming') await job.heard('lock.waiting');
    if (point === 'claiming' || point === 'queued') await job.kill();
    await holder.release();
    if (point === 'granting') await eventually(async () => (await near.status()).held?.claim_id === claimId);
    if (point === 'held' || point === 'releasing') await job.heard('held');
    if (point === 'releasing') job.tell({ do: 'release' });
    if (point !== 'claiming' && point !== 'queued') await job.kill();
    await eventually(async () => (await near.status()).held === null);
    expect((await near.status()).queue).toEqual([]);
  });

  it.for(['SIGINT', 'SIGTERM'] as const)('L34: %s gives the lease back at once', async (name, { near }) => {
    const job = await startHolder({ url: plane.url, group: near.group, ttlMs: 60_000 });
    job.signal(name);
    expect(await job.heard('released')).toMatchObject({ ok: true });
    expect((await near.status()).held).toBeNull();
    await job.gone;
  });
});
