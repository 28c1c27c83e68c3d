/** The lock's client against a server whose answers take their time, on a hand-stepped clock. */
import { beforeEach, describe, expect, test } from 'vitest';
import type { HttpRequest } from '../../src/io/http.js';
import { type Lease, usableMs } from '../../src/lock/lease.js';
import { FleetLock } from '../../src/lock/lock.js';
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

type Reply = { status: number; body: unknown; afterMs?: number };
let clock: ManualClock;
let claims: Reply[];
let renewals: Reply[];
let calls: { verb: string; claim: string }[];

beforeEach(() => {
  clock = new ManualClock();
  claims = [];
  renewals = [];
  calls = [];
});

async function http({ url }: HttpRequest) {
  const [, claim = '', verb = 'claim'] = /\/claims\/([^/?]+)(?:\/(renew|release))?/.exec(url) ?? [];
  calls.push({ verb, claim });
  const script = verb === 'claim' ? claims : verb === 'renew' ? renewals : [];
  const usual: Reply = verb === 'claim' ? held : verb === 'renew' ? renewed : released;
  const { status, body, afterMs = 0 } = script.shift() ?? usual;
  await new Promise<void>((resolve) => void clock.timer(afterMs, resolve));
  return { status, headers: {}, body: JSON.stringify(body) };
}

let ids = 0;
const random = { fraction: () => 0.5, uuid: () => `claim-${ids++}`, session: () => 'session-1' };
const acquire = (): Promise<Lease> => {
  const server = { url: 'http://lock', token: 'sesame' };
  const options = { server, group: 'staging', holder, waitMs: 600_000, ttlMs: TTL };
  const lock = new FleetLock(options, { clock, random, http }, () => {});
  return clock.runUntil(lock.acquire(new AbortController().signal));
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
