import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger';
import { buildinfoSchema, problemSchema, slugSchema } from '@tenant-fleet/fleet-core/contract';
import type { FastifyInstance } from 'fastify';
import { createJsonSchemaTransform, createJsonSchemaTransformObject } from 'fastify-type-provider-zod';
import * as z from 'zod';
import { EXAMPLES, NAMED } from './openapi-words.js';
import { readable } from './readable.js';

const schemas = z.registry<{ id: string; examples?: unknown[] }>();
for (const [id, schema] of Object.entries(NAMED))
  schemas.add(schema, { id, ...(EXAMPLES[id] !== undefined && { examples: [EXAMPLES[id]] }) });

const WORDS: Record<number, string> = {
  400: 'malformed request',
  401: 'missing, wrong or expired bearer token',
  403: 'the token lacks the scope, or is not for this lock group',
  404: 'unknown group, or no such call here',
  409: 'the state forbids it',
  410: 'the claim has ended',
  412: 'the fence is stale',
  413: 'the body or the rollout is too large; a release counts all the same',
  422: 'repeated with another body',
  428: 'the fence is missing',
  429: 'the queue is full, or this client asks too often; repeat after Retry-After seconds',
  501: 'what this server hands rolls to has no such call, or rolls at a dry run',
  502: 'what this server hands rolls to is unavailable',
  504: 'the answer of what this server hands rolls to was lost: it may be rolling',
  503: 'the database is busy, full or away; repeat after Retry-After seconds',
};

const problem = problemSchema.extend({ type: z.string(), title: z.string(), status: z.number().int() });
schemas.add(problem, { id: 'Problem' });

export const schemaTransforms: Pick<FastifyDynamicSwaggerOptions, 'transform' | 'transformObject'> = {
  transform: createJsonSchemaTransform({ schemaRegistry: schemas }),
  transformObject: createJsonSchemaTransformObject({ schemaRegistry: schemas }),
};

/** Documents the refusals of a call. */
export function problems(...codes: number[]) {
  const all = new Set(codes.includes(401) ? [...codes, 403, 429] : codes);
  return Object.fromEntries(
    [...all].map((code) => [
      code,
      {
        description: WORDS[code] ?? 'refused',
        content: { 'application/problem+json': { schema: problem } },
      },
    ]),
  );
}

const jsonSchema = (schema: z.ZodType) => z.toJSONSchema(schema, { io: 'input', target: 'draft-2020-12' });

/** The one call that tenants serve, on their own address. */
const buildinfo = {
  get: {
    operationId: 'readBuildinfo',
    tags: ['tenant'],
    summary: 'What a tenant runs; served by the tenants, not by the control plane',
    security: [],
    parameters: [{ name: 'slug', in: 'path', required: true, schema: jsonSchema(slugSchema) }],
    responses: {
      200: {
        description: 'the commit of the running build, or "dev"',
        content: { 'application/json': { schema: jsonSchema(buildinfoSchema) } },
      },
    },
  },
};

/** The OpenAPI document of a server whose routes are all registered. */
export function describeApi(app: Pick<FastifyInstance, 'swagger'>): Record<string, unknown> {
  const document = app.swagger();
  return readable({ ...document, paths: { ...document.paths, '/{slug}/buildinfo': buildinfo } });
}
