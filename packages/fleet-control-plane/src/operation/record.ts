import { CLIENT_HEADER } from '@tenant-fleet/fleet-core/contract';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import type { Metrics } from './metrics.js';
import { unknownFields } from './unknown-fields.js';

/** Writes one line for each request that was answered, and counts it. Polls and looks are lines of the level debug. */
export function recordRequests(app: FastifyInstance, metrics: Metrics, logger: Logger | undefined): void {
  const unknown = new WeakMap<FastifyRequest, string[]>();
  app.addHook('preValidation', async (request) => {
    const fields = unknownFields(request);
    if (fields.length === 0) return;
    unknown.set(request, fields);
    metrics.hadUnknownFields(request.routeOptions.url ?? 'none');
  });
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'none';
    const { statusCode: status, elapsedTime } = reply;
    metrics.answered(request.method, route, status, elapsedTime);
    if (!logger) return;
    const fields = unknown.get(request);
    const line = {
      ...about(request),
      ...(fields && { unknown_fields: fields }),
      route,
      status,
      ms: Math.round(elapsedTime * 10) / 10,
    };
    if (status >= 500) logger.error(line, 'request failed');
    else if (status >= 400) logger.warn(line, 'request refused');
    else logger[isLook(request, route) ? 'debug' : 'info'](line, 'request');
  });
}

/** What happens over and over while somebody waits or holds. */
const isLook = ({ method }: FastifyRequest, route: string) =>
  method === 'GET' || method === 'HEAD' || /\/claims\/:claim_id(?:\/renew)?$/.test(route);

function about(request: FastifyRequest): Record<string, unknown> {
  const { group, claim_id } = (request.params ?? {}) as { group?: string; claim_id?: string };
  const client = request.headers[CLIENT_HEADER];
  return {
    method: request.method,
    token: request.caller?.name,
    ip: request.ip,
    client: (Array.isArray(client) ? client[0] : client)?.slice(0, 200),
    group: group?.slice(0, 63),
    claim: claim_id?.slice(0, 36),
  };
}
