import { hash } from 'node:crypto';
import { auditText } from '@tenant-fleet/fleet-core/contract';
import * as z from 'zod';
import type { Commit, Database, Query, Reader } from '../../db/database.js';
import { type Claim, type GroupState, isLive, type Mark, type OpenRoll } from '../rules/claim.js';
import { Draft } from '../rules/draft.js';

/** How much of the queue a transition reads. Should all of these be outdated, the next sweep goes on behind them. */
const HEAD = 8;

/** What a transition reads beside the group's row, and writes beside its draft. */
export interface Load {
  /** The claim that the call is about. */
  subject?: string;
  /** Its order key, when it may be new. */
  orderKey?: string | undefined;
  /** Claims whose rows are locked too: their counters decide, and renewals and polls do not take the group's lock. */
  lock?: string[];
  /** Sent along with the group's rows; their answers go to the decision. */
  reads?: Query[];
  /** More to write in the same transaction. */
  writes?: () => Query[];
}

/** What a commit of this process changed, for those who wait here. */
export interface Committed {
  group: string;
  /** The claims that changed, as they are now. */
  claims: Claim[];
  openRolls: OpenRoll[];
  /** True when every waiter should look again, as at a freeze. */
  wakeAll: boolean;
}

export class LockStore {
  constructor(
    private readonly db: Database,
    /** Names this process in its own notifications. */
    private readonly origin: string,
    /** Told of every commit, in this order, before its caller is. */
    private readonly listeners: ((what: Committed) => void)[],
  ) {}

  /**
   * One transition, in one transaction of two round trips: locks the group's row and reads what the rules look at, lets
   * `decide` change a draft of that, and writes what changed together with the audit rows. Nothing slow or remote may
   * happen in `decide`; what it throws rolls everything back.
   */
  async transact<T>(group: string, load: Load, decide: (draft: Draft, reads: unknown[][]) => T): Promise<T> {
    const { value, committed } = await this.db.transaction((tx) => this.attempt(tx, group, load, decide));
    if (committed) for (const listener of this.listeners) listener(committed);
    return value;
  }

  private async attempt<T>(
    tx: Reader,
    group: string,
    load: Load,
    decide: (draft: Draft, reads: unknown[][]) => T,
  ): Promise<Commit<{ value: T; committed: Committed | null }>> {
    const [state, ...answers] = await Promise.all([
      readState(tx, group, load),
      ...(load.reads ?? []).map((query) => tx.rows(query)),
    ]);
    const draft = new Draft(state);
    const value = decide(draft, answers);
    const more = load.writes?.() ?? [];
    if (!draft.dirty) return { writes: more, result: { value, committed: null } };
    const { wakeAll } = draft;
    const claims = [...draft.changed.values()];
    const ended = claims.filter(({ state }) => state !== 'queued').map(({ claimId }) => claimId);
    const note = notify({ from: this.origin, group, claims: ended, wakeAll });
    const committed = { group, claims, openRolls: draft.state.openRolls, wakeAll };
    return { writes: [...writesOf(draft), note, ...more], result: { value, committed } };
  }
}

/**
 * Locks the group's row, then reads what the rules look at. Each statement sees what was committed before it began, so
 * nothing that is read here is older than the lock.
 */
