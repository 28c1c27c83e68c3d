// What DBOS Transact brings to a server that runs rollouts: packages, tables, and the time of a step beside a bare
// insert into the same database. By hand, in half a minute.
import { lstatSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { startEmbedded } from '@tenant-fleet/fleet-control-plane';
import pg from 'pg';
import { here, median, ms, ratio, table } from './measure.mjs';

const SDK = '@dbos-inc/dbos-sdk';
const SCHEMA = 'fleet_dbos';
const STEPS = 200;
const ROUNDS = 5;
const control = createRequire(here('../../packages/fleet-control-plane/package.json'));

/** Where each package lies that one needs, by name and version, and what those need. */
function packagesOf(root, { without } = {}, known = new Map()) {
  const { dependencies = {} } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  for (const name of Object.keys(dependencies).filter((one) => one !== without)) {
    const folder = createRequire(join(root, 'package.json'))
      .resolve.paths(name)
      .map((path) => join(path, name))
      .find((path) => lstatSync(join(path, 'package.json'), { throwIfNoEntry: false }));
    if (!folder) continue;
    const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    if (known.has(`${name}@${version}`)) continue;
    known.set(`${name}@${version}`, realpathSync(folder));
    packagesOf(realpathSync(folder), {}, known);
  }
  return known;
}

const bytesOf = (folder) =>
  readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .reduce((all, { parentPath, name }) => all + lstatSync(join(parentPath, name)).size, 0);

const root = here('../../packages/fleet-control-plane');
const others = packagesOf(root, { without: SDK });
const brought = [...packagesOf(root)].filter(([id]) => !others.has(id));
const size = brought.reduce((all, [, folder]) => all + bytesOf(folder), 0);

let started = performance.now();
const { DBOS } = await import(control.resolve(SDK));
const loaded = performance.now() - started;

const database = await startEmbedded();
const quiet = () => {};
// As the server has it.
const pool = new pg.Pool({ connectionString: database.url, max: 5, pipeline: true });
pool.on('error', quiet);
DBOS.setConfig({
  name: 'bench',
  systemDatabaseUrl: database.url,
  systemDatabaseSchemaName: SCHEMA,
  systemDatabasePool: pool,
  logger: { info: quiet, debug: quiet, warn: quiet, error: console.error },
});
/** Milliseconds of each step of a workflow, as the waves of a rollout are. */
const steps = DBOS.registerWorkflow(
  async () => {
    const from = performance.now();
    for (let step = 0; step < STEPS; step++)
      await DBOS.runStep(async () => ({ done: true, value: { unproven: [], tenants: [] } }), {
        name: 'wave',
      });
    return (performance.now() - from) / STEPS;
  },
  { name: 'steps' },
);
started = performance.now();
await DBOS.launch();
const launched = performance.now() - started;

const client = new pg.Client(database.url);
await client.connect();
const { rows } = await client.query('SELECT count(*) FROM pg_tables WHERE schemaname = $1', [SCHEMA]);
await client.query('CREATE TABLE bare (id serial PRIMARY KEY, value jsonb)');
/** Milliseconds of a bare insert. */
async function inserts() {
  const from = performance.now();
  for (let row = 0; row < STEPS; row++)
    await client.query('INSERT INTO bare (value) VALUES ($1)', ['{"done":true}']);
  return (performance.now() - from) / STEPS;
}
const taken = { step: [], insert: [] };
for (let round = 0; round < ROUNDS; round++) {
  taken.step.push(await (await DBOS.startWorkflow(steps)()).getResult());
  taken.insert.push(await inserts());
}
const [step, insert] = [taken.step, taken.insert].map(median);

const mb = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;
table(
  `What ${brought.find(([id]) => id.startsWith(SDK))?.[0]} brings: median`,
  [
    'packages',
    'installed',
    'to load',
    'memory',
    'tables',
    'first start',
    'a step',
    'a bare insert',
    'step / insert',
  ],
  [
    [
      ...[String(brought.length), mb(size), ms(loaded), rows[0].count],
      ...[ms(launched), `${step.toFixed(2)} ms`, `${insert.toFixed(2)} ms`, ratio(step, insert)],
    ],
  ],
);
await client.end();
await DBOS.shutdown();
await database.close();
process.exit(0);
