/** The audit log is only added to, and shows when a hand has changed it all the same. */
import { verifyChain } from '@tenant-fleet/fleet-core';
import { lockEventsSchema } from '@tenant-fleet/fleet-core/contract';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { ControlPlane } from '../../src/control-plane.js';
import { Client, sql, startPlane } from '../support/plane.js';

let plane: ControlPlane;
let client: Client;
beforeAll(async () => {
  plane = await startPlane({ fleet: { tenants: ['acme'] } });
});
afterAll(() => plane.close());
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
