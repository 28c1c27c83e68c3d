/** An open roll of an older token is part of the lock's answers, and a proof leaves the mark that a roll leaves. */
import { claimHeldSchema, lockStatusSchema, renewAnswerSchema } from '@tenant-fleet/fleet-core/contract';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ControlPlane } from '../../src/control-plane.js';
import { type EmbeddedDatabase, startEmbedded } from '../../src/db/embedded.js';
import { restoreCheck } from '../../src/program/restore-check.js';
import { ManualClock } from '../support/clock.js';
import {
  Client,
  eventually,
  expectProblem,
  fenceOf as fence,
  freshDatabase,
  startPlane,
} from '../support/plane.js';

const TAG = `main-${'b'.repeat(40)}`;
let server: EmbeddedDatabase;
let clock: ManualClock;
let plane: ControlPlane;
let client: Client;
beforeAll(async () => {
  server = await startEmbedded();
});
afterAll(() => server.close());
beforeEach(async () => {
  clock = new ManualClock();
  plane = await startPlane({
    clock,
    databaseUrl: await freshDatabase(server),
    fleet: { defaults: { roll_ms: 5000 }, tenants: ['acme', 'birch'] },
  });
  client = new Client(plane.url, 'staging');
  return () => plane.close();
});

/** A roll that goes on after its holder has released. */
async function leftRolling() {
  const old = await client.holding('old');
  const roll = client.redeploy({ target_tag: TAG, only_slugs: ['acme'] }, fence(old));
  await eventually(async () => (await client.call('GET', '/cp/admin/rolls')).body.rolls.length === 1);
  await old.release();
  return { old, roll };
}

describe('while a roll of an older token runs', () => {
  it('claim, renewal and status say so, and say so no longer when it has ended', async () => {
    const { old, roll } = await leftRolling();
    const draining = { fencing_token: old.token, slugs: ['acme'], since_seconds: expect.any(Number) };
    expect(lockStatusSchema.parse(await client.status())).toMatchObject({ held: null, draining });
    const next = client.claim('next');
    expect(claimHeldSchema.parse((await next.put()).body)).toMatchObject({ state: 'held', draining });
    for (const step of [undefined, 'waits for the drain'])
      expect(renewAnswerSchema.parse((await next.renew(step ? { step } : {})).body)).toMatchObject({
        draining,
      });
    expect((await client.status()).draining).toMatchObject(draining);

    clock.step(5000);
    expect((await roll).status).toBe(200);
    for (const answer of [await next.put(), await next.renew(), await next.renew({ step: 'rolls' })])
      expect([answer.status, answer.body.draining]).toEqual([200, undefined]);
    expect((await client.status()).draining).toBeNull();
  });

  it('who is granted by a long poll hears of it in that answer', async () => {
    const holder = await client.holding('holder');
    const roll = client.redeploy({ target_tag: TAG, only_slugs: ['birch'] }, fence(holder));
    await eventually(async () => (await client.call('GET', '/cp/admin/rolls')).body.rolls.length === 1);
    const poll = (await client.waiting('next')).put({ wait: 20 });
    await holder.release();
    expect((await poll).body).toMatchObject({ state: 'held', draining: { slugs: ['birch'] } });
    clock.step(5000);
    await roll;
  });

  it('who watches the status is answered at once when it ends', async () => {
    const { roll } = await leftRolling();
    const { version } = await client.status();
    const watched = client.status(`?after_version=${version}&wait_seconds=20`);
    clock.step(5000);
    await roll;
    expect((await watched).draining).toBeNull();
  });

  it('the own roll of a lease is none of these', async () => {
    const holder = await client.holding('holder');
    const roll = client.redeploy({ target_tag: TAG }, fence(holder));
    await eventually(async () => (await client.call('GET', '/cp/admin/rolls')).body.rolls.length === 1);
    expect((await holder.renew()).body.draining).toBeUndefined();
    expect((await client.status()).draining).toBeNull();
    clock.step(5000);
    clock.step(5000);
    await roll;
  });
});

