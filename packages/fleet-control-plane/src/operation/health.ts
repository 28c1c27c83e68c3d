import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import * as z from 'zod';
import type { Clock } from '../clock.js';
import type { Database } from '../db/database.js';
import { missingMigrations } from '../db/migrate.js';
import { problems } from '../http/openapi.js';
import { Problem } from '../problem.js';
import type { Metrics } from './metrics.js';

/** How long an answer of the database counts, in milliseconds: anybody may ask, and must not load it with that. */
const FRESH_MS = 1000;

export interface HealthOptions {
  db: Database;
  clock: Clock;
  metrics: Metrics;
}

/** What an orchestrator and a monitor ask for. */
export const healthRoutes: FastifyPluginAsyncZod<HealthOptions> = async (app, { db, clock, metrics }) => {
  let known: { until: number; answer: Promise<string[]> } | undefined;
  const missing = () => {
    if (!known || known.until <= clock.now())
      known = { until: clock.now() + FRESH_MS, answer: missingMigrations(db) };
    return known.answer;
  };

  app.get(
    '/readyz',
    {
      schema: {
        operationId: 'readReadiness',
        tags: ['operation'],
        summary: 'Whether calls can be served: the database answers, and has the schema of this version',
        security: [],
        response: { 200: z.object({ status: z.literal('ready') }), ...problems(503) },
      },
    },
    async () => {
      const names = await missing();
      if (names.length > 0) {
        throw new Problem(
          503,
          'not_ready',
          `The database lacks ${names.join(', ')}.`,
          'Start this control plane anew: that brings the schema to its version.',
          { retryAfterSeconds: 1 },
        );
      }
      return { status: 'ready' as const };
    },
  );

  app.get(
    '/metrics',
    {
      schema: {
        operationId: 'readMetrics',
        tags: ['operation'],
        summary: 'Metrics for Prometheus; needs a token with the scope "read"',
        response: { 200: z.string(), ...problems(401) },
      },
      // Text as it is, and no JSON string.
      serializerCompiler: () => (text) => String(text),
    },
    async (_request, reply) => reply.type(metrics.contentType).send(await metrics.text()),
  );
};
