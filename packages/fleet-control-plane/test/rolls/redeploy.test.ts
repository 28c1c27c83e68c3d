import { hostname } from 'node:os';
import { redeployAnswerSchema } from '@tenant-fleet/fleet-core/contract';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type ControlPlane, startControlPlane } from '../../src/control-plane.js';
import { type EmbeddedDatabase, startEmbedded } from '../../src/db/embedded.js';
import type { BehaviourName } from '../../src/sim/behaviour.js';
import { ManualClock } from '../support/clock.js';
import {
  type Answer,
  Client,
  eventually,
  expectProblem,
  fenceOf as fence,
  freshDatabase,
  sql,
  startPlane,
  type TestClaim,
  TOKEN,
} from '../support/plane.js';

const SHA = '1234567890abcdef1234567890abcdef12345678';
const TAG = `staging-${SHA}`;
/** A process number that no process here has. */
const GONE_PID = 2 ** 22 + 12345;
const NAMES = ['acme', 'birch', 'cobalt', 'dunes', 'ember'];

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
    fleet: { defaults: { roll_ms: 0 }, tenants: NAMES },
  });
  client = new Client(plane.url, 'staging');
  return () => plane.close();
});

const rolls = async () => (await client.call('GET', '/cp/admin/rolls')).body.rolls;
const behave = (slug: string, behaviour: BehaviourName, rollMs = 0) =>
  client.call('PUT', `/sim/tenants/${slug}`, { behaviour, roll_ms: rollMs });
const slow = (...slugs: string[]) => Promise.all(slugs.map((slug) => behave(slug, 'ok', 5000)));
async function buildinfo(slug: string): Promise<unknown> {
  return (await fetch(`${plane.tenantUrlTemplate.replace('{slug}', slug)}/buildinfo`)).json();
}
const rows = (answer: Answer) =>
  redeployAnswerSchema.parse(answer.body).results.map((row) => `${row.slug} ${row.phase} ${row.ssm_status}`);

describe('a request whose end its sender does not know', () => {
  const settle = (claim: TestClaim, ...keys: string[]) =>
    client.call('POST', '/cp/admin/rolls/settle', { keys }, fence(claim));

  it('is given up where it has not arrived: no copy of it starts a roll any more', async () => {
    const claim = await client.holding('ci');
    const late = { ...fence(claim), 'idempotency-key': 'late' };
    expect((await settle(claim, 'late')).body).toEqual({ rolls: [{ key: 'late', state: 'given_up' }] });
    expectProblem(await client.redeploy({ target_tag: TAG }, late), 409, 'roll_given_up');
    expect(await rolls()).toEqual([]);
    // What is given up under one token concerns no other key of it.
    expect((await client.redeploy({ target_tag: TAG }, { ...late, 'idempotency-key': 'new' })).status).toBe(
      200,
    );
  });

  it('is told of where it runs, and where it has ended', async () => {
    await slow('acme');
    const claim = await client.holding('ci');
    const headers = { ...fence(claim), 'idempotency-key': 'mine' };
    const roll = client.redeploy({ target_tag: TAG, only_slugs: ['acme'] }, headers);
    await eventually(async () => (await rolls()).length === 1);
    expect((await settle(claim, 'mine', 'other')).body.rolls).toEqual([
      { key: 'mine', state: 'open' },
      { key: 'other', state: 'given_up' },
    ]);
    clock.step(5000);
    await roll;
    expect((await settle(claim, 'mine')).body.rolls).toEqual([{ key: 'mine', state: 'ended' }]);
  });

  it('is a matter of the holder alone, and is forgotten with its lease', async () => {
    const old = await client.holding('old');
    await settle(old, 'late');
    await old.release();
    expectProblem(await settle(old, 'late'), 412, 'stale_fence');
    const next = await client.holding('next');
    await settle(next, 'another');
    const kept = await sql(plane.databaseUrl, 'SELECT idempotency_key FROM rolls_given_up');
    expect(kept).toEqual([{ idempotency_key: 'another' }]);
    expectProblem(
      await client.redeploy({ target_tag: TAG }, { ...fence(old), 'idempotency-key': 'late' }),
      412,
      'stale_fence',
    );
  });
});

