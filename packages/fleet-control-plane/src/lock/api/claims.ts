import {
  claimHeldSchema,
  claimQueuedSchema,
  claimRequestSchema,
  ROLLOUT_MAX_BYTES,
  releaseAnswerSchema,
  releaseRequestSchema,
  renewAnswerSchema,
  renewRequestSchema,
} from '@tenant-fleet/fleet-core/contract';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import * as z from 'zod';
import { problems } from '../../http/openapi.js';
import { shuttingDown } from '../../problem.js';
import { claimParams, waitSeconds } from './params.js';
import { isTooLarge, rolloutTooLarge } from './rollouts.js';
import type { LockService } from './service.js';

/** What the one who made a claim may do with it. */
export const claimRoutes: FastifyPluginAsyncZod<{ service: LockService; stopping: AbortSignal }> = async (
  app,
  { service, stopping },
) => {
  app.put(
    '/claims/:claim_id',
    {
      schema: {
        operationId: 'claimLock',
        tags: ['lock'],
        summary: 'Claim the lock, poll for it, or repeat a claim',
        params: claimParams,
        querystring: z.object({ wait_seconds: waitSeconds }),
        body: claimRequestSchema,
        response: {
          200: claimHeldSchema,
          202: claimQueuedSchema,
          ...problems(400, 401, 404, 409, 410, 422, 429, 503),
        },
      },
    },
    async ({ params, query, body, owner, over }, reply) => {
      const holder = owner === null ? body.holder : { token_name: owner, ...body.holder };
      const claim = { ...body, holder };
      const answer = await service.claim(params.group, params.claim_id, claim, query.wait_seconds, over);
      if (stopping.aborted && answer.status === 202) throw shuttingDown();
      // Built by our own code: the schemas of the answers document and are tested, they do not filter.
      return reply.code(answer.status).send(answer.body as never);
    },
  );

  app.post(
    '/claims/:claim_id/renew',
    {
      schema: {
        operationId: 'renewLease',
        tags: ['lock'],
        summary: 'Renew the lease',
        params: claimParams,
        body: renewRequestSchema,
        response: { 200: renewAnswerSchema, ...problems(400, 401, 404, 409, 503) },
      },
    },
    async ({ params, body }) => service.renew(params.group, params.claim_id, body),
  );

  app.post(
    '/claims/:claim_id/release',
    {
      // A rollout that is too large must not keep the lock: up to here it is read and left out.
      bodyLimit: 4 * ROLLOUT_MAX_BYTES,
      schema: {
        operationId: 'releaseLock',
        tags: ['lock'],
        summary: 'Release the lock, or leave the queue; safe to repeat',
        params: claimParams,
        body: releaseRequestSchema,
        response: { 200: releaseAnswerSchema, ...problems(400, 401, 404, 409, 413, 503) },
      },
    },
    async ({ params, body }) => {
      const { rollout, ...rest } = body;
      const tooLarge = rollout !== undefined && isTooLarge(rollout);
      const outcome = await service.release(params.group, params.claim_id, tooLarge ? rest : body);
      if (tooLarge) throw rolloutTooLarge({ ...outcome });
      return { ...outcome };
    },
  );
};
