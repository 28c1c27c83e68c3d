/** The lock's client against a server whose answers take their time, on a hand-stepped clock. */
import { beforeEach, describe, expect, test } from 'vitest';
import type { RolloutRecord } from '../../src/contract.js';
import type { FleetEvent } from '../../src/events/events.js';
import { HttpFailure, type HttpRequest } from '../../src/io/http.js';
import { type Lease, usableMs } from '../../src/lock/lease.js';
import { FleetLock } from '../../src/lock/lock.js';
import type { LockOptions } from '../../src/lock/options.js';
import { ManualClock } from '../../src/testing/index.js';

const TTL = 30_000;
const SLOW = 4_000;
const holder = { name: 'somebody' };
const held = {
  status: 200,
  body: { state: 'held', fencing_token: 7, ttl_seconds: TTL / 1000, acquired_at: 'now' },
};
const queued = { status: 202, body: { state: 'queued', position: 1, queue_length: 1, holder } };
const renewed = { status: 200, body: { state: 'held', ttl_seconds: TTL / 1000 } };
const released = { status: 200, body: { state: 'released', already: false } };

/** `null` answers nothing: the connection breaks. */
type Reply = { status: number; body: unknown; afterMs?: number } | null;
interface Call {
  verb: string;
  claim: string;
  wait: string | undefined;
  at: number;
  body: Record<string, unknown>;
  timeoutMs: number;
  fresh: boolean | undefined;
}
let clock: ManualClock;
let claims: Reply[];
let renewals: Reply[];
let releases: Reply[];
let features: string[];
let calls: Call[];
let events: FleetEvent[];
let fraction: number;
let ttlMs: number;

beforeEach(() => {
  clock = new ManualClock();
  claims = [];
  renewals = [];
  releases = [];
  features = [];
  calls = [];
  events = [];
  fraction = 0.5;
  ttlMs = TTL;
});

async function http({ url, body: sent, timeoutMs, fresh }: HttpRequest) {
  const [, claim, action = 'claim'] = /\/claims\/([^/?]+)(?:\/(renew|release))?/.exec(url) ?? [];
  const verb = claim ? action : 'features';
  const body = JSON.parse(sent ?? '{}');
  const wait = /wait_seconds=(\d+)/.exec(url)?.[1];
  calls.push({ verb, claim: claim ?? '', wait, at: clock.monotonic(), body, timeoutMs, fresh });
  const scripts: Record<string, [Reply[], Reply]> = {
    claim: [claims, heldFor(held)],
    renew: [renewals, heldFor(renewed)],
    release: [releases, released],
    features: [[], { status: 200, body: { groups: [], features } }],
  };
  const [script = [], usual = null] = scripts[verb] ?? [];
  const reply = script.length ? script.shift() : usual;
  if (!reply) throw new HttpFailure('broken', 'cut');
  await new Promise<void>((resolve) => void clock.timer(reply.afterMs ?? 0, resolve));
  return { status: reply.status, headers: {}, body: JSON.stringify(reply.body) };
}

const heldFor = ({ status, body }: typeof renewed): Reply => ({
  status,
  body: { ...body, ttl_seconds: ttlMs / 1000 },
});
const of = (verb: string) => calls.filter((call) => call.verb === verb);
const told = <Code extends FleetEvent['code']>(code: Code) =>
  events.filter((event): event is Extract<FleetEvent, { code: Code }> => event.code === code);

let ids = 0;
const random = { fraction: () => fraction, uuid: () => `claim-${ids++}`, session: () => 'session-1' };
const acquire = (more: Partial<LockOptions> = {}, signal = new AbortController().signal): Promise<Lease> => {
  const server = { url: 'http://lock', token: 'sesame' };
  const options = { server, group: 'staging', holder, waitMs: 600_000, ttlMs, ...more };
  const emit = (event: unknown) => void events.push(event as FleetEvent);
  const lock = new FleetLock(options, { clock, random, http }, emit);
  return clock.runUntil(lock.acquire(signal));
};

