/** A synchronous standby is promoted while clients use the lock: whatever was answered holds on it. */
import { execFile } from 'node:child_process';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, expect, it } from 'vitest';
import { portOf, TcpProxy, throughProxy } from '../fixtures/proxy.js';
import { postgresInUse, startPostgres } from '../support/debian.js';
import { Client, eventually, sql, startPlane } from '../support/plane.js';
import { endProcesses } from '../support/processes.js';
import { ServerFleet } from '../support/rollouts.js';
import { startStandby } from '../support/standby.js';

const GROUPS = ['g0', 'g1', 'g2'];
const CLIENTS = 6;

interface Grant {
  group: string;
  token: number;
  /** Whether it came after the promotion. */
  after: boolean;
}

afterAll(endProcesses);

it('tokens grow, the lease, the record and the rollout of before go on, and every answered grant is in the log', async () => {
  console.log(`standby: ${postgresInUse()}`);
  const folder = await mkdtemp(join(tmpdir(), 'fleet-failover-'));
  // PostgreSQL's own user has to get through when the tests run as root.
  await chmod(folder, 0o711);
  const primary = await startPostgres(join(folder, 'primary'));
  const proxy = await TcpProxy.start(portOf(primary.url));
  const planes = await Promise.all(
    [0, 1].map(() => startPlane({ databaseUrl: throughProxy(primary.url, proxy) })),
  );
  const [url, other] = planes.map((plane) => plane.url) as [string, string];
  const production = new Client(url, 'production');
  proxy.partition();
  await primary.stop();
  await promisify(execFile)('cp', ['-a', join(folder, 'primary'), join(folder, 'standby')]);
  await primary.start();
  const standby = await startStandby(join(folder, 'standby'), primary.url, startPostgres);
  await sql(primary.url, "ALTER SYSTEM SET synchronous_standby_names = '*'");
  await sql(primary.url, 'SELECT pg_reload_conf()');
  const states = () => sql<{ sync_state: string }>(primary.url, 'SELECT sync_state FROM pg_stat_replication');
  await eventually(async () => (await states())[0]?.sync_state === 'sync', 30_000);
  proxy.heal();

  const holder = production.claim('holder', { ttl: 120 });
  await eventually(async () => (await holder.put()).status === 200);
  const past = production.claim('past');
  const rollout = { target_tag: 'main-1', tool_version: '1.2.3', slugs: ['acme'] };
  const kept = { session: holder.session, fencing_token: holder.token, rollout };
  expect((await production.call('POST', `${holder.path}/rollout`, kept)).status).toBe(200);
  expect((await past.put()).status).toBe(202);

  const grants: Grant[] = [];
  let [after, over] = [false, false];
  const use = async (index: number) => {
    for (let turn = 0; !over; turn++) {
      const group = GROUPS[(index + turn) % GROUPS.length] as string;
      const claim = new Client(turn % 2 ? url : other, group).claim(`c${index}`, { wait: 1 });
      // Whoever got no answer asks again with the same claim; what it holds in the end, it gives back.
      for (const step of [() => claim.put(), () => claim.renew(), () => claim.release()]) {
        const answer = await step().catch(() => null);
        if (
          answer?.status === 200 &&
          claim.token &&
          !grants.some(({ token, group: g }) => g === group && token === claim.token)
        )
          grants.push({ group, token: claim.token, after });
        if (over) break;
      }
    }
  };
  const using = Array.from({ length: CLIENTS }, (_, index) => use(index));
  await eventually(() => grants.length > 40, 60_000);
  const fleet = await ServerFleet.start(throughProxy(primary.url, proxy), { tenants: 5, rollMs: 1000 });
  const { id } = (await fleet.start(await fleet.addServer())).body;
  await fleet.said(id, ({ code, phase }) => code === 'wave.started' && phase === 'batch-1');

  await primary.kill();
  const promoted = await standby.promote();
  proxy.partition();
  proxy.target = portOf(promoted.url);
  proxy.heal();
  after = true;
  await eventually(() => grants.filter((grant) => grant.after).length > 40, 60_000);
  over = true;
  await Promise.all(using);
  expect(await fleet.ended(id)).toMatchObject({ outcome: 'succeeded' });
  expect(await fleet.rolls()).toEqual({ t1: 1, t2: 1, t3: 1, t4: 1, t5: 1 });

  for (const group of GROUPS) {
    const mine = grants.filter((grant) => grant.group === group);
    const tokens = mine.map(({ token }) => token);
    expect(new Set(tokens).size).toBe(tokens.length);
    const before = Math.max(...mine.filter((grant) => !grant.after).map(({ token }) => token));
    const first = Math.min(...mine.filter((grant) => grant.after).map(({ token }) => token));
    expect(first).toBeGreaterThan(before);
    const logged = await sql<{ fencing_token: string }>(
      promoted.url,
      "SELECT fencing_token FROM lock_events WHERE group_name = $1 AND kind = 'granted'",
      [group],
    );
    const known = new Set(logged.map((row) => Number(row.fencing_token)));
    expect(tokens.filter((token) => !known.has(token))).toEqual([]);
  }
  expect((await holder.renew()).status).toBe(200);
  const shown = await production.call('GET', `${production.lock}/rollouts/${holder.id}`);
  expect(shown.body).toMatchObject({ state: 'running', fencing_token: holder.token, rollout });
  expect((await holder.release()).status).toBe(200);
  expect((await past.put({ wait: 5 })).status).toBe(200);
  expect(past.token).toBeGreaterThan(holder.token);

  await fleet.end();
  await Promise.all(planes.map((plane) => plane.close()));
  await proxy.close();
  await promoted.close();
  await rm(folder, { recursive: true, force: true });
}, 180_000);
