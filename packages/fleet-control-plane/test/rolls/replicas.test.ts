import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ControlPlane } from '../../src/control-plane.js';
import { type EmbeddedDatabase, startEmbedded } from '../../src/db/embedded.js';
import { LOCK_CHANNEL } from '../../src/lock/store/store.js';
import { ManualClock } from '../support/clock.js';
import {
  advance,
  Client,
  eventually,
  expectProblem,
  freshDatabase,
  sql,
  startPlane,
} from '../support/plane.js';

let server: EmbeddedDatabase;
beforeAll(async () => {
  server = await startEmbedded();
});
afterAll(() => server.close());

describe('two replicas on one database', () => {
  let planes: [ControlPlane, ControlPlane];
  const clocks = [new ManualClock(), new ManualClock()] as const;
  let here: Client;
  let there: Client;
  beforeAll(async () => {
    const databaseUrl = await freshDatabase(server);
    planes = await Promise.all([
      startPlane({ databaseUrl, clock: clocks[0], fleet: { defaults: { roll_ms: 0 }, tenants: ['acme'] } }),
      startPlane({ databaseUrl, clock: clocks[1], fleet: { defaults: { roll_ms: 0 }, tenants: ['acme'] } }),
    ]);
  });
  afterAll(() => Promise.all(planes.map((plane) => plane.close())));
  beforeEach(() => {
    here = new Client(planes[0].url);
    there = new Client(planes[1].url, here.group);
  });

  it('have one lock between them', async () => {
    const holder = await here.holding('here');
    expect((await there.claim('there').put()).status).toBe(202);
    expect((await there.status()).held.claim_id).toBe(holder.id);
  });

  it("wake each other's waiters and watchers, without any sweep", async () => {
    const holder = await here.holding('here');
    const waiter = await there.waiting('there');
    const { version } = await there.status();
    const poll = waiter.put({ wait: 20 });
    const watch = there.status(`?after_version=${version}&wait_seconds=20`);
    await eventually(async () => (await polls(planes[0].databaseUrl, waiter.id)) === 1);
    await holder.release();
    expect((await poll).status).toBe(200);
    expect((await watch).version).toBe(version + 1);
  });

  it("tell each other's waiters at once that the lock is frozen", async () => {
    await here.holding('here');
    const waiter = await here.waiting('waiter');
    await here.post('freeze', { reason: 'audit', actor: 'ada' });
    const moved = Object.assign(there.claim('waiter'), { id: waiter.id, session: waiter.session });
    expect((await moved.put({ wait: 25 })).body.frozen).toMatchObject({ reason: 'audit' });
  });

  it('survive notifications that they cannot read', async () => {
    const holder = await here.holding('here');
    for (const payload of ['', 'nonsense', '{}', '{"from":"x","group":1}']) {
      await sql(planes[0].databaseUrl, 'SELECT pg_notify($1, $2)', [LOCK_CHANNEL, payload]);
    }
    expect((await holder.renew()).status).toBe(200);
  });

  it('make good a wake-up that got lost', async () => {
    const holder = await here.holding('here');
    const waiter = await there.waiting('there');
    const poll = waiter.put({ wait: 20 });
    await eventually(async () => (await polls(planes[0].databaseUrl, waiter.id)) === 1);
    // A grant that nobody announced.
    await sql(planes[0].databaseUrl, "UPDATE lock_claims SET state = 'lost' WHERE claim_id = $1", [
      holder.id,
    ]);
    await sql(
      planes[0].databaseUrl,
      "UPDATE lock_claims SET state = 'held', token = 2^52, acquired_at = now() WHERE claim_id = $1",
      [waiter.id],
    );
    await advance(clocks[1], planes[1], 1);
    expect((await poll).status).toBe(200);
  });

  it('let a holder renew at either, and take a session from neither', async () => {
    const holder = await here.holding('here', { ttl: 10 });
    const moved = there.claim('here', { ttl: 10 });
    Object.assign(moved, { id: holder.id, session: holder.session, token: holder.token });
    for (let round = 0; round < 3; round += 1) {
      await advance(clocks[0], planes[0], 6);
      expect((await moved.renew()).status).toBe(200);
      // This replica has not served the renewal, but it has to have seen it.
      await advance(clocks[0], planes[0], 3);
      await advance(clocks[1], planes[1], 9);
      expect((await holder.renew()).status).toBe(200);
    }
    Object.assign(moved, { session: 'somebody-else' });
    expectProblem(await moved.put(), 409, 'claim_in_use');
  });

  it('end a silent holder once', async () => {
    await here.holding('here', { ttl: 5 });
    for (let second = 0; second < 7; second += 1) {
      await Promise.all([advance(clocks[0], planes[0], 1), advance(clocks[1], planes[1], 1)]);
    }
    expect((await here.kinds()).filter((kind) => kind === 'lost')).toHaveLength(1);
  });

  it('fence the fleet together, and show the same tenants', async () => {
    const staging = [new Client(planes[0].url, 'staging'), new Client(planes[1].url, 'staging')] as const;
    const claim = await staging[0].holding('ci');
    const sha = 'abcdef0123456789abcdef0123456789abcdef01';
    const headers = {
      'fleet-lock-group': 'staging',
      'fleet-fence': String(claim.token),
      'idempotency-key': 'both',
    };
    const body = { target_tag: `main-${sha}` };
    const calls = Promise.all([staging[0].redeploy(body, headers), staging[1].redeploy(body, headers)]);
    let answered = false;
    calls.finally(() => {
      answered = true;
    });
    // The replica that joins looks again every quarter of a second, by its own clock.
    while (!answered) {
      clocks[0].step(250);
      clocks[1].step(250);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const [one, two] = await calls;
    expect(one.body).toEqual(two.body);
    expect(await sql(planes[0].databaseUrl, 'SELECT 1 FROM rolls')).toHaveLength(1);
    await eventually(async () => {
      const url = planes[1].tenantUrlTemplate.replace('{slug}', 'acme');
      return ((await (await fetch(`${url}/buildinfo`)).json()) as { git_sha: string }).git_sha === sha;
    });
  });
});

async function polls(databaseUrl: string, claimId: string): Promise<number> {
  const rows = await sql<{ poll_seq: string }>(
    databaseUrl,
    'SELECT poll_seq FROM lock_claims WHERE claim_id = $1',
    [claimId],
  );
  return Number(rows[0]?.poll_seq);
}

describe('a restart', () => {
  it('keeps holder, queue, tokens, freeze, tenants and what they run; observation starts over', async () => {
    const databaseUrl = await freshDatabase(server);
    const options = { databaseUrl, fleet: { defaults: { roll_ms: 0 }, tenants: ['acme', 'birch'] } };
    const clock = new ManualClock();
    const first = await startPlane({ ...options, clock });
    const client = new Client(first.url, 'staging');
    const holder = await client.holding('holder', { ttl: 10 });
    const waiter = await client.waiting('waiter');
    const sha = 'f'.repeat(40);
    const headers = { 'fleet-lock-group': 'staging', 'fleet-fence': String(holder.token) };
    await client.redeploy({ target_tag: `x-${sha}`, only_slugs: ['acme'] }, headers);
    await advance(clock, first, 9);
    await first.close();

    const second = await startPlane({ ...options, clock });
    const again = new Client(second.url, 'staging');
    await advance(clock, second, 9);
    const status = await again.status();
    expect(status.held).toMatchObject({ claim_id: holder.id, fencing_token: holder.token });
    expect(status.queue[0].claim_id).toBe(waiter.id);
    const renewed = await again.call('POST', `${holder.path}/renew`, {
      session: holder.session,
      fencing_token: holder.token,
    });
    expect(renewed.status).toBe(200);
    const url = second.tenantUrlTemplate.replace('{slug}', 'acme');
    expect(await (await fetch(`${url}/buildinfo`)).json()).toEqual({ git_sha: sha });
    await again.call('POST', `${holder.path}/release`, { session: holder.session });
    expect((await again.status()).held.fencing_token).toBeGreaterThan(holder.token);
    await second.close();
  });

  it('answers open long polls that it is stopping', async () => {
    const plane = await startPlane({ databaseUrl: await freshDatabase(server) });
    const client = new Client(plane.url);
    await client.holding('holder');
    const waiter = await client.waiting('waiter');
    const poll = waiter.put({ wait: 20 });
    await eventually(async () => (await polls(plane.databaseUrl, waiter.id)) === 1);
    await plane.close();
    expectProblem(await poll, 503, 'shutting_down');
  });
});

describe('PostgreSQL dies and comes back', () => {
  it('answers 503 meanwhile, loses nothing and takes no lease away', async () => {
    const own = await startEmbedded();
    const clock = new ManualClock();
    const plane = await startPlane({ databaseUrl: own.url, clock, fleet: { tenants: ['acme'] } });
    const client = new Client(plane.url);
    const holder = await client.holding('holder', { ttl: 10 });
    const waiter = await client.waiting('waiter');
    await advance(clock, plane, 5);
    await own.kill();
    for (const call of [
      () => holder.renew(),
      () => waiter.put(),
      () => client.call('GET', `${client.lock}/`),
    ]) {
      const answer = await call();
      expectProblem(answer, 503, 'database_unavailable');
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(JSON.stringify(answer.body)).not.toMatch(/ECONN|127\.0\.0\.1|SELECT/);
    }
    // Tenants answer whatever becomes of the control plane's database.
    const url = plane.tenantUrlTemplate.replace('{slug}', 'acme');
    expect((await fetch(`${url}/buildinfo`)).status).toBe(200);
    await advance(clock, plane, 20);
    await own.start();
    await advance(clock, plane, 9);
    expect((await holder.renew()).status).toBe(200);
    const poll = waiter.put({ wait: 20 });
    await holder.release();
    expect((await poll).status).toBe(200);
    await plane.close();
    await own.close();
  });

  it('answers 503 instead of waiting for a row that somebody else keeps locked', async () => {
    const databaseUrl = await freshDatabase(server);
    const plane = await startPlane({ databaseUrl });
    const client = new Client(plane.url);
    const holder = await client.holding('holder');
    const { default: pg } = await import('pg');
    const blocker = new pg.Client({ connectionString: databaseUrl });
    await blocker.connect();
    await blocker.query('BEGIN');
    await blocker.query('SELECT 1 FROM lock_groups FOR UPDATE');
    const answer = await holder.release();
    expectProblem(answer, 503, 'busy');
    await blocker.query('ROLLBACK');
    await blocker.end();
    expect((await holder.release()).body).toEqual({ state: 'released', already: false });
    await plane.close();
  });
});
