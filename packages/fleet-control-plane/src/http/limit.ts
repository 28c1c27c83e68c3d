import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance } from 'fastify';
import { Problem } from '../problem.js';

/** Most requests of one client in ten seconds: a thousand a second is a client that has lost its patience. */
export const REQUESTS_MAX = 10_000;
const WINDOW_MS = 10_000;
/** What ends or keeps a lease is never refused for its number: that would take it away, or hold others up. */
const NEVER = /\/claims\/:claim_id\/(?:renew|release)$/;

/**
 * Answers 429 to a client that asks more often than `max` times in ten seconds. A client is a token at an address.
 *
 * @param max 0: no limit.
 */
export async function limitClients(app: FastifyInstance, max: number): Promise<void> {
  if (max === 0) return;
  const none = { 'x-ratelimit-limit': false, 'x-ratelimit-remaining': false, 'x-ratelimit-reset': false };
  await app.register(rateLimit, {
    max,
    timeWindow: WINDOW_MS,
    keyGenerator: (request) => `${request.caller?.name ?? ''} ${request.ip}`,
    allowList: (request) => NEVER.test(request.routeOptions.url ?? ''),
    addHeaders: none,
    addHeadersOnExceeding: none,
    errorResponseBuilder: (_request, { ttl }) =>
      new Problem(
        429,
        'too_many_requests',
        `This client sent more than ${max} requests in ten seconds.`,
        'Wait for Retry-After seconds, and use wait_seconds instead of asking again at once.',
        { retryAfterSeconds: Math.max(1, Math.ceil(ttl / 1000)) },
      ),
  });
}
