import type { HolderView, RolloutRecord } from '@tenant-fleet/fleet-core/contract';
import type { Query, Reader } from '../../db/database.js';

/** One rollout of the history, newest last known. */
export interface RolloutRow {
  claimId: string;
  token: number;
  holder: HolderView;
  /** State of the claim. */
  state: string;
  acquiredAt: Date;
  endedAt: Date | null;
  /** The record without `tenants` and `slugs`. */
  summary: RolloutRecord;
  tenants?: RolloutRecord['tenants'];
  slugs?: RolloutRecord['slugs'];
}

const COLUMNS = `r.claim_id AS "claimId", r.fencing_token AS token, c.holder, c.state,
  c.acquired_at AS "acquiredAt", c.ended_at AS "endedAt"`;
const FROM = 'lock_rollouts r JOIN lock_claims c USING (group_name, claim_id)';
const REPLACE = `ON CONFLICT (group_name, claim_id) DO UPDATE
  SET fencing_token = excluded.fencing_token, summary = excluded.summary, tenants = excluded.tenants, slugs = excluded.slugs, final = excluded.final
  WHERE NOT r.final`;

/** The parts by which a record is stored. */
function partsOf({ tenants, slugs, ...summary }: RolloutRecord): string[] {
  return [summary, tenants ?? null, slugs ?? null].map((part) => JSON.stringify(part));
}

/** Keeps the rollout of a claim that holds with this session and token; false, and nothing kept, for any other. */
export async function saveRollout(
  db: Reader,
  group: string,
  claimId: string,
  who: { session: string; token: number },
  rollout: RolloutRecord,
): Promise<boolean> {
  const rows = await db.rows({
    name: 'rollout-save',
    text: `INSERT INTO lock_rollouts AS r (group_name, claim_id, fencing_token, summary, tenants, slugs)
      SELECT group_name, claim_id, token, $5, $6, $7 FROM lock_claims
      WHERE group_name = $1 AND claim_id = $2 AND session = $3 AND token = $4 AND state = 'held'
      ${REPLACE} RETURNING 1`,
    values: [group, claimId, who.session, who.token, ...partsOf(rollout)],
  });
  return rows.length > 0;
}

/** Keeps the rollout that came with a release: the last word of its claim. */
export const saveFinalRollout = (
  group: string,
  claimId: string,
  token: number,
  rollout: RolloutRecord,
): Query => ({
  name: 'rollout-final',
  text: `INSERT INTO lock_rollouts AS r (group_name, claim_id, fencing_token, summary, tenants, slugs, final)
    VALUES ($1, $2, $3, $4, $5, $6, true) ${REPLACE}`,
  values: [group, claimId, token, ...partsOf(rollout)],
});

/** @param before only those under older tokens than this. */
export function readRollouts(
  db: Reader,
  group: string,
  { limit, before, outcome }: { limit: number; before: number | undefined; outcome: string | undefined },
): Promise<RolloutRow[]> {
  return db.rows<RolloutRow>({
    name: 'rollouts-read',
    // A list is long enough without what only one of them is looked at for.
    text: `SELECT ${COLUMNS}, r.summary - 'timeline' AS summary FROM ${FROM} WHERE group_name = $1
        AND ($2::bigint IS NULL OR r.fencing_token < $2) AND ($3::text IS NULL OR r.summary->>'outcome' = $3)
      ORDER BY r.fencing_token DESC LIMIT $4`,
    values: [group, before ?? null, outcome ?? null, limit],
  });
}

export async function readRollout(
  db: Reader,
  group: string,
  claimId: string,
): Promise<RolloutRow | undefined> {
  const rows = await db.rows<RolloutRow>({
    name: 'rollout-read',
    text: `SELECT ${COLUMNS}, r.summary, r.tenants, r.slugs FROM ${FROM} WHERE group_name = $1 AND claim_id = $2`,
    values: [group, claimId],
  });
  return rows[0];
}
