import type { RolloutOrder, ServerRollout, ServerRolloutState } from '@tenant-fleet/fleet-core/contract';
import type { Query, Reader } from '../db/database.js';

/** PostgreSQL channel on which a process tells the others that a rollout changed; its id is the message. */
export const ROLLOUT_CHANNEL = 'fleet_rollout';

export interface Wish {
  kind: 'pause' | 'resume' | 'abort';
  actor: string;
  reason: string;
  at: string;
}

export interface RolloutRow {
  id: string;
  idempotencyKey: string;
  fingerprint: string;
  environment: string;
  group: string;
  request: RolloutOrder;
  state: ServerRolloutState;
  createdAt: Date;
  startedAt: Date | null;
  endedAt: Date | null;
  owner: string;
  attempt: number;
  claimId: string | null;
  session: string | null;
  wish: Wish | null;
  pausedAt: Date | null;
  outcome: string | null;
  reason: string | null;
}

/** What PostgreSQL cannot store in a text: a zero byte, and half of a surrogate pair. */
// biome-ignore lint/complexity/useRegexLiterals: the escapes stay readable
const UNSTORABLE = new RegExp('\\u0000|[\\ud800-\\udfff]', 'gu');

/** JSON that can be stored whatever stands in it: an event that could not be kept would hold up all after it. */
const json = (value: unknown): string =>
  JSON.stringify(value, (_key, inner) =>
    typeof inner === 'string' ? inner.replace(UNSTORABLE, '\ufffd') : inner,
  );

const COLUMNS = `id, idempotency_key AS "idempotencyKey", fingerprint, environment, group_name AS "group", request, state,
  created_at AS "createdAt", started_at AS "startedAt", ended_at AS "endedAt", owner, attempt, claim_id AS "claimId",
  session, wish, paused_at AS "pausedAt", outcome, reason`;

/** One process's turn with a rollout. What it writes counts while no other has begun one. */
export interface Turn {
  id: string;
  attempt: number;
}

type NewRollout = Pick<
  RolloutRow,
  'id' | 'idempotencyKey' | 'fingerprint' | 'environment' | 'group' | 'request' | 'owner'
>;

/** Keeps a new rollout. @returns It, or the one that came with this key before. */
export async function insertRollout(db: Reader, rollout: NewRollout): Promise<RolloutRow> {
  const { id, idempotencyKey, fingerprint, environment, group, request, owner } = rollout;
  await db.rows({
    name: 'server-rollout-insert',
    text: `INSERT INTO rollouts (id, idempotency_key, fingerprint, environment, group_name, request, state, owner)
      VALUES ($1, $2, $3, $4, $5, $6, 'queued', $7) ON CONFLICT (idempotency_key) DO NOTHING`,
    values: [id, idempotencyKey, fingerprint, environment, group, JSON.stringify(request), owner],
  });
  const [row] = await db.rows<RolloutRow>({
    name: 'server-rollout-by-key',
    text: `SELECT ${COLUMNS} FROM rollouts WHERE idempotency_key = $1`,
    values: [idempotencyKey],
  });
  if (!row) throw new Error('a rollout that was inserted is gone');
  return row;
}

export async function readServerRollout(db: Reader, id: string): Promise<RolloutRow | undefined> {
  const rows = await db.rows<RolloutRow>({
    name: 'server-rollout-read',
    text: `SELECT ${COLUMNS} FROM rollouts WHERE id = $1`,
    values: [id],
  });
  return rows[0];
}

export async function readResult(db: Reader, id: string): Promise<Record<string, unknown> | null> {
  const rows = await db.rows<{ result: Record<string, unknown> | null }>({
    name: 'server-rollout-result',
    text: 'SELECT result FROM rollouts WHERE id = $1',
    values: [id],
  });
  return rows[0]?.result ?? null;
}

/** Newest first. */
export function listServerRollouts(
  db: Reader,
  filter: { environments: string[]; state: string | undefined; limit: number },
): Promise<RolloutRow[]> {
  return db.rows<RolloutRow>({
    name: 'server-rollouts-list',
    text: `SELECT ${COLUMNS} FROM rollouts WHERE environment = ANY ($1) AND ($2::text IS NULL OR state = $2)
      ORDER BY created_at DESC, id LIMIT $3`,
    values: [filter.environments, filter.state ?? null, filter.limit],
  });
}

/** A process begins its turn: from here on nothing that an earlier one writes counts. undefined where it has ended. */
export async function beginTurn(db: Reader, id: string, owner: string): Promise<RolloutRow | undefined> {
  const rows = await db.rows<RolloutRow>({
    name: 'server-rollout-begin',
    text: `UPDATE rollouts SET owner = $2, attempt = attempt + 1, started_at = coalesce(started_at, now())
      WHERE id = $1 AND state <> 'ended' RETURNING ${COLUMNS}`,
    values: [id, owner],
  });
  return rows[0];
}

/** The newest turn of a rollout, for a transaction that must not come late. */
export const lockTurn = (id: string): Query => ({
  name: 'server-rollout-turn',
  text: 'SELECT attempt FROM rollouts WHERE id = $1 FOR UPDATE',
  values: [id],
});

export const keepClaim = (turn: Turn, claim: { claimId: string; session: string }): Query => ({
  name: 'server-rollout-claim',
  text: 'UPDATE rollouts SET claim_id = $3, session = $4 WHERE id = $1 AND attempt = $2',
  values: [turn.id, turn.attempt, claim.claimId, claim.session],
});

