/** Rollouts on one server: orders, refusals, what people do to them, and who may. */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RolloutOrder } from '@tenant-fleet/fleet-core/contract';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { ControlPlane } from '../../src/control-plane.js';
import { Database } from '../../src/db/database.js';
import { type EmbeddedDatabase, freePort, startEmbedded } from '../../src/db/embedded.js';
import { migrate } from '../../src/db/migrate.js';
import { makeToken } from '../../src/http/auth/tokens.js';
import { Environments } from '../../src/rollouts/environments.js';
import { SELF_URL } from '../../src/rollouts/self.js';
import type { RolloutRow } from '../../src/rollouts/store.js';
import * as store from '../../src/rollouts/store.js';
import {
  type Body,
  Client,
  eventually,
  expectProblem,
  freshDatabase,
  sql,
  startPlane,
  TOKEN,
} from '../support/plane.js';

const SHA = '2222222222222222222222222222222222222222';
const TAG = 'staging-2222222';
const PATH = '/cp/admin/rollouts';

const folder = mkdtempSync(join(tmpdir(), 'fleet-rollouts-'));
let database: EmbeddedDatabase;
let plane: ControlPlane;
let client: Client;
const staff = makeToken({ name: 'staging-only', scopes: ['read', 'roll'], groups: ['staging'] });
const reader = makeToken({ name: 'reader', scopes: ['read'] });

const staging = {
  'control-plane': 'self',
  canary: 't1',
  soak: '0s',
  'batch-size': 1,
  'settle-budget': '3s',
  'policy-bounds': {
    soak: { max: '10s' },
    canary: { 'one-of': ['t1', 't2'] },
    'batch-size': { min: 1, max: 3 },
    only: true,
  },
};

beforeAll(async () => {
  database = await startEmbedded();
  const port = await freePort();
  const own = { ...staging, 'tenant-url': `http://127.0.0.1:${port}/{slug}` };
  const tokensFile = join(folder, 'tokens.yaml');
  writeFileSync(tokensFile, `${staff.line}\n${reader.line}\n`);
  plane = await startPlane({
    databaseUrl: await freshDatabase(database),
    tenantPort: port,
    tokensFile,
    pauseLimitMs: 1500,
    fleet: { images: { [TAG]: SHA }, defaults: { roll_ms: 100 }, tenants: ['t1', 't2', 't3'] },
    config: {
      path: 'fleet.config.yaml',
      content: { environments: { staging: own, production: { ...own, 'lock-group': 'production' } } },
    },
  });
  client = new Client(plane.url);
});
afterAll(async () => {
  await plane.close();
  await database.close();
  rmSync(folder, { recursive: true });
});

const order = (more: Record<string, unknown> = {}) => ({
  environment: 'staging',
  target_tag: TAG,
  expected_sha: SHA,
  holder: { name: 'test' },
  ...more,
});
const post = (body: unknown, key: string = randomUUID(), token = TOKEN) =>
  client.call('POST', PATH, body, { 'idempotency-key': key, authorization: `Bearer ${token}` });
const get = (path: string, token = TOKEN) =>
  client.call('GET', PATH + path, undefined, { authorization: `Bearer ${token}` });
const started = async () => ((await sql(plane.databaseUrl, 'SELECT id FROM rollouts')) as Body[]).length;
const eventsOf = async (id: string): Promise<Body[]> => (await get(`/${id}/events`)).body.events;
const said = (id: string, code: string) =>
  eventually(async () => (await eventsOf(id)).some((event) => event.code === code));
async function ended(id: string): Promise<Body> {
  await eventually(async () => (await get(`/${id}`)).body.state === 'ended', 15_000);
  return (await get(`/${id}`)).body;
}
/** Every tenant runs the old image again. */
async function reset(): Promise<void> {
  const running = { image_tag: 'staging-1111111', git_sha: '1'.repeat(40) };
  for (const slug of ['t1', 't2', 't3'])
    await client.call('PUT', `/sim/tenants/${slug}`, { roll_ms: 100, running });
}

