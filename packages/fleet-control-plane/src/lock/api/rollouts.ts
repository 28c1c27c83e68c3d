import {
  ROLLOUT_MAX_BYTES,
  rolloutEntrySchema,
  rolloutRequestSchema,
  rolloutsSchema,
} from '@tenant-fleet/fleet-core/contract';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import * as z from 'zod';
import type { Database } from '../../db/database.js';
import { problems } from '../../http/openapi.js';
import { Problem } from '../../problem.js';
import { type RolloutRow, readRollout, readRollouts } from '../store/rollouts.js';
import { claimParams, groupParams } from './params.js';
import type { LockService } from './service.js';

const PAGE = { default: 20, max: 100 };
/** Room in a body for what stands around a record. */
const AROUND_BYTES = 64 * 1024;

/** What each run of a group left behind. */
export const rolloutRoutes: FastifyPluginAsyncZod<{ service: LockService; db: Database }> = async (
  app,
  { service, db },
) => {
  app.post(
    '/claims/:claim_id/rollout',
    {
      bodyLimit: ROLLOUT_MAX_BYTES + AROUND_BYTES,
      schema: {
        operationId: 'saveRollout',
        tags: ['history'],
        summary: 'Keep the rollout of a holder as it stands now',
        params: claimParams,
        body: rolloutRequestSchema,
        response: {
          200: z.looseObject({ state: z.literal('held') }),
          ...problems(400, 401, 404, 409, 413, 503),
        },
      },
    },
    async ({ params, body }) => {
      if (isTooLarge(body.rollout)) throw rolloutTooLarge();
      return service.keepRollout(params.group, params.claim_id, body);
    },
  );

  app.get(
    '/rollouts',
    {
      schema: {
        operationId: 'listRollouts',
        tags: ['history'],
        summary: 'The rollouts of a group, newest first, without their tenants',
        params: groupParams,
        querystring: z.object({
          limit: z.coerce.number().int().min(1).max(PAGE.max).default(PAGE.default),
          before: z.coerce.number().int().min(1).optional(),
          outcome: z.string().max(100).optional(),
        }),
        response: { 200: rolloutsSchema, ...problems(400, 401, 404, 503) },
      },
    },
    async ({ params, query: { limit, before, outcome } }) => {
      const rows = await readRollouts(db, params.group, { limit: limit + 1, before, outcome });
      const page = rows.slice(0, limit);
      return {
        rollouts: page.map(entryOf),
        next_before: rows.length > limit ? (page.at(-1)?.token ?? null) : null,
      };
    },
  );

  app.get(
    '/rollouts/:claim_id',
    {
      schema: {
        operationId: 'readRollout',
        tags: ['history'],
        summary: 'One rollout, with its tenants',
        params: claimParams,
        response: { 200: rolloutEntrySchema, ...problems(400, 401, 404, 503) },
      },
    },
    async ({ params }) => {
      const row = await readRollout(db, params.group, params.claim_id);
      if (!row) throw unknownRollout(params.claim_id);
      return entryOf(row);
    },
  );
};

/**
 * A rollout is lost whose claim ended without a verdict, also when somebody released the claim for it. One under the
 * lease of `lock run` ends before its claim does.
 */
export function entryOf({
  claimId,
  token,
  holder,
  state,
  acquiredAt,
  endedAt,
  summary,
  tenants,
  slugs,
}: RolloutRow) {
  const going = state === 'held' ? ('running' as const) : ('lost' as const);
  return {
    claim_id: claimId,
    fencing_token: token,
    holder,
    state: summary.outcome ? ('ended' as const) : going,
    started_at: acquiredAt.toISOString(),
    ended_at: endedAt?.toISOString() ?? null,
    rollout: { ...summary, ...(tenants && { tenants }), ...(slugs && { slugs }) },
  };
}

export const isTooLarge = (rollout: unknown): boolean =>
  Buffer.byteLength(JSON.stringify(rollout)) > ROLLOUT_MAX_BYTES;

export const rolloutTooLarge = (extra: Record<string, unknown> = {}) =>
  new Problem(
    413,
    'rollout_too_large',
    `The rollout is larger than ${ROLLOUT_MAX_BYTES} bytes; it was not kept.`,
    'Send fewer tenants: those that are not on target, and the names of all in "slugs".',
    { extra },
  );

export const unknownRollout = (claimId: string) =>
  new Problem(
    404,
    'unknown_rollout',
    `No rollout of claim ${claimId} is kept in this group.`,
    'GET .../rollouts lists those that are.',
  );
