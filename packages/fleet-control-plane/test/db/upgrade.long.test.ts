/** A newer version starts beside the one that serves: this build, and a copy of it with more migrations. */
import { cp, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { type EmbeddedDatabase, startEmbedded } from '../../src/db/embedded.js';
import { Client, eventually, expectProblem, fenceOf, freshDatabase, sql } from '../support/plane.js';
import { endProcesses, MAIN, spawnPlane, startHolder, startPlaneOf } from '../support/processes.js';

const PACKAGE = fileURLToPath(new URL('../..', import.meta.url));
const EXPAND = 'ALTER TABLE lock_groups ADD COLUMN colour text;';
const CONTRACT = 'DROP TABLE gateway_upstreams;';

let server: EmbeddedDatabase;
const folders: string[] = [];
beforeAll(async () => {
  server = await startEmbedded();
});
afterEach(endProcesses);
afterAll(async () => {
  await server.close();
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

/** This build with more migrations, as the next one has. @returns its `main.js`. */
async function nextBuild(migrations: Record<string, string>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'fleet-next-'));
  folders.push(folder);
  for (const name of ['dist', 'migrations', 'package.json'])
    await cp(join(PACKAGE, name), join(folder, name), { recursive: true });
  await symlink(join(PACKAGE, 'node_modules'), join(folder, 'node_modules'));
  for (const [name, text] of Object.entries(migrations))
    await writeFile(join(folder, 'migrations', `${name}.sql`), text);
  return join(folder, 'dist/main.js');
}

async function fleetFile(fleet: object): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'fleet-next-'));
  folders.push(folder);
  await writeFile(join(folder, 'fleet.json'), JSON.stringify(fleet));
  return join(folder, 'fleet.json');
}

const applied = async (databaseUrl: string) =>
  (
    await sql<{ name: string }>(databaseUrl, 'SELECT name FROM fleet_migrations ORDER BY id DESC LIMIT 2')
  ).map(({ name }) => name);

it('what the older one survives is applied beside it, and both serve', async () => {
  const databaseUrl = await freshDatabase(server);
  const old = await startPlaneOf(MAIN, databaseUrl);
  const claim = await new Client(old.url, 'g').holding('before');
  const next = await startPlaneOf(await nextBuild({ '900_more': EXPAND }), databaseUrl);
  expect((await applied(databaseUrl))[0]).toBe('900_more');
  expect((await claim.renew()).status).toBe(200);
  expect((await new Client(next.url, 'g').status()).held.fencing_token).toBe(claim.token);
  // The way back, too: an older one starts beside it.
  const again = await startPlaneOf(MAIN, databaseUrl);
  expect((await fetch(`${again.url}/readyz`)).status).toBe(200);
});

it('what it does not survive waits until it has ended what it does, and no lease is lost on the way', async () => {
  const databaseUrl = await freshDatabase(server);
  const fleet = [
    '--fleet',
    await fleetFile({
      images: { 'main-1': 'b'.repeat(40) },
      defaults: { roll_ms: 4000 },
      tenants: ['acme', 'birch'],
    }),
  ];
  const old = await startPlaneOf(MAIN, databaseUrl, ...fleet);
  const holder = await startHolder({ url: old.url, group: 'g', ttlMs: 20_000 });
  const client = new Client(old.url, 'staging');
  const claim = await client.holding('roller');
  const rolling = client.redeploy({ target_tag: 'main-1', only_slugs: ['acme', 'birch'] }, fenceOf(claim));
  await eventually(
    async () => (await sql(databaseUrl, 'SELECT FROM rolls WHERE ended_at IS NULL')).length > 0,
  );

  const build = await nextBuild({ '900_more': EXPAND, '901_contract_less': CONTRACT });
  const starting = startPlaneOf(build, databaseUrl, ...fleet);
  await eventually(async () => (await applied(databaseUrl))[0] === '900_more', 30_000);
  const again = { target_tag: 'main-1', only_slugs: ['acme'] };
  expectProblem(await client.redeploy(again, fenceOf(claim)), 409, 'draining');
  expect((await claim.renew()).status).toBe(200);
  const answer = await rolling;
  expect([answer.status, answer.body]).toMatchObject([200, { ok: true }]);
  await old.process.gone;
  expect(old.process.child.exitCode).toBe(0);
  const next = await starting;
  expect(await applied(databaseUrl)).toEqual(['901_contract_less', '900_more']);
  expect((await new Client(next.url, 'g').status()).held.fencing_token).toBe(holder.token);

  const back = spawnPlane(MAIN, databaseUrl);
  await back.gone;
  expect(back.child.exitCode).toBe(1);
  expect(back.complaints).toContain(
    'cannot start: The database has the schema of a newer version (901_contract_less). Start a server of that version.',
  );
});
