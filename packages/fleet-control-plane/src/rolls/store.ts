import type { RedeployAnswer } from '@tenant-fleet/fleet-core/contract';
import type { Query, Reader } from '../db/database.js';
import type { NewRoll, Roll, RollRef, Unseen } from './roll.js';

const COLUMNS = `id, nonce, group_name AS "group", fencing_token, claim_id, idempotency_key, fingerprint, target_tag, slugs,
  owner, started_at, ended_at, unseen, may_last_seconds, settle_sha, result, status, answer`;

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
  text: `SELECT ${COLUMNS} FROM rolls WHERE owner = $1 AND ended_at IS NULL`,
  values: [owner],
});

export const rollByKey = (key: string | null): Query => ({
  name: 'roll-by-key',
  text: `SELECT ${COLUMNS} FROM rolls WHERE idempotency_key = $1`,
  values: [key],
});

export const rollsByKeys = (keys: string[]): Query => ({
  name: 'rolls-by-keys',
  text: `SELECT ${COLUMNS} FROM rolls WHERE idempotency_key = ANY ($1)`,
  values: [keys],
});

/** Answers with a row where the key was given up. */
export const givenUp = (key: string | null): Query => ({
  name: 'roll-given-up',
  text: 'SELECT 1 FROM rolls_given_up WHERE idempotency_key = $1',
  values: [key],
});

export const giveUp = (group: string, token: number, keys: string[]): Query => ({
  name: 'rolls-give-up',
  text: `WITH old AS (DELETE FROM rolls_given_up WHERE group_name = $1 AND fencing_token < $2)
    INSERT INTO rolls_given_up SELECT key, $1, $2 FROM unnest($3::text[]) AS key ON CONFLICT DO NOTHING`,
  values: [group, token, keys],
});

export const insertRoll = (roll: NewRoll): Query => ({
  name: 'roll-insert',
  text: `INSERT INTO rolls (id, group_name, fencing_token, claim_id, idempotency_key, fingerprint, target_tag, slugs,
    owner, nonce, may_last_seconds, settle_sha) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
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
    roll.may_last_seconds,
    roll.settle_sha,
  ],
});

/** The same roll is sent once more, by this process. */
export const resumeRoll = (roll: RollRef, owner: string): Query => ({
  name: 'roll-resume',
  text: 'UPDATE rolls SET unseen = NULL, owner = $2 WHERE id = $1 AND nonce = $3 AND ended_at IS NULL',
  values: [roll.id, owner, roll.nonce],
});

export const leaveUnseen = (roll: RollRef, why: Unseen): Query => ({
  name: 'roll-unseen',
  text: 'UPDATE rolls SET unseen = $2 WHERE id = $1 AND nonce = $3 AND ended_at IS NULL',
  values: [roll.id, why, roll.nonce],
});

/** Nothing changed: whoever comes with the key again is no repetition. */
export const refuseRoll = (roll: RollRef, status: number): Query => ({
  name: 'roll-refuse',
  text: `UPDATE rolls SET ended_at = clock_timestamp(), result = 'refused', status = $2, idempotency_key = NULL
    WHERE id = $1 AND nonce = $3 AND ended_at IS NULL`,
  values: [roll.id, status, roll.nonce],
});

/** Of a dry run that turned out to be one. */
export const removeRoll = (roll: RollRef): Query => ({
  name: 'roll-remove',
  text: 'DELETE FROM rolls WHERE id = $1 AND nonce = $2 AND ended_at IS NOT NULL',
  values: [roll.id, roll.nonce],
});

/** Takes over the rolls of a process that is gone, of which none was seen to end. */
export const adoptRolls = (from: string, owner: string): Query => ({
  name: 'rolls-adopt',
  text: `UPDATE rolls SET owner = $2, unseen = coalesce(unseen, 'lost') WHERE owner = $1 AND ended_at IS NULL`,
  values: [from, owner],
});

/** Closes what a process leaves behind, where nothing goes on without it. */
export const cutRolls = (owner: string, answer: RedeployAnswer): Query => ({
  name: 'rolls-cut',
  text: `UPDATE rolls SET ended_at = clock_timestamp(), result = 'cut', status = 500, answer = $2
    WHERE owner = $1 AND ended_at IS NULL`,
  values: [owner, JSON.stringify(answer)],
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
