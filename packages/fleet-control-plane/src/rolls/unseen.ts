import type { Clock } from '../clock.js';
import type { Database } from '../db/database.js';
import { CUT } from './owner.js';
import type { Roll, Roller, RollRef } from './roll.js';
import { endRoll } from './store.js';

/** Milliseconds between two questions to the tenants of one roll. */
const ASK_EVERY_MS = 5000;
/** One answer of each may come out of the middle of a restart. */
const LOOKS_TO_SETTLE = 2;

interface Watched {
  /** Before this process's monotonic clock. */
  since: number;
  askedAt: number;
  settledLooks: number;
}

/**
 * Ends open rolls whose end was not seen: when their tenants show it, or when their longest time is over. No stored time
 * is compared with a clock, so a process that takes one over counts its longest time anew.
 */
export class UnseenRolls {
  private readonly watched = new Map<string, Watched>();
  private asking: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
    private readonly isSettled: Roller['isSettled'],
    private readonly log: (line: string) => void,
  ) {}

  /** A roll leaves from here; its longest time begins. */
  sent({ nonce }: RollRef): void {
    this.watched.set(nonce, this.fresh());
  }

  forget({ nonce }: RollRef): void {
    this.watched.delete(nonce);
  }

  private fresh(): Watched {
    return { since: this.clock.now(), askedAt: Number.NEGATIVE_INFINITY, settledLooks: 0 };
  }

  /** @param unseen the open rolls of this process whose end was not seen. */
  async look(unseen: Roll[]): Promise<void> {
    const now = this.clock.now();
    for (const roll of unseen) {
      const watched = this.watched.get(roll.nonce) ?? this.fresh();
      this.watched.set(roll.nonce, watched);
      if (now - watched.since >= (roll.may_last_seconds ?? 0) * 1000)
        await this.end(roll, 'its longest time is over');
      else if (roll.settle_sha && now - watched.askedAt >= ASK_EVERY_MS) {
        watched.askedAt = now;
        // Beside the beat: tenants that answer slowly must not make this process look dead.
        this.asking = Promise.all([this.asking, this.ask(roll, watched)]);
      }
    }
  }

  private async ask(roll: Roll, watched: Watched): Promise<void> {
    const settled = await this.isSettled(roll).catch(() => false);
    watched.settledLooks = settled ? watched.settledLooks + 1 : 0;
    if (watched.settledLooks >= LOOKS_TO_SETTLE)
      await this.end(roll, 'every tenant of it answers its commit').catch(() => {});
  }

  private async end(roll: Roll, why: string): Promise<void> {
    await this.db.rows(endRoll(roll, 'cut', 500, CUT));
    this.watched.delete(roll.nonce);
    this.log(`the roll ${roll.id} to ${roll.target_tag}, whose end was not seen, counts as over: ${why}`);
  }

  /** Resolves when no tenant is being asked. */
  async idle(): Promise<void> {
    await this.asking;
  }
}