describe('a roll', () => {
  it('rolls canary, then batches, and the tenants answer with the new commit', async () => {
    const claim = await client.holding('ci');
    const answer = await client.redeploy(
      { target_tag: TAG, canary_slug: 'cobalt', batch_size: 3 },
      fence(claim),
    );
    expect(answer.status).toBe(200);
    expect(rows(answer)).toEqual([
      'cobalt canary Success',
      'acme batch-1 Success',
      'birch batch-1 Success',
      'dunes batch-1 Success',
      'ember batch-2 Success',
    ]);
    expect(answer.body.results[0]).toEqual({
      slug: 'cobalt',
      phase: 'canary',
      ssm_status: 'Success',
      ssm_exit_code: 0,
      healthz_ok: true,
      verified_on_target: true,
      running_image: `platform-tenant:${TAG}`,
    });
    for (const slug of NAMES) expect(await buildinfo(slug)).toEqual({ git_sha: SHA });
    const metrics = await fetch(`${plane.url}/metrics`, { headers: { authorization: `Bearer ${TOKEN}` } });
    expect(await metrics.text()).toContain('fleet_roll_seconds_count{group="staging",end="answered"} 1\n');
    expect(await rolls()).toMatchObject([
      {
        group: 'staging',
        fencing_token: claim.token,
        claim_id: claim.id,
        target_tag: TAG,
        result: 'ok',
        slugs: [...new Set(['cobalt', ...NAMES])],
      },
    ]);
  });

  it('halts after the batch that failed, with rows of those it reached', async () => {
    await behave('birch', 'failed');
    const claim = await client.holding('ci');
    const answer = await client.redeploy({ target_tag: TAG, batch_size: 2 }, fence(claim));
    expect(answer.status).toBe(500);
    expect(answer.body).toMatchObject({ ok: false });
    expect(rows(answer)).toEqual(['acme batch-1 Success', 'birch batch-1 Failed']);
    expect((await rolls())[0].result).toBe('failed');
  });

  it('tolerates as many stragglers as it was told, but never the canary', async () => {
    await behave('birch', 'failed');
    const claim = await client.holding('ci');
    const tolerated = await client.redeploy({ target_tag: TAG, max_stragglers: 1 }, fence(claim));
    expect([tolerated.status, tolerated.body.stragglers, tolerated.body.results.length]).toEqual([
      200,
      ['birch'],
      5,
    ]);
    const canary = await client.redeploy(
      { target_tag: TAG, max_stragglers: 1, canary_slug: 'birch' },
      fence(claim),
    );
    expect([canary.status, rows(canary)]).toEqual([500, ['birch canary Failed']]);
  });

  it('soaks after the canary', async () => {
    const claim = await client.holding('ci');
    const call = client.redeploy({ target_tag: TAG, canary_slug: 'acme', soak_seconds: 60 }, fence(claim));
    await eventually(
      async () => (await client.call('GET', '/sim/tenants')).body.tenants[0].running.git_sha === SHA,
    );
    expect((await client.call('GET', '/sim/tenants')).body.tenants[1].running.git_sha).not.toBe(SHA);
    clock.step(60_000);
    expect((await call).status).toBe(200);
  });

  it('plans without a fence and changes nothing', async () => {
    const answer = await client.redeploy({
      target_tag: TAG,
      dry_run: true,
      canary_slug: 'dunes',
      batch_size: 4,
    });
    expect(rows(answer)).toEqual([
      'dunes canary DryRun',
      'acme batch-1 DryRun',
      'birch batch-1 DryRun',
      'cobalt batch-1 DryRun',
      'ember batch-1 DryRun',
    ]);
    expect(await rolls()).toEqual([]);
  });

  it('fails every row for a tag that stands for no commit, and changes nothing', async () => {
    const claim = await client.holding('ci');
    const before = await buildinfo('acme');
    const answer = await client.redeploy(
      { target_tag: 'staging-fffffff', only_slugs: ['acme', 'birch'] },
      fence(claim),
    );
    expect([answer.status, rows(answer)]).toEqual([500, ['acme batch-1 Failed', 'birch batch-1 Failed']]);
    expect(await buildinfo('acme')).toEqual(before);
  });

  it.each([
    ['no confirmation', { target_tag: TAG, confirm: false }],
    ['confirmation left out', { target_tag: TAG, confirm: undefined }],
    ['an empty scope', { target_tag: TAG, only_slugs: [] }],
    ['a tenant that is not in the fleet', { target_tag: TAG, only_slugs: ['acme', 'nobody'] }],
    ['a canary that is not in the fleet', { target_tag: TAG, canary_slug: 'nobody' }],
    ['a canary outside the scope', { target_tag: TAG, canary_slug: 'acme', only_slugs: ['birch'] }],
    ['no tag', {}],
    ['an unknown field', { target_tag: TAG, batchsize: 3 }],
    ['a batch of none', { target_tag: TAG, batch_size: 0 }],
  ])('refuses %s', async (_what, body) => {
    const claim = await client.holding('ci');
    expectProblem(await client.redeploy(body, fence(claim)), 400, 'bad_request');
    expect(await rolls()).toEqual([]);
  });
});