describe('a lease counts from before the request was sent', () => {
  test('that brought the grant', async () => {
    claims = [{ ...held, afterMs: SLOW }];
    const lease = await acquire();
    expect(lease.usableForMs).toBe(usableMs(TTL) - SLOW);
  });

  test('that confirmed it after a long poll', async () => {
    claims = [queued, { ...held, afterMs: 15_000 }];
    renewals = [{ ...renewed, afterMs: SLOW }];
    const lease = await acquire();
    expect(lease.usableForMs).toBe(usableMs(TTL) - SLOW);
  });

  test('that renewed it', async () => {
    const lease = await acquire();
    renewals = [{ ...renewed, afterMs: SLOW }];
    await clock.advance(TTL / 3 + SLOW);
    expect(lease.usableForMs).toBe(usableMs(TTL) - SLOW);
  });
});

test.each(['superseded', 'outdated'])(
  'whoever was %s does not come back under another claim',
  async (error) => {
    claims = [queued, { status: 409, body: { error, by: { number: 9, holder } } }];
    await expect(acquire()).rejects.toMatchObject({ code: 'SUPERSEDED' });
    expect(new Set(calls.map(({ claim }) => claim)).size).toBe(1);
  },
);

test.each([
  [1_000, 900],
  [5_000, 4_500],
  [20_000, 18_000],
  [60_000, 58_000],
])('of a lease of %i ms %i are used: the rest is for the server', async (ttl, usable) => {
  ttlMs = ttl;
  const lease = await acquire();
  expect([lease.usableForMs, lease.graceMs]).toEqual([usable, ttl - usable]);
  expect([lease.claimId, lease.session, lease.fencingToken]).toEqual([of('claim')[0]?.claim, 'session-1', 7]);
});

test.each([
  [30_000, 0, 9_000],
  [30_000, 0.5, 10_000],
  [30_000, 1, 11_000],
  [6_000, 0, 1_800],
  [600, 0.5, 250],
])('a lease of %i ms at the random number %d is renewed after %i ms', async (ttl, at, gap) => {
  [ttlMs, fraction] = [ttl, at];
  await acquire();
  await clock.advance(gap - 1);
  expect(of('renew')).toEqual([]);
  await clock.advance(1);
  expect(of('renew')).toMatchObject([{ timeoutMs: Math.max(500, ttl / 6), fresh: false }]);
});

test.each([
  [30_000, 0, 1_000],
  [30_000, 1, 3_000],
  [10_000, 0.5, 1_000],
])(
  'a renewal of %i ms that fails is tried again at the random number %d after %i ms, by another connection',
  async (ttl, at, gap) => {
    [ttlMs, fraction] = [ttl, 0.5];
    await acquire();
    renewals = [null];
    fraction = at;
    await clock.advance(ttl / 3);
    await clock.advance(gap - 1);
    expect(of('renew')).toHaveLength(1);
    await clock.advance(1);
    expect(of('renew').map(({ fresh }) => fresh)).toEqual([false, true]);
    expect(told('lock.renew_failed')).toMatchObject([
      { group: 'staging', usable_ms: usableMs(ttl) - ttl / 3 },
    ]);
    expect(told('lock.recovered')).toHaveLength(1);
  },
);

test('what the holder does goes along, at most 300 characters of it; nothing where it does nothing', async () => {
  const lease = await acquire();
  await clock.advance(TTL / 3);
  lease.step = `rolling ${'x'.repeat(400)}`;
  await clock.advance(TTL / 3);
  const [first, second] = of('renew').map(({ body }) => body);
  expect(first).toEqual({ session: 'session-1', fencing_token: 7 });
  expect(String(second?.step)).toMatch(/^rolling x{200}/);
  expect(String(second?.step).length).toBeLessThanOrEqual(300);
});

test.each([
  ['a refusal', { status: 409, body: { error: 'lease_lost', reason: 'broken' } }, TTL / 3, /broken/],
  ['silence', { ...renewed, afterMs: 60_000 }, usableMs(TTL), /no renewal was answered before its end/],
  ['an answer that is no renewal', { status: 200, body: { state: 'held' } }, usableMs(TTL), /no renewal/],
])(
  '%s ends the lease for good, and nothing is sent for it after that',
  async (_name, reply, after, reason) => {
    const lease = await acquire();
    renewals = Array<Reply>(100).fill(reply);
    await clock.advance(after - 1);
    expect(lease.signal.aborted).toBe(false);
    await clock.advance(1);
    expect(lease.signal.reason).toMatchObject({ code: 'LOCK_LOST', outcome: 'lock_lost' });
    expect(lease.signal.reason.message).toMatch(reason);
    expect(lease.signal.reason.next).toContain('fleet lock status --lock-group staging');
    const before = calls.length;
    // Also an answer that comes late does not bring it back.
    await clock.advance(120_000);
    await expect(lease.ready(new AbortController().signal)).rejects.toMatchObject({ code: 'LOCK_LOST' });
    expect(await lease.release('proven')).toBe(false);
    expect([calls.length - before, clock.pending]).toEqual([0, 0]);
    expect([told('lock.lost').length, told('lock.recovered').length]).toEqual([1, 0]);
  },
);

