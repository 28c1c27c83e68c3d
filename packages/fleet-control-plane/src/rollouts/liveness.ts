import { hostname } from 'node:os';
import type { Clock } from '../clock.js';
import type { Database } from '../db/database.js';
import { OWNER_DEAD_AFTER_SECONDS } from '../rolls/owner.js';

/** A look this long after the one before was missed by a stall of this very process. */
const LATE_MS = 3000;

/**
 * Which processes are gone: their row is, or its beat stood still for six seconds before this process's own monotonic
 * clock. To be wrong is safe: whoever is taken for dead finds its claim in other hands.
 */
export class Processes {
  private lastLook = Number.NEGATIVE_INFINITY;
  private seen = new Map<string, { beat: number; since: number }>();

  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
    /** Names this one. */
    readonly own: string,
  ) {}

  /** Shows that this one lives. */
  async beat(): Promise<void> {
    await this.db.rows({
      name: 'rollouts-beat',
      text: `INSERT INTO control_planes (id, host, pid) VALUES ($1, $2, $3)
        ON CONFLICT (id) DO UPDATE SET beat = control_planes.beat + 1`,
      values: [this.own, hostname(), process.pid],
    });
  }

  async gone(ids: Iterable<string>): Promise<Set<string>> {
    const others = [...new Set(ids)].filter((id) => id !== this.own);
    const before = this.clock.now();
    // Whoever could not look has not seen anything stand still.
    if (before - this.lastLook > LATE_MS) this.seen.clear();
    this.lastLook = before;
    if (!others.length) return new Set();
    const rows = await this.db.rows<{ id: string; beat: number }>({
      name: 'rollouts-beats',
      text: 'SELECT id, beat FROM control_planes WHERE id = ANY ($1)',
      values: [others],
    });
    const beats = new Map(rows.map(({ id, beat }) => [id, beat]));
    const after = this.clock.now();
    const next = new Map<string, { beat: number; since: number }>();
    const gone = others.filter((id) => {
      const beat = beats.get(id);
      if (beat === undefined) return true;
      const known = this.seen.get(id);
      next.set(id, known?.beat === beat ? known : { beat, since: after });
      return known?.beat === beat && before - known.since >= OWNER_DEAD_AFTER_SECONDS * 1000;
    });
    this.seen = next;
    return new Set(gone);
  }

  /** Others need not wait to see that this one has stopped. */
  async retire(): Promise<void> {
    await this.db.rows({ text: 'DELETE FROM control_planes WHERE id = $1', values: [this.own] });
  }
}
