import { z } from 'zod';
import type { Commit, Database, Query, Reader } from '../db/database.js';
import { Draft } from './draft.js';
import type { Claim, GroupState } from './model.js';

/** PostgreSQL channel on which one replica tells the others which claims a commit changed. */
export const LOCK_CHANNEL = 'fleet_lock';
/** PostgreSQL refuses notifications of 8000 bytes and more. */
const PAYLOAD_MAX = 7800;
/** How much of the queue a transition reads. Should all of these be outdated, the next sweep goes on behind them. */
const HEAD = 8;

/** What a commit tells those who wait: the claims it changed, as they are now. */
export interface Committed {
  group: string;
  version: number;
  claims: Claim[];
  wakeAll: boolean;
}

const noteSchema = z.object({
  from: z.string(),
  group: z.string(),
  claims: z.array(z.string()),
  wakeAll: z.boolean(),
});
/** What another replica is told of a commit. */
export type Note = z.infer<typeof noteSchema>;

/** Reads a notification; null for one that another version, or a hand, has written differently. */
export function parseNote(payload: string): Note | null {
  try {
    return noteSchema.parse(JSON.parse(payload));
  } catch {
    return null;
  }
}

export interface Load {
  /** The claim that the call is about. */
  subject?: string;
  /** Its order key, when it may be new. */
  orderKey?: string;
  /** Claims whose rows are locked too: their counters decide, and renewals and polls do not take the group's lock. */
  lock?: string[];
  /** Sent along with the group's rows; their answers go to the decision. */
  reads?: Query[];
  /** More to write in the same transaction. */
  writes?: () => Query[];
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
   * with the audit rows. Nothing slow or remote may happen in `decide`. Two round trips in all.
   */
  async transact<T>(group: string, load: Load, decide: (draft: Draft, reads: unknown[][]) => T): Promise<T> {
    const { value, committed } = await this.db.transaction((tx) => this.attempt(tx, group, load, decide));
    if (committed) this.committed(committed);
    return value;
  }

  private async attempt<T>(
    tx: Reader,
    group: string,
    load: Load,
    decide: (draft: Draft, reads: unknown[][]) => T,
  ): Promise<Commit<{ value: T; committed: Committed | null }>> {
    const [rows, ...reads] = await Promise.all([
      tx.rows<{ state: GroupState }>({
        name: 'lock-read',
        text: 'SELECT fleet_lock_read($1, $2, $3, $4, $5) AS state',
        values: [group, load.subject ?? null, load.orderKey ?? null, load.lock ?? null, HEAD],
      }),
      ...(load.reads ?? []).map((query) => tx.rows(query)),
    ]);
    const read = rows[0]?.state;
    if (!read) throw new Error('fleet_lock_read answered nothing');
    const draft = new Draft(revive(read));
    const value = decide(draft, reads);
    const more = load.writes?.() ?? [];
    if (!draft.dirty) return { writes: more, result: { value, committed: null } };
    const { version, wakeAll } = draft;
    const committed = { group, version, claims: [...draft.changed.values()], wakeAll };
    return { writes: [this.write(draft, committed), ...more], result: { value, committed } };
  }

  private write(draft: Draft, committed: Committed): Query {
    const { group, version, claims, wakeAll } = committed;
    const { lastToken, lastPlace, lastEvent, frozen } = draft.state;
    const created = claims.filter((claim) => draft.created.has(claim.claimId));
    const known = claims.filter((claim) => !draft.created.has(claim.claimId));
    const live = known.filter((claim) => claim.state === 'held' || claim.state === 'queued');
    const ended = known.filter((claim) => !live.includes(claim));
    const row = (claim: Claim) => rowOf(group, claim, draft);
    const change = {
      version,
      last_token: lastToken,
      last_place: lastPlace,
      last_event: lastEvent,
      frozen,
      ...(ended.length > 0 && { ended: ended.map(row) }),
      ...(created.length > 0 && { created: created.map(row) }),
      ...(live.length > 0 && { live: live.map(row) }),
      ...(draft.events.length > 0 && {
        events: draft.events.map(({ seq, kind, claimId, token, actor, detail }) => ({
          seq,
          kind,
          claim_id: claimId,
          fencing_token: token,
          actor,
          detail,
        })),
      }),
    };
    const ids = claims.map((claim) => claim.claimId);
    return {
      name: 'lock-write',
      text: 'SELECT fleet_lock_write($1, $2, $3)',
      values: [group, JSON.stringify(change), note({ from: this.origin, group, claims: ids, wakeAll })],
    };
  }
}

/** JSON has no dates. */
function revive(state: GroupState): GroupState {
  const date = (value: Date | null) => (value === null ? null : new Date(value));
  const claim = (row: Claim): Claim => ({
    ...row,
    queuedAt: new Date(row.queuedAt),
    acquiredAt: date(row.acquiredAt),
    endedAt: date(row.endedAt),
  });
  return {
    ...state,
    now: new Date(state.now),
    held: state.held && claim(state.held),
    subject: state.subject && claim(state.subject),
    waiting: state.waiting.map(claim).sort((a, b) => a.place - b.place),
  };
}

function rowOf(group: string, claim: Claim, draft: Draft) {
  const renewals = draft.renewed.has(claim.claimId) ? 1 : 0;
  return {
    group_name: group,
    claim_id: claim.claimId,
    state: claim.state,
    session: claim.session,
    fingerprint: claim.fingerprint,
    holder: claim.holder,
    ttl_seconds: claim.ttlSeconds,
    max_hold_seconds: claim.maxHoldSeconds,
    order_key: claim.orderKey,
    order_number: claim.orderNumber,
    place: claim.place,
    token: claim.token,
    confirmed: claim.confirmed,
    renew_seq: renewals,
    poll_seq: 0,
    held_ms: 0,
    step: claim.step,
    queued_at: claim.queuedAt,
    acquired_at: claim.acquiredAt,
    renewed_at: renewals > 0 ? draft.state.now : null,
    ended_at: claim.endedAt,
    end_reason: claim.endReason,
    ended_by: claim.endedBy,
    result: claim.result,
  };
}

function note(what: Note): string {
  const payload = JSON.stringify(what);
  return payload.length <= PAYLOAD_MAX ? payload : JSON.stringify({ ...what, claims: [], wakeAll: true });
}