describe('a step starts', () => {
  const ready = (lease: Lease) => lease.ready(new AbortController().signal);

  test.each([
    [30_000, 7_500],
    [60_000, 8_000],
    [6_000, 1_500],
  ])('under a lease of %i ms only while more than %i ms are left, or after a renewal', async (ttl, guard) => {
    ttlMs = ttl;
    const lease = await acquire();
    // The renewal that is due is answered late, so that the lease comes near its end.
    renewals = [{ ...(heldFor(renewed) as object), afterMs: ttl } as Reply];
    await clock.advance(usableMs(ttl) - guard - 1);
    await ready(lease);
    expect(of('renew')).toHaveLength(1);
    await clock.advance(1);
    let started = false;
    ready(lease).then(
      () => {
        started = true;
      },
      () => {},
    );
    await clock.advance(guard - 1);
    expect(started).toBe(false);
  });

  test.each([
    [1_000, 0],
    [-1_000, 0],
    [1_001, 1],
    [-1_001, 1],
  ])('after the wall clock jumped by %i ms with %i renewals before it', async (jump, renewalsBefore) => {
    await clock.advance(100_000);
    const lease = await acquire();
    clock.jumpWall(jump);
    await clock.runUntil(ready(lease));
    expect(of('renew')).toHaveLength(renewalsBefore);
    await clock.runUntil(ready(lease));
    expect(of('renew')).toHaveLength(renewalsBefore);
  });
});

describe('a lease that is given back', () => {
  const cut = null;
  const refused = { status: 409, body: { error: 'lease_lost', reason: 'expired' } };
  const tooLarge = { status: 413, body: { error: 'too_large' } };
  const broken = { status: 200, body: { state: 'released' } };
  const AGAIN = [
    [2_000, false],
    [2_000, true],
  ];

  test.each<[string, Reply[], boolean, unknown, string | null]>([
    ['is free', [released], true, [[2_000, false]], null],
    ['is asked about once more by another connection', [cut, released], true, AGAIN, null],
    ['is left to its TTL after two tries', [cut, cut], false, AGAIN, 'cut'],
    ['is not asked about again where the server says no', [refused], false, [[2_000, false]], 'lease_lost'],
    ['counts where only its record was too large', [tooLarge], true, [[2_000, false]], null],
    ['is asked about again where the answer is none', [broken, released], true, AGAIN, null],
  ])('%s', async (_name, replies, free, tries, reason) => {
    const lease = await acquire();
    releases = [...replies];
    const given = lease.release('proven');
    expect(await clock.runUntil(given)).toBe(free);
    expect(await lease.release('not_proven')).toBe(free);
    expect(of('release').map(({ timeoutMs, fresh }) => [timeoutMs, fresh])).toEqual(tries);
    for (const { body } of of('release'))
      expect(body).toEqual({ session: 'session-1', fencing_token: 7, result: 'proven' });
    expect(told('lock.released')).toHaveLength(free ? 1 : 0);
    expect(told('lock.release_failed')).toMatchObject(reason ? [{ reason, free_after_ms: TTL }] : []);
    const large = replies.includes(tooLarge) ? [{ reason: expect.stringContaining('too large') }] : [];
    expect(told('warning').filter(({ reason }) => reason.startsWith('the record'))).toMatchObject(large);
    // Nothing renews it any more, and nobody is told that it was lost.
    await clock.advance(120_000);
    expect([of('renew').length, told('lock.lost').length, clock.pending]).toEqual([0, 0, 0]);
    expect(lease.signal.aborted).toBe(false);
  });

  test.each([
    ['none', ['rollouts'], 'none'],
    ['none', [], 'not_proven'],
    ['proven', [], 'proven'],
    ['proven', ['rollouts'], 'proven'],
  ] as const)('as %s to a server that can do %j is given back as %s', async (result, can, sent) => {
    features = [...can];
    const lease = await acquire();
    const record = { outcome: 'succeeded' } as RolloutRecord;
    lease.records.start(() => record);
    await clock.runUntil(lease.release(result));
    expect(of('release').map(({ body }) => [body.result, body.rollout])).toEqual([
      [sent, can.length ? record : undefined],
    ]);
  });
});

