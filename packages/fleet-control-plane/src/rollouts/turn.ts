/** One process's turn with a rollout: the pipeline of the library under the claim of the rollout, and what it leaves. */
import { randomBytes, randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { FleetError, type FleetEvent } from '@tenant-fleet/fleet-core';
import { type Durable, runFleet } from '@tenant-fleet/fleet-core/program';
import type { Database } from '../db/database.js';
import type { Lock } from '../lock/lock.js';
import { Problem } from '../problem.js';
import { NotOurs, type Step } from './engine.js';
import type { Environments } from './environments.js';
import { EventJournal } from './journal.js';
import { type Door, withoutSelf } from './self.js';
import type { ShardDesk } from './shards.js';
import {
  beginTurn,
  endRollout,
  keepClaim,
  lockTurn,
  pausedForSeconds,
  type RolloutRow,
  readServerRollout,
  setState,
  type Turn,
} from './store.js';

/** How often a paused rollout looks what is wanted of it, in milliseconds. */
const LOOK_MS = 500;

export interface TurnDeps {
  db: Database;
  lock: Lock;
  environments: Environments;
  door: Door;
  desk: ShardDesk;
  /** Names this process. */
  owner: string;
  /** Longest pause, in milliseconds. */
  pauseLimitMs: number;
  log: (line: string) => void;
}

/** A rollout that this process runs. */
export class RolloutTurn {
  /** Ends the run in order. */
  private readonly stop = new AbortController();
  /** Ends whatever it still sends: this process has no part in it any more. */
  private readonly over = new AbortController();
  private rolling = false;

  private constructor(
    private readonly deps: TurnDeps,
    private readonly row: RolloutRow,
    private readonly journal: EventJournal,
  ) {}

  /** Begins a turn; undefined where the rollout has ended. */
  static async begin(deps: TurnDeps, id: string): Promise<RolloutTurn | undefined> {
    const row = await beginTurn(deps.db, id, deps.owner);
    if (!row) return undefined;
    const journal = new EventJournal(deps.db, row, () => turn.abandon());
    const turn: RolloutTurn = new RolloutTurn(deps, row, journal);
    return turn;
  }

  get attempt(): number {
    return this.row.attempt;
  }

  /** Leaves it to another process: sends nothing more, the release of its lock included, and writes nothing. */
  abandon(): void {
    this.journal.close();
    this.stop.abort('another process goes on');
    this.over.abort();
  }

  /** A person ended it. Where tenants are being rolled, the wave under way ends first. */
  abort(by: string): void {
    if (!this.rolling) this.stop.abort(by);
  }

  /** Runs it to its verdict. Never rejects. */
  async run(step: Step): Promise<void> {
    const { log, db } = this.deps;
    const { id, attempt } = this.row;
    let ending: Parameters<typeof endRollout>[2];
    try {
      const result = withoutSelf(await this.pipeline(step));
      ending = { outcome: result.outcome, reason: result.reason, result };
    } catch (error) {
      if (this.over.signal.aborted) return;
      log(`rollout ${id}: ${error instanceof Error ? (error.stack ?? error.message) : error}`);
      const reason = error instanceof Problem ? error.detail : 'the control plane failed at this rollout';
      ending = { outcome: 'failed', reason, result: null };
    }
    if (this.over.signal.aborted) return;
    await this.journal.flush();
    for (;;) {
      try {
        await endRollout(db, { id, attempt }, ending);
        return;
      } catch (error) {
        log(`rollout ${id}: its end cannot be written yet: ${(error as Error).message}`);
        await new Promise((resolve) => setTimeout(resolve, 1000));
        if (this.over.signal.aborted) return;
      }
    }
  }

  private async pipeline(step: Step) {
    const { environments, door, desk } = this.deps;
    const { id, attempt, request, startedAt } = this.row;
    const config = await environments.configOf(request);
    const { actor, run_url: runUrl } = request.holder;
    const durable: Durable = {
      id,
      claim: await this.claim(),
      holder: request.holder,
      takeovers: attempt - 1,
      startedAt: startedAt?.getTime() ?? Date.now(),
      step: (name, work) =>
        step(name, work).catch((error) => {
          if (error instanceof NotOurs) this.abandon();
          throw error;
        }),
      mayGoOn: (signal) => this.mayGoOn(signal),
      shards: await desk.for(this.row),
    };
    return runFleet(
      { ...config, trigger: { ...config.trigger, actor, runUrl } },
      {
        durable,
        signal: this.stop.signal,
        ports: { http: door.http(this.over.signal), emit: (event) => this.tell(event), hostname },
      },
    );
  }

  private tell(event: FleetEvent): void {
    // Whoever watches has heartbeats of its own.
    if (event.code === 'heartbeat') return;
    if (event.code === 'wave.started') this.rolling = true;
    this.journal.add(withoutSelf(event));
    if (event.code === 'lock.acquired')
      setState(this.deps.db, this.row, ['queued'], 'running').catch(() => {});
  }

  /**
   * The claim under which this turn rolls: that of the turn before, with a session and a token that only this process
   * has; a new one where there was none, or its lease is over.
   */
  private async claim(): Promise<Durable['claim']> {
    const { lock } = this.deps;
    const { id, group, claimId: known } = this.row;
    const session = randomBytes(24).toString('base64url');
    const newest = (reads: unknown[][]) => {
      const [turn] = reads[0] as { attempt: number }[];
      if (turn?.attempt !== this.row.attempt) throw new NotOurs('another process has begun its turn');
    };
    // The first claim has the id of the rollout, so that people find it in the history of the lock.
    return lock.service.takeOver(group, known, {
      next: { claimId: known === null ? id : randomUUID(), session },
      by: hostname(),
      reads: [lockTurn(id)],
      check: newest,
      writes: (claim) => [keepClaim(this.row, claim)],
    });
  }

  /** Before every wave: ends the run where a person has, and waits while one paused it. */
  private async mayGoOn(signal: AbortSignal): Promise<void> {
    const { db, pauseLimitMs } = this.deps;
    const turn: Turn = this.row;
    for (let told = false; ; ) {
      signal.throwIfAborted();
      const row = await readServerRollout(db, turn.id).catch(() => undefined);
      if (row && row.attempt !== turn.attempt) {
        this.abandon();
        throw new NotOurs('another process has begun its turn');
      }
      if (row?.wish?.kind === 'abort') throw aborted(row.wish);
      if (row && row.state !== 'pausing' && row.state !== 'paused') {
        if (told)
          this.note({
            code: 'run.resumed',
            actor: row.wish?.actor ?? 'somebody',
            reason: row.wish?.reason ?? '',
          });
        return;
      }
      const wish = row?.wish;
      if (row && wish) {
        if (row.state === 'pausing') await setState(db, turn, ['pausing'], 'paused');
        if (!told) {
          told = true;
          this.note({ code: 'run.paused', actor: wish.actor, reason: wish.reason, limit_ms: pauseLimitMs });
        }
        if ((await pausedForSeconds(db, turn.id)) * 1000 >= pauseLimitMs)
          throw pausedTooLong(wish, pauseLimitMs);
      }
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }

  private note(
    event:
      | Omit<Extract<FleetEvent, { code: 'run.paused' }>, 'at'>
      | Omit<Extract<FleetEvent, { code: 'run.resumed' }>, 'at'>,
  ): void {
    this.journal.add({ at: new Date().toISOString(), ...event });
  }
}

const aborted = ({ actor, reason }: { actor: string; reason: string }) =>
  new FleetError('HELD', `aborted by ${actor}: ${reason}`, {
    outcome: 'interrupted',
    next: 'run the same command again: tenants on target are left out',
  });

const pausedTooLong = ({ actor, reason }: { actor: string; reason: string }, limitMs: number) =>
  new FleetError('HELD', `paused by ${actor} for longer than ${limitMs / 60_000} minutes: ${reason}`, {
    outcome: 'held',
    next: 'run the same command again: tenants on target are left out',
  });
