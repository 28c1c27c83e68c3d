import type { Frozen, LockEvent } from '@tenant-fleet/fleet-core/contract';
import type { Query, Reader } from '../../db/database.js';
import { type Claim, type OpenRoll, restoredToken } from '../rules/claim.js';

export interface GroupRow {
  name: string;
  version: number;
  lastToken: number;
  frozen: Frozen | null;
}

/** A group with its live claims; without a row where nobody ever named it. */
export interface GroupView {
  row: GroupRow | undefined;
  held: Claim | null;
  waiting: Claim[];
  openRolls: OpenRoll[];
}

/** What the sweep looks at: the live claims of every group, and only the columns that decide. */
export type LiveRow = Pick<
  Claim,
  | 'claimId'
  | 'state'
  | 'renewSeq'
  | 'pollSeq'
  | 'ttlSeconds'
  | 'confirmed'
  | 'maxHoldSeconds'
  | 'heldMs'
  | 'token'
> & {
  group: string;
};

/** One group with its live claims. The row comes first: what follows may be newer than its version, never older. */
export async function readGroup(db: Reader, group: string): Promise<GroupView> {
  const rows = await db.rows<GroupRow & { openRolls: OpenRoll[] }>({
    name: 'group-read',
    text: `SELECT name, version, last_token AS "lastToken", frozen, fleet_open_rolls($1) AS "openRolls"
      FROM lock_groups WHERE name = $1`,
    values: [group],
  });
  const claims = await db.rows<Claim>({
    name: 'claims-read',
    text: `SELECT * FROM lock_claim_view WHERE "group" = $1 AND "endedAt" IS NULL AND state IN ('queued', 'held')
      ORDER BY place`,
    values: [group],
  });
  return {
    row: rows[0],
    held: claims.find((claim) => claim.state === 'held') ?? null,
    waiting: claims.filter((claim) => claim.state === 'queued'),
    openRolls: rows[0]?.openRolls ?? [],
  };
}

export async function readGroupNames(db: Reader): Promise<string[]> {
  const rows = await db.rows<{ name: string }>({ text: 'SELECT name FROM lock_groups ORDER BY name' });
  return rows.map(({ name }) => name);
}

/** Lets the tokens of groups that are named from now on begin above all that may have been granted. */
export async function raiseFloor(db: Reader, actor: string): Promise<void> {
  const rows = await db.rows<{ last: number; timeline: number }>({
    text: `SELECT fleet_lock_timeline() AS timeline, greatest(
        (SELECT coalesce(max(last_token), 0) FROM lock_groups),
        (SELECT coalesce(max(floor), 0) FROM lock_restores)) AS last`,
  });
  const { last = 0, timeline = 0 } = rows[0] ?? {};
  await db.rows({
    text: 'INSERT INTO lock_restores (actor, floor) VALUES ($1, $2)',
    values: [actor, restoredToken(last, timeline)],
  });
}

const date = (value: Date | null) => (value === null ? null : new Date(value));

/** A claim inside of JSON, which has no dates. */
const reviveClaim = (row: Claim): Claim => ({
  ...row,
  queuedAt: new Date(row.queuedAt),
  acquiredAt: date(row.acquiredAt),
  endedAt: date(row.endedAt),
});

/** Every group, with who holds it and how many wait. */
export async function readGroups(
  db: Reader,
): Promise<(GroupRow & { held: Claim | null; waiting: number })[]> {
  const rows = await db.rows<GroupRow & { held: Claim | null; waiting: number }>({
    name: 'groups-read',
    text: `SELECT name, version, last_token AS "lastToken", frozen,
        (SELECT row_to_json(c) FROM lock_claim_view c WHERE "group" = name AND state = 'held') AS held,
        (SELECT count(*) FROM lock_claims WHERE group_name = name AND ended_at IS NULL AND state = 'queued') AS waiting
      FROM lock_groups ORDER BY name`,
  });
  return rows.map((row) => ({ ...row, held: row.held && reviveClaim(row.held) }));
}

export interface Place {
  frozen: Frozen | null;
  held: Claim | null;
  /** How many wait in front of the claim. */
  ahead: number;
  /** How many wait in all. */
  waiting: number;
  openRolls: OpenRoll[];
}

/** What a waiter at this place is told, in one statement; undefined when there is no such group. */
export async function readPlace(db: Reader, group: string, place: number): Promise<Place | undefined> {
  const rows = await db.rows<Place>({
    name: 'place-read',
    text: `SELECT g.frozen, w.ahead, w.waiting, fleet_open_rolls($1) AS "openRolls",
        (SELECT row_to_json(c) FROM lock_claim_view c WHERE "group" = $1 AND state = 'held') AS held
      FROM lock_groups g, LATERAL (SELECT count(*) AS waiting, count(*) FILTER (WHERE place < $2) AS ahead
        FROM lock_claims WHERE group_name = $1 AND ended_at IS NULL AND state = 'queued') w
      WHERE g.name = $1`,
    values: [group, place],
  });
  const row = rows[0];
  return row && { ...row, held: row.held && reviveClaim(row.held) };
}

export type PolledClaim = Claim & { frozen: Frozen | null; openRolls: OpenRoll[] };

