// The lock: an uncontended pair against the database round trips that it needs, and the hand-over against a bare
// LISTEN/NOTIFY hand-over, taken in turns in one run.
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { startEmbedded } from '@tenant-fleet/fleet-control-plane';
import pg from 'pg';
import { Agent, request } from 'undici';
import { here, ratio, table } from './measure.mjs';

const TOKEN = 'bench-token';
const quick = process.argv.includes('--quick');
const dispatcher = new Agent({ connections: 256, pipelining: 1 });

/** A control plane in a process of its own. */
async function controlPlane(databaseUrl) {
  const program = here('../packages/fleet-control-plane/dist/main.js');
  const child = spawn(
    process.execPath,
    [program, '--json', '--stdin', '--tenants', '1', '--queue-limit', '500'],
    {
      env: { PATH: process.env.PATH, FLEET_CP_TOKEN: TOKEN, DATABASE_URL: databaseUrl },
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  );
  const [line] = await once(createInterface(child.stdout), 'line');
  const { url } = JSON.parse(line);
  return {
    base: `${url}/cp/admin/fleet-locks`,
    stop: async () => {
      child.stdin.end();
      await once(child, 'exit');
    },
  };
}

async function call(method, url, body) {
  const answer = await request(url, {
    method,
    dispatcher,
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: answer.statusCode, body: await answer.body.json() };
}

const claimBody = (session) => ({ session, ttl_seconds: 30, holder: { name: 'bench' } });

/** Milliseconds of a claim and its release without rivals. */
async function uncontended({ base }, group) {
  const url = `${base}/${group}/claims/${randomUUID()}`;
  const session = randomUUID();
  const started = performance.now();
  await call('PUT', url, claimBody(session));
  await call('POST', `${url}/release`, { session });
  return performance.now() - started;
}

/** The same as its two transactions alone: lock a row, write, commit; twice. */
async function bareTransactions(client) {
  const started = performance.now();
  for (let half = 0; half < 2; half++) {
    await client.query('BEGIN');
    await client.query({ name: 'lock', text: 'SELECT * FROM bench_row WHERE id = 1 FOR UPDATE' });
    await client.query({ name: 'write', text: 'UPDATE bench_row SET n = n + 1 WHERE id = 1' });
    await client.query('COMMIT');
  }
  return performance.now() - started;
}

/** Milliseconds from a committed NOTIFY being sent to its arrival at another connection. */
async function bareHandOver(sender, listener) {
  const arrived = once(listener, 'notification');
  const started = performance.now();
  await sender.query('BEGIN');
  await sender.query({ name: 'write', text: 'UPDATE bench_row SET n = n + 1 WHERE id = 1' });
  await sender.query("SELECT pg_notify('bench', '')");
  await sender.query('COMMIT');
  await arrived;
  return performance.now() - started;
}

/** Milliseconds from each release being sent to the next holder's answer, while `waiters` queue up again and again. */
async function handOvers(servers, waiters, rounds) {
  const group = `bench-${randomUUID().slice(0, 8)}`;
  const gaps = [];
  let releasedAt = 0;
  let over = false;
  const worker = async (index) => {
    const { base } = servers[index % servers.length];
    while (!over) {
      const session = randomUUID();
      const url = `${base}/${group}/claims/${randomUUID()}`;
      let answer;
      do answer = await call('PUT', `${url}?wait_seconds=20`, claimBody(session));
      while (answer.status === 202 && !over);
      if (answer.status !== 200) {
        await call('POST', `${url}/release`, { session });
        continue;
      }
      if (releasedAt) gaps.push(performance.now() - releasedAt);
      over = gaps.length >= rounds;
      releasedAt = performance.now();
      await call('POST', `${url}/release`, { session, fencing_token: answer.body.fencing_token });
    }
  };
  const started = performance.now();
  await Promise.all(Array.from({ length: waiters }, (_, index) => worker(index)));
  const kept = gaps.slice(Math.floor(gaps.length / 10)).sort((a, b) => a - b);
  return { ...spread(kept), perSecond: gaps.length / ((performance.now() - started) / 1000) };
}

function spread(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  return { p50: sorted[Math.floor(sorted.length / 2)], p99: sorted[Math.floor(sorted.length * 0.99)] };
}

/** Transactions of the database a second while nobody does anything but wait. */
async function idleLoad(server, client, waiters, seconds) {
  const group = `idle-${randomUUID().slice(0, 8)}`;
  const claims = Array.from({ length: waiters + 1 }, () => ({
    session: randomUUID(),
    url: `${server.base}/${group}/claims/${randomUUID()}`,
  }));
  const [holder] = claims;
  await call('PUT', holder.url, claimBody(holder.session));
  const polls = claims
    .slice(1)
    .map(({ url, session }) => call('PUT', `${url}?wait_seconds=${seconds + 5}`, claimBody(session)));
  await new Promise((resolve) => setTimeout(resolve, 2000));
  const count = async () => {
    const { rows } = await client.query(
      'SELECT xact_commit + xact_rollback AS n FROM pg_stat_database WHERE datname = current_database()',
    );
    return Number(rows[0].n);
  };
  const before = await count();
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  const load = ((await count()) - before) / seconds;
  await Promise.all(claims.map(({ url, session }) => call('POST', `${url}/release`, { session })));
  await Promise.all(polls);
  return load;
}

const database = await startEmbedded();
const servers = [await controlPlane(database.url), await controlPlane(database.url)];
const sender = new pg.Client({ connectionString: database.url });
const listener = new pg.Client({ connectionString: database.url });
try {
  await Promise.all([sender.connect(), listener.connect()]);
  await sender.query('CREATE TABLE bench_row (id int PRIMARY KEY, n int)');
  await sender.query('INSERT INTO bench_row VALUES (1, 0)');
  await listener.query('LISTEN bench');

  const pairs = { ours: [], bare: [] };
  for (let round = 0; round < (quick ? 60 : 400); round++) {
    pairs.ours.push(await uncontended(servers[0], 'alone'));
    pairs.bare.push(await bareTransactions(sender));
  }
  const ours = spread(pairs.ours.slice(20));
  const bare = spread(pairs.bare.slice(20));
  table(
    'Uncontended acquire and release',
    ['', 'p50', 'p99'],
    [
      ['over HTTP', `${ours.p50.toFixed(2)} ms`, `${ours.p99.toFixed(2)} ms`],
      ['its two transactions on a bare connection', `${bare.p50.toFixed(2)} ms`, `${bare.p99.toFixed(2)} ms`],
      ['ratio', ratio(ours.p50, bare.p50), ratio(ours.p99, bare.p99)],
    ],
  );

  const rows = [];
  for (const [waiters, replicas] of quick
    ? [[2, 1]]
    : [
        [2, 1],
        [2, 2],
        [100, 1],
        [100, 2],
      ]) {
    const floor = [];
    for (let round = 0; round < (quick ? 60 : 300); round++) floor.push(await bareHandOver(sender, listener));
    const notify = spread(floor.slice(20));
    const hand = await handOvers(servers.slice(0, replicas), waiters, quick ? 100 : 1000);
    rows.push([
      waiters,
      replicas,
      `${hand.p50.toFixed(2)} ms`,
      `${hand.p99.toFixed(2)} ms`,
      hand.perSecond.toFixed(0),
      `${notify.p50.toFixed(2)} ms`,
      ratio(hand.p50, notify.p50),
    ]);
  }
  table(
    "Hand-over, from sending the release to the next holder's answer",
    ['waiters', 'control planes', 'p50', 'p99', 'a second', 'bare NOTIFY p50', 'ratio of p50'],
    rows,
  );

  const waiters = quick ? 20 : 100;
  const load = await idleLoad(servers[0], sender, waiters, quick ? 3 : 15);
  table(
    'Database load while waiting',
    ['waiters', 'transactions a second, both servers', 'per waiter'],
    [[waiters, load.toFixed(1), (load / waiters).toFixed(3)]],
  );
} finally {
  await Promise.all([sender.end(), listener.end()]);
  await Promise.all(servers.map((server) => server.stop()));
  await database.close();
  await dispatcher.destroy();
}
