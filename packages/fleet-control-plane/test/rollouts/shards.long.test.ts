/** A wave that is asked by every server of a database: servers that come, stop and die in the middle of it. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type EmbeddedDatabase, startEmbedded } from '../../src/db/embedded.js';
import { type Body, eventually, freshDatabase, sql, TOKEN } from '../support/plane.js';
import { endProcesses, type PlaneProcess } from '../support/processes.js';
import { ServerFleet } from '../support/rollouts.js';

const TENANTS = 2_500;

let database: EmbeddedDatabase;
let databaseUrl: string;
beforeAll(async () => {
  database = await startEmbedded();
});
afterAll(() => database.close());
afterEach(endProcesses);

async function bigFleet() {
  databaseUrl = await freshDatabase(database);
  return ServerFleet.start(databaseUrl, {
    tenants: TENANTS,
    // They think for so long that one server alone falls behind, and say the old commit for a while.
    ...{ rollMs: 100, drainMs: 10_000, answerMs: 150 },
    config: { soak: '0s', 'batch-size': TENANTS, 'settle-budget': '60s' },
  });
}

/** Tenants that a server has asked for a rollout of any. */
async function asked({ url }: PlaneProcess): Promise<number> {
  const headers = { authorization: `Bearer ${TOKEN}` };
  const text = await (await fetch(`${url}/metrics`, { headers })).text();
  return Number(/^fleet_shard_tenants_total (\d+)/m.exec(text)?.[1]);
}

/** The roll of the wave has ended, and its tenants are asked. */
const inTheWave = ({ code, slugs }: Body) => code === 'verify.started' && slugs.length > 1;

async function provesAll(fleet: ServerFleet, id: string) {
  const ended = await fleet.ended(id, 150_000);
  expect([ended.outcome, ended.reason]).toEqual(['succeeded', expect.any(String)]);
  expect(ended.result).toMatchObject({ counts: { enumerated: TENANTS, on_target: TENANTS } });
  expect(new Set(Object.values(await fleet.rolls()))).toEqual(new Set([1]));
  const events = await fleet.events(id);
  expect(events.filter(({ code }) => code === 'run.finished')).toHaveLength(1);
  return ended;
}

/** Shards that wait or are under way. */
const leftOver = () =>
  sql(
    databaseUrl,
    `SELECT FROM fleet_dbos.workflow_status WHERE queue_name = 'shards' AND status IN ('ENQUEUED', 'PENDING')`,
  );

/** Waits until a server is asking the tenants of a shard. */
const asks = ({ process }: PlaneProcess) =>
  eventually(async () => {
    await new Promise((resolve) => setTimeout(resolve, 20));
    const underWay = `SELECT FROM fleet_dbos.workflow_status JOIN control_planes ON executor_id = id::text
      WHERE queue_name = 'shards' AND status = 'PENDING' AND pid = $1`;
    return (await sql(databaseUrl, underWay, [process.child.pid])).length > 0;
  }, 60_000);

test('every server asks, also one that joins; one that dies or stops while it asks is not waited for', async () => {
  const fleet = await bigFleet();
  const runs = await fleet.addServer();
  const dies = await fleet.addServer();
  const { id } = (await fleet.start(runs)).body;
  await fleet.said(id, inTheWave, 60_000);
  await asks(dies);
  await fleet.kill(dies);
  const joins = await fleet.addServer();
  await asks(joins);
  joins.process.signal('SIGTERM');
  const ended = await provesAll(fleet, id);
  expect(ended.takeovers).toBe(0);
  expect(await asked(runs)).toBeGreaterThan(0);
  await joins.process.gone;
  for (const { process } of [runs, joins]) expect(process.complaints).not.toContain('rror');
  // Nobody waits until a shard is late where its process is known to be gone.
  const proofs = (await fleet.events(id)).filter(({ code }) => code === 'verify.finished');
  expect(Math.max(...proofs.map(({ duration_ms }) => duration_ms))).toBeLessThan(28_000);
  await eventually(async () => (await leftOver()).length === 0);
}, 200_000);

test('the server that runs the rollout dies in the wave: another one proves it with the help of the third', async () => {
  const fleet = await bigFleet();
  const runs = await fleet.addServer();
  const others = [await fleet.addServer(), await fleet.addServer()];
  const { id } = (await fleet.start(runs)).body;
  await fleet.said(id, inTheWave, 60_000);
  await fleet.kill(runs);
  const before = await Promise.all(others.map(asked));
  const ended = await provesAll(fleet, id);
  expect(ended.takeovers).toBe(1);
  const after = await Promise.all(others.map(asked));
  for (const [index, count] of after.entries()) expect(count).toBeGreaterThan(before[index] ?? 0);
  for (const { process } of others) expect(process.complaints).not.toContain('rror');
  await eventually(async () => (await leftOver()).length === 0);
}, 200_000);
