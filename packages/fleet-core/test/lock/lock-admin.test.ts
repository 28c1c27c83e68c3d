/** What people do with a lock, against scripted answers. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checkOptions } from '../../src/config/check-options.js';
import type { ClaimHandle } from '../../src/context.js';
import type { FleetEvent } from '../../src/events/events.js';
import { systemHttp } from '../../src/io/http.js';
import {
  breakLock,
  freezeLock,
  readLock,
  readLockLog,
  unfreezeLock,
  watchLock,
} from '../../src/lock/admin.js';
import { holdLock, releaseClaim } from '../../src/lock/from-config.js';
import { ManualClock, trackedHttp } from '../../src/testing/index.js';
import { FakeFleet, json } from '../helpers/fake-fleet.js';
import { FakeLock } from '../helpers/fake-lock.js';

let fleet: FakeFleet;
let asked: { method: string; path: string; query: string; body: unknown }[];
let answer: (path: string, response: Parameters<typeof json>[0]) => void;
beforeEach(async () => {
  fleet = await FakeFleet.start(['acme']);
  asked = [];
  fleet.extra = (request, response, body) => {
    const [path = '', query = ''] = (request.url ?? '').split('?');
    asked.push({ method: request.method ?? '', path, query, body: body ? JSON.parse(body) : undefined });
    answer(path, response);
    return true;
  };
});
afterEach(() => fleet.stop());

const config = () =>
  checkOptions('lock', { controlPlane: fleet.url, controlPlaneToken: 'secret-token', lockGroup: 'staging' });
const status = (version: number) => ({
  group: 'staging',
  version,
  held: null,
  queue: [],
  frozen: null,
  last_fencing_token: 3,
});
const BASE = '/cp/admin/fleet-locks/staging';

test('status is read, and a server without a lock is told apart', async () => {
  answer = (_, response) => json(response, 200, status(5));
  expect(await readLock(config())).toMatchObject({ group: 'staging', version: 5 });
  for (const code of [404, 501]) {
    answer = (_, response) => json(response, code, {});
    const next = expect.not.stringContaining('--no-lock');
    await expect(readLock(config())).rejects.toMatchObject({ code: 'LOCK_UNKNOWN_ENDPOINT', next });
  }
  answer = (_, response) => void response.socket?.destroy();
  await expect(readLock(config())).rejects.toMatchObject({ code: 'CP_UNREACHABLE' });
});

test.each(['lock', 'lock run', 'redeploy'] as const)(
  '%s without a group names flags that it has',
  (command) => {
    const roll = { tenantUrl: 'http://127.0.0.1/{slug}', targetTag: 'main-1', expectedSha: 'b'.repeat(40) };
    const tell = () =>
      checkOptions(command, { controlPlane: fleet.url, controlPlaneToken: 'secret-token', ...roll });
    expect(tell).toThrow(expect.objectContaining({ next: expect.stringContaining('--lock-group') }));
    const next = expect.stringContaining('--no-lock');
    expect(tell).toThrow(
      expect.objectContaining({
        next: command === 'redeploy' ? next : expect.not.stringContaining('--no-lock'),
      }),
    );
  },
);

test('a watch tells of an outage in words, once', async () => {
  const end = new AbortController();
  const told: unknown[] = [];
  let asks = 0;
  answer = (_, response) => {
    asks++;
    if (asks === 2 || asks === 3)
      json(response, 503, { error: 'database_unavailable', detail: 'It is away.' });
    else json(response, 200, status(asks));
  };
  const clock = new ManualClock();
  const tracked = trackedHttp(systemHttp(clock));
  const ports = { clock, http: tracked.http, emit: (event: FleetEvent) => void told.push(event) };
  const watch = async () => {
    for await (const { version } of watchLock(config(), { signal: end.signal, ports }))
      if (version === 4) end.abort();
  };
  await clock.runUntil(watch(), { inFlight: tracked.inFlight });
  expect(told).toMatchObject([
    { code: 'lock.unanswered', group: 'staging', reason: 'HTTP 503, database_unavailable: It is away' },
  ]);
});

test('a watch asks for what comes after the version it has, and ends with its signal', async () => {
  const end = new AbortController();
  let version = 1;
  answer = (_, response) => json(response, 200, status(version++));
  const seen: number[] = [];
  for await (const state of watchLock(config(), { signal: end.signal })) {
    seen.push(state.version);
    if (seen.length === 3) end.abort();
  }
  expect(seen).toEqual([1, 2, 3]);
  expect(asked.map((call) => call.query)).toEqual([
    '',
    'after_version=1&wait_seconds=20',
    'after_version=2&wait_seconds=20',
  ]);
});

test('break sends the token that was seen, and each refusal says what to do', async () => {
  answer = (_, response) => json(response, 200, {});
  await breakLock(config(), { fencingToken: 7, actor: 'ann', reason: 'runner died' });
  await breakLock(config(), { fencingToken: 7, actor: 'ann', reason: 'runner died', confirmAlive: true });
  expect(asked.map((call) => call.body)).toEqual([
    { fencing_token: 7, actor: 'ann', reason: 'runner died' },
    { fencing_token: 7, actor: 'ann', reason: 'runner died', confirm_alive: true },
  ]);
  expect(asked[0]?.path).toBe(`${BASE}/break`);
  answer = (_, response) => json(response, 409, { error: 'token_mismatch' });
  await expect(breakLock(config(), { fencingToken: 7, actor: 'a', reason: 'b' })).rejects.toMatchObject({
    code: 'LOCK_REFUSED',
    outcome: 'refused',
  });
  answer = (_, response) => json(response, 409, { error: 'holder_alive' });
  await expect(breakLock(config(), { fencingToken: 7, actor: 'a', reason: 'b' })).rejects.toThrow('is alive');
});

test('freeze and unfreeze carry who and why', async () => {
  answer = (_, response) => json(response, 200, {});
  await freezeLock(config(), { actor: 'ann', reason: 'audit', until: '2026-01-02T00:00:00Z' });
  await unfreezeLock(config(), { actor: 'ann', reason: 'done' });
  expect(asked.map((call) => [call.path, call.body])).toEqual([
    [`${BASE}/freeze`, { actor: 'ann', reason: 'audit', until: '2026-01-02T00:00:00Z' }],
    [`${BASE}/unfreeze`, { actor: 'ann', reason: 'done' }],
  ]);
});

test('a freeze that stands is refused in words unless it is to be replaced; lifting none too', async () => {
  const frozen = { actor: 'bob', reason: 'audit', until: '2026-01-02T00:00:00Z' };
  answer = (_, response) => json(response, 409, { error: 'already_frozen', frozen });
  await expect(freezeLock(config(), { actor: 'ann', reason: 'short' })).rejects.toMatchObject({
    code: 'LOCK_REFUSED',
    outcome: 'refused',
    message: 'the lock staging is frozen already by bob until 2026-01-02T00:00:00Z: audit',
    next: expect.stringContaining('--replace'),
  });
  answer = (_, response) => json(response, 409, { error: 'not_frozen' });
  await expect(unfreezeLock(config(), { actor: 'ann', reason: 'done' })).rejects.toMatchObject({
    code: 'LOCK_REFUSED',
    message: 'the lock staging is not frozen: nothing was lifted',
  });
  answer = (_, response) => json(response, 200, {});
  await freezeLock(config(), { actor: 'ann', reason: 'longer', replace: true });
  expect(asked.at(-1)?.body).toEqual({ actor: 'ann', reason: 'longer', replace: true });
});

test('the log is read page by page to its end', async () => {
  const event = (seq: number) => ({ seq, at: '2026-01-01T00:00:00Z', kind: 'granted' });
  answer = (_, response) => {
    const after = Number(new URLSearchParams(asked.at(-1)?.query).get('after'));
    json(response, 200, { group: 'staging', events: after >= 4 ? [] : [event(after + 1), event(after + 2)] });
  };
  expect((await readLockLog(config())).map((entry) => entry.seq)).toEqual([1, 2, 3, 4]);
});

test('other work runs under the lock, which is given back when it throws', async () => {
  const lock = new FakeLock(fleet);
  await expect(holdLock(config(), async (lease) => lease.fencingToken)).resolves.toBe(7);
  const boom = holdLock(config(), async () => {
    throw new Error('boom');
  });
  await expect(boom).rejects.toThrow('boom');
  expect(lock.of('release').map((call) => call.body.result)).toEqual(['none', 'none']);
});

test('work under the lock that waits says for what, and how long it may', async () => {
  const lock = new FakeLock(fleet);
  lock.claim = (_, response) => lock.queue(response);
  const clock = new ManualClock();
  const tracked = trackedHttp(systemHttp(clock));
  const told: FleetEvent[] = [];
  const ports = { clock, http: tracked.http, emit: (event: FleetEvent) => void told.push(event) };
  const waiting = { ...config(), lock: { ...config().lock, waitMs: 45_000 } } as ReturnType<typeof config>;
  const work = holdLock(waiting, async () => {}, { ports }).catch(() => {});
  await clock.runUntil(work, { inFlight: tracked.inFlight });
  expect(told.find(({ code }) => code === 'heartbeat')).toMatchObject({
    doing: 'waiting for the lock staging',
    left_ms: expect.toSatisfy((left: number) => left > 0 && left <= 15_000),
  });
});

test('a lock server of the first version hears no word that it does not know', async () => {
  const lock = new FakeLock(fleet);
  lock.features = null;
  await holdLock(config(), async () => {});
  expect(lock.of('release').map((call) => call.body.result)).toEqual(['not_proven']);
});

test('what a killed process left can be released by whoever kept its claim', async () => {
  const lock = new FakeLock(fleet);
  const kept: ClaimHandle[] = [];
  let claims = 0;
  lock.claim = (_, response) =>
    claims++ ? lock.grant(response) : json(response, 410, { error: 'claim_over', state: 'released' });
  await holdLock({ ...config(), trigger: { runId: '1', job: 'deploy' } }, async () => {}, {
    onClaim: (claim) => kept.push(claim),
  });
  expect(kept.map((claim) => claim.claimId)).toEqual(lock.of('claim').map((call) => call.claim));
  const [, left] = kept;
  expect(await releaseClaim(config(), left as ClaimHandle)).toBe(true);
  expect(lock.of('release').at(-1)).toMatchObject({
    claim: left?.claimId,
    body: { session: left?.session, result: 'not_proven' },
  });
  lock.release = (_, response) => void response.socket?.destroy();
  expect(await releaseClaim(config(), left as ClaimHandle)).toBe(false);
});

test.each(['../../redeploy-fleet', '..', 'x', '00000000-0000-4000-8000-000000000000/../../x'])(
  'a claim that is none is sent nowhere: %s',
  async (claimId) => {
    answer = (_, response) => json(response, 200, { state: 'released', already: false });
    expect(await releaseClaim(config(), { claimId, session: 's' })).toBe(false);
    expect(asked).toEqual([]);
  },
);
