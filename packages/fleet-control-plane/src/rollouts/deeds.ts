import {
  ROLLOUT_DEEDS,
  type RolloutDeed,
  rolloutDeedSchema,
  type ServerRolloutState,
  serverRolloutSchema,
} from '@tenant-fleet/fleet-core/contract';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { Database } from '../db/database.js';
import { problems } from '../http/openapi.js';
import { Problem } from '../problem.js';
import { finder, idParams } from './find.js';
import { setWish, viewOf } from './store.js';

interface Deed {
  summary: string;
  from: ServerRolloutState[];
  /** null: it stays as it is until the rollout gets there. */
  to: ServerRolloutState | null;
}

const DEEDS: Record<RolloutDeed, Deed> = {
  pause: {
    summary: 'Pause before the next wave; the lock is kept for at most the limit of a pause',
    from: ['queued', 'running'],
    to: 'pausing',
  },
  resume: { summary: 'Go on after a pause', from: ['pausing', 'paused'], to: 'running' },
  abort: {
    summary: 'End before the next wave',
    from: ['queued', 'running', 'pausing', 'paused'],
    to: null,
  },
};

/** What a person does to a rollout under way. */
export const deedRoutes: FastifyPluginAsyncZod<{ db: Database }> = async (app, { db }) => {
  const find = finder(db);
  for (const kind of ROLLOUT_DEEDS) {
    const { summary, from, to } = DEEDS[kind];
    app.post(
      `/:id/${kind}`,
      {
        schema: {
          operationId: `${kind}ServerRollout`,
          tags: ['rollouts'],
          summary,
          params: idParams,
          body: rolloutDeedSchema,
          response: { 200: serverRolloutSchema, ...problems(400, 401, 404, 409, 503) },
        },
      },
      async ({ params, body, caller, owner }) => {
        const { id } = await find(params.id, caller);
        const wish = { kind, actor: owner ?? body.actor, reason: body.reason, at: new Date().toISOString() };
        const changed = await setWish(db, id, from, to, wish);
        if (changed) return viewOf(changed);
        const { state } = await find(id, caller);
        throw new Problem(
          409,
          'wrong_state',
          `This rollout is ${state}: there is nothing to ${kind}.`,
          state === 'ended'
            ? `\`fleet rollout show ${id.slice(0, 8)}\` shows how it ended.`
            : `It has to be ${from.join(' or ')} for that.`,
          { extra: { state } },
        );
      },
    );
  }
};
