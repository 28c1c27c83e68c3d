import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { runner } from 'node-pg-migrate';
import pg from 'pg';

// Holds for src/db/migrate.ts and for the bundled dist/index.js: both find the package's own folder.
const candidates = ['../migrations', '../../migrations'].map((path) =>
  fileURLToPath(new URL(path, import.meta.url)),
);

/** Brings the database to the schema of this version. Replicas that start together wait for one another. */
export async function migrate(databaseUrl: string): Promise<void> {
  const dir = candidates.find((path) => existsSync(path));
  if (!dir) throw new Error('The folder "migrations" is missing from this installation.');
  const client = new pg.Client({ connectionString: databaseUrl, connectionTimeoutMillis: 5000 });
  client.on('error', () => {});
  await client.connect();
  try {
    await runner({
      dbClient: client,
      dir,
      direction: 'up',
      migrationsTable: 'fleet_migrations',
      advisoryLockMode: 'wait',
      log: () => {},
    });
  } finally {
    await client.end();
  }
}
