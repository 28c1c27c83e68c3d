import { type Clock, systemClock } from '../../clock.js';
import type { Guess } from './guess.js';

/**
 * How long an arrival that can only wait is kept back, in milliseconds of real time. What frees the lock meanwhile takes
 * it along: a hand-over and the arrivals around it are then one commit, and the hand-over waits for no other.
 */
const PATIENCE_MS = 5;
/** Arrivals that are written together: a notification has room for about as many. */
const TOGETHER_MAX = 6;

export interface Arrival extends Guess {
  resolve(done: { value: unknown } | undefined): void;
  reject(error: unknown): void;
}

interface Crowd {
  arrivals: Arrival[];
  /** Calls the patience off; null when their turn is under way. */
  cancel: (() => void) | null;
}

/** New claims that have not been decided on yet, in order of their arrival. */
export class Arrivals {
  private readonly crowds = new Map<string, Crowd>();

  /**
   * @param turn brings the group's turn about, in which `take` is called.
   * @param clock of the patience: real time, since nothing about leases is decided by it.
   */
  constructor(
    private readonly turn: (group: string) => Promise<void>,
    private readonly clock: Clock = systemClock,
  ) {}

  /** Resolves with what was decided and committed; undefined when it has to be decided on what is read. */
  join(group: string, guess: Guess, patient: boolean): Promise<{ value: unknown } | undefined> {
    return new Promise((resolve, reject) => {
      const crowd = this.crowds.get(group) ?? { arrivals: [], cancel: () => {} };
      const isFirst = crowd.arrivals.push({ ...guess, resolve, reject }) === 1;
      this.crowds.set(group, crowd);
      if (!patient) this.go(group, crowd);
      else if (isFirst) crowd.cancel = this.clock.after(PATIENCE_MS, () => this.go(group, crowd));
    });
  }

  /** Ends the patience. */
  hurry(group: string): void {
    const crowd = this.crowds.get(group);
    if (crowd) this.go(group, crowd);
  }

  private go(group: string, crowd: Crowd): void {
    if (!crowd.cancel) return;
    crowd.cancel();
    crowd.cancel = null;
    this.turn(group).catch((error) => {
      for (const arrival of crowd.arrivals.splice(0)) arrival.reject(error);
      if (this.crowds.get(group) === crowd) this.crowds.delete(group);
    });
  }

  /** Those whose turn it is. Whoever takes them resolves them. */
  take(group: string): Arrival[] {
    const crowd = this.crowds.get(group);
    if (!crowd) return [];
    const taken = crowd.arrivals.splice(0, TOGETHER_MAX);
    this.crowds.delete(group);
    crowd.cancel?.();
    if (crowd.arrivals.length > 0) {
      const rest = { arrivals: crowd.arrivals, cancel: () => {} };
      this.crowds.set(group, rest);
      this.go(group, rest);
    }
    return taken;
  }
}
