/** The rollouts of all servers of one database, as one process sees them: takes orders, runs its own, looks after others'. */
import { createHash, randomUUID } from 'node:crypto';
import { systemClock } from '@tenant-fleet/fleet-core';
import type { RolloutOrder } from '@tenant-fleet/fleet-core/contract';
import { askShard, type Shard, type ShardAnswers, systemRandom } from '@tenant-fleet/fleet-core/program';
import type { Clock } from '../clock.js';
import type { Database } from '../db/database.js';
import { Processes } from '../db/processes.js';
import { WakeHub } from '../lock/waiting/long-polls.js';
import { Problem } from '../problem.js';
import { type Engine, openEngine } from './engine.js';
import type { Environments } from './environments.js';
import { ShardDesk } from './shards.js';
import { insertRollout, openRollouts, type RolloutRow, takeAsking } from './store.js';
import { RolloutTurn, type TurnDeps } from './turn.js';

/** Time for a process to begin what it was asked to go on with, before it is asked again. */
const ASK_AGAIN_SECONDS = 5;

export interface RolloutsDeps extends Omit<TurnDeps, 'door' | 'desk'> {
  clock: Clock;
  /** Told of tenants that this process has asked for a rollout of any. */
  onAsked: (tenants: number) => void;
}

export const rolloutTopic = (id: string) => `rollout/${id}`;

export class Rollouts {
  readonly hub: WakeHub;
  readonly environments: Environments;
  private readonly db: Database;
  private readonly processes: Processes;
  private readonly turns = new Map<string, RolloutTurn>();
  private engine: Engine | undefined;
  private desk: ShardDesk | undefined;
  /** Ends what this process asks for others. */
  private readonly over = new AbortController();
  private closed = false;

  constructor(private readonly deps: RolloutsDeps) {
    const { db, clock, owner, environments } = deps;
    this.db = db;
    this.environments = environments;
    this.hub = new WakeHub(clock);
    this.processes = new Processes(db, clock, owner);
  }

  /** From here on this process runs rollouts. */
  async open(door: TurnDeps['door']): Promise<void> {
    const { owner, log, clock } = this.deps;
    await this.processes.beat();
    this.engine = await openEngine({
      databaseUrl: this.db.url,
      executor: owner,
      log,
      ask: (shard) => this.ask(shard, door),
      run: async (id, step, shards) => {
        this.desk ??= new ShardDesk(shards, clock, log);
        const world = { ...this.deps, door, desk: this.desk };
        const turn = this.closed ? undefined : await RolloutTurn.begin(world, id);
        if (!turn) return;
        // A second turn of this very process: the first has been taken for dead.
        this.turns.get(id)?.abandon();
        this.turns.set(id, turn);
        log(`rollout ${id}: runs here${turn.attempt > 1 ? ', taken over' : ''}`);
        await turn.run(step);
        if (this.turns.get(id) === turn) this.turns.delete(id);
      },
    });
  }

  /** Asks tenants for a rollout of any process. Where this one stops, it says whom it has asked until then. */
  private async ask(shard: Shard, door: TurnDeps['door']): Promise<ShardAnswers> {
    const { signal } = this.over;
    const answers = await askShard(
      { clock: systemClock, random: systemRandom, http: door.http(signal), signal },
      shard,
    );
    this.deps.onAsked(answers.tenants.length);
    return answers;
  }

  /** Takes an order. The same key and order again name the same rollout. @throws Problem 404, 422, 503. */
  async start(order: RolloutOrder, key: string): Promise<RolloutRow> {
    const { engine } = this;
    if (!engine || this.closed) throw starting();
    // What cannot be rolled is refused before anything is kept.
    await this.environments.configOf(order);
    const fingerprint = createHash('sha256').update(JSON.stringify(order)).digest('hex');
    const id = randomUUID();
    const row = await insertRollout(this.db, {
      ...{ id, idempotencyKey: key, fingerprint, environment: order.environment },
      ...{ group: this.environments.lockGroupOf(order.environment), request: order, owner: this.deps.owner },
    });
    if (row.fingerprint !== fingerprint) {
      throw new Problem(
        422,
        'idempotency_key_reused',
        'This Idempotency-Key was used for another body.',
        'Use a new key for a new rollout.',
      );
    }
    if (row.id === id) await engine.begin(id);
    return row;
  }

  /** Once a second: shows that this process lives, ends what people ended, and has what dead ones left taken over. */
  async beat(): Promise<void> {
    if (!this.engine || this.closed) return;
    await this.processes.beat();
    const open = await openRollouts(this.db);
    const others = new Set([...open.map(({ owner }) => owner), ...(this.desk?.helpers ?? [])]);
    others.delete(this.deps.owner);
    const dead = await this.processes.gone(() => this.processes.of([...others]));
    const gone = new Set(dead.map(({ id }) => id));
    this.desk?.lost(gone);
    for (const { id, owner, attempt, wish } of open) {
      const turn = this.turns.get(id);
      if (turn && turn.attempt !== attempt) turn.abandon();
      else if (turn && wish?.kind === 'abort') turn.abort(`${wish.actor} (${wish.reason})`);
      if (!gone.has(owner) || !(await takeAsking(this.db, { id, attempt }, ASK_AGAIN_SECONDS))) continue;
      this.deps.log(`rollout ${id}: its process is gone, another one goes on`);
      await this.engine.resume(id);
    }
  }

  /** Monotonic milliseconds. */
  now(): number {
    return this.deps.clock.now();
  }

  /** Another process, or this one, has changed a rollout. @param id '' where that may be any. */
  heard(id: string): void {
    if (id) this.hub.wake(rolloutTopic(id), { kind: 'look' });
    else this.hub.wakeAll('');
  }

  /** Leaves what runs here to others, at once. */
  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    for (const turn of this.turns.values()) turn.abandon();
    this.over.abort();
    await this.processes.retire().catch(() => {});
    await this.engine?.close();
  }
}

const starting = () =>
  new Problem(
    503,
    'not_ready',
    'This server does not run rollouts yet, or no more.',
    'Send the same request again.',
    {
      retryAfterSeconds: 1,
    },
  );
