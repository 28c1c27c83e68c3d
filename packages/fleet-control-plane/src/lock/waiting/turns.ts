/** How many go on at once, and how long the next ones wait, in milliseconds of real time: 2,000 take 0.8 s. */
const AT_ONCE = 5;
const PAUSE_MS = 2;

/** Spreads a crowd that may go on over time, so that others are served in between. First come, first served. */
export class Turns {
  private left = AT_ONCE;
  private readonly waiting: (() => void)[] = [];
  private scheduled = false;

  /** Resolves at once, or a little later when enough have just gone on. */
  take(): Promise<void> {
    this.schedule();
    if (this.left > 0) {
      this.left -= 1;
      return Promise.resolve();
    }
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    setTimeout(() => {
      this.scheduled = false;
      const served = this.waiting.splice(0, AT_ONCE);
      this.left = AT_ONCE - served.length;
      if (served.length > 0) this.schedule();
      for (const go of served) go();
    }, PAUSE_MS);
  }
}
