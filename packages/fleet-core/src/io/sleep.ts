import type { Clock } from './clock.js';

/** Resolves after `ms`; rejects with the signal's reason as soon as it is aborted. */
export function sleep(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const cancel = clock.timer(ms, () => {
      signal?.removeEventListener('abort', stop);
      resolve();
    });
    const stop = () => {
      cancel();
      reject(signal?.reason);
    };
    signal?.addEventListener('abort', stop, { once: true });
  });
}

/**
 * Waits until about `ms` have passed since `startedAt`, spread by a quarter: a server that answers at once must not be
 * asked in a tight loop, and not by everybody at the same moment.
 *
 * @param startedAt Monotonic milliseconds at which the call went out.
 */
export async function pace(
  { clock, random }: { clock: Clock; random: { fraction(): number } },
  startedAt: number,
  ms: number,
  signal?: AbortSignal,
): Promise<void> {
  const left = ms * (0.75 + random.fraction() / 2) - (clock.monotonic() - startedAt);
  if (left > 0) await sleep(clock, left, signal);
}