describe('an order', () => {
  it('is rolled, and the same key again names the same rollout', async () => {
    const key = randomUUID();
    const first = await post(order({ policy: { 'batch-size': 2 } }), key);
    expect([first.status, first.body.state]).toEqual([202, 'queued']);
    const { id } = first.body;
    expect((await post(order({ policy: { 'batch-size': 2 } }), key)).body.id).toBe(id);
    expectProblem(await post(order(), key), 422, 'idempotency_key_reused');
    const verdict = await ended(id);
    expect(verdict).toMatchObject({ outcome: 'succeeded', takeovers: 0 });
    expect(verdict.result).toMatchObject({ deployed: true, rollout: { id, takeovers: 0 } });
    const waves = (await eventsOf(id)).filter(({ code }) => code === 'wave.started');
    expect(waves.map(({ slugs }) => slugs)).toEqual([['t1'], ['t2', 't3']]);
    expect((await get('?environment=staging&state=ended')).body.rollouts[0]).toMatchObject({
      id,
      outcome: 'succeeded',
    });
  });

  it('may name the image by its digest, and tells nobody an address that is this server to itself alone', async () => {
    await reset();
    const target = `${TAG}@sha256:${'a'.repeat(64)}`;
    const { status, body } = await post(order({ target_tag: target, policy: { 'batch-size': 2 } }));
    expect([status, body.target_tag]).toEqual([202, target]);
    const verdict = await ended(body.id);
    expect(verdict).toMatchObject({ outcome: 'succeeded', result: { target_tag: target } });
    expect(verdict.result).not.toHaveProperty('control_plane');
    const events = await eventsOf(body.id);
    expect(events[0]).toMatchObject({ code: 'run.started', target_tag: target });
    expect(JSON.stringify([verdict, events])).not.toContain(SELF_URL);
    const [kept] = (await client.call('GET', '/cp/admin/fleet-locks/staging/rollouts?limit=1')).body.rollouts;
    expect(kept.rollout.target_tag).toBe(target);
  });

  it.each<[string, number, string, Record<string, unknown>]>([
    ['a digest that is none', 400, 'bad_request', { target_tag: `${TAG}@sha256:1` }],
    ['an unknown environment', 404, 'unknown_environment', { environment: 'stagin' }],
    ['a setting that the server keeps to itself', 422, 'policy_refused', { policy: { force: true } }],
    ['an address', 422, 'policy_refused', { policy: { 'tenant-url': 'http://evil.example/{slug}' } }],
    ['an address beside the policy', 400, 'bad_request', { control_plane: 'http://evil.example' }],
    ['a value above its bound', 422, 'policy_refused', { policy: { soak: '11s' } }],
    ['a value below its bound', 422, 'policy_refused', { policy: { 'batch-size': 0 } }],
    ['a value that is none of those allowed', 422, 'policy_refused', { policy: { canary: 't3' } }],
    ['a value of another kind', 422, 'policy_refused', { policy: { soak: 'soon' } }],
    ['a name of no object', 422, 'policy_refused', { policy: { constructor: 'x' } }],
    ['a commit that is none', 400, 'bad_request', { expected_sha: 'main' }],
  ])('with %s starts nothing', async (_what, status, code, more) => {
    const before = await started();
    expectProblem(await post(order(more)), status, code);
    expect(await started()).toBe(before);
  });

  it('without a key starts nothing', async () => {
    expectProblem(await client.call('POST', PATH, order()), 400, 'bad_request');
  });
});

describe('who may', () => {
  it('see and order: whoever may name the lock group of the environment', async () => {
    const { id } = (await post(order({ environment: 'production' }))).body;
    for (const path of [`/${id}`, `/${id}/events`, '?environment=production'])
      expectProblem(await get(path, staff.token), 403, 'forbidden');
    expect(
      (await get('', staff.token)).body.rollouts.map(({ environment }: Body) => environment),
    ).not.toContain('production');
    expectProblem(
      await post(order({ environment: 'production' }), randomUUID(), staff.token),
      403,
      'forbidden',
    );
    expectProblem(await post(order(), randomUUID(), reader.token), 403, 'forbidden');
    const own = await post(
      order({ holder: { name: 'test', actor: 'somebody else' } }),
      randomUUID(),
      staff.token,
    );
    expect(own.body.holder.actor).toBe('staging-only');
    await ended(own.body.id);
    expectProblem(await get(`/${randomUUID()}/events`), 404, 'unknown_rollout');
    await ended(id);
  });
});

