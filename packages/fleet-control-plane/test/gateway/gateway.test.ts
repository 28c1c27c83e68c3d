import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { redeployAnswerSchema } from '@tenant-fleet/fleet-core/contract';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ControlPlane } from '../../src/control-plane.js';
import { type EmbeddedDatabase, startEmbedded } from '../../src/db/embedded.js';
import type { UpstreamOptions } from '../../src/gateway/start.js';
import { ManualClock } from '../support/clock.js';
import {
  advance,
  Client,
  eventually,
  expectProblem,
  fenceOf,
  freshDatabase,
  startPlane,
  type TestClaim,
} from '../support/plane.js';
import { endProcesses, startPlaneProcess } from '../support/processes.js';
import { FakeUpstream, json, UPSTREAM_TOKEN } from '../support/upstream.js';

const SHA = 'abcdef1234567890abcdef1234567890abcdef12';
const TAG = `staging-${SHA}`;
const NAMES = ['acme', 'birch', 'cobalt'];
const ONE = { target_tag: TAG, only_slugs: ['acme'] };

let folder: string;
let tokenFile: string;
let server: EmbeddedDatabase;
let upstream: FakeUpstream;
let clock: ManualClock;
let said: string[];
let plane: ControlPlane;
let client: Client;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fleet-gateway-'));
  tokenFile = join(folder, 'token');
  server = await startEmbedded();
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});
beforeEach(async () => {
  await writeFile(tokenFile, `${UPSTREAM_TOKEN}\n`);
  upstream = await FakeUpstream.start(NAMES);
  clock = new ManualClock();
  said = [];
  await start(await freshDatabase(server));
});
afterEach(async () => {
  await endProcesses();
  await plane.close();
  await upstream.close();
});

async function start(databaseUrl: string, more: Partial<UpstreamOptions> = {}): Promise<void> {
  plane = await startPlane({
    clock,
    databaseUrl,
    mode: 'gateway',
    upstream: { url: upstream.url, tokenFile, tenantUrl: upstream.tenantUrl, ...more },
    log: (line) => said.push(line),
  });
  client = new Client(plane.url, 'staging');
}
async function restart(more: Partial<UpstreamOptions> = {}): Promise<void> {
  await plane.close();
  await start(plane.databaseUrl, more);
}

const fence = (claim: TestClaim, key?: string) => ({
  ...fenceOf(claim),
  ...(key && { 'idempotency-key': key }),
});
const rolls = async () => (await client.call('GET', '/cp/admin/rolls')).body.rolls;
/** Another holder, after the first one's lease was broken. */
async function successor(of: TestClaim): Promise<TestClaim> {
  await client.post('break', { fencing_token: of.token, reason: 'test', actor: 'ann', confirm_alive: true });
  return client.holding('next');
}
/** Whether a holder is let in. */
const letsIn = async (claim: TestClaim) =>
  (await client.redeploy({ target_tag: TAG, only_slugs: ['cobalt'] }, fence(claim))).status === 200;
const destroys = (_call: unknown, response: { socket: { destroy: () => void } | null }) =>
  void response.socket?.destroy();

describe('a roll through a gateway', () => {
  it('needs the fence, goes to the upstream once for each key, and stands in the record', async () => {
    expectProblem(await client.redeploy(ONE), 428, 'fence_missing');
    expect(upstream.calls).toEqual([]);
    const claim = await client.holding('ci');
    const answer = await client.redeploy(ONE, fence(claim, 'one'));
    expect([answer.status, redeployAnswerSchema.parse(answer.body).results]).toEqual([
      200,
      [{ slug: 'acme', phase: 'batch-1', ssm_status: 'Success', ssm_exit_code: 0, healthz_ok: true }],
    ]);
    const again = await client.redeploy(ONE, fence(claim, 'one'));
    expect([again.headers.get('idempotent-replayed'), again.body]).toEqual(['true', answer.body]);
    expect(upstream.rolls).toMatchObject([{ target_tag: TAG, confirm: true, only_slugs: ['acme'] }]);
    expect(await rolls()).toMatchObject([
      { group: 'staging', fencing_token: claim.token, claim_id: claim.id, slugs: ['acme'], result: 'ok' },
    ]);
  });

  it('takes the empty canary of old callers for none', async () => {
    const claim = await client.holding('ci');
    expect((await client.redeploy({ ...ONE, canary_slug: '' }, fence(claim))).status).toBe(200);
    expect(upstream.rolls[0]).not.toHaveProperty('canary_slug');
  });

  it('reads its own token anew for every call', async () => {
    const claim = await client.holding('ci');
    await writeFile(tokenFile, 'rotated');
    expectProblem(await client.redeploy(ONE, fence(claim)), 401, 'upstream_unauthorized');
    await rm(tokenFile);
    expectProblem(await client.redeploy(ONE, fence(claim)), 503, 'upstream_token_missing');
    await writeFile(tokenFile, UPSTREAM_TOKEN);
    expect((await client.redeploy(ONE, fence(claim))).status).toBe(200);
  });

  it('hands on rows as the contract names them, and no word that tells of machines', async () => {
    upstream.act = () =>
      json(500, {
        ok: false,
        error: 'InvalidInstanceId: i-0123456789abcdef0 in 123456789012',
        internal: 'arn:aws:ssm:eu-1:123456789012:x',
        results: [
          {
            slug: 'acme',
            phase: 'batch-1',
            ssm_status: 'Failed',
            ssm_exit_code: 2,
            verified_on_target: null,
            running_image: '123456789012.dkr.ecr.eu-1.amazonaws.com/platform-tenant:staging-old',
            error: 'no route to 10.1.2.3',
            instance: 'i-0123456789abcdef0',
          },
        ],
      });
    const claim = await client.holding('ci');
    const { status, body } = await client.redeploy(ONE, fence(claim));
    expect(status).toBe(500);
    expect(body).toEqual({
      ok: false,
      error: 'InvalidInstanceId: [resource] in [account]',
      results: [
        {
          slug: 'acme',
          phase: 'batch-1',
          ssm_status: 'Failed',
          ssm_exit_code: 2,
          verified_on_target: null,
          running_image: 'platform-tenant:staging-old',
          error: 'no route to [ip]',
        },
      ],
    });
    expect((await rolls())[0]).toMatchObject({ result: 'failed' });
  });
});