/** Appends events. @returns false where another process has begun its turn. */
export async function appendEvents(db: Reader, turn: Turn, events: readonly object[]): Promise<boolean> {
  const rows = await db.rows({
    name: 'server-rollout-events-append',
    text: `WITH mine AS (SELECT id FROM rollouts WHERE id = $1 AND attempt = $2 FOR UPDATE),
      last AS (SELECT coalesce(max(n), 0) AS n FROM rollout_events WHERE rollout_id = $1),
      added AS (INSERT INTO rollout_events (rollout_id, n, event)
        SELECT mine.id, last.n + e.place, e.event FROM mine, last,
          jsonb_array_elements($3::jsonb) WITH ORDINALITY AS e (event, place))
      SELECT pg_notify('${ROLLOUT_CHANNEL}', id::text) FROM mine`,
    values: [turn.id, turn.attempt, json(events)],
  });
  return rows.length > 0;
}

export function readRolloutEvents(
  db: Reader,
  id: string,
  after: number,
  limit: number,
): Promise<{ n: number; event: { at: string; code: string } }[]> {
  return db.rows({
    name: 'server-rollout-events-read',
    text: 'SELECT n, event FROM rollout_events WHERE rollout_id = $1 AND n > $2 ORDER BY n LIMIT $3',
    values: [id, after, limit],
  });
}

/** The state as this turn makes it. @param from States that it may follow. */
export async function setState(
  db: Reader,
  turn: Turn,
  from: ServerRolloutState[],
  to: ServerRolloutState,
): Promise<RolloutRow | undefined> {
  const rows = await db.rows<RolloutRow>({
    name: 'server-rollout-state',
    text: `UPDATE rollouts SET state = $4,
        paused_at = CASE WHEN $4 = 'paused' THEN coalesce(paused_at, now()) ELSE NULL END
      WHERE id = $1 AND attempt = $2 AND state = ANY ($3) RETURNING ${COLUMNS}`,
    values: [turn.id, turn.attempt, from, to],
  });
  return rows[0];
}

/** Seconds since it was paused, by the database's clock: the pause may outlive the process that began it. */
export async function pausedForSeconds(db: Reader, id: string): Promise<number> {
  const rows = await db.rows<{ seconds: number | null }>({
    name: 'server-rollout-paused-for',
    text: 'SELECT extract(epoch FROM now() - paused_at)::float8 AS seconds FROM rollouts WHERE id = $1',
    values: [id],
  });
  return rows[0]?.seconds ?? 0;
}

/** What a person wants. @returns undefined where it has ended, or is not in one of these states. */
export async function setWish(
  db: Reader,
  id: string,
  from: ServerRolloutState[],
  to: ServerRolloutState | null,
  wish: Wish | null,
): Promise<RolloutRow | undefined> {
  const rows = await db.rows<RolloutRow>({
    name: 'server-rollout-wish',
    text: `WITH changed AS (UPDATE rollouts SET state = coalesce($3, state), wish = $4
        WHERE id = $1 AND state = ANY ($2) RETURNING *),
      told AS (SELECT pg_notify('${ROLLOUT_CHANNEL}', id::text) FROM changed)
      SELECT ${COLUMNS} FROM changed, told`,
    values: [id, from, to, wish && JSON.stringify(wish)],
  });
  return rows[0];
}

/** The verdict. @returns false where another process has begun its turn. */
export async function endRollout(
  db: Reader,
  turn: Turn,
  ending: { outcome: string; reason: string; result: object | null },
): Promise<boolean> {
  const rows = await db.rows({
    name: 'server-rollout-end',
    text: `WITH ended AS (UPDATE rollouts
        SET state = 'ended', ended_at = now(), outcome = $3, reason = $4, result = $5, wish = NULL, session = NULL
        WHERE id = $1 AND attempt = $2 AND state <> 'ended' RETURNING id)
      SELECT pg_notify('${ROLLOUT_CHANNEL}', id::text) FROM ended`,
    values: [
      turn.id,
      turn.attempt,
      ending.outcome,
      ending.reason.replace(UNSTORABLE, ''),
      ending.result && json(ending.result),
    ],
  });
  return rows.length > 0;
}

/** Rollouts that are under way. */
export function openRollouts(
  db: Reader,
): Promise<{ id: string; owner: string; attempt: number; wish: Wish | null }[]> {
  return db.rows({
    name: 'server-rollouts-open',
    text: `SELECT id, owner, attempt, wish FROM rollouts WHERE state <> 'ended'`,
  });
}

/**
 * Whether this process is to ask that another one goes on with a rollout, whose own is gone: one asks at a time, and
 * again after a while.
 */
export async function takeAsking(
  db: Reader,
  { id, attempt }: Turn,
  againAfterSeconds: number,
): Promise<boolean> {
  const rows = await db.rows({
    name: 'server-rollout-ask',
    text: `UPDATE rollouts SET asked_at = now() WHERE id = $1 AND attempt = $2 AND state <> 'ended'
      AND (asked_at IS NULL OR asked_at < now() - make_interval(secs => $3)) RETURNING id`,
    values: [id, attempt, againAfterSeconds],
  });
  return rows.length > 0;
}

/** As others see it. */
export function viewOf(row: RolloutRow): ServerRollout {
  const { request, wish } = row;
  return {
    id: row.id,
    state: row.state,
    environment: row.environment,
    lock_group: row.group,
    target_tag: request.target_tag,
    expected_sha: request.expected_sha,
    holder: request.holder,
    ...(request.policy && { policy: request.policy }),
    created_at: row.createdAt.toISOString(),
    started_at: row.startedAt?.toISOString() ?? null,
    ended_at: row.endedAt?.toISOString() ?? null,
    takeovers: Math.max(0, row.attempt - 1),
    wish: wish && { ...wish },
    outcome: row.outcome,
    reason: row.reason,
  };
}
