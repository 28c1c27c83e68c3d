// The lock: an uncontended pair against the database round trips that it needs, the hand-over against a bare
// LISTEN/NOTIFY hand-over and against a queue over HTTP that only commits, taken in turns in one run, and the load on
// the database while many wait.
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { startEmbedded } from '@tenant-fleet/fleet-control-plane';
import pg from 'pg';
import {
  bareLock,
  call,
  claimBody,
  closeConnections,
  controlPlane,
  handOversInTurns,
  renewals,
  spread,
  uncontended,
} from './lock-load.mjs';
import { ratio, table } from './measure.mjs';

const quick = process.argv.includes('--quick');
const ms = (number) => `${number.toFixed(2)} ms`;

/** Two transactions on a bare connection: lock a row, write, commit; twice. */
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

/** One small durable commit, or one that PostgreSQL does not wait for: the difference is the flush to the disk. */
async function bareCommit(client, durable) {
  await client.query(`SET synchronous_commit = ${durable ? 'on' : 'off'}`);
  const started = performance.now();
  await client.query({ name: 'write', text: 'UPDATE bench_row SET n = n + 1 WHERE id = 1' });
  const took = performance.now() - started;
  await client.query('SET synchronous_commit = on');
  return took;
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

/** Transactions of the database a second while nobody does anything but wait, as the client does: 20 s at a time. */
async function idleLoad(server, client, waiters, seconds) {
  const group = `idle-${randomUUID().slice(0, 8)}`;
  const claims = Array.from({ length: waiters }, () => ({
    session: randomUUID(),
    url: `${server.base}/${group}/claims/${randomUUID()}`,
  }));
  let over = false;
  const poll = async ({ url, session }) => {
    let answer = await call('PUT', url, claimBody(session));
    while (answer.status === 202 && !over)
      answer = await call('PUT', `${url}?wait_seconds=20`, claimBody(session));
  };
  const [holder, ...others] = claims;
  if (holder) await call('PUT', holder.url, { ...claimBody(holder.session), ttl_seconds: 600 });
  const polls = others.map(poll);
  // A connection that fell idle tells its counts ten seconds later at most.
  await pause(11);
  const before = await transactions(client);
  await pause(seconds);
  const load = ((await transactions(client)) - before) / seconds;
  over = true;
  for (const { url, session } of claims.toReversed()) await call('POST', `${url}/release`, { session });
  await Promise.all(polls);
  return load;
}

const pause = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

async function transactions(client) {
  const { rows } = await client.query(
    'SELECT xact_commit + xact_rollback AS n FROM pg_stat_database WHERE datname = current_database()',
  );
  return Number(rows[0].n);
}

async function times(take, rounds) {
  const taken = [];
  for (let round = 0; round < rounds; round++) taken.push(await take());
  return spread(taken.slice(Math.min(20, rounds / 4)));
}

const database = await startEmbedded();
const servers = [await controlPlane(database.url)];
const bare = await bareLock(database.url);
const sender = new pg.Client({ connectionString: database.url });
const listener = new pg.Client({ connectionString: database.url });
try {
  await Promise.all([sender.connect(), listener.connect()]);
  await sender.query('CREATE TABLE bench_row (id int PRIMARY KEY, n int)');
  await sender.query('INSERT INTO bench_row VALUES (1, 0)');
  await listener.query('LISTEN bench');

  const taken = { ours: [], http: [], bare: [], durable: [], lazy: [] };
  const counted = quick ? 40 : 400;
  // The first ones do not count: a program that has just started is still being compiled.
  for (let round = 0; round < (quick ? 60 : 2 * counted); round++) {
    taken.ours.push(await uncontended(servers[0], 'alone'));
    taken.http.push(await uncontended(bare, 'alone'));
    taken.bare.push(await bareTransactions(sender));
    taken.durable.push(await bareCommit(sender, true));
    taken.lazy.push(await bareCommit(sender, false));
  }
  const [ours, http, floor, durable, lazy] = Object.values(taken).map((each) => spread(each.slice(-counted)));
  const flush = durable.p50 - lazy.p50;
  table(
    'Uncontended acquire and release',
    ['', 'p50', 'p99'],
    [
      ['ours', ms(ours.p50), ms(ours.p99)],
      ['two transactions on a bare connection', ms(floor.p50), ms(floor.p99)],
      ['ratio', ratio(ours.p50, floor.p50), ratio(ours.p99, floor.p99)],
      ['a queue over HTTP that only commits', ms(http.p50), ms(http.p99)],
      ['ratio', ratio(ours.p50, http.p50), ratio(ours.p99, http.p99)],
      ['flush of its two commits to the disk', ms(2 * flush), ''],
    ],
  );

  const rows = [];
  const cases = quick
    ? [[2, 1]]
    : [
        [2, 1],
        [100, 1],
        [2, 2],
        [100, 2],
      ];
  for (const [waiters, replicas] of cases) {
    // Started when its turn comes: one that only listens takes its share of the machine.
    if (servers.length < replicas) servers.push(await controlPlane(database.url));
    const notify = await times(() => bareHandOver(sender, listener), quick ? 60 : 300);
    const candidates = [[bare], servers.slice(0, replicas)];
    const [http, hand] = await handOversInTurns(candidates, waiters, quick ? 100 : 3000, quick ? 1 : 5);
    rows.push([
      waiters,
      replicas,
      ms(hand.p50),
      ms(hand.p99),
      hand.perSecond.toFixed(0),
      ms(notify.p50),
      ratio(hand.p50, notify.p50),
      `${ms(http.p50)}, ${http.perSecond.toFixed(0)}`,
      ratio(hand.p50, http.p50),
      `${((flush / hand.p50) * 100).toFixed(0)} %`,
    ]);
  }
  table(
    "Hand-over, from sending the release to the next holder's answer",
    [
      'waiters',
      'control planes',
      'p50',
      'p99',
      'a second',
      'bare NOTIFY p50',
      'ratio',
      'bare HTTP and commit p50, a second',
      'ratio',
      'one flush to the disk, of p50',
    ],
    rows,
  );

  const watchers = quick ? 200 : 2000;
  const turns = quick ? { slices: 1, seconds: 3 } : { slices: 5, seconds: 4 };
  const [nobody, ...watched] = await renewals(servers, watchers, turns);
  table(
    'Renewals of a holder while one client watches a status',
    ['status polls', 'p50', 'p99', 'p99 to that without'],
    [
      ['none', ms(nobody.p50), ms(nobody.p99), ''],
      ...watched.map(({ p50, p99 }, index) => [
        `${watchers} ${index ? 'at another control plane' : 'of this holder'}`,
        ...[ms(p50), ms(p99), ratio(p99, nobody.p99)],
      ]),
    ],
  );

  const waiters = quick ? 20 : 100;
  const idle = await idleLoad(servers[0], sender, 0, quick ? 3 : 10);
  // As long as a poll, so that each who waits polls anew once.
  const load = await idleLoad(servers[0], sender, waiters + 1, 20);
  table(
    'Database load while waiting, transactions a second',
    ['waiters', 'control planes', 'without any waiter', 'with them', 'per waiter'],
    [[waiters, servers.length, idle.toFixed(1), load.toFixed(1), ((load - idle) / waiters).toFixed(3)]],
  );
} finally {
  await Promise.all([sender.end(), listener.end()]);
  await Promise.all([...servers, bare].map((server) => server.stop()));
  await database.close();
  await closeConnections();
}
