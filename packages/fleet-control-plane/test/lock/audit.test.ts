/** The audit log is only added to, and shows when a hand has changed it all the same. */
import { readFile } from 'node:fs/promises';
import { lockEventsSchema } from '@tenant-fleet/fleet-core/contract';
import { verifyChain } from '@tenant-fleet/fleet-core/program';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { ControlPlane } from '../../src/control-plane.js';
import { type EmbeddedDatabase, startEmbedded } from '../../src/db/embedded.js';
import { Client, sql, startPlane } from '../support/plane.js';

let plane: ControlPlane;
let client: Client;
let server: EmbeddedDatabase;
beforeAll(async () => {
  server = await startEmbedded();
  // Served by the owner: of it alone the trigger keeps the log.
  plane = await startPlane({ databaseUrl: server.url, fleet: { tenants: ['acme'] } });
});
afterAll(async () => {
  await plane.close();
  await server.close();
});
beforeEach(async () => {
  client = new Client(plane.url);
  const holder = await client.holding('holder', {
    holder: { name: 'é "quoted"', actor: 'ann' },
    order: { key: 'shop@main', number: 7 },
  });
  await client.waiting('next');
  await client.post('freeze', { actor: 'ann', reason: 'incident 12', until: '2030-01-31T18:00:00+02:00' });
  await client.post('unfreeze', { actor: 'ann', reason: 'over' });
  await client.post('break', { fencing_token: holder.token, actor: 'ben', reason: 'r', confirm_alive: true });
});

const log = async () =>
  lockEventsSchema.parse((await client.call('GET', `${client.lock}/events`)).body).events;

it('is a chain, over every kind of row', async () => {
  const events = await log();
  expect(events.map(({ kind }) => kind)).toEqual([
    'granted',
    'queued',
    'frozen',
    'unfrozen',
    'broken',
    'granted',
  ]);
  expect(verifyChain(events)).toMatchObject({ verified: 6, unchained: 0, broken: null });
});

it.each([
  'UPDATE lock_events SET actor = NULL',
  'DELETE FROM lock_events WHERE seq = 1',
  'TRUNCATE lock_events',
])('the database refuses: %s', async (statement) => {
  await expect(sql(plane.databaseUrl, statement)).rejects.toThrow(/only added to/);
  expect(verifyChain(await log()).broken).toBeNull();
});

it('shows what was changed by who may switch the triggers off', async () => {
  await sql(
    plane.databaseUrl,
    `SET session_replication_role = replica;
     UPDATE lock_events SET actor = 'somebody' WHERE seq = 3 AND group_name = '${client.group}'`,
  );
  expect(verifyChain(await log()).broken).toMatchObject({ seq: 3 });
});

it('a server runs with a role that may add to the log and do nothing else to it, as the README grants it', async () => {
  const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8');
  const grants = /```sql\n([\s\S]*?)```/.exec(readme)?.[1] ?? '';
  await sql(plane.databaseUrl, grants.replace("'...'", "'secret'"));
  const databaseUrl = plane.databaseUrl.replace(/\/\/[^@]*@/, '//fleet_app:secret@');
  const own = await startPlane({ databaseUrl, fleet: { tenants: ['acme'] } });
  const holder = await new Client(own.url, 'staging').holding('holder');
  const roll = await new Client(own.url, 'staging').redeploy(
    { target_tag: `x-${'a'.repeat(40)}` },
    { 'fleet-lock-group': 'staging', 'fleet-fence': String(holder.token) },
  );
  expect(roll.status).toBe(200);
  expect((await holder.release({ result: 'proven' })).status).toBe(200);
  for (const statement of ['UPDATE lock_events SET actor = NULL', 'SET session_replication_role = replica'])
    await expect(sql(databaseUrl, statement)).rejects.toThrow(/permission denied/);
  await own.close();
});
