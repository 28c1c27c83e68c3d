import type { Clock } from '../../clock.js';
import type { Database } from '../../db/database.js';
import { abandon, expire, unfreeze } from '../rules/transitions.js';
import { type GroupRow, type LiveRow, readLive } from '../store/queries.js';
import type { LockStore } from '../store/store.js';
import { claimTopic, statusTopic, type WakeHub } from '../waiting/long-polls.js';
import type { Observer, Overdue } from './liveness.js';

export const SWEEP_EVERY_MS = 1000;
/** A sweep this much later than due means that renewals could not be served either. */
export const SWEEP_LATE_MS = 2000;

export interface SweepDeps {
  db: Database;
  store: LockStore;
  hub: WakeHub;
  observer: Observer;
  clock: Clock;
  /** Other work of the same beat. */
  alongside?: () => Promise<void>;
}

/**
 * Once a second: ends who went silent, lifts a freeze whose time is over, and makes good what a lost wake-up or a
 * crash between two replicas may have left undone.
 */
export class Sweep {
  private lastLook: number | null = null;
  private cancel: (() => void) | undefined;
  private running: Promise<void> | undefined;
  private stopped = false;
  private interrupted = false;
  private readonly versions = new Map<string, number>();

  constructor(private readonly deps: SweepDeps) {}

  start(): void {
    this.lastLook = this.deps.clock.now();
    this.schedule();
  }

  /** To call when a connection was lost: what was seen before says nothing about the time between. */
  interrupt(): void {
    this.interrupted = true;
  }

  private schedule(): void {
    if (this.stopped) return;
    this.cancel = this.deps.clock.after(SWEEP_EVERY_MS, () => {
      this.now().finally(() => this.schedule());
    });
  }

  /** One sweep, or the one already under way. Never throws: a failure is what the next sweep starts over from. */
  now(): Promise<void> {
    this.running ??= this.sweep()
      .catch(() => this.interrupt())
      .finally(() => {
        this.running = undefined;
      });
    return this.running;
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.cancel?.();
    await this.running;
  }

  private async sweep(): Promise<void> {
    const { db, observer, hub, clock } = this.deps;
    await this.deps.alongside?.();
    // Measured where the observation is made, and not where the sweep began: the process may be stopped in between.
    const before = clock.now();
    const late = this.lastLook !== null && before - this.lastLook > SWEEP_EVERY_MS + SWEEP_LATE_MS;
    this.lastLook = before;
    const restart = late || this.interrupted;
    const { groups, claims } = await readLive(db);
    if (restart) observer.restart();
    this.interrupted = false;
    const findings = observer.look(claims, before, clock.now(), (group, claimId) =>
      hub.isOpen(claimTopic(group, claimId)),
    );
    for (const overdue of findings.lost) await this.expire(overdue);
    for (const { group, claimId, seq } of findings.abandoned) {
      await this.deps.store.transact(group, { lock: [claimId] }, (draft) => abandon(draft, claimId, seq));
    }
    for (const group of groups) await this.tend(group, claims);
    this.wakeMissed(claims);
  }

  private expire({ group, claimId, seq, reason }: Overdue): Promise<boolean> {
    return this.deps.store.transact(group, { lock: [claimId] }, (draft) =>
      expire(draft, claimId, seq, reason),
    );
  }

  /** Lifts a freeze that is over, and grants a lock that is free while somebody waits. */
  private async tend(group: GroupRow, claims: LiveRow[]): Promise<void> {
    const { store, clock } = this.deps;
    this.wakeWatchers(group);
    const until = group.frozen?.until;
    if (until && Date.parse(until) <= clock.wall()) {
      await store.transact(group.name, {}, (draft) => {
        // Somebody may have lifted it, or frozen it anew, since it was read.
        if (draft.state.frozen?.until === until)
          unfreeze(draft, { actor: 'control plane', reason: 'its time is over' });
      });
      return;
    }
    const mine = claims.filter((claim) => claim.group === group.name);
    if (!group.frozen && mine.length > 0 && !mine.some((claim) => claim.state === 'held')) {
      await store.transact(group.name, {}, (draft) => draft.grantNext());
    }
  }

  private wakeWatchers({ name, version }: GroupRow): void {
    if (this.versions.get(name) !== version) this.deps.hub.wake(statusTopic(name), { kind: 'look' });
    this.versions.set(name, version);
  }

  private wakeMissed(claims: LiveRow[]): void {
    const queued = new Set(
      claims
        .filter((claim) => claim.state === 'queued')
        .map((claim) => claimTopic(claim.group, claim.claimId)),
    );
    for (const topic of this.deps.hub.topics('claim/')) {
      if (!queued.has(topic)) this.deps.hub.wake(topic, { kind: 'look' });
    }
  }
}
