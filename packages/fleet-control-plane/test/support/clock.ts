import type { Clock } from '../../src/clock.js';

interface Timer {
  at: number;
  fire: () => void;
}

/** A clock that stands still until a test steps it. */
export class ManualClock implements Clock {
  private ms = 1_000_000;
  private wallOffset = Date.now() - this.ms;
  private timers: Timer[] = [];

  now = () => this.ms;
  wall = () => this.ms + this.wallOffset;

  after(ms: number, fire: () => void): () => void {
    const timer = { at: this.ms + ms, fire };
    this.timers.push(timer);
    return () => {
      this.timers = this.timers.filter((other) => other !== timer);
    };
  }

  /** Moves the wall clock alone, as an operator or NTP may. */
  jumpWall(ms: number): void {
    this.wallOffset += ms;
  }

  /** Steps on and fires what is due, in order. */
  step(ms: number): void {
    const until = this.ms + ms;
    for (;;) {
      const next = this.timers.filter((timer) => timer.at <= until).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      this.timers = this.timers.filter((timer) => timer !== next);
      this.ms = Math.max(this.ms, next.at);
      next.fire();
    }
    this.ms = until;
  }
}
