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

/** Brings the database to the schema of this version. Replicas that start together wait for one another. */
export async function migrate(databaseUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl, connectionTimeoutMillis: 5000 });
  client.on('error', () => {});
  await client.connect();
  try {
    // Nothing to do needs no right to do it: a server may run with a role that does not own the tables.
    const done = await doneMigrations({ rows: async (query) => (await client.query(query)).rows });
    const own = ownMigrations();
    if (done.size === own.length && own.every((name) => done.has(name))) return;
    await runner({
      dbClient: client,
      dir: folder(),
      direction: 'up',
      migrationsTable: TABLE,
      advisoryLockMode: 'wait',
      log: () => {},
    });
  } finally {
    await client.end();
  }
}
