import { ABANDONED_AFTER_SECONDS } from '@tenant-fleet/fleet-core/contract';
import { effectiveTtl } from '../rules/claim.js';
import type { LiveRow } from '../store/queries.js';
import type { Committed } from '../store/store.js';

interface Seen {
  seq: number;
  /** Monotonic moment, in milliseconds, at which this count was first seen. */
  since: number;
}

interface Hold {
  token: number | null;
  heldMs: number;
  since: number;
}

export interface Overdue {
  group: string;
  claimId: string;
  seq: number;
  reason: 'expired' | 'unconfirmed' | 'max_hold';
}

export interface Findings {
  lost: Overdue[];
  abandoned: { group: string; claimId: string; seq: number }[];
}

/** Share of the TTL after which a holder that should have renewed twice counts as not alive. */
const ALIVE_SHARE = 0.75;

/**
 * Who went silent, by this process's own monotonic clock. It never compares a stored time with a clock: it notes when
 * it first saw a claim's counter, and acts when the counter stood still for a whole TTL before its eyes. Whenever it
 * could not look, or renewals could not be served, it starts over, so that an outage here costs no holder the lease.
 */
export class Observer {
  private renewals = new Map<string, Seen>();
  private polls = new Map<string, Seen>();
  private holds = new Map<string, Hold>();

  /** Starts every observation over: at start-up, when the database is back, after a sweep that came too late. */
  restart(): void {
    this.renewals.clear();
    this.polls.clear();
  }

  /**
   * Takes in what the database says about the live claims.
   *
   * @param before moment before the read was sent: the counters stood still until then at least.
   * @param after moment after it was answered: what is new was first seen no earlier than that.
   */
  look(
    rows: LiveRow[],
    before: number,
    after: number,
    polling: (group: string, claimId: string) => boolean,
  ): Findings {
    const findings: Findings = { lost: [], abandoned: [] };
    const live = new Set(rows.map(keyOf));
    for (const map of [this.renewals, this.polls, this.holds]) {
      for (const key of map.keys()) if (!live.has(key)) map.delete(key);
    }
    for (const row of rows) {
      const key = keyOf(row);
      const { group, claimId } = row;
      if (row.state === 'queued') {
        const open = polling(group, claimId);
        const seen = note(this.polls, key, row.pollSeq, after, open);
        if (!open && before - seen.since >= ABANDONED_AFTER_SECONDS * 1000) {
          findings.abandoned.push({ group, claimId, seq: row.pollSeq });
        }
        continue;
      }
      this.polls.delete(key);
      const seen = note(this.renewals, key, row.renewSeq, after, false);
      const heldMs = this.noteHold(key, row, after);
      const lost = (reason: Overdue['reason']) =>
        findings.lost.push({ group, claimId, seq: row.renewSeq, reason });
      if (before - seen.since >= effectiveTtl(row) * 1000) lost(row.confirmed ? 'expired' : 'unconfirmed');
      else if (row.maxHoldSeconds !== null && heldMs >= row.maxHoldSeconds * 1000) lost('max_hold');
    }
    return findings;
  }

  /**
   * Takes in what this process has just committed, so that it need not wait for the next look. When another's commit was
   * made, this process cannot tell.
   */
  committed({ group, claims }: Committed, now: number): void {
    for (const claim of claims) {
      if (claim.state === 'held') this.sawHolder(group, claim, now);
      if (claim.state === 'queued') note(this.polls, keyOf({ group, ...claim }), claim.pollSeq, now, false);
    }
  }

  /** Notes a grant or renewal that this process has just committed. */
  sawHolder(
    group: string,
    claim: { claimId: string; renewSeq: number; token: number | null; heldMs: number },
    now: number,
  ) {
    const key = keyOf({ group, claimId: claim.claimId });
    note(this.renewals, key, claim.renewSeq, now, false);
    this.noteHold(key, claim, now);
  }

  /** Milliseconds that a claim has been held: what was stored at a renewal, plus what this process has seen since. */
  heldMs(group: string, claim: { claimId: string; token: number | null; heldMs: number }, now: number) {
    return this.noteHold(keyOf({ group, claimId: claim.claimId }), claim, now);
  }

  /** As `heldMs`, but null when this process has not seen the claim held: what is stored has to be read first. */
  heldMsIfKnown(
    group: string,
    claim: { claimId: string; token: number | null; heldMs: number },
    now: number,
  ): number | null {
    const known = this.holds.get(keyOf({ group, claimId: claim.claimId }));
    return known && known.token === claim.token ? known.heldMs + (now - known.since) : null;
  }

  private noteHold(key: string, claim: { token: number | null; heldMs: number }, now: number): number {
    const known = this.holds.get(key);
    const total = known && known.token === claim.token ? known.heldMs + (now - known.since) : 0;
    if (known && known.token === claim.token && total >= claim.heldMs) return total;
    this.holds.set(key, { token: claim.token, heldMs: claim.heldMs, since: now });
    return claim.heldMs;
  }

  /** How a holder looks from here. Right after a restart of the observation it counts as alive. */
  health(
    group: string,
    claim: { claimId: string; renewSeq: number; ttlSeconds: number; confirmed: boolean },
    now: number,
  ): { secondsAgo: number; alive: boolean } {
    const seen = this.renewals.get(keyOf({ group, claimId: claim.claimId }));
    const secondsAgo = seen && seen.seq === claim.renewSeq ? Math.max(0, (now - seen.since) / 1000) : 0;
    return { secondsAgo, alive: secondsAgo < effectiveTtl(claim) * ALIVE_SHARE };
  }
}

const keyOf = ({ group, claimId }: { group: string; claimId: string }) => `${group}/${claimId}`;

function note(map: Map<string, Seen>, key: string, seq: number, now: number, fresh: boolean): Seen {
  const known = map.get(key);
  if (known && known.seq === seq && !fresh) return known;
  const seen = { seq, since: now };
  map.set(key, seen);
  return seen;
}