describe('a claim', () => {
  const later = (ms: number): Reply => ({ ...queued, afterMs: ms });
  const refusal = (error: string, status = 409): Reply => ({ status, body: { error } });

  test('waits as long as its run may, and each request is given time for its answer', async () => {
    claims = [queued, later(20_000), later(4_500)];
    await expect(acquire({ waitMs: 24_500 })).rejects.toMatchObject({ code: 'LOCK_TIMEOUT' });
    expect(of('claim').map(({ wait, timeoutMs }) => [wait, timeoutMs])).toEqual([
      ['0', 10_000],
      ['20', 30_000],
      ['5', 15_000],
    ]);
  });

  test.each(
    [
      [0, [250, 500, 1_000]],
      [1, [1_000, 2_000, 4_000]],
    ].map(([at, gaps]) => [at, [gaps].flat()] as [number, number[]]),
  )(
    'that is not answered asks again by other connections, at the random number %d after %j ms',
    async (at, gaps) => {
      fraction = at;
      claims = [queued, null, null, null, heldFor(held)];
      await acquire();
      const [, ...asked] = of('claim');
      expect(asked.map(({ fresh }) => fresh)).toEqual([false, true, true, true]);
      expect(asked.slice(1).map((call, index) => call.at - (asked[index]?.at ?? 0))).toEqual(
        gaps.map((gap) => gap * (at ? 1 : 2)),
      );
    },
  );

  test('that was answered once waits out a server that is away, for longer than four tries', async () => {
    claims = [queued, ...Array<Reply>(8).fill(null), heldFor(held)];
    expect((await acquire()).fencingToken).toBe(7);
  });

  test('that a long poll granted is renewed as what it is, and asked again by other connections', async () => {
    claims = [queued, heldFor(held)];
    renewals = [null, null];
    await acquire();
    const renewal = { body: { session: 'session-1', fencing_token: 7 }, timeoutMs: TTL / 6 };
    const start = of('renew')[0]?.at ?? 0;
    expect(of('renew')).toMatchObject([
      { ...renewal, fresh: false },
      { ...renewal, fresh: true, at: start + 500 },
      { ...renewal, fresh: true, at: start + 1_000 },
    ]);
  });

  test('that gives up leaves the queue as itself, in two seconds', async () => {
    claims = [queued, later(1_000)];
    await expect(acquire({ waitMs: 1_000 })).rejects.toMatchObject({ code: 'LOCK_TIMEOUT' });
    const body = { session: 'session-1', result: 'not_proven' };
    expect(of('release')).toMatchObject([
      { claim: of('claim')[0]?.claim, body, timeoutMs: 2_000, fresh: true },
    ]);
  });

  test.each(['claim_over', 'claim_in_use'])(
    'that was lent is never left for another one: %s',
    async (error) => {
      claims = [queued, refusal(error)];
      const claim = { claimId: 'lent', session: 'session-lent' };
      await expect(acquire({ claim })).rejects.toThrow();
      expect(
        calls.filter(({ verb }) => verb === 'claim').map((call) => [call.claim, call.body.session]),
      ).toEqual([
        ['lent', 'session-lent'],
        ['lent', 'session-lent'],
      ]);
    },
  );

  test('of nobody before is not made again where the first answer says that it is over', async () => {
    claims = [refusal('claim_over', 410)];
    await expect(acquire()).rejects.toThrow();
    expect(of('claim')).toHaveLength(1);
  });

  test('that is made again asks first without waiting, under an id of its own', async () => {
    claims = [queued, refusal('claim_over', 410), queued];
    await acquire();
    expect(of('claim').map(({ wait }) => wait)).toEqual(['0', '20', '0', '20']);
    expect(new Set(of('claim').map(({ claim }) => claim)).size).toBe(2);
  });
});
