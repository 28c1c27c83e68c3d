import swagger from '@fastify/swagger';
import Fastify, { type FastifyError, type FastifyReply } from 'fastify';
import {
  hasZodFastifySchemaValidationErrors,
  validatorCompiler,
  type ZodTypeProvider,
} from 'fastify-type-provider-zod';
import * as z from 'zod';
import { Problem } from '../problem.js';
import { type Callers, callerOf, ownerOf } from './auth/callers.js';
import { databaseProblem } from './database-problem.js';
import { parseJson } from './json.js';
import { limitClients } from './limit.js';
import { describeApi, schemaTransforms } from './openapi.js';
import { BEARER, DESCRIPTION, TAGS } from './openapi-words.js';
import { signalRequests } from './signals.js';
import { refuseUnstorable } from './storable.js';
import type { Tls } from './tls.js';

/** Largest request body, in bytes. */
export const BODY_LIMIT = 64 * 1024;
const OPEN = new Set(['/', '/health', '/livez', '/readyz', '/openapi.json']);

export interface AppOptions {
  callers: Callers;
  /** Undefined: plain HTTP. */
  tls?: Tls | undefined;
  /** Most requests of one client in ten seconds; 0: no limit. */
  requestsMax: number;
  /** Aborted when the server stops. */
  stopping: AbortSignal;
  version: string;
  log: (line: string) => void;
}

/** The server without its calls: who may come in, how refusals look, the OpenAPI document. */
export async function createApp({ callers, tls, requestsMax, stopping, version, log }: AppOptions) {
  const app = Fastify({
    https: tls ?? null,
    bodyLimit: BODY_LIMIT,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 200 },
    forceCloseConnections: true,
    requestTimeout: 30_000,
    frameworkErrors: (error, _request, reply: FastifyReply) => {
      const problem = toProblem(error, log);
      reply
        .code(problem.status)
        .header('content-type', 'application/problem+json')
        .send(JSON.stringify(problem.body()));
    },
  }).withTypeProvider<ZodTypeProvider>();
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));

  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Fleet control plane',
        version,
        description: DESCRIPTION,
        license: { name: 'MIT', identifier: 'MIT' },
      },
      servers: [{ url: '/', description: 'This server' }],
      tags: TAGS,
      components: { securitySchemes: { bearer: BEARER } },
      security: [{ bearer: [] }],
    },
    ...schemaTransforms,
  });

  parseJson(app);
  app.decorateRequest('caller', null);
  app.decorateRequest('owner', null);
  app.addHook('onRequest', async (request) => {
    if (OPEN.has(request.url.split('?', 1)[0] ?? '')) return;
    request.caller = callerOf(request, callers);
    request.owner = ownerOf(request.caller);
  });
  await limitClients(app, requestsMax);
  signalRequests(app, stopping);
  app.addHook('preValidation', async (request) => refuseUnstorable(request.body));
  app.setErrorHandler((error: FastifyError | Error, request, reply) => {
    const problem = toProblem(error, log, request.routeOptions.bodyLimit);
    const { retryAfterSeconds } = problem.more;
    if (retryAfterSeconds !== undefined) reply.header('retry-after', String(retryAfterSeconds));
    return reply
      .code(problem.status)
      .header('content-type', 'application/problem+json')
      .serializer((body: unknown) => JSON.stringify(body))
      .send(problem.body());
  });
  app.setNotFoundHandler((request) => {
    const path = request.url.split('?', 1)[0];
    throw new Problem(
      404,
      'not_found',
      `There is no ${request.method} ${path?.slice(0, 200)} here.`,
      'See /openapi.json for the calls.',
    );
  });
  for (const path of ['/health', '/livez']) {
    app.get(
      path,
      {
        schema: {
          operationId: path === '/health' ? 'readHealth' : 'readLiveness',
          tags: ['operation'],
          summary: 'Whether the process serves requests at all',
          security: [],
          response: { 200: z.object({ status: z.literal('ok') }) },
        },
      },
      async () => ({ status: 'ok' as const }),
    );
  }
  app.get('/openapi.json', { schema: { hide: true } }, async () => describeApi(app));
  return app;
}

export type App = Awaited<ReturnType<typeof createApp>>;

const CLIENT_FAULTS: Record<string, [status: number, code: string, detail: string, next: string]> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: [
    415,
    'wrong_content_type',
    'The body is not declared as JSON.',
    'Send "Content-Type: application/json".',
  ],
  FST_ERR_CTP_EMPTY_JSON_BODY: [400, 'bad_request', 'The body is empty.', 'Send a JSON object.'],
};

function toProblem(
  error: FastifyError | Error,
  log: (line: string) => void,
  bodyLimit: number = BODY_LIMIT,
): Problem {
  if (error instanceof Problem) return error;
  if (hasZodFastifySchemaValidationErrors(error)) {
    const where = error.validationContext ?? 'request';
    const what = error.validation
      .slice(0, 5)
      .map(
        ({ instancePath, message }) => `${instancePath.replaceAll('/', '.').slice(1) || where}: ${message}`,
      );
    return new Problem(
      400,
      'bad_request',
      `The ${where} is not valid: ${what.join('; ')}.`,
      'Correct the fields named here and send it again.',
    );
  }
  const code = 'code' in error ? String(error.code) : '';
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE')
    return new Problem(413, 'body_too_large', `The body is larger than ${bodyLimit} bytes.`, 'Send less.');
  const fault = CLIENT_FAULTS[code];
  if (fault) return new Problem(...fault);
  const database = databaseProblem(error);
  if (database) return database;
  const status = 'statusCode' in error && typeof error.statusCode === 'number' ? error.statusCode : 500;
  if (status >= 400 && status < 500) {
    return new Problem(status, 'bad_request', error.message, 'Correct the request and send it again.');
  }
  log(`internal error: ${error.stack ?? error.message}`);
  return new Problem(
    500,
    'internal_error',
    'The control plane failed at this request.',
    'Look at its log; report it if it happens again.',
  );
}