async function readState(tx: Reader, group: string, load: Load): Promise<GroupState> {
  const { subject = null, orderKey = null, lock } = load;
  const [, , , groups, claims] = await Promise.all([
    tx.rows({
      name: 'group-make',
      text: `INSERT INTO lock_groups (name, last_token) SELECT $1, coalesce(max(floor), 0) FROM lock_restores
        ON CONFLICT DO NOTHING`,
      values: [group],
    }),
    tx.rows({
      name: 'group-lock',
      text: 'SELECT FROM lock_groups WHERE name = $1 FOR UPDATE',
      values: [group],
    }),
    lock &&
      tx.rows({
        name: 'claims-lock',
        text: 'SELECT FROM lock_claims WHERE group_name = $1 AND claim_id = ANY ($2) FOR UPDATE',
        values: [group, lock],
      }),
    tx.rows<Omit<GroupState, 'held' | 'waiting' | 'subject'>>({
      name: 'group-state',
      text: `SELECT name, version, last_token AS "lastToken", last_place AS "lastPlace", last_event AS "lastEvent",
          last_hash AS "lastHash", frozen, clock_timestamp() AS now, fleet_lock_timeline() AS timeline,
          fleet_open_rolls($1) AS "openRolls",
          (SELECT count(*) FROM lock_claims WHERE group_name = $1 AND ended_at IS NULL AND state = 'queued')
            AS "waitingCount",
          (SELECT coalesce(json_agg(row_to_json(m)), '[]') FROM lock_order_marks m
            WHERE group_name = $1 AND (key = $2 OR key IN (SELECT order_key FROM lock_claims
              WHERE group_name = $1 AND ended_at IS NULL AND state = 'queued'))) AS marks
        FROM lock_groups WHERE name = $1`,
      values: [group, orderKey],
    }),
    tx.rows<Claim & { part: 'subject' | 'held' | 'waiting' }>({
      name: 'claims-state',
      text: `SELECT 'subject' AS part, * FROM lock_claim_view WHERE "group" = $1 AND "claimId" = $2
        UNION ALL SELECT 'held', * FROM lock_claim_view WHERE "group" = $1 AND state = 'held'
        UNION ALL SELECT 'waiting', * FROM (
          (SELECT * FROM lock_claim_view WHERE "group" = $1 AND "endedAt" IS NULL AND state = 'queued'
            ORDER BY place LIMIT $4)
          UNION
          (SELECT * FROM lock_claim_view WHERE $3::text IS NOT NULL AND "group" = $1 AND "endedAt" IS NULL
            AND state = 'queued' AND "orderKey" = $3)) w
        ORDER BY place`,
      values: [group, subject, orderKey, HEAD],
    }),
  ]);
  const row = groups[0];
  if (!row) throw new Error(`the row of lock group ${group} is gone`);
  const all = (part: string) =>
    claims.filter((claim) => claim.part === part).map(({ part: _part, ...claim }) => claim);
  return {
    ...row,
    held: all('held')[0] ?? null,
    subject: all('subject')[0] ?? null,
    waiting: all('waiting'),
  };
}

/**
 * What a draft changed. What ends comes first, so that its place and its hold are free when the indexes look at who
 * comes after.
 */
function writesOf(draft: Draft): Query[] {
  const { changed, created, marks } = draft;
  const { name: group } = draft.state;
  const claims = [...changed.values()];
  const known = claims.filter((claim) => !created.has(claim.claimId));
  const ended = known.filter((claim) => !isLive(claim));
  const live = known.filter(isLive);
  const rows = auditRows(draft);
  return [
    updateGroup(draft, rows.at(-1)?.hash ?? draft.state.lastHash),
    ...[...ended, ...live].map((claim) => updateClaim(group, claim, draft.renewed.has(claim.claimId))),
    ...claims.filter((claim) => created.has(claim.claimId)).map((claim) => insertClaim(group, claim)),
    ...[...marks.values()].map((mark) => raiseMark(group, mark)),
    ...rows.map((row) => insertEvent(group, row)),
  ];
}

const updateGroup = ({ version, state }: Draft, lastHash: string | null): Query => ({
  name: 'group-update',
  text: `UPDATE lock_groups SET version = $2, last_token = $3, last_place = $4, last_event = $5, last_hash = $6, frozen = $7
    WHERE name = $1`,
  values: [state.name, version, state.lastToken, state.lastPlace, state.lastEvent, lastHash, state.frozen],
});

/** The counters of renewals and polls only ever count up: others move them without the group's lock. */
const updateClaim = (group: string, claim: Claim, renewed: boolean): Query => ({
  name: 'claim-update',
  text: `UPDATE lock_claims SET state = $3, place = $4, token = $5, confirmed = confirmed OR $6, step = $7,
      acquired_at = $8, ended_at = $9, end_reason = $10, ended_by = $11, result = $12, renew_seq = renew_seq + $13
    WHERE group_name = $1 AND claim_id = $2`,
  values: [group, ...changing(claim), renewed ? 1 : 0],
});

