import { randomBytes } from 'node:crypto';
import pg from 'pg';

const ROLE = 'fleet_app';

/** As the README grants it for a server of one's own: everything but changing the audit log and the schema. */
const GRANTS = `
  GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO ${ROLE};
  GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO ${ROLE};
  REVOKE UPDATE, DELETE, TRUNCATE ON lock_events FROM ${ROLE};
  REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON fleet_migrations FROM ${ROLE};`;

const ADDS_SCHEMA = `
  DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO ${ROLE}', current_database()); END $$;`;

/**
 * Lets requests be served by a role that owns nothing: what gets through the server cannot rewrite the audit log.
 *
 * @param ownerUrl of the role that owns the tables, with the schema in place.
 * @param addsSchema The engine of rollouts keeps its tables in a schema that it makes by itself.
 * @returns the URL of the role, whose password is made anew each time.
 */
export async function applicationUrl(ownerUrl: string, { addsSchema = false } = {}): Promise<string> {
  const password = randomBytes(24).toString('hex');
  const client = new pg.Client({ connectionString: ownerUrl, connectionTimeoutMillis: 5000 });
  client.on('error', () => {});
  await client.connect();
  try {
    const { rowCount } = await client.query('SELECT FROM pg_roles WHERE rolname = $1', [ROLE]);
    await client.query(
      `${rowCount ? 'ALTER' : 'CREATE'} ROLE ${ROLE} LOGIN PASSWORD '${password}';${GRANTS}${addsSchema ? ADDS_SCHEMA : ''}`,
    );
  } finally {
    await client.end();
  }
  const url = new URL(ownerUrl);
  url.username = ROLE;
  url.password = password;
  return url.href;
}