describe('an order', () => {
  const order = (number: number) => ({ order: { key: 'shop@main', number } });

  it('that was proven without a roll is not followed by a lower one', async () => {
    const newer = await client.holding('newer', {
      ...order(5),
      holder: { name: 'newer', sha: 'c'.repeat(40), repository: 'shop/shop', run_url: 'https://ci/5' },
    });
    await newer.release({ result: 'proven' });
    const refused = expectProblem(await client.claim('older', order(4)).put(), 409, 'outdated');
    expect(refused.by).toMatchObject({
      number: 5,
      state: 'rolled',
      sha: 'c'.repeat(40),
      repository: 'shop/shop',
      run_url: 'https://ci/5',
    });
  });

  it('of a run under a lease that was lent to it is marked, and held against those before', async () => {
    const parent = await client.holding('lock run');
    const body = {
      session: parent.session,
      fencing_token: parent.token,
      rollout: { target_tag: TAG, tool_version: '1', outcome: 'succeeded' },
    };
    const keep = (number?: number) =>
      client.call('POST', `${parent.path}/rollout`, { ...body, ...(number && order(number)) });
    for (const number of [undefined, 5, 5]) expect((await keep(number)).status).toBe(200);
    expect(expectProblem(await keep(4), 409, 'outdated').by).toMatchObject({ number: 5, state: 'rolled' });
    expect((await client.call('GET', `${client.lock}/rollouts/${parent.id}`)).body.state).toBe('ended');
    await parent.release({ result: 'none' });
    expectProblem(await client.claim('older', order(4)).put(), 409, 'outdated');
    expectProblem(await keep(6), 409, 'lease_lost');
  });

  it.each(['not_proven', 'none'])('of a release with the result %s leaves no mark', async (result) => {
    const newer = await client.holding('newer', order(5));
    await newer.release({ result });
    expect((await client.claim('older', order(4)).put()).status).toBe(200);
  });

  it('that superseded another says by which commit', async () => {
    await client.holding('holder');
    const older = await client.waiting('older', order(4));
    await client.waiting('newer', { ...order(5), holder: { name: 'newer', sha: 'd'.repeat(40) } });
    expect(expectProblem(await older.put(), 409, 'superseded').by).toMatchObject({
      number: 5,
      sha: 'd'.repeat(40),
    });
  });
});

describe('a restored backup', () => {
  it('does not let the number of one claim pass for another', async () => {
    const holder = await client.holding('holder');
    const wrong = { ...fence(holder), 'fleet-claim': '0198f3a0-1111-4111-8111-111111111111' };
    expectProblem(await client.redeploy({ target_tag: TAG }, wrong), 412, 'stale_fence');
    const roll = client.redeploy(
      { target_tag: TAG, only_slugs: ['acme'] },
      { ...fence(holder), 'fleet-claim': holder.id.toUpperCase() },
    );
    await eventually(async () => (await client.call('GET', '/cp/admin/rolls')).body.rolls.length === 1);
    clock.step(5000);
    expect((await roll).status).toBe(200);
  });

  it('grants no token again once it was checked, and says so in the log', async () => {
    const before = await client.holding('before');
    await before.release();
    const groups = await restoreCheck({ databaseUrl: plane.databaseUrl, actor: 'ann' });
    expect(groups).toEqual(['staging']);
    const after = await client.holding('after');
    expect(after.token).toBeGreaterThan(before.token + 1_000_000_000);
    expect(Number.isSafeInteger(after.token)).toBe(true);
    // The backup may be older than a group.
    const later = await new Client(plane.url, 'named-later').holding('later');
    expect(later.token).toBeGreaterThan(before.token + 1_000_000_000);
    expect(await client.events()).toContainEqual(
      expect.objectContaining({ kind: 'restored', actor: 'ann', detail: expect.anything() }),
    );
  });
});

it('a field that the server does not know is left out, not refused', async () => {
  const claim = client.claim('x');
  const body = {
    session: claim.session,
    ttl_seconds: 30,
    holder: { name: 'x', pet: 'cat' },
    later: { a: 1 },
  };
  const put = () => client.call('PUT', `${claim.path}?wait_seconds=0&later=1`, body);
  expect([(await put()).status, (await put()).status]).toEqual([200, 200]);
  expect((await client.status()).held.holder).toEqual({ name: 'x' });
  expect((await claim.release({ later: true })).status).toBe(200);
  // Of a roll a restriction that is not understood would roll more than was meant.
  const roll = await client.redeploy({ target_tag: TAG, dry_run: true, exclude_slugs: ['acme'] });
  expectProblem(roll, 400, 'bad_request');
});
