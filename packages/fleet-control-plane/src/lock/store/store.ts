import type { Commit, Database, Query, Reader } from '../../db/database.js';
import type { Claim, GroupState, OpenRoll } from '../rules/claim.js';
import { Draft } from '../rules/draft.js';
import { writeNote } from './notifications.js';
import { revive, writeDraft } from './write.js';

/** How much of the queue a transition reads. Should all of these be outdated, the next sweep goes on behind them. */
const HEAD = 8;

/** What a transition reads beside the group's row, and writes beside its draft. */
export interface Load {
  /** The claim that the call is about. */
  subject?: string;
  /** Its order key, when it may be new. */
  orderKey?: string | undefined;
  /** Claims whose rows are locked too: their counters decide, and renewals and polls do not take the group's lock. */
  lock?: string[];
  /** Sent along with the group's rows; their answers go to the decision. */
  reads?: Query[];
  /** More to write in the same transaction. */
  writes?: () => Query[];
}

/** What a commit of this process changed, for those who wait here. */
export interface Committed {
  group: string;
  /** The claims that changed, as they are now. */
  claims: Claim[];
  openRolls: OpenRoll[];
  /** True when every waiter should look again, as at a freeze. */
  wakeAll: boolean;
}

export class LockStore {
  constructor(
    private readonly db: Database,
    /** Names this process in its own notifications. */
    private readonly origin: string,
    private readonly committed: (what: Committed) => void,
  ) {}

  /**
   * One transition, in one transaction of two round trips: locks the group's row and reads what the rules look at, lets
   * `decide` change a draft of that, and writes what changed together with the audit rows. Nothing slow or remote may
   * happen in `decide`; what it throws rolls everything back.
   */
  async transact<T>(group: string, load: Load, decide: (draft: Draft, reads: unknown[][]) => T): Promise<T> {
    const { value, committed } = await this.db.transaction((tx) => this.attempt(tx, group, load, decide));
    if (committed) this.committed(committed);
    return value;
  }

  private async attempt<T>(
    tx: Reader,
    group: string,
    { subject, orderKey, lock, reads = [], writes }: Load,
    decide: (draft: Draft, reads: unknown[][]) => T,
  ): Promise<Commit<{ value: T; committed: Committed | null }>> {
    const [rows, ...answers] = await Promise.all([
      tx.rows<{ state: GroupState }>({
        name: 'lock-read',
        text: 'SELECT fleet_lock_read($1, $2, $3, $4, $5) AS state',
        values: [group, subject ?? null, orderKey ?? null, lock ?? null, HEAD],
      }),
      ...reads.map((query) => tx.rows(query)),
    ]);
    const read = rows[0]?.state;
    if (!read) throw new Error('fleet_lock_read answered nothing');
    const draft = new Draft(revive(read));
    const value = decide(draft, answers);
    const more = writes?.() ?? [];
    if (!draft.dirty) return { writes: more, result: { value, committed: null } };
    const claims = [...draft.changed.values()];
    const note = writeNote({
      from: this.origin,
      group,
      claims: claims.filter(({ state }) => state !== 'queued').map(({ claimId }) => claimId),
      wakeAll: draft.wakeAll,
    });
    const { wakeAll, state } = draft;
    const committed = { group, claims, openRolls: state.openRolls, wakeAll };
    return { writes: [writeDraft(draft, note), ...more], result: { value, committed } };
  }
}
