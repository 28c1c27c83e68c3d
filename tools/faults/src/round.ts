/** Plays one script: starts the servers, lets the actors act and the injuries happen, and takes the records. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Pool } from 'pg';
import { run } from './command.js';
import type { Beat, History, Run } from './history.js';
import { Plane, writeFleet } from './plane.js';
import { marked, until } from './processes.js';
import { CuttingProxy } from './proxy.js';
import { keepSwaps, readClaims, readRolls, readSwaps } from './record.js';
import type { Sabotage } from './sabotage.js';
import type { Injury, Script } from './script.js';
import type { Server } from './server.js';
import { Tenants } from './tenants.js';

const TOKEN = 'token-5e1f07-never-print-me';
/** A roll whose control plane died is closed when its beat stood still for six seconds before another one. */
const DRAIN_MS = 20_000;
/** What servers may take to see that a lease was not renewed: one that looks late begins to count anew. */
const SWEEP_MS = 10_000;
/** Waiters that were killed are granted the lock one after the other. */
const LEASES_MS = 60_000;

interface Stage {
  script: Script;
  mark: string;
  server: Server;
  pool: Pool;
  planes: Plane[];
  proxy: CuttingProxy;
  tenants: Tenants;
  injuries: History['injuries'];
  /** Counts what was done to whom. */
  hit: (kind: string) => void;
}

export async function play(
  script: Script,
  server: Server,
  hit: (kind: string) => void,
  sabotage: Sabotage | null,
): Promise<History> {
  const mark = `faults-${process.pid}-${script.seed}`;
  const name = `faults_${process.pid}_${script.seed}`;
  const folder = mkdtempSync(join(tmpdir(), 'fleet-faults-'));
  const fleetFile = join(folder, 'fleet.json');
  writeFleet(fleetFile, script);
  const databaseUrl = await server.createDatabase(name);
  const pool = server.pool(databaseUrl);
  const planes = [0, 1].map((index) => new Plane(index, { mark, token: TOKEN, databaseUrl, fleetFile }));
  const { seed, trouble, fleet } = script;
  const target = (plane: number) => planes[plane]?.url ?? '';
  const meddle = sabotage?.meddle?.(pool);
  const proxy = await CuttingProxy.start({ seed, share: trouble.calls, target, meddle });
  const tenants = await Tenants.start(pool, fleet, { seed, share: trouble.probes });
  const stage = { script, mark, server, pool, planes, proxy, tenants, injuries: [], hit };
  try {
    await Promise.all(planes.map((plane) => plane.start()));
    await keepSwaps(pool);
    return await act(stage, server.password);
  } finally {
    await Promise.all([proxy.close(), tenants.close()]);
    await Promise.all(planes.map((plane) => plane.stop()));
    await pool.end();
    await server.dropDatabase(name);
    rmSync(folder, { recursive: true, force: true });
  }
}

async function act(stage: Stage, password: string): Promise<History> {
  const { script, proxy, tenants, pool, planes } = stage;
  const started = Date.now();
  const runs: Run[] = [];
  const injured = script.injuries.map((injury) => injure(stage, injury));
  await Promise.all(script.actors.map((_, actor) => perform(stage, actor, runs)));
  await Promise.all(injured);
  proxy.calm = true;
  tenants.calm = true;
  const remains = await settle(stage);
  const record = {
    claims: await readClaims(pool, proxy.messages),
    rolls: await readRolls(pool),
    swaps: await readSwaps(pool),
  };
  await Promise.all(planes.map((plane) => plane.stop()));
  remains.push(...planes.flatMap((plane) => plane.faults), ...(await leftBehind(stage.mark)));
  for (const { trouble } of proxy.messages) if (trouble) stage.hit(`call-${trouble}`);
  for (const { trouble } of tenants.answers) if (trouble) stage.hit(`probe-${trouble}`);
  const outputs = planes.flatMap(({ index, outputs }) =>
    outputs.map(({ stdout, stderr }) => ({ who: `control plane ${index}`, text: stdout + stderr })),
  );
  return {
    script,
    started,
    ...record,
    answers: tenants.answers,
    messages: proxy.messages,
    runs: runs.sort((a, b) => a.started - b.started),
    beats: beatsOf(runs),
    injuries: stage.injuries,
    outputs,
    secrets: [TOKEN, password],
    remains,
  };
}