describe('what the upstream answers', () => {
  const SECRET = 'arn:aws:iam::123456789012:role/roller';
  it.each<
    [what: string, upstream: number, status: number, code: string, end: 'refused' | 'unavailable' | 'lost']
  >([
    ['a bad request', 400, 400, 'upstream_refused', 'refused'],
    ['a wrong token', 401, 401, 'upstream_unauthorized', 'refused'],
    ['an edge that refuses', 403, 403, 'upstream_unauthorized', 'refused'],
    ['no such call', 404, 501, 'upstream_lacks_redeploy', 'refused'],
    ['not implemented', 501, 501, 'upstream_lacks_redeploy', 'refused'],
    ['a redirect', 302, 501, 'upstream_lacks_redeploy', 'refused'],
    ['a fence of its own', 412, 400, 'upstream_refused', 'refused'],
    ['too many requests', 429, 429, 'upstream_busy', 'refused'],
    ['a bad gateway', 502, 502, 'upstream_unavailable', 'unavailable'],
    ['unavailable', 503, 503, 'upstream_unavailable', 'unavailable'],
    ['a gateway timeout', 504, 504, 'upstream_lost', 'lost'],
    ["an edge's timeout", 524, 504, 'upstream_lost', 'lost'],
    ['an error without rows', 500, 504, 'upstream_lost', 'lost'],
    ['a success without rows', 200, 504, 'upstream_lost', 'lost'],
    ['accepted', 202, 504, 'upstream_lost', 'lost'],
  ])('%s (%i) is handed on as %i %s', async (_what, from, status, code, end) => {
    upstream.act = () => ({ status: from, body: `<html>${SECRET}</html>` });
    const claim = await client.holding('ci');
    const answer = await client.redeploy(ONE, fence(claim, 'k'));
    expect(JSON.stringify(expectProblem(answer, status, code))).not.toContain('arn:');
    const [roll] = await rolls();
    if (end === 'refused') expect(roll).toMatchObject({ result: 'refused', idempotency_key: null });
    else expect(roll).toMatchObject({ ended_at: null, unseen: end });
    // Refused or hardly begun: the holder may send the same again.
    upstream.act = upstream.roll;
    const mayRepeat = end !== 'lost';
    if (mayRepeat) expect((await client.redeploy(ONE, fence(claim, 'k'))).status).toBe(200);
    else expectProblem(await client.redeploy(ONE, fence(claim)), 409, 'draining');
    expect(upstream.rolls).toHaveLength(mayRepeat ? 2 : 1);
  });

  it('nothing at all, where nobody listens: nothing was rolled', async () => {
    await upstream.close();
    const claim = await client.holding('ci');
    expectProblem(await client.redeploy(ONE, fence(claim)), 503, 'upstream_unreachable');
    expect((await rolls())[0]).toMatchObject({ result: 'refused' });
  });
});

