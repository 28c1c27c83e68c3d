import type { Clock } from './ports.js';

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

/** `Retry-After` in milliseconds (delta seconds, RFC 9110), bounded; the fallback where it is absent or a date. */
export function retryAfterMs(header: string | undefined, fallbackMs: number, maxMs = 60_000): number {
  return header && /^\d{1,6}$/.test(header.trim()) ? Math.min(Number(header) * 1000, maxMs) : fallbackMs;
}