describe('the fence', () => {
  it.each([
    ['without headers', () => ({}), 428, 'fence_missing'],
    ['without the group', (token: number) => ({ 'fleet-fence': String(token) }), 428, 'fence_missing'],
    ['without the token', () => ({ 'fleet-lock-group': 'staging' }), 428, 'fence_missing'],
    [
      'with an older token',
      (token: number) => ({ 'fleet-lock-group': 'staging', 'fleet-fence': String(token - 1) }),
      412,
      'stale_fence',
    ],
    [
      'with a token never granted',
      (token: number) => ({ 'fleet-lock-group': 'staging', 'fleet-fence': String(token + 1) }),
      412,
      'stale_fence',
    ],
    [
      'with a token of another group',
      (token: number) => ({ 'fleet-lock-group': 'production', 'fleet-fence': String(token) }),
      412,
      'stale_fence',
    ],
    [
      'with something else',
      () => ({ 'fleet-lock-group': 'staging', 'fleet-fence': '1e3' }),
      400,
      'bad_request',
    ],
  ])('refuses a real roll %s, before anything happens', async (_what, headers, status, code) => {
    const claim = await client.holding('ci');
    const before = await buildinfo('acme');
    const problem = expectProblem(
      await client.redeploy({ target_tag: TAG }, headers(claim.token) as Record<string, string>),
      status,
      code,
    );
    if (code !== 'bad_request') expect(`${problem.detail} ${problem.next}`).toMatch(/staging|token|lock/);
    expect(await rolls()).toEqual([]);
    expect(await buildinfo('acme')).toEqual(before);
  });

  it('names the right group', async () => {
    const other = await new Client(plane.url, 'production').holding('ci');
    const answer = await client.redeploy(
      { target_tag: TAG },
      { 'fleet-lock-group': 'production', 'fleet-fence': String(other.token) },
    );
    expect(expectProblem(answer, 412, 'stale_fence').detail).toContain('"staging"');
  });

  it('closes when the lease is over', async () => {
    const claim = await client.holding('ci');
    await claim.release();
    expectProblem(await client.redeploy({ target_tag: TAG }, fence(claim)), 412, 'stale_fence');
  });

  it('drains: nobody rolls while a roll still runs, under an older token or the same', async () => {
    await slow('acme');
    const claim = await client.holding('ci');
    const next = await client.waiting('next');
    const first = client.redeploy({ target_tag: TAG, only_slugs: ['acme'] }, fence(claim));
    await eventually(async () => (await rolls()).length === 1);
    const same = await client.redeploy({ target_tag: TAG, only_slugs: ['birch'] }, fence(claim));
    expectProblem(same, 409, 'draining');
    await claim.release();
    await next.put();
    expectProblem(await client.redeploy({ target_tag: TAG }, fence(claim)), 412, 'stale_fence');
    const early = await client.redeploy({ target_tag: TAG }, fence(next));
    expectProblem(early, 409, 'draining');
    expect(Number(early.headers.get('retry-after'))).toBeGreaterThan(0);
    clock.step(5000);
    expect((await first).status).toBe(200);
    const second = client.redeploy({ target_tag: TAG, only_slugs: ['birch'] }, fence(next));
    expect((await second).status).toBe(200);
    const record = await rolls();
    expect(record).toHaveLength(2);
    expect(Date.parse(record[1].started_at)).toBeGreaterThanOrEqual(Date.parse(record[0].ended_at));
  });

  it('remembers the order of a roll, so that no older run rolls back', async () => {
    const order = { key: 'shop@main', number: 8 };
    const claim = await client.holding('run 8', { order });
    await client.redeploy({ target_tag: TAG, dry_run: true }, fence(claim));
    await claim.release();
    const older = await client.holding('run 7', { order: { ...order, number: 7 } });
    await older.release();
    const again = await client.holding('run 8', { order });
    await client.redeploy({ target_tag: TAG }, fence(again));
    await again.release();
    const late = await client.claim('run 7', { order: { ...order, number: 7 } }).put();
    expect(expectProblem(late, 409, 'outdated').by).toMatchObject({ number: 8, state: 'rolled' });
    expect(
      (await client.claim('rollback', { order: { key: 'shop@rollback', number: 7 } }).put()).status,
    ).toBe(200);
  });
});