describe('a roll whose answer was lost', () => {
  async function loseOne(): Promise<TestClaim> {
    const claim = await client.holding('ci');
    upstream.act = destroys as typeof upstream.act;
    expectProblem(await client.redeploy(ONE, fence(claim)), 504, 'upstream_lost');
    upstream.act = upstream.roll;
    return successor(claim);
  }

  it('counts as running until every tenant of it answers its commit, twice', async () => {
    const next = await loseOne();
    expect((await next.renew()).body.draining).toMatchObject({ slugs: ['acme'] });
    await advance(clock, plane, 20);
    expect(await letsIn(next)).toBe(false);
    upstream.running.set('acme', SHA);
    await eventually(async () => {
      await next.renew();
      await advance(clock, plane, 1);
      return (await rolls())[0].ended_at !== null;
    });
    expect((await rolls())[0]).toMatchObject({ result: 'cut' });
    expect(await letsIn(next)).toBe(true);
    expect((await next.renew()).body).not.toHaveProperty('draining');
  });

  it.each<[string, () => Promise<unknown>]>([
    ['whose tenants ran its commit before', async () => upstream.running.set('acme', SHA)],
    ['whose tenants cannot be asked', () => restart({ tenantUrl: undefined as never })],
  ])('%s counts as running for its longest time', async (_what, given) => {
    await given();
    const next = await loseOne();
    upstream.running.set('acme', SHA);
    for (let minute = 0; minute < 10; minute += 1) {
      expect(await letsIn(next)).toBe(false);
      for (let part = 0; part < 6; part += 1) {
        clock.step(10_000);
        await plane.sweep();
        await next.renew();
      }
    }
    expect(await letsIn(next)).toBe(true);
  });

  it('keeps others out after "unavailable" too, while its own holder may send it again', async () => {
    const claim = await client.holding('ci');
    upstream.act = () => json(503, {});
    expectProblem(await client.redeploy(ONE, fence(claim, 'k')), 503, 'upstream_unavailable');
    expect(await letsIn(await successor(claim))).toBe(false);
    expect(upstream.rolls).toHaveLength(1);
  });
});

describe('the key of a roll', () => {
  const settle = async (claim: TestClaim, ...keys: string[]) => {
    const { body } = await client.call('POST', '/cp/admin/rolls/settle', { keys }, fenceOf(claim));
    return body.rolls.map(({ state }: { state: string }) => state);
  };

  it('that was given up before it arrived never reaches the upstream', async () => {
    const claim = await client.holding('ci');
    expect(await settle(claim, 'late')).toEqual(['given_up']);
    expectProblem(await client.redeploy(ONE, fence(claim, 'late')), 409, 'roll_given_up');
    expect([upstream.calls, await rolls()]).toEqual([[], []]);
  });

  it('that the upstream refused is free until it is given up', async () => {
    const claim = await client.holding('ci');
    upstream.act = () => json(400, {});
    expectProblem(await client.redeploy(ONE, fence(claim, 'k')), 400, 'upstream_refused');
    expect(await settle(claim, 'k')).toEqual(['given_up']);
    upstream.act = upstream.roll;
    expectProblem(await client.redeploy(ONE, fence(claim, 'k')), 409, 'roll_given_up');
    expect(upstream.rolls).toHaveLength(1);
  });

  it('that hardly began goes to the upstream once more as itself, and not at all once it was asked for', async () => {
    const claim = await client.holding('ci');
    upstream.act = () => json(503, {});
    for (const _time of [1, 2])
      expectProblem(await client.redeploy(ONE, fence(claim, 'k')), 503, 'upstream_unavailable');
    expect(new Set(upstream.rolls.map(({ key }) => key)).size).toBe(1);
    // It may have begun: whoever asks waits for its end, and it gets no further chance.
    expect(await settle(claim, 'k')).toEqual(['open']);
    upstream.act = upstream.roll;
    expectProblem(await client.redeploy(ONE, fence(claim, 'k')), 409, 'roll_given_up');
    expect(upstream.rolls).toHaveLength(2);
    upstream.running.set('acme', SHA);
    await eventually(async () => {
      await claim.renew();
      await advance(clock, plane, 1);
      return (await settle(claim, 'k'))[0] === 'ended';
    });
  });

  it('of a roll whose answer was lost joins that roll, and starts none', async () => {
    const claim = await client.holding('ci');
    upstream.act = destroys as typeof upstream.act;
    expectProblem(await client.redeploy(ONE, fence(claim, 'k')), 504, 'upstream_lost');
    upstream.act = upstream.roll;
    const again = client.redeploy(ONE, fence(claim, 'k'));
    expect(await settle(claim, 'k')).toEqual(['open']);
    upstream.running.set('acme', SHA);
    await eventually(async () => {
      await claim.renew();
      await advance(clock, plane, 1);
      return (await settle(claim, 'k'))[0] === 'ended';
    });
    clock.step(1000);
    const { status, headers, body } = await again;
    expect([status, headers.get('idempotent-replayed'), body.ok]).toEqual([500, 'true', false]);
    expect(upstream.rolls).toHaveLength(1);
  });

  it('is for one body only', async () => {
    const claim = await client.holding('ci');
    await client.redeploy(ONE, fence(claim, 'k'));
    const other = await client.redeploy({ ...ONE, only_slugs: ['birch'] }, fence(claim, 'k'));
    expect(other.status).toBe(422);
    expect(upstream.rolls).toHaveLength(1);
  });
});

