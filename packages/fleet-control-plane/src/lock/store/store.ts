import { randomUUID } from 'node:crypto';
import { DatabaseError } from 'pg';
import type { Clock } from '../../clock.js';
import type { Commit, Database, Query, Reader } from '../../db/database.js';
import type { GroupState } from '../rules/claim.js';
import { Draft } from '../rules/draft.js';
import { Arrivals } from './arrivals.js';
import { type Guess, guessAll } from './guess.js';
import { Lanes } from './lanes.js';
import { type Ask, type Knowledge, knowledgeOf, Memory } from './memory.js';
import { type Change, type Committed, writeNote } from './notifications.js';
import { revive, writeDraft } from './write.js';

/** How much of the queue a transition reads. Should all of these be outdated, the next sweep goes on behind them. */
const HEAD = 8;
/** The same when what was remembered is true, but ends too early: reading on eight by eight would cost more. */
const LONG_HEAD = 128;
/** How often it is tried on what is remembered, before the group's lock is waited for. */
const TRIES = 3;
const SERIALIZATION_FAILURE = '40001';

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
  /** Whether it may be decided on what is remembered: it then looks at no counter and at no other row. */
  guess?: Ask;
  /** True for what frees the lock: somebody waits for it. */
  urgent?: boolean;
}

interface Done<T> {
  value: T;
  committed: Committed | null;
  /** What to remember; null: nothing that is certain. */
  kept: { state: GroupState; knowledge: Knowledge } | null;
}

export class LockStore {
  private readonly memory = new Memory();
  private readonly lanes: Lanes;
  private readonly arrivals = new Arrivals((group) =>
    this.lanes.run(group, false, async () => void (await this.tryRemembered(group))),
  );

  constructor(
    private readonly db: Database,
    private readonly clock: Clock,
    /** Names this process in its own notifications. */
    private readonly origin: string,
    private readonly committed: (what: Committed) => void,
  ) {
    this.lanes = new Lanes(clock);
  }

  /**
   * One transition: lets `decide` change a draft of the group's state, and commits what it changed together with the
   * audit rows, in one transaction. `decide` may be asked several times; nothing slow or remote may happen in it.
   *
   * Usually the state is remembered and one statement does it all. Otherwise the group's row is locked and read first.
   */
  transact<T>(group: string, load: Load, decide: (draft: Draft, reads: unknown[][]) => T): Promise<T> {
    return this.lanes.run(group, load.urgent ?? false, async () => {
      if (load.guess) {
        const own: Guess = { ask: load.guess, decide: (draft) => decide(draft, []) };
        const values = await this.tryRemembered(group, own);
        if (values.has(own)) return values.get(own) as T;
      }
      const done = await this.db.transaction((tx) => this.attempt(tx, group, load, decide));
      return this.settle(group, done);
    });
  }

  /**
   * As `transact` for a new claim, but only on what is remembered; undefined when that is not enough, or no longer so.
   *
   * @param patient true when its sender stays until it is granted: while another holds, it may be written a few
   *   milliseconds later together with others.
   */
  async arrive<T>(
    group: string,
    ask: Ask,
    decide: (draft: Draft) => T,
    patient: boolean,
  ): Promise<{ value: T } | undefined> {
    const known = this.memory.peek(group, this.clock.now());
    if (known && this.memory.subjectOf(known, ask) === undefined) return undefined;
    const mayWait = patient && this.isHeld(group);
    return (await this.arrivals.join(group, { ask, decide }, mayWait)) as { value: T } | undefined;
  }

  /** Whether all that arrive can only wait, as far as it is remembered. */
  private isHeld(group: string): boolean {
    const state = this.memory.peek(group, this.clock.now())?.state;
    return !!state?.held && state.frozen === null;
  }

  /** Nobody is kept back from a lock that may be free. */
  private hurry(group: string): void {
    if (!this.isHeld(group)) this.arrivals.hurry(group);
  }

  private settle<T>(group: string, { value, committed, kept }: Done<T>): T {
    if (kept) this.memory.keep(kept.state, kept.knowledge);
    else this.memory.forget(group);
    if (committed) {
      this.memory.note(group, committed.change.claims);
      this.committed(committed);
    }
    this.hurry(group);
    return value;
  }

