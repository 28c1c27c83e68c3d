import { watch } from 'node:fs';
import { chmod, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { startEmbedded } from '../../src/db/embedded.js';
import { Client, sql, startPlane, TOKEN } from '../support/plane.js';

it('a control plane that is printed shows neither its token nor the password of its database', async () => {
  const plane = await startPlane({});
  const password = new URL(plane.databaseUrl).password;
  expect(password).toMatch(/^\w{20,}$/);
  for (const shown of [inspect(plane, { depth: 20 }), JSON.stringify(plane)]) {
    expect(shown).toContain(plane.url);
    expect(shown).not.toContain(password);
    expect(shown).not.toContain(TOKEN);
  }
  await plane.close();
}, 60_000);

describe('the embedded database', () => {
  it('serves with a role that may add to the audit log and do nothing else to it', async () => {
    const plane = await startPlane({});
    const client = new Client(plane.url, 'staging');
    await (await client.holding('holder')).release();
    expect(new URL(plane.databaseUrl).username).toBe('fleet_app');
    for (const statement of [
      'UPDATE lock_events SET actor = NULL',
      'DELETE FROM lock_events',
      'TRUNCATE lock_events',
      'ALTER TABLE lock_events DISABLE TRIGGER ALL',
      'SET session_replication_role = replica',
      'DELETE FROM fleet_migrations',
    ])
      await expect(sql(plane.databaseUrl, statement)).rejects.toThrow(/permission denied|must be owner/);
    await plane.close();
  }, 60_000);

  it('leaves its password nowhere in the temporary folder, not even while it is made', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'fleet-test-'));
    await chmod(folder, 0o755);
    const seen: string[] = [];
    const watcher = watch(folder, { recursive: false }, (_, name) => seen.push(String(name)));
    const { TMPDIR } = process.env;
    process.env.TMPDIR = folder;
    try {
      const database = await startEmbedded();
      const [base = ''] = await readdir(folder);
      expect(process.env.TMPDIR).toBe(folder);
      expect(await readdir(join(folder, base))).not.toContain(expect.stringContaining('init-'));
      expect((await stat(join(folder, base, 'password'))).mode & 0o077).toBe(0);
      await database.close();
    } finally {
      watcher.close();
      if (TMPDIR === undefined) delete process.env.TMPDIR;
      else process.env.TMPDIR = TMPDIR;
      await rm(folder, { recursive: true });
    }
    expect(seen.filter((name) => name.startsWith('fleet-control-plane-'))).not.toEqual([]);
    expect(seen.filter((name) => name.includes('password'))).toEqual([]);
  }, 60_000);
});