describe('a gateway that is gone in the middle of a call', () => {
  it('leaves its roll to count as running for the longest time, before whoever takes over', async () => {
    const { url, process } = await startPlaneProcess(
      plane.databaseUrl,
      ...['--mode', 'gateway', '--upstream', upstream.url, '--upstream-token-file', tokenFile],
    );
    const claim = await new Client(url, 'staging').holding('ci', { ttl: 3600 });
    upstream.act = () => undefined;
    const call = new Client(url, 'staging').redeploy(ONE, fence(claim)).catch(() => 'gone');
    await eventually(() => upstream.rolls.length === 1);
    await process.kill();
    expect(await call).toBe('gone');
    upstream.act = upstream.roll;

    await advance(clock, plane, 8);
    const next = await successor(claim);
    expect((await rolls())[0]).toMatchObject({ ended_at: null, unseen: 'lost' });
    for (let step = 0; step < 60; step += 1) {
      expect((await next.renew()).body.draining).toMatchObject({ slugs: ['acme'] });
      clock.step(10_000);
      await plane.sweep();
    }
    expect(await letsIn(next)).toBe(true);
  });

  it('in an orderly way leaves it open as well, for the next one to watch', async () => {
    upstream.act = () => undefined;
    const claim = await client.holding('ci', { ttl: 3600 });
    const call = client.redeploy(ONE, fence(claim)).catch(() => 'gone');
    await eventually(() => upstream.rolls.length === 1);
    await restart();
    await call;
    await plane.sweep();
    expect((await rolls())[0]).toMatchObject({ ended_at: null, unseen: 'lost' });
    expectProblem(await client.redeploy(ONE, fence(claim)), 409, 'draining');
  });
});

describe('a dry run', () => {
  const DRY = { target_tag: TAG, dry_run: true };

  it('is handed on, answers the plan, and leaves no roll in the record', async () => {
    const answer = await client.redeploy(DRY);
    expect([answer.status, answer.body.results.map((row: { slug: string }) => row.slug)]).toEqual([
      200,
      NAMES,
    ]);
    expect(upstream.calls).toMatchObject([{ dry_run: true, confirm: true }]);
    expect(await rolls()).toEqual([]);
  });

  it('counts as a roll until one has shown that the upstream plans', async () => {
    let answer: (() => void) | undefined;
    upstream.act = async (call) => {
      await new Promise<void>((resolve) => {
        answer = resolve;
      });
      return upstream.plan(call);
    };
    const first = client.redeploy(DRY);
    await eventually(() => answer !== undefined);
    const claim = await client.holding('ci');
    expectProblem(await client.redeploy(ONE, fence(claim)), 409, 'draining');
    expectProblem(await client.redeploy(DRY), 503, 'dry_run_untried');
    answer?.();
    expect((await first).status).toBe(200);
    upstream.act = upstream.plan;
    expect((await client.redeploy(DRY)).status).toBe(200);
    expect(await letsIn(claim)).toBe(true);
  });

  it('that the upstream took for a roll is recorded as one, and is the last that it gets', async () => {
    upstream.act = upstream.stub;
    expectProblem(await client.redeploy(DRY), 501, 'upstream_rolls_at_dry_run');
    expect(await rolls()).toMatchObject([{ fencing_token: null, result: 'ok', slugs: [] }]);
    expect(said.join('\n')).toMatch(/ATTENTION: the upstream rolled tenants at a dry run/);
    await restart();
    expectProblem(await client.redeploy(DRY), 501, 'upstream_rolls_at_dry_run');
    expect(upstream.calls).toHaveLength(1);
  });

  it('never leaves a gateway that was told its tenants', async () => {
    upstream.act = upstream.stub;
    await restart({ tenants: NAMES });
    const answer = await client.redeploy({ ...DRY, canary_slug: 'birch' });
    expect(
      answer.body.results.map((row: { slug: string; phase: string }) => `${row.slug} ${row.phase}`),
    ).toEqual(['birch canary', 'acme batch-1', 'cobalt batch-1']);
    expect(upstream.calls).toEqual([]);
    expectProblem(await client.redeploy({ ...DRY, only_slugs: ['nobody'] }), 400, 'bad_request');
    const claim = await client.holding('ci');
    expect((await client.redeploy({ target_tag: TAG }, fence(claim))).status).toBe(200);
    expect((await rolls())[0].slugs).toEqual(NAMES);
  });
});
