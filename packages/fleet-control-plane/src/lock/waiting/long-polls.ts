import type { Clock } from '../../clock.js';
import type { Claim, OpenRoll } from '../rules/claim.js';
import type { Committed, Note } from '../store/store.js';

/** Why a wait ended: the claim as a commit left it, here or in another replica, a hint to read again, or nothing for so long. */
export type Waking =
  | { kind: 'claim'; claim: Claim; openRolls: OpenRoll[] }
  | { kind: 'look' }
  | { kind: 'timeout' };

/** One open long poll. Open it before you read the state it waits on, or a change in between is missed. */
export interface Ticket {
  /** Waits at most `ms` milliseconds; a waking that came since the ticket was opened answers at once. */
  next(ms: number, signal: AbortSignal): Promise<Waking>;
  close(): void;
}

interface Sleeper {
  pending: Waking | null;
  wake: ((waking: Waking) => void) | null;
}

/** Open long polls by what they wait for. They hold a map entry and a timer, never a database connection. */
export class WakeHub {
  private readonly sleepers = new Map<string, Set<Sleeper>>();

  constructor(private readonly clock: Clock) {}

  open(topic: string): Ticket {
    const sleeper: Sleeper = { pending: null, wake: null };
    const set = this.sleepers.get(topic) ?? new Set();
    this.sleepers.set(topic, set.add(sleeper));
    return {
      next: (ms, signal) => this.sleep(sleeper, ms, signal),
      close: () => {
        set.delete(sleeper);
        if (set.size === 0 && this.sleepers.get(topic) === set) this.sleepers.delete(topic);
      },
    };
  }

  private sleep(sleeper: Sleeper, ms: number, signal: AbortSignal): Promise<Waking> {
    const { pending } = sleeper;
    sleeper.pending = null;
    if (pending) return Promise.resolve(pending);
    if (ms <= 0 || signal.aborted) return Promise.resolve({ kind: 'timeout' });
    return new Promise((resolve) => {
      const end = (waking: Waking) => {
        sleeper.wake = null;
        cancel();
        signal.removeEventListener('abort', onAbort);
        resolve(waking);
      };
      const onAbort = () => end({ kind: 'timeout' });
      const cancel = this.clock.after(ms, () => end({ kind: 'timeout' }));
      signal.addEventListener('abort', onAbort, { once: true });
      sleeper.wake = end;
    });
  }

  /** This process committed a transition: who waits here is answered from it, without a look at the database. */
  committed({ group, claims, openRolls, wakeAll }: Committed): void {
    for (const claim of claims)
      if (claim.state !== 'queued')
        this.wake(claimTopic(group, claim.claimId), { kind: 'claim', claim, openRolls });
    if (wakeAll) this.wakeAll(claimsOf(group));
    this.wake(statusTopic(group), { kind: 'look' });
  }

  /** Another replica committed one. */
  heard({ group, claims, wakeAll }: Note): void {
    for (const claimId of claims) this.wake(claimTopic(group, claimId), { kind: 'look' });
    if (wakeAll) this.wakeAll(claimsOf(group));
    this.wake(statusTopic(group), { kind: 'look' });
  }

  isOpen(topic: string): boolean {
    return this.sleepers.has(topic);
  }

  /** Wakes all who wait for a topic. */
  wake(topic: string, waking: Waking): void {
    for (const sleeper of [...(this.sleepers.get(topic) ?? [])]) {
      if (sleeper.wake) sleeper.wake(waking);
      else sleeper.pending = waking;
    }
  }

  /** Wakes all whose topic starts so; with '' everybody. */
  wakeAll(prefix: string): void {
    for (const topic of [...this.sleepers.keys()]) {
      if (topic.startsWith(prefix)) this.wake(topic, { kind: 'look' });
    }
  }

  topics(prefix: string): string[] {
    return [...this.sleepers.keys()].filter((topic) => topic.startsWith(prefix));
  }
}

export const claimTopic = (group: string, claimId: string) => `claim/${group}/${claimId}`;
const claimsOf = (group: string) => `claim/${group}/`;
export const statusTopic = (group: string) => `status/${group}`;
