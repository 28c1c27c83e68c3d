/** What each run leaves behind: kept while it holds, closed with its release, lost where nobody closed it. */
import { randomUUID } from 'node:crypto';
import { ROLLOUT_MAX_BYTES, rolloutEntrySchema, rolloutsSchema } from '@tenant-fleet/fleet-core/contract';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { ControlPlane } from '../../src/control-plane.js';
import { Client, expectProblem, startPlane, type TestClaim } from '../support/plane.js';

let plane: ControlPlane;
let client: Client;
beforeAll(async () => {
  plane = await startPlane({ fleet: { tenants: ['acme'] } });
});
afterAll(() => plane.close());
beforeEach(() => {
  client = new Client(plane.url);
});

const rollout = (more: Record<string, unknown> = {}) => ({
  target_tag: 'main-1234567',
  tool_version: '1.2.3',
  tenants: [{ slug: 'acme', status: 'stale', phase: 'canary', baseline_sha: null, observed_sha: null }],
  slugs: ['acme'],
  unheard: { of: true },
  ...more,
});
const keep = (claim: TestClaim, more: Record<string, unknown> = {}) =>
  client.call('POST', `${claim.path}/rollout`, {
    session: claim.session,
    fencing_token: claim.token,
    rollout: rollout(more),
  });
const list = async (query = '') =>
  rolloutsSchema.parse((await client.call('GET', `${client.lock}/rollouts${query}`)).body);
const show = async (claim: TestClaim) =>
  rolloutEntrySchema.parse((await client.call('GET', `${client.lock}/rollouts/${claim.id}`)).body);

it('shows what a holder has got to, replaced as a whole, with fields that the server does not know', async () => {
  const claim = await client.holding('ci');
  expect((await keep(claim)).status).toBe(200);
  expect((await keep(claim, { counts: { on_target: 1 }, slugs: ['acme', 'birch'] })).status).toBe(200);
  const entry = await show(claim);
  expect(entry).toMatchObject({
    state: 'running',
    fencing_token: claim.token,
    holder: { name: 'ci' },
    ended_at: null,
  });
  expect(entry.rollout).toEqual(rollout({ counts: { on_target: 1 }, slugs: ['acme', 'birch'] }));
});

it('leaves tenants and timelines out of lists, newest first, page by page, by outcome', async () => {
  const claims: TestClaim[] = [];
  const timeline = [{ at_ms: 1, event: 'wave.started', phase: 'canary' }];
  for (const outcome of ['succeeded', 'failed', 'succeeded']) {
    const claim = await client.holding(outcome);
    await claim.release({ fencing_token: claim.token, rollout: rollout({ outcome, timeline }) });
    claims.unshift(claim);
  }
  const ids = claims.map(({ id }) => id);
  const all = await list();
  expect(all.rollouts.map(({ claim_id }) => claim_id)).toEqual(ids);
  for (const part of ['tenants', 'slugs', 'timeline'])
    expect(all.rollouts[0]?.rollout).not.toHaveProperty(part);
  expect((await show(claims[0] as TestClaim)).rollout).toMatchObject({ timeline });
  expect(all.next_before).toBeNull();
  const first = await list('?limit=2');
  expect(first.rollouts.map(({ claim_id }) => claim_id)).toEqual(ids.slice(0, 2));
  const rest = await list(`?limit=2&before=${first.next_before}`);
  expect([rest.rollouts.map(({ claim_id }) => claim_id), rest.next_before]).toEqual([ids.slice(2), null]);
  expect((await list('?outcome=failed')).rollouts.map(({ claim_id }) => claim_id)).toEqual([ids[1]]);
});

it.each<[string, string, (claim: TestClaim) => Promise<unknown>]>([
  ['ended', 'with a verdict', (claim) => claim.release({ rollout: rollout({ outcome: 'failed' }) })],
  ['lost', 'released by somebody who knows no verdict', (claim) => claim.release()],
  [
    'lost',
    'broken',
    (claim) =>
      client.post('break', { fencing_token: claim.token, reason: 'r', actor: 'a', confirm_alive: true }),
  ],
])('is "%s" when its claim is over, %s', async (state, _how, end) => {
  const claim = await client.holding('ci');
  await keep(claim);
  await end(claim);
  expect(await show(claim)).toMatchObject({ state, ended_at: expect.any(String) });
});

it('takes the last word of a lease that was lost: the next run has to know what was left open', async () => {
  const claim = await client.holding('ci');
  await client.post('break', { fencing_token: claim.token, reason: 'r', actor: 'a', confirm_alive: true });
  const open_calls = [
    { slugs: ['acme'], target_tag: 'x', sent_at: '2026-01-01T00:00:00Z', may_last_seconds: 600 },
  ];
  const answer = await claim.release({ fencing_token: claim.token, rollout: rollout({ open_calls }) });
  expect(answer.body).toMatchObject({ state: 'broken', already: true });
  expect((await show(claim)).rollout.open_calls).toEqual(open_calls);
});

it('nothing that is late takes the place of what came with the release', async () => {
  const claim = await client.holding('ci');
  await claim.release({ rollout: rollout({ outcome: 'succeeded' }) });
  expectProblem(await keep(claim), 409, 'lease_lost');
  await claim.release({ rollout: rollout({ outcome: 'failed' }) });
  expect((await show(claim)).rollout.outcome).toBe('succeeded');
});

it('refuses who does not hold', async () => {
  const claim = await client.holding('ci');
  const waiter = await client.waiting('waiter');
  waiter.token = claim.token;
  expectProblem(await keep(waiter), 409, 'lease_lost');
  const { session } = claim;
  claim.session = 'another-session';
  expectProblem(await keep(claim), 409, 'claim_in_use');
  expect((await claim.release({ rollout: rollout() })).status).toBe(409);
  claim.session = session;
  claim.token += 1;
  expectProblem(await keep(claim), 409, 'lease_lost');
  expectProblem(await client.call('GET', `${client.lock}/rollouts/${claim.id}`), 404, 'unknown_rollout');
  expectProblem(await client.call('GET', `${client.lock}/rollouts/${randomUUID()}`), 404, 'unknown_rollout');
});

it('a release whose rollout is too large counts, and says so', async () => {
  const claim = await client.holding('ci');
  const waiter = await client.waiting('waiter');
  const large = rollout({ reason: 'x'.repeat(ROLLOUT_MAX_BYTES) });
  const answer = await claim.release({ rollout: large });
  expect(expectProblem(answer, 413, 'rollout_too_large')).toMatchObject({
    state: 'released',
    already: false,
  });
  expect((await client.status()).held.claim_id).toBe(waiter.id);
  expectProblem(await client.call('GET', `${client.lock}/rollouts/${claim.id}`), 404, 'unknown_rollout');
});

it('takes a rollout of some megabytes', async () => {
  const claim = await client.holding('ci');
  const slugs = Array.from({ length: 130_000 }, (_, index) => `tenant-${index}`);
  expect((await keep(claim, { slugs })).status).toBe(200);
  expect((await show(claim)).rollout.slugs).toHaveLength(130_000);
});