const insertClaim = (group: string, claim: Claim): Query => ({
  name: 'claim-insert',
  text: `INSERT INTO lock_claims (group_name, claim_id, state, place, token, confirmed, step, acquired_at, ended_at,
      end_reason, ended_by, result, session, fingerprint, holder, ttl_seconds, max_hold_seconds, order_key,
      order_number, queued_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)`,
  values: [
    group,
    ...changing(claim),
    claim.session,
    claim.fingerprint,
    claim.holder,
    claim.ttlSeconds,
    claim.maxHoldSeconds,
    claim.orderKey,
    claim.orderNumber,
    claim.queuedAt,
  ],
});

/** The id, and the columns that a transition may change. */
const changing = (claim: Claim) => [
  claim.claimId,
  claim.state,
  claim.place,
  claim.token,
  claim.confirmed,
  claim.step,
  claim.acquiredAt,
  claim.endedAt,
  claim.endReason,
  claim.endedBy,
  claim.result,
];

/** A mark never sinks. */
const raiseMark = (group: string, { key, number, holder }: Mark): Query => ({
  name: 'mark-raise',
  text: `INSERT INTO lock_order_marks AS m (group_name, key, number, holder) VALUES ($1, $2, $3, $4)
    ON CONFLICT (group_name, key) DO UPDATE SET number = excluded.number, holder = excluded.holder
    WHERE m.number < excluded.number`,
  values: [group, key, number, holder],
});

/** The audit rows, each with the hash of the one before and its own. */
function auditRows({ state, events }: Draft) {
  const at = state.now.toISOString();
  let prev = state.lastHash;
  return events.map(({ seq, kind, claimId, token, actor, detail }) => {
    // As it will be read back: without what JSON leaves out.
    const kept = JSON.parse(JSON.stringify(detail));
    const row = { seq, at, kind, claim_id: claimId, fencing_token: token, actor, detail: kept };
    const link = { ...row, prev, hash: hash('sha256', auditText(prev, row)) };
    prev = link.hash;
    return link;
  });
}

const insertEvent = (group: string, row: ReturnType<typeof auditRows>[number]): Query => ({
  name: 'event-insert',
  text: `INSERT INTO lock_events (group_name, seq, at, kind, claim_id, fencing_token, actor, detail, prev, hash)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
  values: [
    group,
    row.seq,
    row.at,
    row.kind,
    row.claim_id,
    row.fencing_token,
    row.actor,
    row.detail,
    row.prev,
    row.hash,
  ],
});

/** PostgreSQL channel on which one replica tells the others what a commit changed. */
export const LOCK_CHANNEL = 'fleet_lock';
/** PostgreSQL refuses notifications of 8000 bytes and more. */
const PAYLOAD_MAX_BYTES = 7800;

const noteSchema = z.object({
  from: z.string(),
  group: z.string(),
  /** Claims that wait no longer: their polls have something to answer. */
  claims: z.array(z.string()),
  /** True when every waiter should look again, as at a freeze. */
  wakeAll: z.boolean(),
});
/** What another replica is told of a commit: who should look again. */
export type Note = z.infer<typeof noteSchema>;

/** Reads a notification; null for one that another version, or a hand, has written differently. */
export function parseNote(payload: string): Note | null {
  try {
    return noteSchema.parse(JSON.parse(payload));
  } catch {
    return null;
  }
}

/** Writes a notification; one that would be too long only makes everybody of the group look again. */
export function writeNote(note: Note): string {
  const payload = JSON.stringify(note);
  if (Buffer.byteLength(payload) <= PAYLOAD_MAX_BYTES) return payload;
  return JSON.stringify({ ...note, claims: [], wakeAll: true } satisfies Note);
}

const notify = (note: Note): Query => ({
  name: 'notify',
  text: 'SELECT pg_notify($1, $2)',
  values: [LOCK_CHANNEL, writeNote(note)],
});
