/** Every database that an earlier version has made becomes the one that this version makes. */
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { runner } from 'node-pg-migrate';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type EmbeddedDatabase, startEmbedded } from '../../src/db/embedded.js';
import { migrate } from '../../src/db/migrate.js';
import { sql } from '../support/plane.js';

const dir = fileURLToPath(new URL('../../migrations', import.meta.url));
const names = readdirSync(dir).sort();

/** What migrations once made and this version has no use for: from which of them on, and until which. */
const GONE = [
  {
    from: 1,
    to: 7,
    text: 'ALTER TABLE lock_claims ADD renewed_at timestamptz',
  },
  {
    from: 4,
    to: 10,
    text: `CREATE FUNCTION fleet_lock_read(p_group text, p_subject uuid) RETURNS json LANGUAGE sql RETURN '{}'::json;
      CREATE FUNCTION fleet_lock_write(p_group text, p_version bigint) RETURNS void LANGUAGE plpgsql AS 'BEGIN END'`,
  },
  {
    from: 6,
    to: 7,
    text: `ALTER TABLE lock_groups ADD stamp uuid NOT NULL DEFAULT gen_random_uuid();
      CREATE FUNCTION fleet_lock_marked() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
      CREATE TRIGGER fleet_lock_marked AFTER INSERT OR UPDATE ON lock_order_marks
        FOR EACH ROW EXECUTE FUNCTION fleet_lock_marked()`,
  },
];

let server: EmbeddedDatabase;
let fresh: string[];
beforeAll(async () => {
  server = await startEmbedded();
  const url = await database('fresh');
  await migrate(url);
  fresh = await objects(url);
});
afterAll(() => server.close());

it.each(names.slice(0, -1).map((name, index) => [name, index + 1]))('from %s', async (_name, count) => {
  const databaseUrl = await database(`since_${count}`);
  await runner({
    databaseUrl,
    dir,
    direction: 'up',
    count,
    migrationsTable: 'fleet_migrations',
    log: () => {},
  });
  for (const { from, to, text } of GONE) if (from <= count && count <= to) await sql(databaseUrl, text);
  await migrate(databaseUrl);
  expect(await objects(databaseUrl)).toEqual(fresh);
});

async function database(name: string): Promise<string> {
  await sql(server.url, `CREATE DATABASE ${name}`);
  const url = new URL(server.url);
  url.pathname = `/${name}`;
  return url.href;
}

/** Tables, columns, indexes, constraints, triggers, views and functions, each as a line. */
async function objects(url: string): Promise<string[]> {
  const rows = await sql<{ line: string }>(
    url,
    `SELECT format('column %s.%s %s %s %s', table_name, column_name, data_type, is_nullable, column_default) AS line
        FROM information_schema.columns WHERE table_schema = 'public'
      UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
      UNION ALL SELECT format('constraint %s %s', conrelid::regclass, pg_get_constraintdef(oid)) FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace AND contype <> 'n'
      UNION ALL SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
      UNION ALL SELECT viewname || definition FROM pg_views WHERE schemaname = 'public'
      UNION ALL SELECT pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
      ORDER BY line`,
  );
  return rows.map(({ line }) => line);
}
