/** The only source of time. Tests step it by hand. */
export interface Clock {
  /** Milliseconds that only grow; its zero means nothing. Every decision about leases uses this. */
  now(): number;
  /** Milliseconds since 1970, for people and for the end of a freeze; it may jump. */
  wall(): number;
  /** Calls `fire` once after `ms` milliseconds; the returned function cancels that. */
  after(ms: number, fire: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  after(ms, fire) {
    const timer = setTimeout(fire, ms);
    return () => clearTimeout(timer);
  },
};

/** Resolves after `ms` milliseconds, at once for 0, and early when the signal aborts. */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  if (ms <= 0 || signal?.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      cancel();
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const cancel = clock.after(ms, done);
    signal?.addEventListener('abort', done, { once: true });
  });
}
