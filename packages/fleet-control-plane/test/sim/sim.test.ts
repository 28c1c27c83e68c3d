import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ControlPlane } from '../../src/control-plane.js';
import { planPhases } from '../../src/rolls/phases.js';
import { answerOf, type Behaviour, type Tenant } from '../../src/sim/behaviour.js';
import { tenantNames } from '../../src/sim/names.js';
import { Client, expectProblem, startPlane, type TestClaim } from '../support/plane.js';

const OLD = 'a'.repeat(40);
const NEW = 'b'.repeat(40);

describe('what a tenant answers', () => {
  const tenant = (behaviour: Behaviour, rolled = true): Tenant => ({
    slug: 'acme',
    position: 1,
    behaviour,
    running: rolled
      ? { tag: 'new', sha: NEW, previousSha: OLD, swappedAt: 1000, gone: false }
      : { tag: 'old', sha: OLD, previousSha: null, swappedAt: null, gone: false },
  });
  const shas = (behaviour: Behaviour, wall: number, rolled = true) =>
    [0, 1, 2, 3].map((asked) => {
      const answer = answerOf(tenant(behaviour, rolled), wall, asked);
      return answer.kind === 'sha'
        ? ({ [OLD]: 'old', [NEW]: 'new' }[answer.sha] ?? answer.sha.slice(0, 4))
        : answer.kind;
    });
  it.each<[string, Behaviour, number, boolean, string[]]>([
    ['runs the new image at once', {}, 1000, true, ['new', 'new', 'new', 'new']],
    ['runs the old image before any roll', {}, 1000, false, ['old', 'old', 'old', 'old']],
    ['drains with the old commit', { drain_ms: 500 }, 1499, true, ['old', 'old', 'old', 'old']],
    ['is done draining', { drain_ms: 500 }, 1500, true, ['new', 'new', 'new', 'new']],
    [
      'alternates while it drains',
      { drain_ms: 500, drain_mode: 'alternate' },
      1499,
      true,
      ['old', 'new', 'old', 'new'],
    ],
    ['does not drain before any roll', { drain_ms: 500 }, 1100, false, ['old', 'old', 'old', 'old']],
    ['flaps for ever after a roll', { behaviour: 'flapping' }, 9e9, true, ['new', 'old', 'new', 'old']],
    ['does not flap before', { behaviour: 'flapping' }, 9e9, false, ['old', 'old', 'old', 'old']],
    ['reports dev', { behaviour: 'dev' }, 9e9, true, ['dev', 'dev', 'dev', 'dev']],
    ['reports another commit', { behaviour: 'wrong-sha' }, 9e9, true, ['fbbb', 'fbbb', 'fbbb', 'fbbb']],
    ['hangs', { behaviour: 'never-answers' }, 9e9, true, ['hang', 'hang', 'hang', 'hang']],
  ])('%s', (_what, behaviour, wall, rolled, expected) => {
    expect(shas(behaviour, wall, rolled)).toEqual(expected);
  });
});

it('plans canary and batches', () => {
  const plan = (slugs: string[], canary: string | undefined, size: number) =>
    planPhases(slugs, canary, size).map(({ name, slugs: each }) => `${name}: ${each.join(' ')}`);
  expect(plan(['a', 'b', 'c', 'd'], 'c', 2)).toEqual(['canary: c', 'batch-1: a b', 'batch-2: d']);
  expect(plan(['a', 'b'], undefined, 5)).toEqual(['batch-1: a b']);
  expect(plan(['a', 'b'], 'nobody', 1)).toEqual(['batch-1: a', 'batch-2: b']);
  expect(plan(['a'], 'a', 1)).toEqual(['canary: a']);
  expect(plan([], undefined, 3)).toEqual([]);
});

it('makes up as many different names as it is asked for', () => {
  expect(tenantNames(3)).toEqual(['acme', 'birch', 'cobalt']);
  expect(new Set(tenantNames(300)).size).toBe(300);
});