describe('a person', () => {
  const act = (id: string, deed: string) =>
    client.call('POST', `${PATH}/${id}/${deed}`, { reason: 'looking at t1', actor: 'alice' });

  it('pauses before the next wave, and goes on', async () => {
    await reset();
    const { id } = (await post(order())).body;
    await said(id, 'wave.started');
    expect((await act(id, 'pause')).body.state).toBe('pausing');
    await said(id, 'run.paused');
    expect((await get(`/${id}`)).body).toMatchObject({
      state: 'paused',
      wish: { kind: 'pause', actor: 'alice' },
    });
    // The lock is kept meanwhile.
    expect((await client.call('GET', '/cp/admin/fleet-locks/staging')).body.held.claim_id).toBe(id);
    expect((await act(id, 'resume')).body.state).toBe('running');
    expect(await ended(id)).toMatchObject({ outcome: 'succeeded' });
    expectProblem(await act(id, 'pause'), 409, 'wrong_state');
  });

  it('who forgets a pause gets a hold, and the lock is free', async () => {
    await reset();
    const { id } = (await post(order())).body;
    await said(id, 'wave.started');
    await act(id, 'pause');
    const { outcome, reason, result } = await ended(id);
    expect([outcome, result.deployed]).toEqual(['held', false]);
    expect(reason).toMatch(/^paused by alice for longer than .*looking at t1/);
    expect((await client.call('GET', '/cp/admin/fleet-locks/staging')).body.held).toBeNull();
  });

  it('aborts before the next wave', async () => {
    await reset();
    const { id } = (await post(order())).body;
    await said(id, 'wave.started');
    await act(id, 'abort');
    const { outcome, reason, result } = await ended(id);
    expect(outcome).toBe('interrupted');
    expect(reason).toContain('aborted by alice: looking at t1');
    expect(result.counts).toMatchObject({ enumerated: 3 });
    expect(result.counts.on_target).toBeLessThan(3);
  });

  it('aborts what still waits for the lock at once', async () => {
    const holder = await new Client(plane.url, 'staging').holding('somebody');
    const { id } = (await post(order())).body;
    await said(id, 'lock.waiting');
    await act(id, 'abort');
    expect(await ended(id)).toMatchObject({ outcome: 'interrupted' });
    await holder.release();
  });
});

describe('a process that is gone', () => {
  const left = () => ({
    ...{ id: randomUUID(), idempotencyKey: randomUUID(), fingerprint: '', owner: randomUUID() },
    ...{ environment: 'staging', group: 'staging', request: order() as RolloutOrder },
  });

  it('is followed by another one, which is asked again where the first that was asked is gone too', async () => {
    await reset();
    const rollout = left();
    const db = new Database(plane.databaseUrl, 1);
    await db.rows({
      text: `WITH one AS (INSERT INTO rollouts (id, idempotency_key, fingerprint, environment, group_name, request, state, owner, asked_at)
          VALUES ($1, $2, '', 'staging', 'staging', $3, 'queued', $4, now() - interval '4 seconds') RETURNING id) SELECT id FROM one`,
      values: [rollout.id, rollout.idempotencyKey, JSON.stringify(rollout.request), rollout.owner],
    });
    await db.close();
    expect(await ended(rollout.id)).toMatchObject({ outcome: 'succeeded' });
  });

  it('writes nothing more once another one has begun its turn', async () => {
    const url = await freshDatabase(database);
    await migrate(url);
    const db = new Database(url, 1);
    const { id } = await store.insertRollout(db, left());
    const first = (await store.beginTurn(db, id, randomUUID())) as RolloutRow;
    expect(await store.appendEvents(db, first, [{ code: 'first' }])).toBe(true);
    const second = (await store.beginTurn(db, id, randomUUID())) as RolloutRow;
    const verdict = { outcome: 'succeeded', reason: 'r', result: null };
    expect(await store.appendEvents(db, first, [{ code: 'late' }])).toBe(false);
    expect(await store.setState(db, first, ['queued'], 'running')).toBeUndefined();
    expect(await store.endRollout(db, first, verdict)).toBe(false);
    expect(await store.takeAsking(db, first, 0)).toBe(false);
    expect(await store.takeAsking(db, second, 5)).toBe(true);
    expect(await store.takeAsking(db, second, 5)).toBe(false);
    expect(await store.takeAsking(db, second, 0)).toBe(true);
    expect(await store.appendEvents(db, second, [{ code: 'second' }])).toBe(true);
    expect(await store.endRollout(db, second, verdict)).toBe(true);
    const events = await store.readRolloutEvents(db, id, 0, 10);
    expect(events.map(({ n, event }) => [n, event.code])).toEqual([
      [1, 'first'],
      [2, 'second'],
    ]);
    await db.close();
  });
});