/** One actor: its commands, one after the other. */
async function perform(stage: Stage, actor: number, runs: Run[]): Promise<void> {
  const { script, proxy, tenants, mark, hit } = stage;
  for (const command of script.actors[actor] ?? []) {
    await pause(command.afterMs);
    const controlPlane = proxy.urlOf(command.run, command.plane);
    const around = { mark, token: TOKEN, script, controlPlane, tenants: tenants.templateOf(command.run) };
    runs.push(await run(command, around, hit));
  }
}

async function injure(stage: Stage, { kind, plane: index, atMs, forMs }: Injury): Promise<void> {
  const { planes, proxy, server, injuries, hit } = stage;
  await pause(atMs);
  const plane = planes[index] as Plane;
  injuries.push({ at: Date.now(), kind, plane: kind.startsWith('database') ? null : index });
  hit(kind);
  switch (kind) {
    case 'plane-kill':
    case 'plane-term':
      return plane.restart(kind === 'plane-kill' ? 'kill' : 'stop', forMs);
    case 'plane-stop':
      plane.signal('SIGSTOP');
      await pause(forMs);
      plane.signal('SIGCONT');
      return;
    case 'partition':
      proxy.partition(index);
      await pause(forMs);
      proxy.heal(index);
      return;
    case 'database-kill':
    case 'database-stop':
      return server.restart(kind === 'database-kill' ? 'kill' : 'stop', forMs);
  }
}

/** Waits until leases and rolls that nobody serves any more are over. @returns What is not. */
async function settle({ script, pool }: Stage): Promise<string[]> {
  const begun = Date.now();
  const limit = script.ttlSeconds * 1000 + SWEEP_MS;
  const count = async (text: string) => {
    const { rows } = await pool.query<{ n: number }>(text).catch(() => ({ rows: [] }));
    return rows[0]?.n ?? Number.NaN;
  };
  const open = () => count('SELECT count(*)::int AS n FROM rolls WHERE ended_at IS NULL');
  const held = () => count(`SELECT count(*)::int AS n FROM lock_claims WHERE state = 'held'`);
  // A waiter that was killed may be granted the lock after everybody has left: its TTL counts from then.
  const overdue = () =>
    count(`SELECT count(*)::int AS n FROM lock_claims WHERE state = 'held'
      AND acquired_at < clock_timestamp() - interval '${limit} milliseconds'`);
  let stuck = false;
  const free = async () => {
    stuck = Date.now() - begun > limit && (await overdue()) > 0;
    return stuck || (await held()) === 0;
  };
  const freed = (await until(free, LEASES_MS)) && !stuck;
  const drained = await until(async () => (await open()) === 0, DRAIN_MS);
  return [
    ...(freed ? [] : ['a lease was held beyond its TTL, with its holder gone']),
    ...(drained ? [] : [`a roll was open ${DRAIN_MS / 1000} s after everybody had left`]),
  ];
}

/** Guards of a killed command take a second to end its group. Whatever is left is ended here. */
async function leftBehind(mark: string): Promise<string[]> {
  await until(() => marked(mark).length === 0, 4000);
  return marked(mark).map(({ pid, command }) => {
    process.kill(pid, 'SIGKILL');
    return `left running: ${command.slice(0, 200)}`;
  });
}

function beatsOf(runs: Run[]): Beat[] {
  return runs.flatMap(({ command, stdout }) =>
    [...stdout.matchAll(/^beat (\d+) (\d{13})$/gm)].map(([, token, at]) => ({
      run: command.run,
      token: Number(token),
      at: Number(at),
    })),
  );
}
