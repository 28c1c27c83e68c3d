import type { Commit, Database, Query, Reader } from '../db/database.js';
import { CLAIM_COLUMNS } from './columns.js';
import { Draft } from './draft.js';
import type { Claim, Event, GroupState, Mark } from './model.js';

/** PostgreSQL channel on which one replica tells the others which claims a commit changed. */
export const LOCK_CHANNEL = 'fleet_lock';
/** PostgreSQL refuses notifications of 8000 bytes and more. */
const PAYLOAD_MAX = 7800;

const GROUP = `name, version, last_token AS "lastToken", last_place AS "lastPlace", last_event AS "lastEvent",
  frozen, clock_timestamp() AS now`;

/** What a commit tells those who wait: the claims it changed, as they are now. */
export interface Committed {
  group: string;
  version: number;
  claims: Claim[];
  wakeAll: boolean;
}

export interface Load {
  /** The claim that the call is about. */
  subject?: string;
  /** Its order key, when it may be new. */
  orderKey?: string;
  /** Rows to lock as well: those whose counters decide, since renewals and polls do not take the group's lock. */
  lock?: string[];
  /** Sent along with the group's rows; their answers go to the decision. */
  reads?: Query[];
  /** More to write in the same transaction. */
  writes?: (draft: Draft) => Query[];
}

export class LockStore {
  constructor(
    private readonly db: Database,
    /** Names this process in its own notifications. */
    private readonly origin: string,
    private readonly committed: (what: Committed) => void,
  ) {}

  /**
   * One transition: locks the group's row, reads, lets `decide` change a draft, and commits what it changed together
   * with the audit rows. Nothing slow or remote may happen in `decide`.
   */
  async transact<T>(group: string, load: Load, decide: (draft: Draft, reads: unknown[][]) => T): Promise<T> {
    for (;;) {
      const done = await this.db.transaction((tx) => this.attempt(tx, group, load, decide));
      if (done) {
        if (done.committed) this.committed(done.committed);
        return done.value;
      }
      await this.db.rows({
        text: 'INSERT INTO lock_groups (name) VALUES ($1) ON CONFLICT DO NOTHING',
        values: [group],
      });
    }
  }

  private async attempt<T>(
    tx: Reader,
    group: string,
    load: Load,
    decide: (draft: Draft, reads: unknown[][]) => T,
  ): Promise<Commit<{ value: T; committed: Committed | null } | null>> {
    const [groups, , claims, marks, ...reads] = await Promise.all([
      tx.rows<Omit<GroupState, 'held' | 'waiting' | 'subject' | 'marks'>>({
        name: 'group-lock',
        text: `SELECT ${GROUP}, ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int AS timeline
          FROM lock_groups WHERE name = $1 FOR UPDATE`,
        values: [group],
      }),
      load.lock
        ? tx.rows({
            name: 'claims-lock',
            text: 'SELECT 1 FROM lock_claims WHERE group_name = $1 AND claim_id = ANY($2) FOR UPDATE',
            values: [group, load.lock],
          })
        : [],
      tx.rows<Claim>({
        name: 'claims-live',
        text: `SELECT ${CLAIM_COLUMNS} FROM lock_claims
          WHERE group_name = $1 AND (state IN ('queued', 'held') OR claim_id = $2) ORDER BY place`,
        values: [group, load.subject ?? null],
      }),
      tx.rows<Mark>({
        name: 'marks',
        text: `SELECT key, number, holder FROM lock_order_marks WHERE group_name = $1 AND (key = $2 OR key IN
          (SELECT order_key FROM lock_claims WHERE group_name = $1 AND state = 'queued'))`,
        values: [group, load.orderKey ?? null],
      }),
      ...(load.reads ?? []).map((query) => tx.rows(query)),
    ]);
    const row = groups[0];
    if (!row) return { writes: [], result: null };
    const draft = new Draft({
      ...row,
      held: claims.find((claim) => claim.state === 'held') ?? null,
      waiting: claims.filter((claim) => claim.state === 'queued'),
      subject: claims.find((claim) => claim.claimId === load.subject) ?? null,
      marks,
    });
    const value = decide(draft, reads);
    const more = load.writes?.(draft) ?? [];
    if (!draft.dirty) return { writes: more, result: { value, committed: null } };
    const committed = {
      group,
      version: draft.version,
      claims: [...draft.changed.values()],
      wakeAll: draft.wakeAll,
    };
    return { writes: [...this.writes(draft, committed), ...more], result: { value, committed } };
  }

