/** Reads what the database recorded. */
import type { Pool } from 'pg';
import type { Claim, Message, Roll, Swap } from './history.js';

/** Milliseconds since 1970 of a column, with their fraction. */
const ms = (column: string) => `(extract(epoch FROM ${column}) * 1000)::double precision`;

/** The tenants' own record: written in the transaction that changes one, with the rolls that were open then. */
export async function keepSwaps(pool: Pool): Promise<void> {
  await pool.query(`
    CREATE TABLE faults_swaps (n bigserial PRIMARY KEY, at timestamptz NOT NULL, slug text NOT NULL,
      before text NOT NULL, after text NOT NULL, rolls bigint[] NOT NULL);
    CREATE FUNCTION faults_swapped() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
    BEGIN
      INSERT INTO faults_swaps (at, slug, before, after, rolls) VALUES (clock_timestamp(), NEW.slug,
        OLD.running->>'sha', NEW.running->>'sha', ARRAY(SELECT id FROM rolls
          WHERE ended_at IS NULL AND NEW.slug = ANY (slugs)));
      RETURN NULL;
    END $$;
    CREATE TRIGGER faults_swapped AFTER UPDATE OF running ON sim_tenants FOR EACH ROW
      WHEN (OLD.running IS DISTINCT FROM NEW.running) EXECUTE FUNCTION faults_swapped();`);
}

/** Claims, each with the run whose messages named it. */
export async function readClaims(pool: Pool, messages: Message[]): Promise<Claim[]> {
  const { rows } =
    await pool.query<Claim>(`SELECT claim_id, state, token::double precision AS token, order_key,
    order_number::double precision AS order_number, ttl_seconds * 1000 AS ttl_ms, ${ms('acquired_at')} AS acquired,
    ${ms('ended_at')} AS ended, end_reason, result FROM lock_claims ORDER BY token NULLS LAST, place`);
  const runs = new Map<string, string>();
  for (const { path, run } of messages) {
    const id = /\/claims\/([0-9a-f-]{36})/.exec(path)?.[1];
    if (id) runs.set(id, run);
  }
  return rows.map((claim) => ({ ...claim, run: runs.get(claim.claim_id) ?? null }));
}

export async function readRolls(pool: Pool): Promise<Roll[]> {
  const { rows } =
    await pool.query<Roll>(`SELECT id::double precision AS id, fencing_token::double precision AS token,
    claim_id, target_tag, slugs, ${ms('started_at')} AS started, ${ms('ended_at')} AS ended, result
    FROM rolls ORDER BY started_at, id`);
  return rows;
}

export async function readSwaps(pool: Pool): Promise<Swap[]> {
  const { rows } = await pool.query<Swap>(`SELECT ${ms('at')} AS at, slug, before AS "from", after AS "to",
    rolls::double precision[] AS rolls FROM faults_swaps ORDER BY n`);
  return rows;
}
