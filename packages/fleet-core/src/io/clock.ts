/** Time: read and waited for through this port alone, so that a test can step it by hand. */

export interface Clock {
  /** Milliseconds of a clock that never jumps; its zero is arbitrary. All waiting is measured with it. */
  monotonic(): number;
  /** Milliseconds since 1970. For people and reports only, never for a decision. */
  wall(): number;
  /** Calls `fire` once after `ms` milliseconds; the returned function cancels. */
  timer(ms: number, fire: () => void): () => void;
}

/** setTimeout takes at most 2^31-1 ms and fires at once beyond that. */
const LONGEST_TIMER_MS = 2_147_483_647;

export const systemClock: Clock = {
  monotonic: () => performance.now(),
  wall: () => Date.now(),
  timer(ms, fire) {
    const handle = setTimeout(fire, Math.min(Math.max(0, ms), LONGEST_TIMER_MS));
    return () => clearTimeout(handle);
  },
};
