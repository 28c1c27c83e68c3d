import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { runner } from 'node-pg-migrate';
import pg from 'pg';
import type { Reader } from './database.js';

// Holds for src/db/migrate.ts and for the bundled dist/index.js: both find the package's own folder.
const candidates = ['../migrations', '../../migrations'].map((path) =>
  fileURLToPath(new URL(path, import.meta.url)),
);

const TABLE = 'fleet_migrations';
const UNDEFINED_TABLE = '42P01';
/** What takes away something that older servers use; everything else only adds ("expand and contract"). */
const CONTRACT = /^\d+_contract_/;
/** Held while somebody brings the schema to a version. A number that no other user of the database should have. */
const MIGRATING = 7_238_201;
/** Shared by every server while it lives: who wants to take away what older ones use needs it alone. */
export const SCHEMA_IN_USE = 7_238_202;

/** Migrations of this version that the database lacks, as one restored from an old backup does. */
export async function missingMigrations(db: Reader): Promise<string[]> {
  const done = await doneMigrations(db);
  return ownMigrations().filter((name) => !done.has(name));
}

async function doneMigrations(db: Reader): Promise<Set<string>> {
  const rows = await db
    .rows<{ name: string }>({ name: 'migrations', text: `SELECT name FROM ${TABLE}` })
    .catch((error) => {
      if (error instanceof pg.DatabaseError && error.code === UNDEFINED_TABLE) return [];
      throw error;
    });
  return new Set(rows.map(({ name }) => name));
}

const ownMigrations = () => readdirSync(folder()).map((file) => file.replace(/\.sql$/, ''));

function folder(): string {
  const dir = candidates.find((path) => existsSync(path));
  if (!dir) throw new Error('The folder "migrations" is missing from this installation.');
  return dir;
}

/** Migrations of a newer version that servers of this one do not survive. */
export async function outdatedBy(db: Reader): Promise<string[]> {
  const own = new Set(ownMigrations());
  return [...(await doneMigrations(db))].filter((name) => CONTRACT.test(name) && !own.has(name));
}

/**
 * Brings the database to the schema of this version. Replicas that start together wait for one another.
 *
 * What older servers survive is applied beside them. A migration that they do not survive says so in its name
 * (`NNN_contract_...`): it waits until `others` are gone.
 *
 * @param others resolves once the older servers are gone, with the schema taken for the session of `db` alone. Default:
 *   fails while there are any.
 */
export async function migrate(
  databaseUrl: string,
  others: (db: Reader, migration: string) => Promise<void> = refuseBesideOthers,
): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl, connectionTimeoutMillis: 5000 });
  client.on('error', () => {});
  await client.connect();
  const db: Reader = { rows: async (query) => (await client.query(query)).rows };
  try {
    // Nothing to do needs no right to do it: a server may run with a role that does not own the tables.
    if ((await missingMigrations(db)).length === 0) return;
    await client.query('SELECT pg_advisory_lock($1)', [MIGRATING]);
    for (const name of await missingMigrations(db)) {
      if (CONTRACT.test(name)) await others(db, name);
      await runner({
        dbClient: client,
        dir: folder(),
        direction: 'up',
        count: 1,
        migrationsTable: TABLE,
        noLock: true,
        log: () => {},
      });
    }
  } finally {
    // Ends the session, and with it every lock.
    await client.end();
  }
}

/** Takes the schema for the session of `db` alone; false while any server uses it. */
export async function besideNobody(db: Reader): Promise<boolean> {
  const text = 'SELECT pg_try_advisory_lock($1) AS free';
  const [row] = await db.rows<{ free: boolean }>({ text, values: [SCHEMA_IN_USE] });
  return row?.free ?? false;
}

async function refuseBesideOthers(db: Reader, migration: string): Promise<void> {
  if (await besideNobody(db)) return;
  throw new Error(
    `The migration ${migration} waits until the older servers of this database are gone. Start a server of this version first: it asks them to stop.`,
  );
}