  /** Decides a transition, if there is one, after the arrivals that came before it, and commits all of that at once. */
  private async tryRemembered(group: string, own?: Guess): Promise<Map<Guess, unknown>> {
    const arrivals = this.arrivals.take(group);
    const [first] = arrivals;
    try {
      if (first && !this.memory.peek(group, this.clock.now()))
        await this.refresh(group, { orderKey: first.ask.orderKey });
      const values = await this.commitGuesses(group, own ? [...arrivals, own] : arrivals);
      for (const arrival of arrivals)
        arrival.resolve(values.has(arrival) ? { value: values.get(arrival) } : undefined);
      return values;
    } catch (error) {
      for (const arrival of arrivals) arrival.reject(error);
      throw error;
    }
  }

  private async commitGuesses(group: string, guesses: Guess[]): Promise<Map<Guess, unknown>> {
    for (let tries = 0; tries < TRIES; tries++) {
      const guessed = guessAll(this.memory, group, this.clock.now(), guesses);
      if (!guessed) break;
      const { query, done } = this.write(guessed.draft, guessed.knowledge, guessed.values);
      const rows = await this.db.rows<{ written: boolean }>(query).catch((error) => {
        if (error instanceof DatabaseError && error.code === SERIALIZATION_FAILURE) return [];
        throw error;
      });
      if (rows[0]?.written) return this.settle(group, done);
      // Another replica was faster. It may have told by now what it did.
      if (this.memory.isAt(group, guessed.draft.state.stamp)) {
        this.memory.forget(group);
        break;
      }
    }
    return new Map();
  }

  /** Reads what is to be remembered. */
  private async refresh(group: string, load: Load): Promise<void> {
    this.settle(group, await this.db.transaction((tx) => this.attempt(tx, group, load, () => null)));
  }

  private async attempt<T>(
    tx: Reader,
    group: string,
    load: Load,
    decide: (draft: Draft, reads: unknown[][]) => T,
  ): Promise<Commit<Done<T>>> {
    const known = this.memory.peek(group, this.clock.now());
    const head = known && known.knowledge.horizon !== Infinity ? LONG_HEAD : HEAD;
    const [rows, ...reads] = await Promise.all([
      tx.rows<{ state: GroupState }>({
        name: 'lock-read',
        text: 'SELECT fleet_lock_read($1, $2, $3, $4, $5) AS state',
        values: [group, load.subject ?? null, load.orderKey ?? null, load.lock ?? null, head],
      }),
      ...(load.reads ?? []).map((query) => tx.rows(query)),
    ]);
    const read = rows[0]?.state;
    if (!read) throw new Error('fleet_lock_read answered nothing');
    const state = revive(read);
    const knowledge = knowledgeOf(state, head, this.clock.now(), load.orderKey);
    const draft = new Draft(state);
    const value = decide(draft, reads);
    const more = load.writes?.() ?? [];
    // What else is written, such as a mark, is not in the draft.
    const kept = more.length === 0;
    if (!draft.dirty) {
      return { writes: more, result: { value, committed: null, kept: kept ? { state, knowledge } : null } };
    }
    const { query, done } = this.write(draft, knowledge, value);
    return { writes: [query, ...more], result: kept ? done : { ...done, kept: null } };
  }

  private write<T>(draft: Draft, knowledge: Knowledge, value: T): { query: Query; done: Done<T> } {
    const { version, wakeAll, state } = draft;
    const now = { ...state, version, stamp: randomUUID() };
    const { stamp, lastToken, lastPlace, lastEvent, frozen, timeline, waitingCount } = now;
    const change: Change = {
      was: state.stamp,
      now: { stamp, version, lastToken, lastPlace, lastEvent, frozen, timeline, waitingCount },
      claims: [...draft.changed.values()],
    };
    const committed = { group: state.name, change, wakeAll };
    return {
      query: writeDraft(draft, stamp, writeNote(this.origin, committed)),
      done: { value, committed, kept: { state: now, knowledge } },
    };
  }

  /** Takes in what another replica committed. */
  follow(group: string, change: Change | null): void {
    this.memory.follow(group, change);
    this.hurry(group);
  }
}