/**
 * A claim in whatever state, of which a poll is counted where it waits; undefined when there is none. Should it be
 * granted in the same moment, it may still be told as waiting: the commit's wake-up comes after.
 *
 * @param who counts the poll only for the one who made this very claim.
 */
export async function pollClaim(
  db: Reader,
  group: string,
  claimId: string,
  who?: { session: string; fingerprint: string },
): Promise<PolledClaim | undefined> {
  const rows = await db.rows<PolledClaim>({
    name: 'claim-poll',
    text: `WITH polled AS (UPDATE lock_claims SET poll_seq = poll_seq + 1
        WHERE group_name = $1 AND claim_id = $2 AND state = 'queued'
          AND ($3::text IS NULL OR (session = $3 AND fingerprint = $4)))
      SELECT c.*, g.frozen, fleet_open_rolls($1) AS "openRolls" FROM lock_claim_view c JOIN lock_groups g ON g.name = c."group"
      WHERE "group" = $1 AND "claimId" = $2`,
    values: [group, claimId, who?.session ?? null, who?.fingerprint ?? null],
  });
  return rows[0];
}

export async function readClaim(db: Reader, group: string, claimId: string): Promise<Claim | undefined> {
  const rows = await db.rows<Claim>({
    name: 'claim-read',
    text: 'SELECT * FROM lock_claim_view WHERE "group" = $1 AND "claimId" = $2',
    values: [group, claimId],
  });
  return rows[0];
}

/**
 * The usual renewal in one statement, without the group's lock: it changes nothing that another claim looks at.
 * Undefined when anything is out of the ordinary; the slow way then says what.
 */
export async function renewFast(
  db: Reader,
  group: string,
  claimId: string,
  renewal: { session: string; token: number; step: string | undefined; heldMs: number },
): Promise<{ renewSeq: number; ttlSeconds: number; openRolls: OpenRoll[] } | undefined> {
  const rows = await db.rows<{ renewSeq: number; ttlSeconds: number; openRolls: OpenRoll[] }>({
    name: 'claim-renew',
    text: `UPDATE lock_claims SET renew_seq = renew_seq + 1, confirmed = true,
        held_ms = GREATEST(held_ms, $5)
      WHERE group_name = $1 AND claim_id = $2 AND session = $3 AND token = $4 AND state = 'held'
        AND ($6::text IS NULL OR step IS NOT DISTINCT FROM $6)
        AND (max_hold_seconds IS NULL OR $5 < max_hold_seconds * 1000)
      RETURNING renew_seq AS "renewSeq", ttl_seconds AS "ttlSeconds", fleet_open_rolls($1) AS "openRolls"`,
    values: [
      group,
      claimId,
      renewal.session,
      renewal.token,
      Math.floor(renewal.heldMs),
      renewal.step ?? null,
    ],
  });
  return rows[0];
}

/** Another process has a claim from here on. */
export const changeSession = (group: string, claimId: string, session: string): Query => ({
  name: 'claim-session',
  text: 'UPDATE lock_claims SET session = $3 WHERE group_name = $1 AND claim_id = $2',
  values: [group, claimId, session],
});

/** Keeps how long a claim has been held, for a server that takes over. */
export const storeHeldMs = (group: string, claimId: string, heldMs: number): Query => ({
  name: 'claim-held-ms',
  text: `UPDATE lock_claims SET held_ms = GREATEST(held_ms, $3) WHERE group_name = $1 AND claim_id = $2`,
  values: [group, claimId, Math.floor(heldMs)],
});

export async function readLive(db: Reader): Promise<{ groups: GroupRow[]; claims: LiveRow[] }> {
  const groups = await db.rows<GroupRow>({
    name: 'sweep-groups',
    text: 'SELECT name, version, last_token AS "lastToken", frozen FROM lock_groups',
  });
  const claims = await db.rows<LiveRow>({
    name: 'sweep-claims',
    text: `SELECT "group", "claimId", state, "renewSeq", "pollSeq", "ttlSeconds", confirmed, "maxHoldSeconds",
        "heldMs", token
      FROM lock_claim_view WHERE "endedAt" IS NULL AND state IN ('queued', 'held')`,
  });
  return { groups, claims };
}

export async function readEvents(
  db: Reader,
  group: string,
  after: number,
  limit: number,
): Promise<LockEvent[]> {
  const rows = await db.rows<Omit<LockEvent, 'at'> & { at: Date }>({
    name: 'events-read',
    text: `SELECT seq, at, kind, claim_id, fencing_token, actor, detail, prev, hash FROM lock_events
      WHERE group_name = $1 AND seq > $2 ORDER BY seq LIMIT $3`,
    values: [group, after, limit],
  });
  return rows.map((row) => ({ ...row, at: row.at.toISOString() }) as LockEvent);
}

/** The last events of a group, newest first. */
export async function readLastEvents(db: Reader, group: string, limit: number): Promise<LockEvent[]> {
  const rows = await db.rows<Omit<LockEvent, 'at'> & { at: Date }>({
    name: 'events-last',
    text: `SELECT seq, at, kind, claim_id, fencing_token, actor, detail, prev, hash FROM lock_events
      WHERE group_name = $1 ORDER BY seq DESC LIMIT $2`,
    values: [group, limit],
  });
  return rows.map((row) => ({ ...row, at: row.at.toISOString() }) as LockEvent);
}
