/**
 * Random calls against two replicas on one database: a reference predicts every answer, and the invariants are
 * checked after every step.
 *
 * FLEET_TEST_RUNS sets the number of runs. A failure prints FLEET_TEST_SEED, FLEET_TEST_PATH and FLEET_TEST_REPLAY;
 * with these in the environment the same run is repeated. FLEET_TEST_SHRINK=off leaves the case as long as it is.
 */
import fc from 'fast-check';
import type pg from 'pg';
import { afterAll, beforeAll, it } from 'vitest';
import { type EmbeddedDatabase, startEmbedded } from '../../src/db/embedded.js';
import { migrate } from '../../src/db/migrate.js';
import { lockCommands } from '../support/lock-commands.js';
import { Witness } from '../support/lock-invariants.js';
import { LockWorld, type Replica } from '../support/lock-world.js';

const { FLEET_TEST_RUNS, FLEET_TEST_SEED, FLEET_TEST_PATH, FLEET_TEST_REPLAY, FLEET_TEST_SHRINK } =
  process.env;
const runs = Number(FLEET_TEST_RUNS ?? 12);

let server: EmbeddedDatabase;
let db: pg.Client;
const replicas: Replica[] = [];
beforeAll(async () => {
  server = await startEmbedded();
  await migrate(server.url);
  db = await Witness.connect(server.url);
});
afterAll(async () => {
  await Promise.all(replicas.map(({ plane }) => plane.close()));
  await db.end();
  await server.close();
});

const property = fc.asyncProperty(lockCommands(FLEET_TEST_REPLAY), async (commands) => {
  const world = await LockWorld.open(server.url, db, replicas);
  let failed = true;
  try {
    await fc.asyncModelRun(() => ({ model: {}, real: world }), commands);
    failed = false;
  } finally {
    await world.close(failed);
  }
});

it(
  'answers as the contract says, whatever is asked in whatever order',
  async () => {
    const out = await fc.check(property, {
      numRuns: runs,
      // Each shrunk case runs against the real server, so there is a limit to it.
      interruptAfterTimeLimit: 60_000 + runs * 3_000,
      endOnFailure: FLEET_TEST_SHRINK === 'off',
      ...(FLEET_TEST_SEED && { seed: Number(FLEET_TEST_SEED) }),
      ...(FLEET_TEST_PATH && { path: FLEET_TEST_PATH }),
    });
    if (!out.failed) return;
    const replay = /replayPath="([^"]*)"/.exec(String(out.counterexample?.[0]))?.[1] ?? '';
    const again = `FLEET_TEST_SEED=${out.seed} FLEET_TEST_PATH='${out.counterexamplePath}' FLEET_TEST_REPLAY='${replay}'`;
    throw new Error(`repeat with ${again}\n${fc.defaultReportMessage(out)}`, { cause: out.errorInstance });
  },
  120_000 + runs * 6_000,
);
