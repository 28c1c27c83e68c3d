/** The audit log as a chain: each row carries the hash of the one before, so none can be changed or left out unseen. */
import { createHash } from 'node:crypto';
import { auditText, type LockEvent } from '../contract.js';

export interface ChainReport {
  /** Rows whose hash is right and follows from the row before. */
  verified: number;
  /** Rows from before the log was a chain. */
  unchained: number;
  /** Hash of the last row; keep it, and a later check shows that nothing before it was changed. Null: no chain yet. */
  head: string | null;
  /** The first row that does not fit, and why; null when all is well. */
  broken: { seq: number; why: string } | null;
}

/**
 * Checks the rows of a log from its first one on, oldest first. Rows may be missing at the beginning alone, where a later
 * row says that they were exported and taken away, and which hash the last of them had.
 */
export function verifyChain(events: readonly LockEvent[]): ChainReport {
  const start = startOf(events);
  const report: ChainReport = { verified: 0, unchained: 0, head: start.head, broken: null };
  let { seq } = start;
  for (const event of events) {
    const why = faultOf(event, seq, report.head);
    if (why) return { ...report, broken: { seq: event.seq, why } };
    seq = event.seq;
    if (event.hash == null) report.unchained += 1;
    else {
      report.verified += 1;
      report.head = event.hash;
    }
  }
  return report;
}

/** What stood before the first row that is left. */
function startOf(events: readonly LockEvent[]): { seq: number; head: string | null } {
  const first = events[0]?.seq ?? 1;
  const { detail } =
    events.find(({ kind, detail }) => kind === 'pruned' && detail?.through === first - 1) ?? {};
  return { seq: detail ? first - 1 : 0, head: typeof detail?.head === 'string' ? detail.head : null };
}

function faultOf(event: LockEvent, last: number, head: string | null): string | null {
  if (event.seq !== last + 1) return `a row is missing before it: the one before is #${last}`;
  if (event.hash == null) return head === null ? null : 'it has no hash, and the row before it has one';
  if ((event.prev ?? null) !== head) return 'it does not follow from the row before it';
  const hash = createHash('sha256')
    .update(auditText(event.prev ?? null, event))
    .digest('hex');
  return hash === event.hash ? null : 'it was changed: its hash is another one';
}
