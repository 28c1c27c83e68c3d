/** What happens to the calls: retries, lost answers, refusals. Numbers name rows of docs/incidents.md. */
import type { ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from 'vitest';
import type { FleetEvent } from '../../src/index.js';
import { renderEvent } from '../../src/render/event.js';
import { ManualClock } from '../../src/testing/index.js';
import { FakeFleet, json, NEW, OLD } from '../helpers/fake-fleet.js';
import { FakeLock } from '../helpers/fake-lock.js';
import { run } from '../helpers/run.js';

let fleet: FakeFleet;
afterEach(() => fleet.stop());

const SLUGS = ['acme', 'birch', 'cedar', 'dune'];
const start = async (slugs = SLUGS) => {
  fleet = await FakeFleet.start(slugs);
  return fleet.options;
};

describe('lost answers', () => {
  test('37: a connection that dies after the roll is answered by the tenants, and nothing is sent twice', async () => {
    const options = await start();
    fleet.script.set(0, (_, response, done) => {
      done();
      response.socket?.destroy();
    });
    const { result, sink } = await run(options);
    expect(result.outcome).toBe('succeeded');
    expect(fleet.rolled).toEqual(SLUGS);
    expect(sink.of('call.unknown')).toHaveLength(1);
    expect(result.calls.filter((call) => call.kind === 'roll').map((call) => call.outcome)).toEqual([
      'unknown',
      'answered',
    ]);
  });

  test('37: a connection that dies before anything moved ends in failed, and still nothing is sent twice', async () => {
    const options = await start();
    fleet.script.set(0, (_, response) => void response.socket?.destroy());
    const { result } = await run(options);
    expect(result).toMatchObject({ outcome: 'failed', exit_code: 1, deployed: false });
    expect(fleet.rolls).toHaveLength(1);
    expect(result.counts).toMatchObject({ enumerated: 4, on_target: 0, stale: 4 });
    expect(result.tenants[0]?.detail).toContain('the answer to its roll was lost');
  });

  test('36: a call that is never answered is given up after ten minutes, and the tenants are asked', async () => {
    const options = await start(['acme']);
    fleet.script.set(0, (_, _response, done) => done());
    const { result, clock } = await run(options);
    expect(result.outcome).toBe('succeeded');
    expect(clock.monotonic()).toBeGreaterThanOrEqual(600_000);
    expect(fleet.rolls).toHaveLength(1);
  });

  test.each([520, 524, 525])(
    '38: HTTP %i of an edge is an unknown outcome, not a reason to send again',
    async (status) => {
      const options = await start(['acme']);
      fleet.script.set(0, (_, response, done) => {
        done();
        response.writeHead(status, { 'content-type': 'text/html' }).end('<html>cloudy</html>');
      });
      const { result } = await run(options);
      expect(result.outcome).toBe('succeeded');
      expect(fleet.rolls).toHaveLength(1);
    },
  );

  test.each([
    ['HTML', '<html>'],
    ['an empty body', ''],
    ['an array', '[]'],
    ['a truncated body', '{"ok":true,"results":[{"slug":"ac'],
  ])('38, 39: HTTP 200 with %s says nothing: the tenants are asked', async (_name, body) => {
    const options = await start(['acme']);
    fleet.script.set(0, (_, response, done) => {
      done();
      response.writeHead(200).end(body);
    });
    const { result } = await run(options);
    expect(result.outcome).toBe('succeeded');
    expect(fleet.rolls).toHaveLength(1);
  });
});

describe('retries', () => {
  test('35: 502 and 503 are retried after 5, 10 and 20 s with the same key', async () => {
    const options = await start(['acme']);
    for (const [index, status] of [502, 503, 502].entries()) {
      fleet.script.set(index, (_, response) => void response.writeHead(status).end('Bad Gateway'));
    }
    const { result, sink } = await run(options);
    expect(result.outcome).toBe('succeeded');
    expect(sink.of('call.retry').map((event) => event.wait_ms)).toEqual([5_000, 10_000, 20_000]);
    expect(new Set(fleet.rolls.map((roll) => roll.key)).size).toBe(1);
  });

  test('35: after three retries the tenants have the last word', async () => {
    const options = await start(['acme']);
    for (let call = 0; call < 4; call++)
      fleet.script.set(call, (_, response) => void response.writeHead(502).end());
    const { result } = await run(options);
    expect(result.outcome).toBe('failed');
    expect(fleet.rolls).toHaveLength(4);
  });

  test('37: before a retry the tenants are asked, and those on target are left out', async () => {
    const options = await start();
    fleet.script.set(0, (_, response) => {
      fleet.tenants.set('acme', NEW);
      fleet.tenants.set('cedar', NEW);
      response.writeHead(502).end();
    });
    const { result } = await run({ ...options, batchSize: 4 });
    expect(result.outcome).toBe('succeeded');
    expect(fleet.rolls.map((roll) => roll.slugs)).toEqual([SLUGS, ['birch', 'dune']]);
    expect(fleet.rolls[0]?.key).not.toBe(fleet.rolls[1]?.key);
  });

  test('37: all on target after a 502 means that nothing is sent again', async () => {
    const options = await start(['acme']);
    fleet.script.set(0, (_, response, done) => {
      done();
      response.writeHead(502).end();
    });
    const { result } = await run(options);
    expect(result.outcome).toBe('succeeded');
    expect(fleet.rolls).toHaveLength(1);
  });

  test('37: a 504 is watched for a whole settle budget before anything is sent again', async () => {
    const options = await start(['acme', 'birch']);
    fleet.script.set(0, (_, response) => {
      response.writeHead(504).end();
    });
    const { clock, result } = await run({ ...options, settleBudgetMs: 90_000 });
    expect(result.outcome).toBe('succeeded');
    expect(fleet.rolls).toHaveLength(2);
    expect(clock.monotonic()).toBeGreaterThanOrEqual(95_000);
  });

  test('37: a tenant that answered on target is not rolled again, though its proof is not complete', async () => {
    const options = await start(['acme', 'birch']);
    const clock = new ManualClock();
    let probes = 0;
    fleet.onProbe = (slug) => {
      // New, then old, and new again with the last question of the budget: three in a row are not to be had.
      if (slug !== 'acme' || !fleet.rolls.length) return;
      fleet.tenants.set('acme', probes++ === 0 || clock.monotonic() >= 15_000 ? NEW : OLD);
    };
    fleet.script.set(0, (_, response) => void response.writeHead(504).end());
    await run({ ...options, confirmations: 2, settleBudgetMs: 10_000 }, { clock });
    expect(fleet.rolls.map((roll) => roll.slugs)).toEqual([['acme', 'birch'], ['birch']]);
  });

  test('a single call that is retried names only the tenants that are not on target', async () => {
    const options = await start();
    fleet.script.set(0, (_, response) => {
      fleet.tenants.set('acme', NEW);
      response.writeHead(502).end();
    });
    const { result } = await run({ ...options, strategy: 'single-call', canary: 'acme' });
    expect(result.outcome).toBe('succeeded');
    expect(fleet.rolls[0]?.body).toMatchObject({ canary_slug: 'acme', confirm: true });
    expect(fleet.rolls[0]?.body.only_slugs).toBeUndefined();
    expect(fleet.rolls[1]?.body.only_slugs).toEqual(['birch', 'cedar', 'dune']);
    expect(fleet.rolls[1]?.body.canary_slug).toBeUndefined();
  });

  test('an older roll that still drains is waited for as the control plane says', async () => {
    const options = await start(['acme']);
    for (const index of [0, 1]) {
      fleet.script.set(index, (_, response) =>
        json(response, 409, { error: 'draining' }, { 'retry-after': '7' }),
      );
    }
    const { result, clock, sink } = await run(options);
    expect(result.outcome).toBe('succeeded');
    expect(clock.monotonic()).toBe(14_000);
    expect(sink.of('call.draining')).toMatchObject([{ own: false, fencing_token: null, since_ms: null }]);
  });

  test('a roll that drains for minutes is told once: whose it is, since when, and the step; the heart beats', async () => {
    const options = await start(['acme']);
    const lock = new FakeLock(fleet);
    const draining = { fencing_token: 3, slugs: ['birch\u001b[2J'], since_seconds: 42 };
    for (let index = 0; index < 60; index++) {
      fleet.script.set(index, (_, response) =>
        json(response, 409, { error: 'draining', draining }, { 'retry-after': '2' }),
      );
    }
    const { result, sink } = await run({ ...options, noLock: undefined, lockGroup: 'staging' });
    expect(result.outcome).toBe('succeeded');
    const told = sink.of('call.draining');
    expect(told).toMatchObject([{ own: false, fencing_token: 3, slugs: ['birch [2J'], since_ms: 42_000 }]);
    expect(renderEvent(told[0] as FleetEvent)).toBe(
      'batch-1: waiting for an older roll of this fleet to end: of birch [2J, under fencing token 3, since 42s',
    );
    expect(sink.of('call.retry')).toEqual([]);
    expect(sink.of('wave.answered').map(({ http_status }) => http_status)).toEqual([200]);
    expect(result.calls.filter(({ kind }) => kind === 'roll').map(({ http_status }) => http_status)).toEqual([
      409, 200,
    ]);
    const beats = sink.of('heartbeat').map(({ doing, elapsed_ms }) => [doing, elapsed_ms]);
    expect(beats).toContainEqual(['waiting for the roll under fencing token 3 to end', 60_000]);
    const steps = lock.of('renew').map(({ body }) => body.step);
    expect(steps).toContain('draining');
  });

  test('a roll that is admitted at last is a step of its own again', async () => {
    const options = await start(['acme']);
    const lock = new FakeLock(fleet);
    const clock = new ManualClock();
    fleet.script.set(0, (_, response) => json(response, 409, { error: 'draining' }));
    fleet.script.set(1, (_, response, done) => {
      clock.timer(40_000, () => {
        done();
        fleet.tenants.set('acme', NEW);
        json(response, 200, { ok: true, results: [{ slug: 'acme' }] });
      });
    });
    await run({ ...options, noLock: undefined, lockGroup: 'staging' }, { clock });
    const steps = lock.of('renew').map(({ body }) => body.step);
    expect(steps.at(-1)).toBe('rolling batch-1 (1 of 1): acme');
  });

  test('41: a control plane that is down between two calls is waited for', async () => {
    const options = await start(['acme']);
    let down = 2;
    const { result, sink } = await runRefusing(options, () => down-- > 0);
    expect(result.outcome).toBe('succeeded');
    expect(sink.of('call.retry')).toHaveLength(2);
  });

  test('a control plane that says why it is unable is repeated in words', async () => {
    const options = await start(['acme']);
    fleet.script.set(0, (_, response) =>
      json(response, 503, { error: 'database_full', detail: 'The disk of the database is full.' }),
    );
    const { sink } = await run(options);
    expect(sink.of('call.retry').map(({ reason }) => reason)).toEqual([
      'HTTP 503, database_full: The disk of the database is full',
    ]);
  });
});

describe('refusals', () => {
  test.each([
    [401, 'does not accept the token'],
    [403, 'refused the call'],
    [404, 'no redeploy endpoint'],
    [400, 'malformed'],
    [422, 'malformed'],
    [418, 'HTTP 418'],
    [302, 'HTTP 302'],
    [428, 'guards this fleet with a lock'],
  ])('33, 34, 40: HTTP %i is a control plane error, sent once', async (status, text) => {
    const options = await start();
    fleet.script.set(0, (_, response) =>
      json(response, status, { error: 'nope' }, { location: `${fleet.url}/elsewhere` }),
    );
    const { result } = await run({ ...options, batchSize: 2 });
    expect(result).toMatchObject({ outcome: 'control_plane_error', exit_code: 5, deployed: false });
    expect(result.reason).toContain(text);
    expect(fleet.rolls).toHaveLength(1);
    expect(result.counts.enumerated).toBe(4);
  });

  test.each([
    [403, 'forbidden', 'The token "nightly" lacks the scope "roll".'],
    [401, 'unauthorized', 'The token "nightly" has expired.'],
    [429, 'too_many_requests', 'This client sent more than 10 requests in ten seconds.'],
    [501, 'not_wired', 'No fleet is wired to this control plane.'],
    [409, 'foreign_rollout', 'Somebody rolls this fleet by hand.'],
  ])('HTTP %i with a problem document is told by it', async (status, error, detail) => {
    const options = await start(['acme']);
    const next = 'Do that instead.';
    fleet.script.set(0, (_, response) => json(response, status, { error, detail, next }));
    const { result, sink } = await run({ ...options, settleBudgetMs: 0 });
    const said = [result.reason, ...sink.of('call.unknown').map(({ reason }) => reason)].join();
    expect(said).toContain(`HTTP ${status}, ${error}: ${detail.slice(0, -1)}`);
    expect(said).not.toMatch(/does not accept|restarting/);
    if (status < 500) expect(result.next.join()).toContain(next);
  });

  test.each([
    [501, {}, 'does not roll tenants (HTTP 501)', 'not wired there'],
    [429, {}, 'takes no more requests for now (HTTP 429)', 'wait a minute'],
    [
      409,
      { error: 'rollout_in_progress' },
      'conflicts with another one',
      'somebody rolls this fleet past its lock',
    ],
  ])('HTTP %i %j: nobody was rolled, what it means and what to do', async (status, body, reason, next) => {
    const options = await start(['acme']);
    fleet.script.set(0, (_, response) => json(response, status, body));
    const { result } = await run(options);
    expect(result).toMatchObject({ outcome: 'control_plane_error', tenants: [{ phase: null, rolls: 0 }] });
    expect(result.reason).toContain(reason);
    expect(result.reason).not.toContain('; rolled:');
    expect(result.next.join()).toContain(next);
    expect(result.next.join()).not.toMatch(/restarting|wiring: somebody/);
  });

  test('a control plane that says of itself that it is unable is not restarting; its words are for verbose readers', async () => {
    const options = await start(['acme']);
    fleet.planAnswer = (response) => json(response, 503, { ok: false, error: 'provisioner not wired' });
    const { result, sink } = await run(options);
    expect(result.outcome).toBe('control_plane_error');
    expect(result.next.join()).toMatch(/itself says that it is unable/);
    expect(JSON.stringify(result)).not.toContain('provisioner');
    expect(sink.of('call.detail').map(({ text }) => text)).toContain('provisioner not wired');
  });

  test('a time that is up before anything was rolled leaves nothing that could go on', async () => {
    const options = await start(['acme']);
    fleet.planAnswer = (response) => json(response, 503, {});
    const { result } = await run({ ...options, timeoutMs: 2_000 });
    expect(result.reason).toContain("the run's time is up");
    expect(result.next.join()).not.toMatch(/may still/);
  });

  test('a stale fence is a lost lock', async () => {
    const options = await start(['acme']);
    fleet.script.set(0, (_, response) => json(response, 412, { error: 'stale_fence' }));
    const { result } = await run(options);
    expect(result).toMatchObject({ outcome: 'lock_lost', exit_code: 3 });
  });

  test('45: an edge that refuses with a web page is told apart from a token that lacks the right', async () => {
    const options = await start(['acme']);
    fleet.script.set(
      0,
      (_, response) => void response.writeHead(403, { 'content-type': 'text/html' }).end('error code: 1010'),
    );
    const { result } = await run(options);
    expect(result.reason).toContain('a proxy in front of the control plane');
  });

  test('a control plane that was never reached is given up at once', async () => {
    const options = await start(['acme']);
    const { result, clock } = await run({ ...options, controlPlane: 'http://127.0.0.1:1' });
    expect(result).toMatchObject({ outcome: 'control_plane_error', exit_code: 5 });
    expect(result.reason).toContain('cannot be reached: connection refused');
    expect(clock.monotonic()).toBe(0);
  });

  test('an error between two batches still tells what the rolled tenants run', async () => {
    const options = await start();
    fleet.script.set(1, (_, response) => json(response, 401, {}));
    const { result } = await run({ ...options, batchSize: 2 });
    expect(result.outcome).toBe('control_plane_error');
    expect(result.counts).toMatchObject({ enumerated: 4, on_target: 2, stale: 2 });
  });

  test.each([
    ['ok: false', { ok: false, results: [] }],
    ['no JSON object', 'hello'],
  ])('39: a plan with %s is a control plane error', async (_name, body) => {
    const options = await start();
    fleet.planAnswer = (response) => json(response, 200, body);
    const { result } = await run(options);
    expect(result.outcome).toBe('control_plane_error');
    expect(fleet.rolls).toHaveLength(0);
  });
});

describe('hostile answers to a plan', () => {
  test.each<[string, (response: ServerResponse) => void]>([
    ['huge', (response) => void response.writeHead(200).end('x'.repeat(9 * 1024 * 1024))],
    [
      'nested a hundred thousand deep',
      (response) => void response.writeHead(200).end('['.repeat(100_000) + ']'.repeat(100_000)),
    ],
    [
      'compressed',
      (response) =>
        void response
          .writeHead(200, { 'content-encoding': 'gzip' })
          .end(gzipSync('{"ok":true,"results":[]}')),
    ],
    [
      'without end, byte by byte',
      (response) => {
        response.writeHead(200);
        const timer = setInterval(() => response.write(' '), 5);
        response.on('close', () => clearInterval(timer));
      },
    ],
    [
      'of rows that are no objects',
      (response) => json(response, 200, { ok: true, results: ['acme', 7, null] }),
    ],
    ['whose ok is a text', (response) => json(response, 200, { ok: 'true', results: [{ slug: 'acme' }] })],
  ])('%s: a bounded, readable control plane error', async (_name, answer) => {
    const options = await start(['acme']);
    fleet.planAnswer = answer;
    const { result } = await run(options);
    expect(result).toMatchObject({ outcome: 'control_plane_error', exit_code: 5, deployed: false });
    expect(result.reason.length).toBeLessThan(300);
    expect(fleet.rolls).toHaveLength(0);
  });
});

test('104, 105: words of the control plane reach nobody but verbose readers, and those masked', async () => {
  const options = await start(['acme']);
  fleet.stuck.add('acme');
  const secret = 'InvalidInstanceId i-0123456789abcdef0 in account 123456789012 at 10.1.2.3';
  fleet.rows.set('acme', { ssm_status: 'Failed', ssm_exit_code: 2, error: `${secret}\n::error::boom` });
  const { result, sink } = await run(options);
  const detail = sink.of('call.detail').map((event) => event.text);
  expect(detail).toHaveLength(1);
  expect(detail[0]).not.toMatch(/i-0123|123456789012|10\.1\.2\.3|\n|::/);
  expect(JSON.stringify(result)).not.toMatch(/InvalidInstance|i-0123/);
  expect(result.tenants[0]?.detail).toContain('Failed (exit code 2)');
});

async function runRefusing(options: FakeFleet['options'], refuses: () => boolean) {
  const { systemHttp } = await import('../../src/io/http.js');
  const { ManualClock } = await import('../../src/testing/index.js');
  const clock = new ManualClock();
  const http = systemHttp(clock);
  return run(options, {
    clock,
    ports: {
      http: (request) =>
        http(
          request.method === 'POST' && fleet.plans > 0 && refuses()
            ? { ...request, url: 'http://127.0.0.1:1/' }
            : request,
        ),
    },
  });
}
