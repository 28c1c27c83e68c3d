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
