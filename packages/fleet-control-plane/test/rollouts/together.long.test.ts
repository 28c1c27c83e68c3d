/** Servers that start at the same moment on a database where nothing is yet: all come up, and each runs rollouts. */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type EmbeddedDatabase, freePort, startEmbedded } from '../../src/db/embedded.js';
import { Client, eventually, freshDatabase } from '../support/plane.js';
import { endProcesses, startPlaneProcess } from '../support/processes.js';
import { SHA, TAG } from '../support/rollouts.js';

const SERVERS = 3;
const ROUNDS = 3;

const folder = mkdtempSync(join(tmpdir(), 'fleet-together-'));
let database: EmbeddedDatabase;
beforeAll(async () => {
  database = await startEmbedded();
});
afterAll(async () => {
  await database.close();
  rmSync(folder, { recursive: true });
});
afterEach(endProcesses);

test(`${SERVERS} at once, ${ROUNDS} times`, async () => {
  const [config, fleet] = [join(folder, 'fleet.config.json'), join(folder, 'fleet.json')];
  writeFileSync(fleet, JSON.stringify({ images: { [TAG]: SHA }, tenants: ['t1'] }));
  for (let round = 0; round < ROUNDS; round++) {
    const databaseUrl = await freshDatabase(database);
    const port = await freePort();
    const staging = { 'control-plane': 'self', 'tenant-url': `http://127.0.0.1:${port}/{slug}` };
    writeFileSync(config, JSON.stringify({ environments: { staging } }));
    const flags = ['--config', config, '--fleet', fleet];
    const servers = await Promise.all(
      Array.from({ length: SERVERS }, (_, at) =>
        startPlaneProcess(databaseUrl, ...flags, ...(at ? [] : ['--tenant-port', String(port)])),
      ),
    );
    for (const { url } of servers) {
      const client = new Client(url);
      const order = { environment: 'staging', target_tag: TAG, expected_sha: SHA, holder: { name: 'test' } };
      const key = { 'idempotency-key': randomUUID() };
      const ordered = () => client.call('POST', '/cp/admin/rollouts', order, key);
      // Its engine may be a moment behind its port.
      await eventually(async () => (await ordered()).status !== 503, 60_000);
      const { status, body } = await ordered();
      expect([status, body]).toMatchObject([202, {}]);
      const read = async () => (await client.call('GET', `/cp/admin/rollouts/${body.id}`)).body;
      await eventually(async () => (await read()).state === 'ended', 60_000);
      expect(await read()).toMatchObject({ outcome: 'succeeded', takeovers: 0 });
    }
    await endProcesses();
  }
}, 180_000);
