/** What an orchestrator, a monitor and whoever reads the log are told. */
import { Writable } from 'node:stream';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { ControlPlane } from '../../src/control-plane.js';
import { type EmbeddedDatabase, startEmbedded } from '../../src/db/embedded.js';
import { jsonLogger } from '../../src/operation/logger.js';
import { ManualClock } from '../support/clock.js';
import {
  Client,
  eventually,
  expectProblem,
  freshDatabase,
  sql,
  startPlane,
  TOKEN,
} from '../support/plane.js';

let server: EmbeddedDatabase;
let clock: ManualClock;
let plane: ControlPlane;
let client: Client;
let lines: Record<string, unknown>[];
beforeAll(async () => {
  server = await startEmbedded();
});
afterAll(() => server.close());
beforeEach(async () => {
  clock = new ManualClock();
  lines = [];
  const sink = new Writable({
    write(chunk, _encoding, done) {
      lines.push(JSON.parse(String(chunk)));
      done();
    },
  });
  const databaseUrl = await freshDatabase(server);
  plane = await startPlane({ clock, databaseUrl, logger: jsonLogger('debug', sink) });
  client = new Client(plane.url, 'staging');
  return () => plane.close();
});

const bare = async (path: string) => {
  const response = await fetch(plane.url + path);
  return { status: response.status, body: await response.json(), headers: response.headers };
};

it('lives and is ready without a token', async () => {
  expect((await bare('/livez')).body).toEqual({ status: 'ok' });
  expect((await bare('/readyz')).body).toEqual({ status: 'ready' });
});

it('is not ready on a schema that is not its own, and lives', async () => {
  await sql(plane.databaseUrl, "DELETE FROM fleet_migrations WHERE name = '001_lock'");
  expect(expectProblem(await bare('/readyz'), 503, 'not_ready').detail).toMatch(/001_lock/);
  expect((await bare('/livez')).status).toBe(200);
});

it('is not ready without its database, and asks it once a second whoever asks', async () => {
  expect((await bare('/readyz')).status).toBe(200);
  await sql(plane.databaseUrl, 'ALTER TABLE fleet_migrations RENAME TO elsewhere');
  expect((await bare('/readyz')).status).toBe(200);
  clock.step(1000);
  expectProblem(await bare('/readyz'), 503, 'not_ready');
});

it('shows metrics to who may look, and to nobody else', async () => {
  expectProblem(await bare('/metrics'), 401, 'unauthorized');
  const holder = await client.holding('one');
  await client.waiting('two');
  await holder.release();
  const response = await fetch(`${plane.url}/metrics`, { headers: { authorization: `Bearer ${TOKEN}` } });
  expect(response.headers.get('content-type')).toMatch(/^text\/plain/);
  const text = await response.text();
  expect(lines.filter(({ msg }) => /metrics without/.test(String(msg)))).toEqual([]);
  for (const line of [
    'fleet_database_up 1',
    'fleet_lock_held{group="staging"} 1',
    'fleet_lock_queued{group="staging"} 0',
    'fleet_long_polls_open 0',
    'fleet_lock_claims_ended_total{group="staging",state="released"} 1',
    'fleet_lock_wait_seconds_count{group="staging"} 2',
    'fleet_lock_hold_seconds_count{group="staging"} 1',
    'fleet_http_request_seconds_count{method="PUT",route="/cp/admin/fleet-locks/:group/claims/:claim_id",status="202"} 1',
  ])
    expect(text).toContain(`${line}\n`);
  expect(text).toMatch(/^fleet_lock_current_hold_seconds\{group="staging"\} \d/m);
  expect(text).not.toContain(holder.id);
});

it('drops fields of a newer client, and counts and logs them by name', async () => {
  const holder = await client.holding('newer', { holder: { name: 'newer', mood: 'good' } as never });
  expect((await holder.renew({ step: 's', weather: 'fine', mood: { deep: 1 } })).status).toBe(200);
  expect((await holder.release({ rollout: { target_tag: 'x', tool_version: '1', newer: 1 } })).status).toBe(
    200,
  );
  const text = await (
    await fetch(`${plane.url}/metrics`, { headers: { authorization: `Bearer ${TOKEN}` } })
  ).text();
  const counted = [...text.matchAll(/^fleet_unknown_fields_total\{route="[^"]*\/([^/"]+)"\} (\d)/gm)];
  expect(counted.map(([, call, times]) => `${call} ${times}`).sort()).toEqual([':claim_id 1', 'renew 1']);
  const named = lines.filter(({ unknown_fields }) => unknown_fields).map((line) => line.unknown_fields);
  expect(named).toEqual([['holder.mood'], ['weather', 'mood']]);
});

it('answers metrics without its database, and says so', async () => {
  await sql(plane.databaseUrl, 'ALTER TABLE lock_claims RENAME TO elsewhere');
  expect(
    (await fetch(`${plane.url}/metrics`, { headers: { authorization: `Bearer ${TOKEN}` } })).status,
  ).toBe(200);
  const text = await (
    await fetch(`${plane.url}/metrics`, { headers: { authorization: `Bearer ${TOKEN}` } })
  ).text();
  expect(text).toContain('fleet_database_up 0\n');
  await sql(plane.databaseUrl, 'ALTER TABLE elsewhere RENAME TO lock_claims');
});

it('logs requests with who sent them, and transitions, and never a token', async () => {
  const holder = await client.holding('one');
  await client.call(
    'POST',
    `${client.lock}/freeze`,
    { reason: 'r', actor: 'ada' },
    { 'fleet-client': 'fleet/1.2.3 build-7' },
  );
  await holder.release();
  await client.call('GET', `${client.lock}/`);
  await bare('/cp/admin/rolls');
  await eventually(() => lines.some(({ status }) => status === 401));
  const requests = lines.filter(({ route }) => route);
  expect(requests.map(({ level, method, status, token }) => [level, method, status, token])).toEqual([
    [20, 'PUT', 200, 'default'],
    [30, 'POST', 200, 'default'],
    [30, 'POST', 200, 'default'],
    [20, 'GET', 200, 'default'],
    [40, 'GET', 401, undefined],
  ]);
  expect(requests[1]).toMatchObject({
    client: 'fleet/1.2.3 build-7',
    group: 'staging',
    ip: '127.0.0.1',
    route: '/cp/admin/fleet-locks/:group/freeze',
  });
  expect(lines.filter(({ msg }) => msg === 'claim').map(({ state, holder: name }) => [state, name])).toEqual([
    ['held', 'one'],
    ['released', 'one'],
  ]);
  expect(JSON.stringify(lines)).not.toContain(TOKEN);
  await plane.close();
  expect(lines.at(-1)?.msg).toMatch(/stopping/);
});
