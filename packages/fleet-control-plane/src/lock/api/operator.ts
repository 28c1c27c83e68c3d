import { breakRequestSchema, freezeRequestSchema, frozenSchema } from '@tenant-fleet/fleet-core/contract';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import * as z from 'zod';
import { problems } from '../../http/openapi.js';
import { groupParams } from './params.js';
import type { LockService } from './service.js';

/** What a person does to the lock of others. */
export const operatorRoutes: FastifyPluginAsyncZod<{ service: LockService }> = async (app, { service }) => {
  app.post(
    '/break',
    {
      schema: {
        operationId: 'breakLease',
        tags: ['operate'],
        summary: 'End the hold of somebody else, by the token that you saw',
        params: groupParams,
        body: breakRequestSchema,
        response: {
          200: z.looseObject({
            state: z.literal('broken'),
            fencing_token: z.number(),
            granted: z.looseObject({}).nullable(),
          }),
          ...problems(400, 401, 404, 409, 503),
        },
      },
    },
    async ({ params, body, ip, owner }, reply) =>
      reply.send((await service.breakHold(params.group, noted(body, owner), ip)) as never),
  );

  app.post(
    '/freeze',
    {
      schema: {
        operationId: 'freezeLock',
        tags: ['operate'],
        summary:
          'Grant nothing until a person lifts the freeze; a freeze that stands is replaced on demand only',
        params: groupParams,
        body: freezeRequestSchema,
        response: { 200: z.looseObject({ frozen: frozenSchema }), ...problems(400, 401, 404, 409, 503) },
      },
    },
    async ({ params, body, owner }) => service.freeze(params.group, noted(body, owner)),
  );

  app.post(
    '/unfreeze',
    {
      schema: {
        operationId: 'unfreezeLock',
        tags: ['operate'],
        summary: 'Lift a freeze',
        params: groupParams,
        body: freezeRequestSchema.omit({ until: true, replace: true }),
        response: { 200: z.looseObject({ frozen: z.null() }), ...problems(400, 401, 404, 409, 503) },
      },
    },
    async ({ params, body, owner }) => service.unfreeze(params.group, noted(body, owner)),
  );
};

/** The audit log names the token's owner where it has one, and what the caller said beside it. */
const noted = <T extends { actor: string }>(body: T, owner: string | null) =>
  owner === null ? body : { ...body, actor: owner, said: body.actor };
