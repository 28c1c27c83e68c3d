import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type LockEvent, lockEventsSchema } from '@tenant-fleet/fleet-core/contract';
import { verifyChain } from '@tenant-fleet/fleet-core/program';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ControlPlane } from '../../src/control-plane.js';
import { prune } from '../../src/program/prune.js';
import { Client, expectProblem, sql, startPlane } from '../support/plane.js';

let folder: string;
let plane: ControlPlane;
let client: Client;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fleet-prune-'));
  plane = await startPlane({ mode: 'lock' });
  client = new Client(plane.url);
});
afterAll(async () => {
  await plane.close();
  await rm(folder, { recursive: true });
});

/** Who may change the tables; the server itself may not. */
const owner = () => plane.database?.url ?? plane.databaseUrl;
const log = async () =>
  lockEventsSchema.parse((await client.call('GET', `${client.lock}/events`)).body).events;
const rollout = { target_tag: 'x', tool_version: '1', outcome: 'succeeded' };

it('takes away what is old, with the audit log in a file before, and keeps tokens, marks and the chain', async () => {
  for (let round = 1; round <= 30; round += 1) {
    const claim = await client.holding(`run ${round}`, { order: { key: 'shop@main', number: round } });
    await claim.release({ result: 'proven', ...(round <= 25 && { rollout }) });
  }
  const holder = await client.holding('holds', { order: { key: 'shop@main', number: 99 } });
  const before = await log();
  // One that the server itself has run, and one that still runs.
  await sql(
    owner(),
    `INSERT INTO rollouts (id, idempotency_key, fingerprint, environment, group_name, request, state, owner, ended_at)
      SELECT gen_random_uuid(), state, '', 'staging', 'staging', '{}', state, gen_random_uuid(), ended_at
      FROM (VALUES ('ended', now()), ('running', NULL)) AS r (state, ended_at)`,
  );
  const file = join(folder, 'audit.ndjson');
  const settings = { databaseUrl: owner(), keepDays: 0, export: file, actor: 'ann' };
  const pruned = await prune(settings);
  expect(pruned).toEqual({ events: before.length - 1, claims: 10, rollouts: 5, rolls: 0, serverRollouts: 1 });

  const exported = (await readFile(file, 'utf8'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as LockEvent);
  expect(exported.map(({ seq }) => seq)).toEqual(before.slice(0, -1).map(({ seq }) => seq));
  expect(verifyChain(exported)).toMatchObject({ verified: exported.length, broken: null });
  const after = await log();
  expect(after.map(({ kind, actor }) => `${kind} ${actor}`)).toEqual(['granted null', 'pruned ann']);
  expect(verifyChain(after)).toMatchObject({ verified: 2, broken: null });
  // A row that went without a word of it still shows.
  expect(verifyChain(after.slice(1)).broken).not.toBeNull();

  expect(await sql(owner(), 'SELECT state FROM rollouts')).toEqual([{ state: 'running' }]);
  expect((await holder.renew()).status).toBe(200);
  await holder.release();
  expectProblem(
    await client.claim('old', { order: { key: 'shop@main', number: 29 } }).put(),
    409,
    'outdated',
  );
  expect((await client.holding('next')).token).toBeGreaterThan(holder.token);
});

it('still refuses whoever deletes a row by hand', async () => {
  await expect(sql(owner(), 'DELETE FROM lock_events')).rejects.toThrow(/only added to/);
});