describe('an idempotency key', () => {
  it('joins a roll that runs and replays one that ended', async () => {
    await slow('acme');
    const claim = await client.holding('ci');
    const headers = { ...fence(claim), 'idempotency-key': 'run-1-batch-1' };
    const body = { target_tag: TAG, only_slugs: ['acme'] };
    const first = client.redeploy(body, headers);
    await eventually(async () => (await rolls()).length === 1);
    const second = client.redeploy(body, headers);
    expectProblem(await client.redeploy({ target_tag: TAG }, headers), 422, 'idempotency_key_reused');
    clock.step(5000);
    expect((await second).body).toEqual((await first).body);
    await claim.release();
    const replay = await client.redeploy(body, headers);
    expect([replay.status, replay.headers.get('idempotent-replayed')]).toEqual([200, 'true']);
    expect(replay.body).toEqual((await first).body);
    expect((await first).headers.get('idempotent-replayed')).toBeNull();
    expect(await rolls()).toHaveLength(1);
  });

  it('replays a failure as a failure', async () => {
    await behave('acme', 'failed');
    const claim = await client.holding('ci');
    const headers = { ...fence(claim), 'idempotency-key': 'k' };
    const first = await client.redeploy({ target_tag: TAG, only_slugs: ['acme'] }, headers);
    const again = await client.redeploy({ target_tag: TAG, only_slugs: ['acme'] }, headers);
    expect([again.status, again.body]).toEqual([500, first.body]);
  });
});

it('goes on rolling when the client hangs up', async () => {
  await slow('acme');
  const claim = await client.holding('ci');
  const hangUp = new AbortController();
  const call = fetch(`${plane.url}/cp/admin/tenants/redeploy-fleet`, {
    method: 'POST',
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json', ...fence(claim) },
    body: JSON.stringify({ target_tag: TAG, confirm: true, only_slugs: ['acme'] }),
    signal: hangUp.signal,
  }).catch(() => 'hung up');
  await eventually(async () => (await rolls()).length === 1);
  hangUp.abort();
  expect(await call).toBe('hung up');
  clock.step(5000);
  await eventually(async () => (await rolls())[0].ended_at !== null);
  expect(await buildinfo('acme')).toEqual({ git_sha: SHA });
});

