import type { RedeployAnswer } from '@tenant-fleet/fleet-core/contract';
import type { Query, Reader } from '../db/database.js';
import type { NewRoll, Roll, RollRef } from './roll.js';

const COLUMNS = `id, nonce, group_name AS "group", fencing_token, claim_id, idempotency_key, fingerprint, target_tag, slugs,
  owner, started_at, ended_at, result, status, answer`;

export const nextRollId: Query = {
  name: 'roll-id',
  text: `SELECT nextval(pg_get_serial_sequence('rolls', 'id')) AS id`,
};

export const openRolls = (group: string): Query => ({
  name: 'rolls-open',
  text: `SELECT ${COLUMNS} FROM rolls WHERE group_name = $1 AND ended_at IS NULL ORDER BY id`,
  values: [group],
});

export const openRollsOf = (owner: string): Query => ({
  name: 'rolls-open-of',
  text: 'SELECT id, nonce FROM rolls WHERE owner = $1 AND ended_at IS NULL',
  values: [owner],
});

export const rollByKey = (key: string | null): Query => ({
  name: 'roll-by-key',
  text: `SELECT ${COLUMNS} FROM rolls WHERE idempotency_key = $1`,
  values: [key],
});

export const insertRoll = (roll: NewRoll): Query => ({
  name: 'roll-insert',
  text: `INSERT INTO rolls (id, group_name, fencing_token, claim_id, idempotency_key, fingerprint, target_tag, slugs,
    owner, nonce) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
  values: [
    roll.id,
    roll.group,
    roll.fencing_token,
    roll.claim_id,
    roll.idempotency_key,
    roll.fingerprint,
    roll.target_tag,
    roll.slugs,
    roll.owner,
    roll.nonce,
  ],
});

export const endRoll = (roll: RollRef, result: string, status: number, answer: RedeployAnswer): Query => ({
  name: 'roll-end',
  text: `UPDATE rolls SET ended_at = clock_timestamp(), result = $2, status = $3, answer = $4
    WHERE id = $1 AND nonce = $5 AND ended_at IS NULL`,
  values: [roll.id, result, status, JSON.stringify(answer), roll.nonce],
});

export async function readRoll(db: Reader, roll: RollRef): Promise<Roll | undefined> {
  const rows = await db.rows<Roll>({
    name: 'roll-read',
    text: `SELECT ${COLUMNS} FROM rolls WHERE id = $1 AND nonce = $2`,
    values: [roll.id, roll.nonce],
  });
  return rows[0];
}

export function readRolls(db: Reader, after: number, limit: number): Promise<Roll[]> {
  return db.rows<Roll>({
    name: 'rolls-read',
    text: `SELECT ${COLUMNS} FROM rolls WHERE id > $1 ORDER BY id LIMIT $2`,
    values: [after, limit],
  });
}