describe('events', () => {
  it('are kept in order, and waited for', async () => {
    await reset();
    const { id } = (await post(order())).body;
    const seen: Body[] = [];
    for (let after = 0, over = false; !over; ) {
      const { events, next, ended: last } = (await get(`/${id}/events?after=${after}&wait_seconds=20`)).body;
      seen.push(...events);
      after = next;
      over = last;
    }
    expect(seen.map(({ n }) => n)).toEqual(seen.map((_, at) => at + 1));
    expect(seen.at(-1).code).toBe('run.finished');
    expect(await eventsOf(id)).toEqual(seen);
  });
});

describe('a configuration', () => {
  it.each<[string, Record<string, unknown>, RegExp]>([
    [
      'whose lock is elsewhere',
      { ...staging, 'tenant-url': 'https://{slug}.example.com', 'control-plane': 'https://cp.example.com' },
      /write lock-url: self/,
    ],
    [
      'whose lease is too short',
      { ...staging, 'tenant-url': 'https://{slug}.example.com', 'lock-ttl': '5s' },
      /lock-ttl must be at least 15s/,
    ],
    ['that lacks an address', { 'control-plane': 'self' }, /--tenant-url is missing/],
    [
      'with a bound of nothing known',
      { ...staging, 'policy-bounds': { colour: true } },
      /policy-bounds of environments.staging/,
    ],
    ['with a typing error', { ...staging, 'tenant-ulr': 'x' }, /tenant-ulr.*unknown key/],
    ['with a secret in it', { ...staging, token: 'x' }, /unknown key/],
    [
      'without a lock',
      { ...staging, 'tenant-url': 'https://{slug}.example.com', 'no-lock': true },
      /leave no-lock/,
    ],
  ])('%s is refused before anything starts', async (_what, section, why) => {
    const file = { path: 'fleet.config.yaml', content: { environments: { staging: section } } };
    await expect(Environments.open(file, TOKEN)).rejects.toThrow(why);
  });

  it('is taken as docs/server-rollouts.md shows it', async () => {
    const page = readFileSync(new URL('../../../../docs/server-rollouts.md', import.meta.url), 'utf8');
    const tokenFile = join(folder, 'gitea-token');
    writeFileSync(tokenFile, 'gitea-token-of-the-server\n');
    const shown = /```yaml\n([\s\S]*?)```/.exec(page)?.[1] ?? '';
    const content = parse(shown.replace('/run/secrets/gitea', tokenFile)) as Record<string, unknown>;
    const { names } = await Environments.open({ path: join(folder, 'fleet.config.yaml'), content }, TOKEN);
    expect(names).toEqual(['staging']);
  });

  it('reads a token file beside it, anew for each rollout', async () => {
    const tokenFile = join(folder, 'token');
    writeFileSync(tokenFile, 'first-token-first\n');
    const section = { ...staging, 'tenant-url': 'https://{slug}.example.com', 'token-file': 'token' };
    const file = { path: join(folder, 'fleet.config.yaml'), content: { environments: { staging: section } } };
    const environments = await Environments.open(file, undefined);
    writeFileSync(tokenFile, 'second-token-second\n');
    const config = await environments.configOf(order() as Parameters<typeof environments.configOf>[0]);
    expect([config.controlPlaneToken, config.lock?.token]).toEqual([
      'second-token-second',
      'second-token-second',
    ]);
  });
});
