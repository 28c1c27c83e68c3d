/** Clocks that jump, processes that sleep, and two things in the same millisecond; by clocks stepped by hand. */
import { FleetError, FleetLock, type Clock as LeaseClock } from '@tenant-fleet/fleet-core';
import { systemPorts } from '@tenant-fleet/fleet-core/program';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ControlPlane } from '../../src/control-plane.js';
import { ManualClock } from '../support/clock.js';
import { advance, Client, sql, startPlane, TOKEN } from '../support/plane.js';

const HOUR = 3_600_000;
const clock = new ManualClock();
let plane: ControlPlane;
let client: Client;
beforeAll(async () => {
  plane = await startPlane({ clock });
});
afterAll(() => plane.close());
beforeEach(() => {
  client = new Client(plane.url);
});

/** The machine of a client: its wall clock can be set, and it can sleep, which stops its monotonic clock. */
class Machine implements LeaseClock {
  private wallOffset = 0;
  monotonic = () => performance.now();
  wall = () => Date.now() + this.wallOffset;
  timer(ms: number, fire: () => void): () => void {
    const handle = setTimeout(fire, Math.min(ms, 60_000));
    return () => clearTimeout(handle);
  }
  setWall(ms: number): void {
    this.wallOffset += ms;
  }
}

async function leaseOn(machine: Machine, ttlMs: number) {
  const ports = systemPorts({ clock: machine });
  const server = { url: plane.url, token: TOKEN };
  const options = { server, group: client.group, holder: { name: 'laptop' }, waitMs: 0, ttlMs };
  return new FleetLock(options, ports, () => {}).acquire(new AbortController().signal);
}
const idle = new AbortController().signal;

describe('a wall clock that jumps', () => {
  it.each([
    ['forward', HOUR],
    ['back', -HOUR],
  ])('L17: an hour %s on server and database ends, extends and reorders nothing', async (_which, jump) => {
    const holder = await client.holding('holder', { ttl: 10 });
    const a = await client.waiting('a', { ttl: 10 });
    const b = await client.waiting('b', { ttl: 10 });
    await advance(clock, plane, 5);
    clock.jumpWall(jump);
    await sql(
      plane.databaseUrl,
      `UPDATE lock_claims SET acquired_at = acquired_at - $1 * interval '1 ms', queued_at = queued_at + place * $1 * interval '1 ms'
        WHERE group_name = $2`,
      [jump, client.group],
    );
    await advance(clock, plane, 4);
    expect((await client.status()).held.claim_id).toBe(holder.id);
    await advance(clock, plane, 2);
    expect((await client.status()).held.claim_id).toBe(a.id);
    await a.release();
    expect((await client.status()).held.claim_id).toBe(b.id);
  });

  it.each([
    ['forward', HOUR],
    ['back', -HOUR],
  ])('L17: an hour %s on the client is answered with a renewal, and work goes on', async (_which, jump) => {
    const machine = new Machine();
    const lease = await leaseOn(machine, 600_000);
    const renewals = async () =>
      Number(
        (
          await sql<{ renew_seq: string }>(
            plane.databaseUrl,
            'SELECT renew_seq FROM lock_claims WHERE group_name = $1',
            [client.group],
          )
        )[0]?.renew_seq,
      );
    await lease.ready(idle);
    expect(await renewals()).toBe(0);
    machine.setWall(jump);
    await lease.ready(idle);
    await lease.ready(idle);
    expect(await renewals()).toBe(1);
    expect(lease.signal.aborted).toBe(false);
    expect(await lease.release('not_proven')).toBe(true);
  });
});

it('L18: a laptop that slept for ten minutes renews first, learns of its loss, and starts nothing', async () => {
  const machine = new Machine();
  const lease = await leaseOn(machine, 30_000);
  const next = await client.waiting('next', { ttl: 3600 });
  // While it sleeps its monotonic clock stands still: only the wall clock and the server go on.
  machine.setWall(600_000);
  await advance(clock, plane, 32);
  expect(lease.usableForMs).toBeGreaterThan(20_000);
  const ready = lease.ready(idle);
  await expect(ready).rejects.toThrow(FleetError);
  await expect(ready).rejects.toMatchObject({ code: 'LOCK_LOST' });
  expect(lease.signal.aborted).toBe(true);
  expect((await client.status()).held.claim_id).toBe(next.id);
});

it('L10: of a renewal and an expiry in the same millisecond one wins, and the answer says which', async () => {
  const seen = new Set<string>();
  for (let round = 0; round < 30; round += 1) {
    const lock = new Client(plane.url);
    const holder = await lock.holding('holder', { ttl: 2 });
    await advance(clock, plane, 1);
    clock.step(1001);
    // The sweep looks, finds the lease silent for its whole TTL, and ends it; the renewal comes at any point of that.
    const swept = plane.sweep();
    if (round % 3 === 1) await Promise.resolve();
    if (round % 3 === 2) await sql(plane.databaseUrl, 'SELECT 1');
    const renewal = await holder.renew();
    await swept;
    const kinds = await lock.kinds();
    const won = renewal.status === 200;
    seen.add(won ? 'renewal' : 'expiry');
    expect(renewal.body).toMatchObject(won ? { state: 'held' } : { error: 'lease_lost', reason: 'expired' });
    expect(kinds).toEqual(won ? ['granted'] : ['granted', 'lost']);
    expect((await lock.status()).held?.claim_id ?? null).toBe(won ? holder.id : null);
    if (won) await holder.release();
  }
  expect(seen.size).toBeGreaterThan(0);
});
