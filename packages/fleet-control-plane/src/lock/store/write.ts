import { hash } from 'node:crypto';
import { auditText } from '@tenant-fleet/fleet-core/contract';
import type { Query } from '../../db/database.js';
import { type Claim, type GroupState, isLive } from '../rules/claim.js';
import type { Draft } from '../rules/draft.js';

const date = (value: Date | null) => (value === null ? null : new Date(value));

/** JSON has no dates. */
export const reviveClaim = (row: Claim): Claim => ({
  ...row,
  queuedAt: new Date(row.queuedAt),
  acquiredAt: date(row.acquiredAt),
  endedAt: date(row.endedAt),
});

export const revive = (state: GroupState): GroupState => ({
  ...state,
  now: new Date(state.now),
  held: state.held && reviveClaim(state.held),
  subject: state.subject && reviveClaim(state.subject),
  waiting: state.waiting.map(reviveClaim).sort((a, b) => a.place - b.place),
});

/** Writes what a draft changed, and tells the other replicas with this note. */
export function writeDraft(draft: Draft, note: string): Query {
  const { name, lastToken, lastPlace, lastEvent, lastHash, frozen } = draft.state;
  const audit = chained(draft);
  const claims = [...draft.changed.values()];
  const created = claims.filter((claim) => draft.created.has(claim.claimId));
  const known = claims.filter((claim) => !draft.created.has(claim.claimId));
  const live = known.filter(isLive);
  const ended = known.filter((claim) => !isLive(claim));
  return {
    name: 'lock-write',
    text: 'SELECT fleet_lock_write($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)',
    values: [
      name,
      draft.version,
      lastToken,
      lastPlace,
      lastEvent,
      audit.at(-1)?.hash ?? lastHash,
      frozen && JSON.stringify(frozen),
      json([...ended, ...live].map((claim) => changeOf(claim, draft))),
      json(created.map((claim) => rowOf(name, claim, draft))),
      json(audit),
      json([...draft.marks.values()]),
      note,
    ],
  };
}

/** The audit rows, each with the hash of the one before and its own. */
function chained({ state, events }: Draft) {
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

const json = (rows: unknown[]) => (rows.length === 0 ? null : JSON.stringify(rows));

/** The columns that a transition may change; the counter says by how much. */
function changeOf(claim: Claim, draft: Draft) {
  return {
    claim_id: claim.claimId,
    state: claim.state,
    place: claim.place,
    token: claim.token,
    confirmed: claim.confirmed,
    step: claim.step,
    acquired_at: claim.acquiredAt,
    ended_at: claim.endedAt,
    end_reason: claim.endReason,
    ended_by: claim.endedBy,
    result: claim.result,
    renew_seq: draft.renewed.has(claim.claimId) ? 1 : 0,
  };
}

function rowOf(group: string, claim: Claim, draft: Draft) {
  return {
    ...changeOf(claim, draft),
    group_name: group,
    session: claim.session,
    fingerprint: claim.fingerprint,
    holder: claim.holder,
    ttl_seconds: claim.ttlSeconds,
    max_hold_seconds: claim.maxHoldSeconds,
    order_key: claim.orderKey,
    order_number: claim.orderNumber,
    poll_seq: 0,
    held_ms: 0,
    queued_at: claim.queuedAt,
  };
}
