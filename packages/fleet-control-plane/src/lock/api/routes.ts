import {
  breakRequestSchema,
  claimHeldSchema,
  claimIdSchema,
  claimQueuedSchema,
  claimRequestSchema,
  freezeRequestSchema,
  frozenSchema,
  LOCKS_PATH,
  type LockStatus,
  lockEventsSchema,
  lockGroupSchema,
  lockStatusSchema,
  ROLLOUT_MAX_BYTES,
  releaseAnswerSchema,
  releaseRequestSchema,
  renewAnswerSchema,
  renewRequestSchema,
  WAIT_SECONDS_MAX,
} from '@tenant-fleet/fleet-core/contract';
import type { FastifyReply } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Database } from '../../db/database.js';
import { auditNoteOf, signed } from '../../http/auth/callers.js';
import { problems } from '../../http/openapi.js';
import { requestSignals } from '../../http/signals.js';
import { shuttingDown } from '../../problem.js';
import { unknownGroup } from '../rules/refusals.js';
import { readEvents } from '../store/queries.js';
import { isTooLarge, rolloutRoutes, rolloutTooLarge } from './rollouts.js';
import type { LockService } from './service.js';
import type { StatusService } from './status.js';

const EVENTS_PAGE = 1000;
const groupParams = z.object({ group: lockGroupSchema });
const claimParams = groupParams.extend({ claim_id: claimIdSchema });
const waitSeconds = z.coerce.number().min(0).max(WAIT_SECONDS_MAX).default(0);

export interface LockRoutesOptions {
  lock: { service: LockService; status: StatusService };
  /** For those who only look. */
  db: Database;
  /** Groups that exist; undefined: every valid name does. */
  groups: ReadonlySet<string> | undefined;
  /** Aborted when the server stops: open long polls end then. */
  stopping: AbortSignal;
}

/** The lock's calls under `/cp/admin/fleet-locks/{group}`. */
export const lockRoutes: FastifyPluginAsyncZod<LockRoutesOptions> = async (app, options) => {
  const { db, groups, stopping } = options;
  const { service, status } = options.lock;
  const signalOf = requestSignals(stopping);

  app.addHook('preHandler', async (request) => {
    const { group } = request.params as { group: string };
    if (groups && !groups.has(group)) throw unknownGroup(group, [...groups]);
  });

  await app.register(rolloutRoutes, { service, db });

  app.put(
    '/claims/:claim_id',
    {
      schema: {
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
    async (request, reply) => {
      const { group, claim_id } = request.params;
      const signal = signalOf(reply);
      const answer = await service.claim(
        group,
        claim_id.toLowerCase(),
        signed(request.body, request.caller),
        request.query.wait_seconds,
        signal,
      );
      if (stopping.aborted && answer.status === 202) throw shuttingDown();
      return send(reply, answer.status, answer.body);
    },
  );

  app.post(
    '/claims/:claim_id/renew',
    {
      schema: {
        summary: 'Renew the lease',
        params: claimParams,
        body: renewRequestSchema,
        response: { 200: renewAnswerSchema, ...problems(400, 401, 404, 409, 503) },
      },
    },
    async ({ params, body }) => service.renew(params.group, params.claim_id.toLowerCase(), body),
  );

  app.post(
    '/claims/:claim_id/release',
    {
      // A rollout that is too large must not keep the lock: up to here it is read and left out.
      bodyLimit: 4 * ROLLOUT_MAX_BYTES,
      schema: {
        summary: 'Release the lock, or leave the queue; safe to repeat',
        params: claimParams,
        body: releaseRequestSchema,
        response: {
          200: releaseAnswerSchema,
          ...problems(400, 401, 404, 409, 413, 503),
        },
      },
    },
    async ({ params, body }) => {
      const { rollout, ...rest } = body;
      const tooLarge = rollout !== undefined && isTooLarge(rollout);
      const claimId = params.claim_id.toLowerCase();
      const outcome = await service.release(params.group, claimId, tooLarge ? rest : body);
      if (tooLarge) throw rolloutTooLarge({ ...outcome });
      return { ...outcome };
    },
  );

  app.get(
    '/',
    {
      schema: {
        summary: 'Who holds, who waits; with after_version waits for a change',
        params: groupParams,
        querystring: z.object({
          after_version: z.coerce.number().int().min(0).optional(),
          wait_seconds: waitSeconds,
        }),
        response: { 200: lockStatusSchema, ...problems(400, 401, 404, 503) },
      },
    },
    async ({ params, query }, reply) => {
      const body = await status.status(
        params.group,
        query.after_version,
        query.wait_seconds,
        signalOf(reply),
      );
      return reply
        .code(200)
        .type('application/json; charset=utf-8')
        .send(body as unknown as LockStatus);
    },
  );

  app.post(
    '/break',
    {
      schema: {
        summary: 'End the hold of somebody else, by the token that you saw',
        params: groupParams,
        body: breakRequestSchema,
        response: {
          200: z.looseObject({
            state: z.literal('broken'),
            fencing_token: z.number(),
            granted: z.unknown().nullable(),
          }),
          ...problems(400, 401, 404, 409, 503),
        },
      },
    },
    async ({ params, body, ip, caller }, reply) =>
      send(
        reply,
        200,
        await service.breakHold(params.group, { ...body, ...auditNoteOf(caller, body.actor) }, ip),
      ),
  );

  app.post(
    '/freeze',
    {
      schema: {
        summary:
          'Grant nothing until a person lifts the freeze; a freeze that stands is replaced on demand only',
        params: groupParams,
        body: freezeRequestSchema,
        response: { 200: z.looseObject({ frozen: frozenSchema }), ...problems(400, 401, 404, 409, 503) },
      },
    },
    async ({ params, body, caller }) =>
      service.freeze(params.group, { ...body, ...auditNoteOf(caller, body.actor) }),
  );

  app.post(
    '/unfreeze',
    {
      schema: {
        summary: 'Lift a freeze',
        params: groupParams,
        body: freezeRequestSchema.omit({ until: true, replace: true }),
        response: { 200: z.looseObject({ frozen: z.null() }), ...problems(400, 401, 404, 409, 503) },
      },
    },
    async ({ params, body, caller }) =>
      service.unfreeze(params.group, { ...body, ...auditNoteOf(caller, body.actor) }),
  );

  app.get(
    '/events',
    {
      schema: {
        summary: `The audit log after a sequence number, ${EVENTS_PAGE} rows at most`,
        params: groupParams,
        querystring: z.object({ after: z.coerce.number().int().min(0).default(0) }),
        response: { 200: lockEventsSchema, ...problems(400, 401, 404, 503) },
      },
    },
    async ({ params, query }) => ({
      group: params.group,
      events: await readEvents(db, params.group, query.after, EVENTS_PAGE),
    }),
  );
};

export const LOCK_PREFIX = `${LOCKS_PATH}/:group`;

/** The answers are built by our own code: their schemas document and are tested, they do not filter. */
function send(reply: FastifyReply, status: number, body: Record<string, unknown>) {
  return reply.code(status).send(body);
}
