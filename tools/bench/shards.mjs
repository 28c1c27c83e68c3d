// A rollout of a big fleet over HTTPS on one server and on two of one database, beside the critical path of the fleet:
// until the last tenant of each wave has flipped. By hand, in some minutes; not in the bench of every change.
// usage: node shards.mjs [--quick] [TENANTS]
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startEmbedded } from '@tenant-fleet/fleet-control-plane';
import pg from 'pg';
import { certificate, env, here, quick, ratio, sum, table, tenants } from './measure.mjs';
import { TARGET } from './tenants.mjs';

const MAIN = here('../../packages/fleet-control-plane/dist/main.js');
const COUNT = Number(process.argv.find((word) => /^\d+$/.test(word)) ?? (quick ? 2_500 : 20_000));
/** Tenants of a wave flip at any moment of so many milliseconds after its roll. */
const FLIPS_MS = quick ? 3_000 : 30_000;
const headers = { authorization: `Bearer ${env.FLEET_CP_TOKEN}`, 'content-type': 'application/json' };

const seconds = (ms) => `${(ms / 1000).toFixed(1)} s`;
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function json(url, options) {
  const answer = await fetch(url, { headers, ...options });
  if (!answer.ok) throw new Error(`${url}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

async function startServer(databaseUrl, config, { cert, key }) {
  const usage = join(key, '..', 'usage.json');
  const flags = [
    '--json',
    '--stdin',
    '--mode',
    'lock',
    '--request-limit',
    '0',
    '--database-url',
    databaseUrl,
  ];
  const child = spawn(
    process.execPath,
    ['--import', here('./preload.mjs'), MAIN, ...flags, '--config', config],
    {
      env: { ...env, NODE_EXTRA_CA_CERTS: cert, BENCH_USAGE: usage },
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  );
  const [line] = await once(child.stdout, 'data');
  const { url } = JSON.parse(String(line).split('\n')[0]);
  return {
    url,
    /** Processor time in milliseconds, and tenants that it asked out of the queue. */
    seen: async () => {
      const text = await (await fetch(`${url}/metrics`, { headers })).text();
      const value = (name) => Number(new RegExp(`^${name} (\\S+)`, 'm').exec(text)?.[1] ?? 0);
      return {
        cpuMs: 1000 * value('process_cpu_seconds_total'),
        asked: value('fleet_shard_tenants_total'),
      };
    },
    stop: async () => {
      child.stdin.end();
      await once(child, 'exit');
    },
  };
}

/** When each of these was told first, in milliseconds since 1970. */
async function momentsOf(url) {
  const moments = {};
  for (let after = 0; ; ) {
    const { events } = await json(`${url}/events?after=${after}`);
    if (!events.length) return moments;
    for (const { code, phase, at } of events) moments[phase ? `${code} ${phase}` : code] ??= Date.parse(at);
    after = events.at(-1).n;
  }
}

async function rollout(databaseUrl, count, tls) {
  const fleet = await tenants({ count: COUNT, flips: FLIPS_MS, tls });
  const config = join(tls.key, '..', 'fleet.config.json');
  const staging = {
    'control-plane': fleet.controlPlane,
    'lock-url': 'self',
    'tenant-url': fleet.template,
    canary: 't0',
    soak: '0s',
    'batch-size': '100%',
  };
  writeFileSync(config, JSON.stringify({ environments: { staging } }));
  const servers = [];
  for (let index = 0; index < count; index++) servers.push(await startServer(databaseUrl, config, tls));
  const look = () => Promise.all(servers.map(({ seen }) => seen()));
  const before = await look();
  const begun = await json(`${fleet.controlPlane}/seen`);
  const order = {
    environment: 'staging',
    target_tag: 'x',
    expected_sha: TARGET,
    holder: { name: `bench of ${count}` },
  };
  const { id } = await json(`${servers[0].url}/cp/admin/rollouts`, {
    method: 'POST',
    headers: { ...headers, 'idempotency-key': `bench-${count}-${Date.now()}` },
    body: JSON.stringify(order),
  });
  const url = `${servers[0].url}/cp/admin/rollouts/${id}`;
  let seen = await json(url);
  for (; seen.state !== 'ended'; seen = await json(url)) await pause(500);
  if (seen.outcome !== 'succeeded') throw new Error(`the rollout ended as ${seen.outcome}: ${seen.reason}`);
  const after = await look();
  const told = await json(`${fleet.controlPlane}/seen`);
  const at = await momentsOf(url);
  for (const { stop } of servers) await stop();
  await fleet.stop();
  return {
    pathMs: told.pathMs,
    questions: told.questions,
    tenantsCpuMs: told.cpuMs - begun.cpuMs,
    cpuMs: after.map(({ cpuMs }, index) => cpuMs - before[index].cpuMs),
    asked: after.map(({ asked }, index) => asked - before[index].asked),
    tookMs: at['run.finished'] - at['lock.acquired'],
    surveyMs: at['plan.ready'] - at['lock.acquired'],
    waveMs: at['wave.proven batch-1'] - at['wave.started batch-1'],
    lastLookMs: at['run.finished'] - at['wave.proven batch-1'],
  };
}

const { tls, remove } = certificate();
const database = await startEmbedded();
const rows = [];
for (const count of [1, 2]) {
  const admin = new pg.Client({ connectionString: database.url });
  await admin.connect();
  const name = `bench_shards_${count}`;
  await admin.query(`CREATE DATABASE ${name}`);
  await admin.end();
  const url = new URL(database.url);
  url.pathname = `/${name}`;
  const one = await rollout(url.href, count, tls);
  rows.push([
    count,
    ...[one.tookMs, one.pathMs].map(seconds),
    ratio(one.tookMs, one.pathMs),
    ...[one.surveyMs, one.waveMs, one.lastLookMs].map(seconds),
    one.questions.toLocaleString('en'),
    one.asked.map((asked) => asked.toLocaleString('en')).join(' and '),
    one.cpuMs.map(seconds).join(' and '),
    `${(sum(one.cpuMs) / one.questions).toFixed(2)} ms`,
    seconds(one.tenantsCpuMs),
  ]);
}
await database.close();
remove();
table(
  `A rollout of ${COUNT.toLocaleString('en')} tenants over HTTPS, flips within ${FLIPS_MS / 1000} s`,
  [
    ...['servers', 'from the lock to the end', 'critical path', 'rollout / path'],
    ...['survey', 'the big wave', 'last look', 'questions', 'of them out of the queue, by server'],
    ...['processor of each server', 'of all servers, a question', 'processor of the tenants'],
  ],
  rows,
);
