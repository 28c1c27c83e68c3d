import type { Clock } from '../ports.js';

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

/** Whoever says "again at once" would otherwise be asked in a tight loop. */
const SHORTEST_RETRY_MS = 1_000;

/**
 * `Retry-After` in milliseconds (delta seconds, RFC 9110), from 1 000 to `maxMs`; the fallback where it is absent or a
 * date.
 */
export function retryAfterMs(header: string | undefined, fallbackMs: number, maxMs = 60_000): number {
  if (!header || !/^\d{1,6}$/.test(header.trim())) return fallbackMs;
  return Math.min(Math.max(Number(header) * 1000, SHORTEST_RETRY_MS), maxMs);
}
