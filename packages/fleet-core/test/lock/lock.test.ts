/** The client's side of the lock, on a hand-stepped clock. `L` numbers name failure cases of docs/lock.md. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { FENCE_HEADER } from '../../src/contract.js';
import { usableMs } from '../../src/lock/lease.js';
import { renderResult } from '../../src/render/index.js';
import { FakeGitea, ManualClock } from '../../src/testing/index.js';
import { FakeFleet, json } from '../helpers/fake-fleet.js';
import { FakeLock } from '../helpers/fake-lock.js';
import { run } from '../helpers/run.js';

let fleet: FakeFleet;
let lock: FakeLock;
beforeEach(async () => {
  fleet = await FakeFleet.start(['acme', 'birch']);
  lock = new FakeLock(fleet);
});
afterEach(() => fleet.stop());
const locked = () => ({ ...fleet.options, noLock: undefined, lockGroup: 'staging' });

describe('acquire and release', () => {
  test('a free lock is taken, fences every roll, and is given back as proven', async () => {
    const { result, sink } = await run({ ...locked(), batchSize: 1, canary: 'acme' });
    expect(result).toMatchObject({
      outcome: 'succeeded',
      lock: { group: 'staging', fencing_token: 7, waited_ms: 0 },
    });
    expect(fleet.rolls.map((roll) => roll.fence)).toEqual(['7', '7']);
    expect(lock.of('claim')).toHaveLength(1);
    const [claim] = lock.of('claim');
    expect(claim?.body).toMatchObject({
      ttl_seconds: 30,
      holder: { name: 'fleet redeploy staging', sha: 'b'.repeat(40) },
    });
    expect(lock.of('release').map((call) => call.body)).toEqual([
      {
        ...{ session: claim?.body.session, fencing_token: 7, result: 'proven' },
        rollout: expect.objectContaining({ outcome: 'succeeded', expected_sha: 'b'.repeat(40) }),
      },
    ]);
    expect(fleet.rolls.map((roll) => roll.claim)).toEqual([claim?.claim, claim?.claim]);
    expect(sink.codes).toContain('lock.released');
  });

  test('a failed run gives the lock back as not proven', async () => {
    fleet.stuck.add('acme');
    const { result } = await run(locked());
    expect(result.outcome).toBe('failed');
    expect(lock.of('release')[0]?.body).toMatchObject({ result: 'not_proven', fencing_token: 7 });
  });

  test('the order of the commit goes with the claim, under the key of its branch', async () => {
    await run({ ...locked(), order: 812, repository: 'acme/server', branch: 'main' });
    expect(lock.of('claim')[0]?.body.order).toEqual({ key: 'acme/server@main', number: 812 });
    await run({
      ...locked(),
      order: 812,
      repository: 'acme/server',
      branch: 'main',
      supersededBy: 'off',
      force: true,
    });
    expect(lock.of('claim')[1]?.body.order).toBeUndefined();
  });

  test('a job of CI makes the same claim id again, so that a later step can release it', async () => {
    const trigger = { event: 'push', runId: '77', job: 'deploy', runAttempt: '2' };
    await run({ ...locked(), trigger });
    await run({ ...locked(), trigger, force: true });
    await run({ ...locked(), trigger: { ...trigger, runAttempt: '3' }, force: true });
    const [first, second, third] = lock.of('claim').map((call) => call.claim);
    expect(first).toBe(second);
    expect(third).not.toBe(first);
  });

  test('dry runs and verify take no lock', async () => {
    for (const command of ['plan', 'verify'] as const)
      await run({ ...locked(), settleBudgetMs: 0 }, { command });
    expect(lock.calls).toHaveLength(0);
  });

  test('a release that gets no answer is tried twice in a few seconds, then left to the TTL, said loudly', async () => {
    lock.release = () => {};
    const { result, sink, clock } = await run(locked());
    expect(result.outcome).toBe('succeeded');
    expect(lock.of('release')).toHaveLength(2);
    expect(sink.of('lock.release_failed')[0]).toMatchObject({ free_after_ms: 30_000 });
    expect(clock.monotonic()).toBeLessThanOrEqual(5_000);
  });
});

describe('waiting', () => {
  test('whoever waits is told who holds the lock, since when and what for', async () => {
    let polls = 0;
    lock.claim = (_, response) => (polls++ < 3 ? lock.queue(response) : lock.grant(response));
    const { result, sink } = await run(locked());
    expect(result.outcome).toBe('succeeded');
    expect(sink.of('lock.waiting')).toHaveLength(1);
    expect(sink.of('lock.waiting')[0]).toMatchObject({
      position: 1,
      holder: { name: 'fleet redeploy staging', actor: 'bob', step: 'rolling batch-2' },
    });
    expect(lock.of('claim').map((call) => call.query.get('wait_seconds'))).toEqual(['0', '20', '20', '20']);
    expect(new Set(lock.of('claim').map((call) => call.claim)).size).toBe(1);
  });

  test('a grant that a long poll brought is renewed before it is used', async () => {
    let polls = 0;
    lock.claim = (_, response) => (polls++ ? lock.grant(response) : lock.queue(response));
    await run(locked());
    const order = lock.calls.map((call) => call.verb);
    expect(order.slice(0, 3)).toEqual(['claim', 'claim', 'renew']);
    expect(fleet.rolls).toHaveLength(1);
  });

  test('a grant whose first renewal is refused is no grant: the run queues again under a new claim', async () => {
    let polls = 0;
    lock.claim = (_, response) => (polls++ ? lock.grant(response) : lock.queue(response));
    let renewals = 0;
    lock.renew = (_, response) =>
      renewals++
        ? json(response, 200, { state: 'held', ttl_seconds: 30 })
        : json(response, 409, { error: 'lease_lost', reason: 'expired' });
    const { result } = await run(locked());
    expect(result.outcome).toBe('succeeded');
    expect(new Set(lock.of('claim').map((call) => call.claim)).size).toBe(2);
  });

  test('a grant whose first renewal is never answered may hold the lock: the same claim is asked again', async () => {
    let polls = 0;
    lock.claim = (_, response) => (polls++ ? lock.grant(response) : lock.queue(response));
    let renewals = 0;
    lock.renew = (_, response) =>
      polls < 3 && renewals++ < 1000
        ? void response.socket?.destroy()
        : json(response, 200, { state: 'held', ttl_seconds: 30 });
    const { result, sink } = await run(locked());
    expect(result.outcome).toBe('succeeded');
    expect(renewals).toBeGreaterThan(5);
    // Once, however often it is tried.
    expect(sink.of('lock.unanswered')).toMatchObject([{ group: 'staging' }]);
    expect(lock.of('claim')).toHaveLength(3);
    expect(new Set(lock.of('claim').map((call) => call.claim)).size).toBe(1);
  });

  test('waiting in vain ends in lock_timeout, names the holder, and leaves the queue', async () => {
    const clock = new ManualClock();
    lock.claim = (call, response) => {
      void clock.advance(Number(call.query.get('wait_seconds')) * 1000).then(() => lock.queue(response));
    };
    const { result } = await run({ ...locked(), lockWaitMs: 60_000 }, { clock });
    expect(result).toMatchObject({ outcome: 'lock_timeout', exit_code: 3, deployed: false });
    expect(result.reason).toMatch(
      /waited 1m .*place 1 of 1; held by fleet redeploy staging \(bob\) for 1m 5s, doing: rolling batch-2/,
    );
    expect(result.lock).toMatchObject({ group: 'staging', fencing_token: null });
    expect(result.lock?.waited_ms).toBeGreaterThanOrEqual(60_000);
    expect(lock.of('release')).toHaveLength(1);
    expect(fleet.rolls).toHaveLength(0);
  });

  test.each([
    ['its database is away', 'HTTP 503, database_unavailable', { error: 'database_unavailable' }],
    ['a proxy answers for it', 'HTTP 503 of a proxy in front of it', '<html>503</html>'],
  ])(
    'a lock server that never grants since %s: the reason is kept, and nobody is said to hold it',
    async (_name, why, body) => {
      lock.claim = (_, response) =>
        void response.writeHead(503).end(typeof body === 'string' ? body : JSON.stringify(body));
      const { result, sink } = await run({ ...locked(), lockWaitMs: 60_000 });
      expect(result).toMatchObject({ outcome: 'lock_timeout', exit_code: 3 });
      expect(result.reason).toBe(
        `waited 1m for the lock staging in vain: the lock server gave no usable answer (${why})`,
      );
      expect(renderResult(result).join('\n')).not.toMatch(/held by|somebody|holds/);
      expect(sink.of('lock.unanswered').map(({ reason }) => reason)).toEqual([why]);
    },
  );

  test('a lock server that falls silent behind a holder: both are told', async () => {
    let polls = 0;
    lock.claim = (_, response) =>
      polls++ ? json(response, 503, { error: 'database_unavailable' }) : lock.queue(response);
    const { result } = await run({ ...locked(), lockWaitMs: 60_000 });
    expect(result.reason).toMatch(
      /held by fleet redeploy staging .*; then no usable answer \(HTTP 503, database_unavailable\)$/,
    );
  });

  test('--timeout in the queue is lock_timeout too', async () => {
    lock.claim = () => {};
    const { result } = await run({ ...locked(), timeoutMs: 5_000 });
    expect(result).toMatchObject({ outcome: 'lock_timeout', exit_code: 3 });
  });

  test.each(['superseded', 'outdated'])('%s by a newer commit is neither red nor deployed', async (error) => {
    lock.claim = (_, response) =>
      json(response, 409, { error, by: { holder: { name: 'fleet redeploy staging', sha: 'c'.repeat(40) } } });
    const { result } = await run(locked());
    expect(result).toMatchObject({ outcome: 'superseded', exit_code: 0, deployed: false });
    expect(result.reason).toContain('ccccccc');
    expect(fleet.rolls).toHaveLength(0);
  });

  test('a claim whose run is on another server is not newer: its number counts apart', async () => {
    const by = { number: 900_000, run_url: 'https://ci.example.org/o/r/actions/runs/9', sha: 'c'.repeat(40) };
    lock.claim = (_, response) => json(response, 409, { error: 'outdated', by });
    const trigger = { runUrl: 'https://git.example.com/o/r/actions/runs/3' };
    const { result } = await run({ ...locked(), trigger });
    expect(result).toMatchObject({ outcome: 'refused', exit_code: 4, deployed: false });
    expect(result.reason).toMatch(
      /number 900000, commit ccccccc, .*is on ci.example.org .*on git.example.com/,
    );
    expect(result.next.join()).toMatch(/--order.*--superseded-by off/);
    const same = await run({ ...locked(), trigger: { runUrl: 'https://ci.example.org/o/r/actions/runs/3' } });
    expect(same.result).toMatchObject({ outcome: 'superseded', exit_code: 0 });
  });

  describe('where the head of the branch can be read', () => {
    let gitea: FakeGitea;
    beforeAll(async () => {
      gitea = await FakeGitea.start();
    });
    afterAll(() => gitea.stop());
    const outdatedBy = async (head: string, sha: string | undefined) => {
      gitea.repository.addCommit(head, [], 'main');
      lock.claim = (_, response) => json(response, 409, { error: 'superseded', by: { number: 9, sha } });
      const { result } = await run({
        ...locked(),
        order: 8,
        giteaUrl: gitea.url,
        giteaToken: 'gitea-token',
        repository: 'acme/server',
        branch: 'main',
        supersededBy: 'claim',
      });
      return result;
    };

    test('the commit at the head is not superseded by another one', async () => {
      const result = await outdatedBy('b'.repeat(40), 'c'.repeat(40));
      expect(result).toMatchObject({ outcome: 'refused', exit_code: 4 });
      expect(result.reason).toMatch(/main is at bbbbbbb, the commit of this run/);
    });

    test.each([
      ['the head has moved on', 'c'.repeat(40), 'c'.repeat(40)],
      ['the other claim is of this very commit', 'b'.repeat(40), 'b'.repeat(40)],
      ['the other claim names no commit', 'b'.repeat(40), undefined],
    ])('it is superseded where %s', async (_name, head, sha) => {
      expect(await outdatedBy(head, sha)).toMatchObject({ outcome: 'superseded', exit_code: 0 });
    });
  });

  test('a frozen lock ends the waiting with held, and the fleet is looked at all the same', async () => {
    lock.claim = (_, response) =>
      lock.queue(response, { frozen: { reason: 'audit', actor: 'ops' }, holder: null });
    const human = await run(locked());
    expect(human.result).toMatchObject({
      outcome: 'held',
      exit_code: 4,
      counts: { enumerated: 2, stale: 2 },
    });
    expect(human.result.reason).toContain('frozen by ops: audit');
    const ci = await run({ ...locked(), trigger: { event: 'push' } });
    expect(ci.result).toMatchObject({ outcome: 'held', exit_code: 0, deployed: false });
    expect(lock.of('release')).toHaveLength(2);
    expect(fleet.rolls).toHaveLength(0);
  });

  test('L4: a lost answer is repaired by the same claim', async () => {
    let claims = 0;
    lock.claim = (_, response) => (claims++ ? lock.grant(response) : void response.socket?.destroy());
    const { result } = await run(locked());
    expect(result.outcome).toBe('succeeded');
    expect(new Set(lock.of('claim').map((call) => call.claim)).size).toBe(1);
  });

  test('a full queue is waited for as the server says', async () => {
    let claims = 0;
    lock.claim = (_, response) =>
      claims++ < 2
        ? json(response, 429, { error: 'queue_full' }, { 'retry-after': '3' })
        : lock.grant(response);
    const { result, clock } = await run(locked());
    expect(result.outcome).toBe('succeeded');
    expect(clock.monotonic()).toBe(6_000);
  });

  test.each<[string, number, Record<string, unknown> | string, string]>([
    [
      'a database that is away',
      503,
      { error: 'database_unavailable', detail: 'The control plane cannot reach its database at the moment.' },
      'HTTP 503, database_unavailable: The control plane cannot reach its database at the moment',
    ],
    ['a full queue', 429, { error: 'queue_full' }, 'HTTP 429, queue_full'],
    [
      'a client without patience',
      429,
      { error: 'too_many_requests', detail: 'This client sent more than 10 requests.' },
      'HTTP 429, too_many_requests: This client sent more than 10 requests',
    ],
    [
      'one that tells secrets',
      500,
      { error: 'internal', detail: 'token=abc123def456\n::error::x' },
      'HTTP 500, internal: [credential] : :error: :x',
    ],
    ['one that is no problem document', 502, 'bad gateway <b>', 'HTTP 502'],
    ['one whose code is prose', 500, { error: 'At 10.0.0.7: no such host', detail: 'x' }, 'HTTP 500'],
  ])('%s is said in words while it is waited for, once', async (_name, status, body, reason) => {
    let claims = 0;
    lock.claim = (_, response) =>
      claims++ < 3 ? json(response, status, body, { 'retry-after': '3' }) : lock.grant(response);
    const { result, sink } = await run(locked());
    expect(result.outcome).toBe('succeeded');
    expect(sink.of('lock.unanswered')).toMatchObject([{ group: 'staging', reason }]);
  });

  test.each(['claim_over', 'claim_in_use'])(
    '%s of a claim that this job made before: it queues under a claim of its own',
    async (error) => {
      let claims = 0;
      lock.claim = (_, response) =>
        claims++
          ? lock.grant(response)
          : json(response, error === 'claim_over' ? 410 : 409, { error, state: 'released' });
      const { result } = await run({ ...locked(), trigger: { event: 'push', runId: '1', job: 'deploy' } });
      expect(result.outcome).toBe('succeeded');
      expect(new Set(lock.of('claim').map((call) => call.claim)).size).toBe(2);
      // Asked without waiting, so that whoever waits is told at once what for.
      expect(lock.of('claim').map((call) => call.query.get('wait_seconds'))).toEqual(['0', '0']);
    },
  );
});

test('a server that ends every claim is not asked for ever', async () => {
  lock.claim = (_, response) => json(response, 410, { error: 'claim_over', state: 'abandoned' });
  const { result } = await run({ ...locked(), trigger: { event: 'push', runId: '1', job: 'deploy' } });
  expect(result).toMatchObject({ outcome: 'control_plane_error', exit_code: 5 });
  expect(lock.of('claim').length).toBeLessThan(30);
});

describe('while a roll under an older token still runs', () => {
  const draining = { fencing_token: 6, slugs: ['acme'], since_seconds: 45 };
  const until = (clock: ManualClock, end: number) => () => ({
    state: 'held',
    ttl_seconds: 30,
    ...(clock.monotonic() < end ? { draining } : {}),
  });

  test('the lease is held and renewed, nothing is asked or rolled, and one line says what for', async () => {
    const clock = new ManualClock();
    const answer = until(clock, 90_000);
    lock.claim = (_, response) => lock.grant(response, { draining });
    lock.renew = (_, response) => json(response, 200, answer());
    let asked = -1;
    fleet.onProbe = () => {
      if (asked < 0) asked = clock.monotonic();
    };
    const { result, sink } = await run(locked(), { clock });
    expect(result.outcome).toBe('succeeded');
    expect(asked).toBeGreaterThanOrEqual(90_000);
    expect(sink.of('lock.draining')).toMatchObject([
      { ...{ fencing_token: 6, slugs: ['acme'] }, since_ms: 45_000 },
    ]);
    const during = sink.events.slice(
      sink.codes.indexOf('lock.draining') + 1,
      sink.codes.indexOf('plan.ready'),
    );
    expect(new Set(during.map(({ code }) => code))).toEqual(new Set(['heartbeat']));
    expect(sink.of('heartbeat')[0]?.doing).toBe('waiting for the roll under fencing token 6 to end');
    expect(new Set(lock.of('renew').map(({ body }) => body.step))).toEqual(new Set(['draining']));
  });

  test('what it names is made harmless before it is told', async () => {
    const clock = new ManualClock();
    const slugs = ['acme\u001b[2J', '::error::birch', 'c'.repeat(300)];
    lock.claim = (_, response) => lock.grant(response, { draining: { ...draining, slugs } });
    lock.renew = (_, response) => json(response, 200, { state: 'held', ttl_seconds: 30 });
    const { sink } = await run(locked(), { clock });
    const [told] = sink.of('lock.draining');
    expect(told?.slugs).toEqual(['acme [2J', ': :error: :birch', `${'c'.repeat(62)}…`]);
  });

  test('a grant of a long poll is as little usable', async () => {
    const clock = new ManualClock();
    const answer = until(clock, 20_000);
    let polls = 0;
    lock.claim = (_, response) => (polls++ ? lock.grant(response) : lock.queue(response));
    lock.renew = (_, response) => json(response, 200, answer());
    const { result, sink } = await run(locked(), { clock });
    expect(result.outcome).toBe('succeeded');
    expect(sink.of('lock.draining')).toHaveLength(1);
    expect(clock.monotonic()).toBeGreaterThanOrEqual(20_000);
  });

  test('one that does not end is not waited for longer than any roll may take', async () => {
    const clock = new ManualClock();
    lock.claim = (_, response) => lock.grant(response, { draining });
    lock.renew = (_, response) => json(response, 200, { state: 'held', ttl_seconds: 30, draining });
    const { result, sink } = await run(locked(), { clock });
    expect(result).toMatchObject({ outcome: 'lock_timeout', exit_code: 3 });
    expect(result.reason).toMatch(/the roll of acme under fencing token 6 has not ended.*longer than 20m/);
    expect(result.next.join()).toContain('fleet lock status --lock-group staging');
    expect(sink.of('lock.draining')).toMatchObject([{ since_ms: 45_000, at_most_ms: 1_155_000 }]);
    expect(clock.monotonic()).toBeLessThan(1_170_000);
    expect([fleet.rolls.length, lock.of('release').length]).toEqual([0, 1]);
  });

  test('a run that is ended meanwhile gives the lease back, once', async () => {
    lock.claim = (_, response) => lock.grant(response, { draining });
    lock.renew = (_, response) => json(response, 200, { state: 'held', ttl_seconds: 30, draining });
    const { result } = await run({ ...locked(), timeoutMs: 60_000 });
    expect(result).toMatchObject({ outcome: 'lock_timeout', exit_code: 3 });
    expect(fleet.rolls).toHaveLength(0);
    expect(lock.of('release').map(({ body }) => body.fencing_token)).toEqual([7]);
  });
});

describe('a lock that cannot be used', () => {
  test.each([404, 501])('HTTP %i of the lock is never ignored: the ways out are named', async (status) => {
    lock.claim = (_, response) => void response.writeHead(status).end();
    const { result } = await run(locked());
    expect(result).toMatchObject({ outcome: 'control_plane_error', exit_code: 5 });
    expect(result.reason).toContain('serves no fleet lock');
    expect(result.next.join()).toMatch(/--lock-url.*--no-lock/);
    expect(fleet.rolls).toHaveLength(0);
  });

  test.each([
    [403, 'The token "nightly" lacks the scope "lock".', 'HTTP 403, forbidden: The token "nightly" lacks'],
    [401, 'The token "nightly" has expired.', 'HTTP 401, unauthorized: The token "nightly" has expired'],
    [403, undefined, 'does not accept the token (HTTP 403, forbidden)'],
  ])('%i: what is wrong with the token is said as the server says it', async (status, detail, says) => {
    const next = 'Use a token that may do this.';
    const error = status === 401 ? 'unauthorized' : 'forbidden';
    lock.claim = (_, response) => json(response, status, { error, detail, ...(detail ? { next } : {}) });
    const { result } = await run(locked());
    expect(result.reason).toContain(says);
    expect(result.reason.includes('does not accept the token')).toBe(!detail);
    expect(result.next.join()).toContain(detail ? next : 'FLEET_CP_TOKEN');
  });

  test('a wrong token, a broken answer, an unreachable server', async () => {
    lock.claim = (_, response) => json(response, 401, {});
    expect((await run(locked())).result).toMatchObject({ outcome: 'control_plane_error', exit_code: 5 });
    lock.claim = (_, response) => json(response, 200, { state: 'held', fencing_token: 'seven' });
    expect((await run(locked())).result.reason).toContain('fencing_token is not as agreed');
    const { result } = await run({ ...locked(), lockUrl: 'http://127.0.0.1:1' });
    expect(result.reason).toContain('cannot be reached: connection refused');
    expect(fleet.rolls).toHaveLength(0);
  });
});

describe('keeping the lease', () => {
  test('it is renewed at a third of its TTL, with the step in hand', async () => {
    fleet.stuck.add('birch');
    const { clock } = await run({ ...locked(), settleBudgetMs: 120_000, lockTtlMs: 30_000 });
    const renewals = lock.of('renew').length;
    expect(renewals).toBeGreaterThanOrEqual(Math.floor(clock.monotonic() / 11_000));
    expect(renewals).toBeLessThanOrEqual(Math.ceil(clock.monotonic() / 9_000));
    expect(lock.of('renew').at(-1)?.body.step).toContain('verifying batch-1');
  });

  test('L1, L9: without an answer the run goes on until its own end of the lease, then stops by its own timer', async () => {
    fleet.stuck.add('birch');
    lock.renew = (_, response) => void response.socket?.destroy();
    const { result, sink, clock } = await run({ ...locked(), settleBudgetMs: 120_000 });
    expect(result).toMatchObject({ outcome: 'lock_lost', exit_code: 3, deployed: false });
    expect(clock.monotonic()).toBe(usableMs(30_000));
    expect(usableMs(30_000)).toBe(28_000);
    expect(sink.of('lock.renew_failed').length).toBeGreaterThan(3);
    expect(result.counts).toMatchObject({ enumerated: 2, on_target: 1, stale: 1 });
    expect(clock.pending).toBe(0);
  });

  test('L11: an outage that ends in time is survived', async () => {
    fleet.stuck.add('birch');
    let renewals = 0;
    lock.renew = (_, response) =>
      renewals++ < 3
        ? void response.writeHead(503).end()
        : json(response, 200, { state: 'held', ttl_seconds: 30 });
    const { result, sink } = await run({ ...locked(), settleBudgetMs: 60_000 });
    expect(result.outcome).toBe('failed');
    expect(sink.codes).toContain('lock.recovered');
  });

  test('a lease that the server calls lost stops the run at once, and nothing more is rolled', async () => {
    fleet.onProbe = () => {};
    lock.renew = (_, response) => json(response, 409, { error: 'lease_lost', reason: 'broken' });
    fleet.stuck.add('acme');
    const { result, sink } = await run({ ...locked(), batchSize: 1, settleBudgetMs: 60_000 });
    expect(result).toMatchObject({ outcome: 'lock_lost', exit_code: 3 });
    expect(result.reason).toContain('broken');
    expect(sink.of('lock.lost')).toHaveLength(1);
    expect(fleet.rolls).toHaveLength(1);
    expect(lock.of('release')).toHaveLength(0);
  });

  test('L17, L18: after a jump of the wall clock no roll starts before a renewal was answered', async () => {
    const clock = new ManualClock();
    fleet.script.set(0, (roll, response, done) => {
      done();
      clock.jumpWall(600_000);
      json(response, 200, { ok: true, results: roll.slugs.map((slug) => ({ slug, ssm_status: 'Success' })) });
    });
    const before = () => lock.of('renew').length;
    let atSecondRoll = -1;
    fleet.script.set(1, (roll, response, done) => {
      atSecondRoll = before();
      done();
      json(response, 200, { ok: true, results: roll.slugs.map((slug) => ({ slug, ssm_status: 'Success' })) });
    });
    const { result } = await run({ ...locked(), batchSize: 1 }, { clock });
    expect(result.outcome).toBe('succeeded');
    expect(atSecondRoll).toBe(1);
  });

  test('L18: after a suspend without a network it asks a few times a second, not as fast as it can', async () => {
    const clock = new ManualClock();
    lock.renew = (_, response) => void response.socket?.destroy();
    fleet.script.set(0, (roll, response, done) => {
      done();
      clock.jumpWall(600_000);
      json(response, 200, { ok: true, results: roll.slugs.map((slug) => ({ slug, ssm_status: 'Success' })) });
    });
    const { result, sink } = await run({ ...locked(), batchSize: 1 }, { clock });
    expect(result.outcome).toBe('lock_lost');
    expect(fleet.rolls).toHaveLength(1);
    expect(sink.of('lock.renew_failed').length).toBeLessThan(150);
  });

  test('near the end of the lease no roll starts until a renewal is answered', async () => {
    const clock = new ManualClock();
    lock.renew = (_, response) =>
      clock.monotonic() < 25_000
        ? void response.writeHead(503).end()
        : json(response, 200, { state: 'held', ttl_seconds: 30 });
    const rolledAt: number[] = [];
    const answer = (slugs: string[]) => ({
      ok: true,
      results: slugs.map((slug) => ({ slug, ssm_status: 'Success' })),
    });
    fleet.script.set(0, (roll, response, done) => {
      done();
      void clock.advance(21_000).then(() => json(response, 200, answer(roll.slugs)));
    });
    fleet.script.set(1, (roll, response, done) => {
      rolledAt.push(clock.monotonic());
      done();
      json(response, 200, answer(roll.slugs));
    });
    const { result } = await run({ ...locked(), batchSize: 1 }, { clock });
    expect(result.outcome).toBe('succeeded');
    expect(rolledAt[0]).toBeGreaterThanOrEqual(25_000);
    expect(rolledAt[0]).toBeLessThan(28_000);
  });

  test.each(['SIGINT', 'SIGTERM'])('%s gives the lease back within its short deadline', async (signal) => {
    const abort = new AbortController();
    fleet.script.set(0, () => abort.abort(signal));
    const { result, clock } = await run(locked(), { signal: abort.signal });
    expect(result.outcome).toBe('interrupted');
    expect(lock.of('release')[0]?.body).toMatchObject({ fencing_token: 7, result: 'not_proven' });
    expect(clock.monotonic()).toBeLessThan(5_000);
  });

  test('a signal in the queue leaves the queue', async () => {
    const abort = new AbortController();
    let claims = 0;
    lock.claim = (_, response) => (claims++ ? abort.abort('SIGTERM') : lock.queue(response));
    const { result } = await run(locked(), { signal: abort.signal });
    expect(result).toMatchObject({ outcome: 'interrupted', exit_code: 143 });
    expect(lock.of('release')).toHaveLength(1);
  });
});

test('the fence goes with real rolls only', async () => {
  const seen: (string | undefined)[] = [];
  const extra = fleet.extra;
  fleet.extra = (request, response, body) => {
    if (request.method === 'POST' && request.url?.includes('redeploy'))
      seen.push(String(request.headers[FENCE_HEADER]));
    return extra?.(request, response, body) ?? false;
  };
  await run(locked());
  expect(seen).toEqual(['undefined', '7', 'undefined']);
});