describe('over HTTP', () => {
  let plane: ControlPlane;
  let client: Client;
  let claim: TestClaim;
  beforeAll(async () => {
    plane = await startPlane({
      fleet: {
        initial: { image_tag: 'staging-old', git_sha: OLD },
        images: { latest: NEW },
        defaults: { roll_ms: 0 },
        tenants: ['acme', { slug: 'birch', behaviour: 'stuck' }],
      },
    });
    client = new Client(plane.url, 'staging');
    claim = await client.holding('ci');
  });
  afterAll(() => plane.close());

  const probe = (slug: string, init?: RequestInit) =>
    fetch(`${plane.tenantUrlTemplate.replace('{slug}', slug)}/buildinfo`, { redirect: 'manual', ...init });
  const set = (slug: string, body: Record<string, unknown>) =>
    client.call('PUT', `/sim/tenants/${slug}`, body);
  const roll = async (slug: string, tag = 'latest') => {
    const answer = await client.redeploy(
      { target_tag: tag, only_slugs: [slug] },
      { 'fleet-lock-group': 'staging', 'fleet-fence': String(claim.token) },
    );
    return { status: answer.status, row: answer.body.results[0] };
  };

  it('reads the fleet from a description', async () => {
    const { tenants, images } = (await client.call('GET', '/sim/tenants')).body;
    expect(tenants).toEqual([
      {
        slug: 'acme',
        roll_ms: 0,
        running: { image_tag: 'staging-old', git_sha: OLD },
        gone: false,
        rolls: 0,
      },
      {
        slug: 'birch',
        roll_ms: 0,
        behaviour: 'stuck',
        running: { image_tag: 'staging-old', git_sha: OLD },
        gone: false,
        rolls: 0,
      },
    ]);
    expect(images).toEqual({ latest: NEW });
    expect(await (await probe('acme')).json()).toEqual({ git_sha: OLD });
  });

  it('stuck: the roll says Success, the tenant and the proof say no', async () => {
    expect(await roll('birch')).toMatchObject({
      status: 200,
      row: { ssm_status: 'Success', verified_on_target: false, running_image: 'platform-tenant:staging-old' },
    });
    expect(await (await probe('birch')).json()).toEqual({ git_sha: OLD });
  });

  it('unhealthy: on target, but the roll fails', async () => {
    await set('sick', { behaviour: 'unhealthy', roll_ms: 0 });
    expect(await roll('sick')).toMatchObject({
      status: 500,
      row: { ssm_status: 'Success', healthz_ok: false },
    });
    expect(await (await probe('sick')).json()).toEqual({ git_sha: NEW });
  });

  it('failed: the row fails, the tenant stays', async () => {
    await set('broken', { behaviour: 'failed', roll_ms: 0, running: { image_tag: 'x', git_sha: OLD } });
    expect(await roll('broken')).toMatchObject({
      status: 500,
      row: { ssm_status: 'Failed', healthz_ok: false },
    });
    expect(await (await probe('broken')).json()).toEqual({ git_sha: OLD });
  });

  it('vanishes: Success, then gone from the network and from the fleet', async () => {
    await set('e2e-1', { behaviour: 'vanishes', roll_ms: 0 });
    expect(await roll('e2e-1')).toMatchObject({ status: 200, row: { ssm_status: 'Success' } });
    await expect(probe('e2e-1')).rejects.toThrow();
    const plan = await client.redeploy({ target_tag: 'latest', dry_run: true });
    expect(plan.body.results.map((row: { slug: string }) => row.slug)).not.toContain('e2e-1');
  });

  it('html, not-found, huge, redirect, refuses and never-answers', async () => {
    await set('odd', { behaviour: 'html' });
    expect([(await probe('odd')).status, await (await probe('odd')).text()]).toEqual([
      200,
      expect.stringContaining('<html>'),
    ]);
    await set('odd', { behaviour: 'not-found' });
    expect([(await probe('odd')).status, await (await probe('odd')).text()]).toEqual([
      404,
      expect.stringContaining('<html>'),
    ]);
    await set('odd', { behaviour: 'huge' });
    expect((await (await probe('odd')).text()).length).toBeGreaterThan(4_000_000);
    await set('odd', { behaviour: 'redirect' });
    expect((await probe('odd')).status).toBe(302);
    await set('odd', { behaviour: 'refuses' });
    await expect(probe('odd')).rejects.toThrow();
    await set('odd', { behaviour: 'never-answers' });
    await expect(probe('odd', { signal: AbortSignal.timeout(200) })).rejects.toThrow(/timeout/);
  });

  it('knows a tag by its registration, by a whole commit in it, or by the start of a registered commit', async () => {
    expect((await roll('acme', `release-${'c'.repeat(40)}`)).status).toBe(200);
    expect(await (await probe('acme')).json()).toEqual({ git_sha: 'c'.repeat(40) });
    expect((await client.call('PUT', '/sim/images/nightly', { git_sha: 'D'.repeat(40) })).status).toBe(200);
    expect((await roll('acme', 'staging-ddddddd')).status).toBe(200);
    expect(await (await probe('acme')).json()).toEqual({ git_sha: 'd'.repeat(40) });
    expect((await roll('acme', `latest@sha256:${'f'.repeat(64)}`)).status).toBe(200);
    expect(await (await probe('acme')).json()).toEqual({ git_sha: NEW });
    expect(await roll('acme', 'staging-eeeeeee')).toMatchObject({
      status: 500,
      row: { ssm_status: 'Failed', error: expect.stringContaining('not found') },
    });
  });

  it('removes tenants, and refuses what it does not know', async () => {
    await set('short-lived', {});
    expect((await client.call('DELETE', '/sim/tenants/short-lived')).status).toBe(204);
    expectProblem(await client.call('DELETE', '/sim/tenants/short-lived'), 404, 'unknown_tenant');
    expectProblem(await set('odd', { behaviour: 'confused' }), 400, 'bad_request');
    expectProblem(await set('Not_A_Slug', {}), 400, 'bad_request');
    expect((await probe('nobody')).status).toBe(404);
  });
});
