import type { Clock } from '../io/clock.js';

/** A loopback server that has not answered after this many milliseconds does not mean to. */
const UNANSWERED_AFTER_TURNS = 60;

/** Turns of a millisecond without a timer and without a request, after which nothing will happen any more. */
const IDLE_TURNS = 1_000;

interface Timer {
  at: number;
  order: number;
  fire: () => void;
}

/** A clock that moves only when a test moves it. */
export class ManualClock implements Clock {
  #now = 0;
  #order = 0;
  #timers = new Set<Timer>();
  #wallOffset: number;

  /** @param wallStart Milliseconds since 1970 at the start. */
  constructor(wallStart = Date.UTC(2026, 0, 1)) {
    this.#wallOffset = wallStart;
  }

  monotonic = () => this.#now;
  wall = () => this.#wallOffset + this.#now;

  timer = (ms: number, fire: () => void) => {
    const timer = { at: this.#now + Math.max(0, ms), order: this.#order++, fire };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  };

  /** Timers that wait; a test of tidy endings expects 0. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Milliseconds until the next timer is due; undefined without one. */
  get nextIn(): number | undefined {
    const next = this.#next();
    return next && next.at - this.#now;
  }

  /** Moves the wall clock alone, as an operator or NTP does. */
  jumpWall(ms: number): void {
    this.#wallOffset += ms;
  }

  /** Moves time by `ms`, firing what becomes due in its order, and lets pending promises settle in between. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settle();
    for (let next = this.#next(); next && next.at <= end; next = this.#next()) {
      this.#now = Math.max(this.#now, next.at);
      this.#timers.delete(next);
      next.fire();
      await settle();
    }
    this.#now = end;
    await settle();
  }

  /**
   * Moves time from timer to timer until `work` settles. Time stands still while requests are in flight, but for a
   * request that nothing answers: then the next timer is due, the request's own limit at the latest.
   *
   * @param options.limit Milliseconds of manual time after which this gives up and throws; default a day. Work that
   *   waits for neither a timer nor a request is given up after some seconds.
   * @param options.inFlight Counts the requests that are under way.
   */
  async runUntil<T>(work: Promise<T>, options: { limit?: number; inFlight?: () => number } = {}): Promise<T> {
    const { limit = 24 * 3_600_000, inFlight = () => 0 } = options;
    let settled = false;
    let idle = 0;
    const done = work.finally(() => {
      settled = true;
    });
    done.catch(() => {});
    const end = this.#now + limit;
    while (!settled) {
      await settle();
      for (let patience = 0; patience < UNANSWERED_AFTER_TURNS && inFlight() > 0 && !settled; patience++) {
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      await settle();
      if (settled) break;
      const next = this.#next();
      if (!next) {
        if (++idle > IDLE_TURNS && inFlight() === 0)
          throw new Error('it waits for something that no timer brings');
        await new Promise((resolve) => setTimeout(resolve, 1));
        continue;
      }
      idle = 0;
      if (next.at > end) throw new Error(`still running after ${limit} ms of manual time`);
      this.fireNext();
    }
    return done;
  }

  /** Moves to the next timer and fires it. */
  fireNext(): void {
    const next = this.#next();
    if (!next) return;
    this.#now = Math.max(this.#now, next.at);
    this.#timers.delete(next);
    next.fire();
  }

  #next(): Timer | undefined {
    let best: Timer | undefined;
    for (const timer of this.#timers) {
      if (!best || timer.at < best.at || (timer.at === best.at && timer.order < best.order)) best = timer;
    }
    return best;
  }
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}
