import { hostname } from 'node:os';
import type { RedeployAnswer } from '@tenant-fleet/fleet-core/contract';
import type { Clock } from '../clock.js';
import type { Database } from '../db/database.js';
import { adoptRolls, cutRolls } from './store.js';

/** Seconds without a beat after which a control plane counts as dead. */
export const OWNER_DEAD_AFTER_SECONDS = 6;
/** A look this long after the one before was missed by a stall of this very process. */
const LATE_MS = 3000;

/** Answer of a roll whose end nobody saw. */
export const CUT: RedeployAnswer = {
  ok: false,
  error: 'the control plane stopped during this roll; ask the tenants what they run',
  results: [],
};

interface Owner {
  id: string;
  beat: number | null;
}

/**
 * Which control planes live, so that a roll whose process died does not block the fleet for ever.
 *
 * Each process has a random id and a row whose `beat` it raises once a second. When the beat stood still for six seconds
 * before the others' own monotonic clock, or at once when the row is gone (a clean stop), one of them closes its rolls;
 * where rolls outlive their process it takes them over as unseen. Host and process number stand in the row for people
 * only: two containers may share both. Closing wrongly is safe: a swap of a tenant is written only while its roll is open.
 */
export class OwnerWatch {
  private lastLook = Number.NEGATIVE_INFINITY;
  private readonly seen = new Map<string, { beat: number; since: number }>();

  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
    readonly id: string,
    /** Whether rolls go on when their process is gone. */
    private readonly outlives: boolean,
  ) {}

  async register(): Promise<void> {
    await this.db.rows({
      text: 'INSERT INTO control_planes (id, host, pid) VALUES ($1, $2, $3)',
      values: [this.id, hostname(), process.pid],
    });
    await this.closeDead();
  }

  /** Once a second: shows that this process lives, and looks after the others. */
  async beat(): Promise<void> {
    await this.db.rows({
      name: 'owner-beat',
      text: `INSERT INTO control_planes (id, host, pid) VALUES ($1, $2, $3)
        ON CONFLICT (id) DO UPDATE SET beat = control_planes.beat + 1`,
      values: [this.id, hostname(), process.pid],
    });
    await this.closeDead();
  }

  private async closeDead(): Promise<void> {
    const before = this.clock.now();
    // Whoever could not look has not seen anything stand still.
    if (before - this.lastLook > LATE_MS) this.seen.clear();
    this.lastLook = before;
    const owners = await this.db.rows<Owner>({
      name: 'owners',
      text: `SELECT coalesce(c.id, r.owner) AS id, beat FROM control_planes c
        FULL JOIN (SELECT DISTINCT owner FROM rolls WHERE ended_at IS NULL) r ON r.owner = c.id
        WHERE coalesce(c.id, r.owner) <> $1`,
      values: [this.id],
    });
    for (const owner of owners) {
      if (!this.isDead(owner, before)) continue;
      await this.db.rows(this.outlives ? adoptRolls(owner.id, this.id) : cutRolls(owner.id, CUT));
      // Should it live after all, its next beat writes the row again.
      await this.db.rows({
        text: 'DELETE FROM control_planes WHERE id = $1 AND beat = $2',
        values: [owner.id, owner.beat],
      });
      this.seen.delete(owner.id);
    }
  }

  private isDead({ id, beat }: Owner, before: number): boolean {
    if (beat === null) return true;
    const known = this.seen.get(id);
    if (!known || known.beat !== beat) {
      this.seen.set(id, { beat, since: this.clock.now() });
      return false;
    }
    return before - known.since >= OWNER_DEAD_AFTER_SECONDS * 1000;
  }

  /** Takes this process off the list, with what it leaves behind: the next one to look takes over what goes on. */
  async retire(): Promise<void> {
    if (!this.outlives) await this.db.rows(cutRolls(this.id, CUT));
    await this.db.rows({ text: 'DELETE FROM control_planes WHERE id = $1', values: [this.id] });
  }
}
