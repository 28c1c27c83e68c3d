/** Which processes of one database live: each has a row, whose `beat` it raises once a second. */
import { hostname } from 'node:os';
import type { Clock } from '../clock.js';
import type { Database } from './database.js';

/** Seconds without a beat after which a process counts as gone. */
export const GONE_AFTER_SECONDS = 6;
/** A look this long after the one before was missed by a stall of this very process. */
const LATE_MS = 3000;

export interface Process {
  id: string;
  /** null: it has no row. */
  beat: number | null;
}

/**
 * A process is gone once its row is, or its beat stood still for six seconds before this process's own monotonic clock. A
 * random id names it: two containers may share host and process number, which stand in the row for people only. To be wrong
 * is safe wherever it is asked: whoever is taken for dead finds its work in other hands.
 */
export class Processes {
  private lastLook = Number.NEGATIVE_INFINITY;
  private seen = new Map<string, { beat: number; since: number }>();

  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
    /** Names this one. */
    private readonly own: string,
  ) {}

  /** Shows that this one lives. */
  async beat(): Promise<void> {
    await this.db.rows({
      name: 'process-beat',
      text: `INSERT INTO control_planes (id, host, pid) VALUES ($1, $2, $3)
        ON CONFLICT (id) DO UPDATE SET beat = control_planes.beat + 1`,
      values: [this.own, hostname(), process.pid],
    });
  }

  /** Those of `read` that are gone. Asked once a second, for the same processes. */
  async gone(read: () => Promise<Process[]>): Promise<Process[]> {
    const before = this.clock.now();
    // Whoever could not look has not seen anything stand still.
    if (before - this.lastLook > LATE_MS) this.seen.clear();
    this.lastLook = before;
    const processes = await read();
    const after = this.clock.now();
    const next = new Map<string, { beat: number; since: number }>();
    const gone = processes.filter(({ id, beat }) => {
      if (beat === null) return true;
      const known = this.seen.get(id);
      const seen = known?.beat === beat ? known : { beat, since: after };
      next.set(id, seen);
      return before - seen.since >= GONE_AFTER_SECONDS * 1000;
    });
    this.seen = next;
    return gone;
  }

  /** The processes with these ids, whether they have a row or not. */
  async of(ids: readonly string[]): Promise<Process[]> {
    if (!ids.length) return [];
    return this.db.rows({
      name: 'process-beats',
      text: 'SELECT id, beat FROM unnest($1::uuid[]) AS asked (id) LEFT JOIN control_planes USING (id)',
      values: [ids],
    });
  }

  /** What was seen of a process so far says nothing of it any more. */
  forget(id: string): void {
    this.seen.delete(id);
  }

  /** Others need not wait to see that this one has stopped. */
  async retire(): Promise<void> {
    await this.db.rows({ text: 'DELETE FROM control_planes WHERE id = $1', values: [this.own] });
  }
}
