import type { RedeployAnswer } from '@tenant-fleet/fleet-core/contract';
import type { Clock } from '../clock.js';
import type { Database } from '../db/database.js';
import { type Process, Processes } from '../db/processes.js';
import { adoptRolls, cutRolls } from './store.js';

/** Answer of a roll whose end nobody saw. */
export const CUT: RedeployAnswer = {
  ok: false,
  error: 'the control plane stopped during this roll; ask the tenants what they run',
  results: [],
};

/**
 * Looks after the rolls of control planes that are gone, so that one whose process died does not block the fleet for ever:
 * closes them, or takes them over as unseen where rolls outlive their process. Closing wrongly is safe: a swap of a tenant
 * is written only while its roll is open.
 */
export class OwnerWatch {
  private readonly processes: Processes;

  constructor(
    private readonly db: Database,
    clock: Clock,
    readonly id: string,
    /** Whether rolls go on when their process is gone. */
    private readonly outlives: boolean,
  ) {
    this.processes = new Processes(db, clock, id);
  }

  /** Once a second: shows that this process lives, and looks after the others. */
  async beat(): Promise<void> {
    await this.processes.beat();
    for (const owner of await this.processes.gone(() => this.others())) {
      await this.db.rows(this.outlives ? adoptRolls(owner.id, this.id) : cutRolls(owner.id, CUT));
      // Should it live after all, its next beat writes the row again.
      await this.db.rows({
        text: 'DELETE FROM control_planes WHERE id = $1 AND beat = $2',
        values: [owner.id, owner.beat],
      });
      this.processes.forget(owner.id);
    }
  }

  private others(): Promise<Process[]> {
    return this.db.rows({
      name: 'owners',
      text: `SELECT coalesce(c.id, r.owner) AS id, beat FROM control_planes c
        FULL JOIN (SELECT DISTINCT owner FROM rolls WHERE ended_at IS NULL) r ON r.owner = c.id
        WHERE coalesce(c.id, r.owner) <> $1`,
      values: [this.id],
    });
  }

  /** Takes this process off the list, with what it leaves behind: the next one to look takes over what goes on. */
  async retire(): Promise<void> {
    if (!this.outlives) await this.db.rows(cutRolls(this.id, CUT));
    await this.processes.retire();
  }
}
