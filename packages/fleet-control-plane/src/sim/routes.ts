import { shaSchema, slugSchema, tagSchema } from '@tenant-fleet/fleet-core/contract';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import * as z from 'zod';
import { problems } from '../http/openapi.js';
import { behaviourSchema, type Tenant, tenantPutSchema } from './behaviour.js';
import type { Fleet } from './fleet.js';

const tenantSchema = behaviourSchema.extend({
  slug: slugSchema,
  running: z.strictObject({ image_tag: z.string(), git_sha: z.string() }),
  gone: z.boolean(),
  rolls: z.number().int().describe('how often a roll has put it on another image'),
});

/** Lets tests and demonstrations set how the simulated tenants behave. */
export const simRoutes: FastifyPluginAsyncZod<{ fleet: Fleet }> = async (app, { fleet }) => {
  app.get(
    '/tenants',
    {
      schema: {
        operationId: 'listSimulatedTenants',
        tags: ['simulation'],
        summary: 'The simulated tenants',
        response: {
          200: z.strictObject({ tenants: z.array(tenantSchema), images: z.record(z.string(), z.string()) }),
          ...problems(401),
        },
      },
    },
    async () => ({ tenants: fleet.list().map(view), images: fleet.listImages() }),
  );
  app.put(
    '/tenants/:slug',
    {
      schema: {
        operationId: 'putSimulatedTenant',
        tags: ['simulation'],
        summary: 'Make a tenant, or replace how it behaves',
        params: z.strictObject({ slug: slugSchema }),
        body: tenantPutSchema,
        response: { 200: tenantSchema, ...problems(400, 401, 503) },
      },
    },
    async ({ params, body: { running, ...behaviour } }) =>
      view(await fleet.put(params.slug, behaviour, running)),
  );
  app.delete(
    '/tenants/:slug',
    {
      schema: {
        operationId: 'removeSimulatedTenant',
        tags: ['simulation'],
        summary: 'Remove a tenant',
        params: z.strictObject({ slug: slugSchema }),
        response: { 204: z.undefined(), ...problems(401, 404, 503) },
      },
    },
    async ({ params }, reply) => {
      await fleet.remove(params.slug);
      return reply.code(204).send();
    },
  );
  app.put(
    '/images/:tag',
    {
      schema: {
        operationId: 'putSimulatedImage',
        tags: ['simulation'],
        summary: 'Register the commit that an image tag stands for',
        params: z.strictObject({ tag: tagSchema }),
        body: z.strictObject({ git_sha: shaSchema }),
        response: {
          200: z.strictObject({ tag: z.string(), git_sha: z.string() }),
          ...problems(400, 401, 503),
        },
      },
    },
    async ({ params, body }) => {
      await fleet.putImage(params.tag, body.git_sha);
      return { tag: params.tag, git_sha: body.git_sha };
    },
  );
};

function view({ slug, behaviour, running }: Tenant) {
  return {
    slug,
    ...behaviour,
    running: { image_tag: running.tag, git_sha: running.sha },
    gone: running.gone,
    rolls: running.rolls ?? 0,
  };
}
