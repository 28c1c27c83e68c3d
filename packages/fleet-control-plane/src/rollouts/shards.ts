/** Parts of the tenants that a rollout of this process has other processes ask, and what comes back of them. */
import type { Shard, ShardAnswers, Shards } from '@tenant-fleet/fleet-core/program';
import { type Clock, sleep } from '../clock.js';
import type { Turn } from './store.js';

/** Between two looks at what has come back: one query for all that are out. */
const LOOK_MS = 250;
/** From handing a shard out to asking its tenants here: several turns of one that was behind others in the queue. */
const LATE_MS = 30_000;

export interface ShardSeen {
  /** The process that has it, or had it; null: it waits in the queue. */
  owner: string | null;
  /** null in it: it failed. undefined: it has not ended. */
  answers?: ShardAnswers | null;
}

/** Where shards wait until a process has time for them. */
export interface ShardQueue {
  put(id: string, shard: Shard): Promise<void>;
  look(ids: string[]): Promise<Map<string, ShardSeen>>;
  /** Forgets one that has ended. */
  forget(id: string): Promise<void>;
  /** Nobody waits for these any more: they do not begin, and what they come to is kept nowhere. */
  cancel(ids: string[]): Promise<void>;
  /** Those of a rollout that have not ended. */
  open(rollout: string): Promise<string[]>;
}

/** What this process has handed out. */
export class ShardDesk {
  /** Shards that are out, with the process that asks each. */
  private readonly out = new Map<string, string | null>();
  private gone = new Set<string>();
  private looking: Promise<Map<string, ShardSeen>> | undefined;

  constructor(
    private readonly queue: ShardQueue,
    private readonly clock: Clock,
    private readonly log: (line: string) => void,
  ) {}

  /** For one turn of a rollout: what an earlier turn has handed out has other names, and is read by nobody. */
  async for({ id, attempt }: Turn): Promise<Shards> {
    // Else servers would ask for a process that is gone.
    if (attempt > 1)
      await this.queue
        .open(id)
        .then((left) => this.queue.cancel(left))
        .catch(() => {});
    let count = 0;
    return { ask: (shard, signal) => this.ask(`${id}/${attempt}/${++count}`, shard, signal) };
  }

  /** Processes that have shards of this one. */
  get helpers(): string[] {
    return [...this.out.values()].filter((owner) => owner !== null);
  }

  /** These processes are gone: nobody waits for them. */
  lost(processes: Set<string>): void {
    this.gone = processes;
  }

  private async ask(id: string, shard: Shard, signal: AbortSignal): Promise<ShardAnswers | null> {
    const done = new AbortController();
    // The engine tries again for as long as the database is away: nobody waits for that.
    const late = sleep(this.clock, LATE_MS, AbortSignal.any([signal, done.signal])).then(() => null);
    this.out.set(id, null);
    const answers = await Promise.race([this.follow(id, shard), late]);
    this.out.delete(id);
    done.abort();
    const ends = answers ? this.queue.forget(id) : this.queue.cancel([id]);
    ends.catch(() => {});
    return answers;
  }

  private async follow(id: string, shard: Shard): Promise<ShardAnswers | null> {
    try {
      await this.queue.put(id, shard);
      while (this.out.has(id)) {
        const seen = (await this.look()).get(id);
        if (seen?.answers !== undefined) return seen.answers;
        if (seen?.owner && this.gone.has(seen.owner)) return null;
        if (seen && this.out.has(id)) this.out.set(id, seen.owner);
      }
    } catch (error) {
      this.log(`rollouts: tenants are asked here, not by other servers: ${(error as Error).message}`);
    }
    return null;
  }

  private look(): Promise<Map<string, ShardSeen>> {
    this.looking ??= sleep(this.clock, LOOK_MS).then(() => {
      // Whoever is put from here on waits for the next look.
      this.looking = undefined;
      return this.queue.look([...this.out.keys()]);
    });
    return this.looking;
  }
}