describe('a roll that a dead control plane left behind', () => {
  const leave = (host: string, pid: number) =>
    sql(
      plane.databaseUrl,
      `WITH dead AS (INSERT INTO control_planes (id, host, pid) VALUES (gen_random_uuid(), $1, $2) RETURNING id)
       INSERT INTO rolls (group_name, fencing_token, fingerprint, target_tag, slugs, owner)
       SELECT 'staging', 1, 'f', 'old', '{acme}', id FROM dead`,
      [host, pid],
    );

  it('is closed once its beat stood still for six seconds', async () => {
    await leave('another-host', 1);
    const claim = await client.holding('ci');
    for (let second = 0; second < 6; second += 1) {
      const refused = await client.redeploy({ target_tag: TAG }, fence(claim));
      expectProblem(refused, 409, 'draining');
      expect(refused.body).toMatchObject({ draining: { fencing_token: 1, slugs: ['acme'] } });
      clock.step(1000);
      await plane.sweep();
    }
    clock.step(1000);
    await plane.sweep();
    expect((await client.redeploy({ target_tag: TAG }, fence(claim))).status).toBe(200);
    expect((await rolls())[0]).toMatchObject({ result: 'cut' });
    // The dead one left its row, as one without a roll does, and nobody else would ever take it away.
    const rows = () => sql<{ pid: number }>(plane.databaseUrl, 'SELECT pid FROM control_planes');
    expect(await rows()).toEqual([{ pid: process.pid }]);
    await sql(
      plane.databaseUrl,
      'INSERT INTO control_planes (id, host, pid) VALUES (gen_random_uuid(), $1, $2)',
      ['another-host', 2],
    );
    for (let second = 0; second < 6; second += 1) {
      await plane.sweep();
      expect(await rows()).toHaveLength(2);
      clock.step(1000);
    }
    await plane.sweep();
    expect(await rows()).toEqual([{ pid: process.pid }]);
  });

  it('is closed after two looks where its owner lives and does not carry it out', async () => {
    await sql(
      plane.databaseUrl,
      `INSERT INTO rolls (group_name, fencing_token, fingerprint, target_tag, slugs, owner)
       SELECT 'staging', 1, 'f', 'old', '{acme}', id FROM control_planes`,
    );
    const claim = await client.holding('ci');
    expectProblem(await client.redeploy({ target_tag: TAG }, fence(claim)), 409, 'draining');
    await plane.sweep();
    expectProblem(await client.redeploy({ target_tag: TAG }, fence(claim)), 409, 'draining');
    await plane.sweep();
    expect((await client.redeploy({ target_tag: TAG }, fence(claim))).status).toBe(200);
    expect((await rolls())[0]).toMatchObject({ result: 'cut' });
  });

  it('stays open while its owner beats, also one of the same host name whose process is not to be seen here', async () => {
    await leave(hostname(), GONE_PID);
    const second = await startPlane({ clock, databaseUrl: plane.databaseUrl });
    const claim = await client.holding('ci');
    for (let tick = 0; tick < 10; tick += 1) {
      await sql(plane.databaseUrl, 'UPDATE control_planes SET beat = beat + 1 WHERE pid = $1', [GONE_PID]);
      clock.step(1000);
      await Promise.all([plane.sweep(), second.sweep()]);
    }
    expectProblem(await client.redeploy({ target_tag: TAG }, fence(claim)), 409, 'draining');
    await second.close();
  });

  it('is closed at once by an owner that stops in an orderly way', async () => {
    const second = await startPlane({ clock, databaseUrl: plane.databaseUrl });
    await sql(
      plane.databaseUrl,
      `INSERT INTO rolls (group_name, fencing_token, fingerprint, target_tag, slugs, owner)
       SELECT 'staging', 1, 'f', 'old', '{acme}', id FROM control_planes ORDER BY started_at DESC LIMIT 1`,
    );
    const claim = await client.holding('ci');
    expectProblem(await client.redeploy({ target_tag: TAG }, fence(claim)), 409, 'draining');
    await second.close();
    expect((await client.redeploy({ target_tag: TAG }, fence(claim))).status).toBe(200);
    expect((await rolls())[0]).toMatchObject({ result: 'cut' });
  });

  it('cannot change a tenant any more', async () => {
    await slow('acme');
    const claim = await client.holding('ci');
    const call = client.redeploy({ target_tag: TAG, only_slugs: ['acme'] }, fence(claim));
    await eventually(async () => (await rolls()).length === 1);
    const before = await buildinfo('acme');
    await sql(plane.databaseUrl, "UPDATE rolls SET ended_at = now(), result = 'cut'");
    clock.step(5000);
    expect((await call).body).toMatchObject({ ok: false, results: [{ slug: 'acme', ssm_status: 'Failed' }] });
    expect(await buildinfo('acme')).toEqual(before);
  });
});

describe('a control plane of the first kind (legacy)', () => {
  it('knows no lock, takes no fence and proves nothing', async () => {
    const legacy = await startPlane({
      legacy: true,
      databaseUrl: await freshDatabase(server),
      fleet: { defaults: { roll_ms: 0 }, tenants: ['acme', 'birch'] },
    });
    const old = new Client(legacy.url, 'staging');
    expectProblem(await old.claim('ci').put(), 404, 'not_found');
    const answer = await old.redeploy(
      { target_tag: TAG, canary_slug: 'nobody' },
      { 'fleet-fence': 'anything' },
    );
    expect(answer.status).toBe(200);
    expect(rows(answer)).toEqual(['acme batch-1 Success', 'birch batch-1 Success']);
    expect(answer.body.results[0]).not.toHaveProperty('verified_on_target');
    expect((await old.redeploy({ target_tag: TAG, canary_slug: '' })).status).toBe(200);
    await legacy.close();
  });
});

it('a fleet is guarded by one lock group: a second server with another one does not start', async () => {
  const other = startControlPlane({
    token: TOKEN,
    databaseUrl: plane.databaseUrl,
    lockGroup: 'production',
  });
  await expect(other).rejects.toThrow('guarded by the lock group "staging"');
});
