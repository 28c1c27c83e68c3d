import {
  LOCKS_PATH,
  type LockStatus,
  lockEventsSchema,
  lockStatusSchema,
} from '@tenant-fleet/fleet-core/contract';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import * as z from 'zod';
import type { Database } from '../../db/database.js';
import { problems } from '../../http/openapi.js';
import { unknownGroup } from '../rules/refusals.js';
import { readEvents } from '../store/queries.js';
import { claimRoutes } from './claims.js';
import { operatorRoutes } from './operator.js';
import { groupParams, waitSeconds } from './params.js';
import { rolloutRoutes } from './rollouts.js';
import type { LockService } from './service.js';
import type { StatusService } from './status.js';

const EVENTS_PAGE = 1000;

export interface LockRoutesOptions {
  lock: { service: LockService; status: StatusService };
  /** For those who only look. */
  db: Database;
  /** Groups that exist; undefined: every valid name does. */
  groups: ReadonlySet<string> | undefined;
  /** Aborted when the server stops: open long polls end then. */
  stopping: AbortSignal;
}

export const LOCK_PREFIX = `${LOCKS_PATH}/:group`;

/** The lock's calls under `/cp/admin/fleet-locks/{group}`. */
export const lockRoutes: FastifyPluginAsyncZod<LockRoutesOptions> = async (app, options) => {
  const { db, groups, stopping } = options;
  const { service, status } = options.lock;

  app.addHook('preHandler', async (request) => {
    const { group } = request.params as { group: string };
    if (groups && !groups.has(group)) throw unknownGroup(group, [...groups]);
  });

  await app.register(claimRoutes, { service, stopping });
  await app.register(rolloutRoutes, { service, db });
  await app.register(operatorRoutes, { service });

  app.get(
    '/',
    {
      schema: {
        operationId: 'readLock',
        tags: ['lock'],
        summary: 'Who holds, who waits; with after_version waits for a change',
        params: groupParams,
        querystring: z.object({
          after_version: z.coerce.number().int().min(0).optional(),
          wait_seconds: waitSeconds,
        }),
        response: { 200: lockStatusSchema, ...problems(400, 401, 404, 503) },
      },
    },
    async ({ params, query, over, caller }, reply) => {
      const { after_version: version, wait_seconds: wait } = query;
      const body = await status.status(params.group, version, wait, over, caller?.mayName);
      return reply
        .code(200)
        .type('application/json; charset=utf-8')
        .send(body as unknown as LockStatus);
    },
  );

  app.get(
    '/events',
    {
      schema: {
        operationId: 'readAuditLog',
        tags: ['lock'],
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
