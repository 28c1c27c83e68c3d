import {
  IDEMPOTENCY_HEADER,
  rolloutEventsSchema,
  rolloutOrderSchema,
  SERVER_ROLLOUT_STATES,
  serverRolloutSchema,
  serverRolloutsSchema,
} from '@tenant-fleet/fleet-core/contract';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import * as z from 'zod';
import type { Database } from '../db/database.js';
import { mayName } from '../http/auth/callers.js';
import { problems } from '../http/openapi.js';
import { waitSeconds } from '../lock/api/params.js';
import { badRequest, Problem } from '../problem.js';
import { deedRoutes } from './deeds.js';
import { finder, idParams } from './find.js';
import { type Rollouts, rolloutTopic } from './rollouts.js';
import { listServerRollouts, readResult, readRolloutEvents, viewOf } from './store.js';

const EVENTS_PAGE = 500;
const LIST = { default: 20, max: 100 };

export interface RolloutRoutesOptions {
  /** undefined: this server runs none, and says so. */
  rollouts: Rollouts | undefined;
  /** For those who only look: a slow reader keeps nothing of a rollout waiting. */
  db: Database;
}

type Served = RolloutRoutesOptions & { rollouts: Rollouts };

/** Rollouts that this server runs, under `/cp/admin/rollouts`. */
export const serverRolloutRoutes: FastifyPluginAsyncZod<RolloutRoutesOptions> = async (
  app,
  { rollouts, db },
) => {
  if (!rollouts) {
    app.addHook('preHandler', async () => {
      throw noRollouts();
    });
  }
  const served = { rollouts: rollouts as Rollouts, db };
  await app.register(orderRoutes, served);
  await app.register(watchRoutes, served);
  await app.register(deedRoutes, { db });
};

const noRollouts = () =>
  new Problem(
    404,
    'not_found',
    'This server runs no rollouts.',
    'Start it with --config FILE, or roll from where you are.',
  );

const taken = {
  description: 'taken; the same for the same key and body',
  content: { 'application/json': { schema: serverRolloutSchema } },
};

const orderRoutes: FastifyPluginAsyncZod<Served> = async (app, { rollouts, db }) => {
  app.post(
    '/',
    {
      schema: {
        operationId: 'startServerRollout',
        tags: ['rollouts'],
        summary: 'Hand a rollout over: this server rolls by its own configuration of the environment',
        headers: z.looseObject({ [IDEMPOTENCY_HEADER]: z.string().min(8).max(200).optional() }),
        body: rolloutOrderSchema,
        response: { 202: taken, ...problems(400, 401, 404, 422, 503) },
      },
    },
    async ({ body, headers, caller, owner }, reply) => {
      const key = headers[IDEMPOTENCY_HEADER];
      if (key === undefined) {
        throw badRequest(
          'The header Idempotency-Key is missing.',
          'Send one that you make for this rollout, and repeat it with the request.',
        );
      }
      mayName(caller, rollouts.environments.lockGroupOf(body.environment));
      const holder = owner === null ? body.holder : { ...body.holder, actor: owner };
      return reply.code(202).send(viewOf(await rollouts.start({ ...body, holder }, key)));
    },
  );

  app.get(
    '/',
    {
      schema: {
        operationId: 'listServerRollouts',
        tags: ['rollouts'],
        summary: 'The rollouts of this server, newest first',
        querystring: z.object({
          environment: z.string().max(63).optional(),
          state: z.enum(SERVER_ROLLOUT_STATES).optional(),
          limit: z.coerce.number().int().min(1).max(LIST.max).default(LIST.default),
        }),
        response: { 200: serverRolloutsSchema, ...problems(400, 401, 404, 503) },
      },
    },
    async ({ query: { environment, state, limit }, caller }) => {
      const { names, lockGroupOf } = rollouts.environments;
      if (environment !== undefined) mayName(caller, lockGroupOf(environment));
      const open = names.filter((name) => caller?.mayName(lockGroupOf(name)) ?? true);
      const environments = environment === undefined ? open : [environment];
      return { rollouts: (await listServerRollouts(db, { environments, state, limit })).map(viewOf) };
    },
  );
};

const watchRoutes: FastifyPluginAsyncZod<Served> = async (app, { rollouts, db }) => {
  const find = finder(db);

  app.get(
    '/:id',
    {
      schema: {
        operationId: 'readServerRollout',
        tags: ['rollouts'],
        summary: 'One rollout, with its result once it has ended',
        params: idParams,
        response: { 200: serverRolloutSchema, ...problems(400, 401, 404, 503) },
      },
    },
    async ({ params, caller }) => {
      const row = await find(params.id, caller);
      return { ...viewOf(row), ...(row.state === 'ended' && { result: await readResult(db, row.id) }) };
    },
  );

  app.get(
    '/:id/events',
    {
      schema: {
        operationId: 'readServerRolloutEvents',
        tags: ['rollouts'],
        summary: `The events of a rollout after a number, ${EVENTS_PAGE} at most; waits for the next ones`,
        params: idParams,
        querystring: z.object({
          after: z.coerce.number().int().min(0).default(0),
          wait_seconds: waitSeconds,
        }),
        response: { 200: rolloutEventsSchema, ...problems(400, 401, 404, 503) },
      },
    },
    async ({ params: { id }, query: { after, wait_seconds: wait }, caller, over }) => {
      const ticket = rollouts.hub.open(rolloutTopic(id));
      try {
        const until = rollouts.now() + wait * 1000;
        for (;;) {
          // The state first: what has ended gets no event after.
          const { state } = await find(id, caller);
          const rows = await readRolloutEvents(db, id, after, EVENTS_PAGE);
          const left = until - rollouts.now();
          if (rows.length || state === 'ended' || left <= 0 || over.aborted) {
            const events = rows.map(({ n, event }) => ({ ...event, n }));
            const ended = state === 'ended' && rows.length < EVENTS_PAGE;
            return { events, next: rows.at(-1)?.n ?? after, ended };
          }
          await ticket.next(left, over);
        }
      } finally {
        ticket.close();
      }
    },
  );
};