  private writes(draft: Draft, committed: Committed): Query[] {
    const { state } = draft;
    const queries: Query[] = [
      {
        name: 'group-write',
        text: `UPDATE lock_groups SET version = $2, last_token = $3, last_place = $4, last_event = $5, frozen = $6
          WHERE name = $1`,
        values: [
          state.name,
          draft.version,
          state.lastToken,
          state.lastPlace,
          state.lastEvent,
          state.frozen && JSON.stringify(state.frozen),
        ],
      },
    ];
    // The end of one hold goes before the next grant: the index that allows one holder is checked row by row.
    const ordered = committed.claims
      .slice()
      .sort((a, b) => Number(a.state === 'held') - Number(b.state === 'held'));
    for (const claim of ordered) {
      queries.push(
        draft.created.has(claim.claimId)
          ? insertClaim(state.name, claim)
          : updateClaim(state.name, claim, draft.renewed),
      );
    }
    if (draft.events.length > 0) queries.push(insertEvents(state.name, draft.events));
    queries.push(notify(this.origin, committed));
    return queries;
  }
}

function insertClaim(group: string, c: Claim): Query {
  return {
    name: 'claim-insert',
    text: `INSERT INTO lock_claims (group_name, claim_id, state, session, fingerprint, holder, ttl_seconds,
        max_hold_seconds, order_key, order_number, place, token, confirmed, acquired_at, ended_at, end_reason, ended_by)
      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)`,
    values: [
      group,
      c.claimId,
      c.state,
      c.session,
      c.fingerprint,
      JSON.stringify(c.holder),
      c.ttlSeconds,
      c.maxHoldSeconds,
      c.orderKey,
      c.orderNumber,
      c.place,
      c.token,
      c.confirmed,
      c.acquiredAt,
      c.endedAt,
      c.endReason,
      c.endedBy && JSON.stringify(c.endedBy),
    ],
  };
}

/** Leaves the counters of renewals and polls alone but for counting up: others move them without the group's lock. */
function updateClaim(group: string, c: Claim, renewed: ReadonlySet<string>): Query {
  return {
    name: 'claim-update',
    text: `UPDATE lock_claims SET state = $3, place = $4, token = $5, confirmed = confirmed OR $6, step = $7,
        acquired_at = $8, ended_at = $9, end_reason = $10, ended_by = $11, result = $12,
        renew_seq = renew_seq + $13, renewed_at = CASE WHEN $13 > 0 THEN now() ELSE renewed_at END
      WHERE group_name = $1 AND claim_id = $2 AND state IN ('queued', 'held')`,
    values: [
      group,
      c.claimId,
      c.state,
      c.place,
      c.token,
      c.confirmed,
      c.step,
      c.acquiredAt,
      c.endedAt,
      c.endReason,
      c.endedBy && JSON.stringify(c.endedBy),
      c.result,
      renewed.has(c.claimId) ? 1 : 0,
    ],
  };
}

function insertEvents(group: string, events: Event[]): Query {
  return {
    name: 'events-insert',
    text: `INSERT INTO lock_events (group_name, seq, kind, claim_id, fencing_token, actor, detail)
      SELECT $1, seq, kind, "claimId", token, actor, detail FROM jsonb_to_recordset($2::jsonb)
        AS e (seq bigint, kind text, "claimId" uuid, token bigint, actor text, detail jsonb)`,
    values: [group, JSON.stringify(events)],
  };
}

function notify(origin: string, { group, version, claims, wakeAll }: Committed): Query {
  const message = { from: origin, group, version, claims: claims.map((claim) => claim.claimId), wakeAll };
  let payload = JSON.stringify(message);
  if (payload.length > PAYLOAD_MAX) payload = JSON.stringify({ ...message, claims: [], wakeAll: true });
  return { name: 'notify', text: `SELECT pg_notify('${LOCK_CHANNEL}', $1)`, values: [payload] };
}
