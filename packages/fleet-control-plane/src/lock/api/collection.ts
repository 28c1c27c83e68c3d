import { type LockFeature, lockCollectionSchema } from '@tenant-fleet/fleet-core/contract';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { problems } from '../../http/openapi.js';
import type { StatusService } from './status.js';

/** What this server can do beyond the first version of the lock. */
const FEATURES: readonly LockFeature[] = ['draining', 'rollouts', 'named-tokens'];

export interface CollectionOptions {
  status: StatusService;
  /** This server runs rollouts itself. */
  runsRollouts: boolean;
}

/** All lock groups, and what the server can do. */
export const collectionRoutes: FastifyPluginAsyncZod<CollectionOptions> = async (
  app,
  { status, runsRollouts },
) => {
  app.get(
    '/',
    {
      schema: {
        operationId: 'listLocks',
        tags: ['lock'],
        summary: 'The lock groups, and what this server can do',
        response: { 200: lockCollectionSchema, ...problems(401, 503) },
      },
    },
    async ({ caller }) => ({
      groups: (await status.groups()).filter(({ group }) => caller?.mayName(group) ?? true),
      features: [...FEATURES, ...(runsRollouts ? (['server-rollouts'] as const) : [])],
    }),
  );
};
