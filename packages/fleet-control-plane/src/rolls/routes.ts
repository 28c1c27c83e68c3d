import {
  CLAIM_HEADER,
  FENCE_HEADER,
  IDEMPOTENCY_HEADER,
  LOCK_GROUP_HEADER,
  REDEPLOY_PATH,
  redeployAnswerSchema,
  redeployRequestSchema,
  SETTLE_ROLLS_PATH,
  settledRollsSchema,
  settleRollsSchema,
} from '@tenant-fleet/fleet-core/contract';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import * as z from 'zod';
import type { Database } from '../db/database.js';
import { problems } from '../http/openapi.js';
import { shuttingDown } from '../problem.js';
import type { Redeploy } from './rolls.js';
import { readRolls } from './store.js';

export const ROLLS_PATH = '/cp/admin/rolls';
const ROLLS_PAGE = 1000;

/** `cut`: nobody saw its end; `refused`: nothing was changed. */
const RESULTS = ['ok', 'failed', 'cut', 'refused'] as const;

const rollSchema = z.looseObject({
  id: z.number().int(),
  group: z.string(),
  fencing_token: z.number().nullable(),
  claim_id: z.string().nullable(),
  idempotency_key: z.string().nullable(),
  target_tag: z.string(),
  slugs: z.array(z.string()),
  started_at: z.string(),
  ended_at: z.string().nullable(),
  result: z.enum(RESULTS).nullable(),
  unseen: z.enum(['unavailable', 'lost']).nullable(),
});

const headersSchema = z.looseObject({
  [LOCK_GROUP_HEADER]: z.string().optional(),
  [FENCE_HEADER]: z.string().optional(),
  [CLAIM_HEADER]: z.string().optional(),
  [IDEMPOTENCY_HEADER]: z.string().min(1).max(200).optional(),
});

const headersOf = (headers: z.infer<typeof headersSchema>) => ({
  group: headers[LOCK_GROUP_HEADER],
  fence: headers[FENCE_HEADER],
  claim: headers[CLAIM_HEADER],
  idempotencyKey: headers[IDEMPOTENCY_HEADER],
});

/** Callers of the first control planes send an empty canary for "none". */
const lenient = z.preprocess((body) => {
  if (typeof body !== 'object' || body === null || !('canary_slug' in body) || body.canary_slug !== '')
    return body;
  const { canary_slug: _none, ...rest } = body;
  return rest;
}, redeployRequestSchema);

export interface RollRoutesOptions {
  redeploy: Redeploy;
  db: Database;
  /** Takes an empty canary for none. */
  emptyCanary: boolean;
  /** Real rolls need the lock. */
  fenced: boolean;
  stopping: AbortSignal;
}

/** `POST redeploy-fleet`, and the record of rolls. */
export const rollRoutes: FastifyPluginAsyncZod<RollRoutesOptions> = async (app, options) => {
  const { redeploy, db, emptyCanary, fenced, stopping } = options;

  app.post(
    REDEPLOY_PATH,
    {
      schema: {
        operationId: 'redeployFleet',
        tags: ['redeploy'],
        summary: 'Roll the fleet to an image tag, or plan it',
        headers: headersSchema,
        body: emptyCanary ? lenient : redeployRequestSchema,
        response: {
          200: redeployAnswerSchema,
          500: redeployAnswerSchema.describe('some tenant failed; the rows count all the same'),
          ...problems(400, 401, 409, 412, 422, 428, 501, 502, 503, 504),
        },
      },
    },
    async (request, reply) => {
      const { status, answer, replayed } = await redeploy.call(
        request.body,
        headersOf(request.headers),
        request.over,
      );
      if (stopping.aborted) throw shuttingDown();
      if (replayed) reply.header('idempotent-replayed', 'true');
      return reply.code(status as 200).send(answer);
    },
  );

  // A control plane that asks for no fence knows no holder who could give anything up.
  if (fenced) {
    app.post(
      SETTLE_ROLLS_PATH,
      {
        schema: {
          operationId: 'settleRolls',
          tags: ['redeploy'],
          summary: 'What became of roll requests; those that have not arrived start nothing any more',
          headers: headersSchema,
          body: settleRollsSchema,
          response: { 200: settledRollsSchema, ...problems(400, 401, 412, 428, 503) },
        },
      },
      async ({ body, headers }) => ({ rolls: await redeploy.settle(body.keys, headersOf(headers)) }),
    );
  }

  app.get(
    ROLLS_PATH,
    {
      schema: {
        operationId: 'listRolls',
        tags: ['redeploy'],
        summary: `The record of rolls after an id, ${ROLLS_PAGE} rows at most`,
        querystring: z.object({ after: z.coerce.number().int().min(0).default(0) }),
        response: { 200: z.looseObject({ rolls: z.array(rollSchema) }), ...problems(400, 401, 503) },
      },
    },
    async ({ query }) => ({
      rolls: (await readRolls(db, query.after, ROLLS_PAGE)).map(
        ({ fingerprint: _f, answer: _a, status: _s, may_last_seconds: _m, settle_sha: _c, ...roll }) => ({
          ...roll,
          started_at: roll.started_at.toISOString(),
          ended_at: roll.ended_at?.toISOString() ?? null,
          result: roll.result as (typeof RESULTS)[number] | null,
        }),
      ),
    }),
  );
};
