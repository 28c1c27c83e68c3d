import manifest from '../../package.json' with { type: 'json' };
import type { Clock } from './clock.js';
import { DirectClient } from './direct.js';
import { End, Ends } from './end.js';
import type { HttpRequest, HttpResponse, Outgoing } from './exchange.js';
import { failureOf, HttpFailure } from './failure.js';
import { type Lookup, Names } from './names.js';
import { type ProxyEnv, proxyFor } from './proxy.js';

export type { HttpRequest, HttpResponse } from './exchange.js';
export { HttpFailure, type HttpFailureKind } from './failure.js';

/** Sends one request. Follows no redirect, decodes no compression, retries nothing. */
export type Http = (request: HttpRequest) => Promise<HttpResponse>;

/** Edges refuse clients without a name of their own; a request's own header wins. */
const USER_AGENT = `fleet/${manifest.version} (+https://www.npmjs.com/package/@tenant-fleet/fleet-core)`;

/** What requests take from the surroundings. */
export interface HttpSurroundings {
  /** `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`, in either case. Default: no proxy. */
  env?: ProxyEnv;
  /** Default: the resolver of the system. */
  lookup?: Lookup;
}

/**
 * The HTTP port of the system: pooled connections for the control plane, one connection a request where `fresh`; through
 * a proxy where the environment names one.
 */
export function systemHttp(clock: Clock, { env = {}, lookup }: HttpSurroundings = {}): Http {
  const names = new Names(clock, lookup);
  const direct = new DirectClient(clock, names.lookup);
  const tunnels = new Map<string, Promise<(outgoing: Outgoing) => Promise<HttpResponse>>>();
  const tunnelOf = (proxy: string) => {
    // Few runs have a proxy, and what speaks with one is a third of what a start would load.
    const known =
      tunnels.get(proxy) ?? import('./tunnel.js').then(({ tunnelThrough }) => tunnelThrough(proxy));
    tunnels.set(proxy, known);
    return known;
  };

  const ends = new Ends();

  return async (request) => {
    const url = new URL(request.url);
    const proxy = proxyFor(url, env);
    const end = new End();
    const letGo = request.signal ? ends.follow(request.signal, end) : () => {};
    let cancelTimer = () => {};
    let sent = false;
    try {
      // A proxy looks names up by itself.
      if (!proxy) await names.resolve(url.hostname, end);
      cancelTimer = clock.timer(request.timeoutMs, () =>
        end.come(new HttpFailure('timeout', `no answer within ${request.timeoutMs} ms`)),
      );
      const outgoing = outgoingOf(request, url, end, () => {
        sent = true;
      });
      if (end.reason !== undefined) throw end.reason;
      return await (proxy ? (await tunnelOf(proxy))(outgoing) : direct.send(outgoing));
    } catch (error) {
      if (!sent && !proxy) names.forget(url.hostname);
      const late = end.reason instanceof HttpFailure && end.reason;
      return fail(late || failureOf(error, sent), request, proxy);
    } finally {
      cancelTimer();
      letGo();
    }
  };
}

function outgoingOf(request: HttpRequest, url: URL, end: End, sent: () => void): Outgoing {
  const { method, body, maxBytes, receive, fresh = false } = request;
  const headers = {
    'user-agent': USER_AGENT,
    accept: 'application/json',
    'accept-encoding': 'identity',
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    ...request.headers,
  };
  return { url, method, headers, body, maxBytes, receive, fresh, end, sent };
}

/** Throws why there is no answer, with the proxy that stood in between. */
function fail(error: unknown, { signal }: HttpRequest, proxy: string | null): never {
  if (signal?.aborted) throw new HttpFailure('aborted', 'cancelled', { cause: signal.reason });
  const failure = failureOf(error, false);
  if (!proxy) throw failure;
  const { kind, message } = failure;
  // Its user and password stay out.
  const through = URL.canParse(proxy) ? new URL(proxy).host : 'that is no address';
  throw new HttpFailure(kind, `${message} (through the proxy ${through})`, { cause: failure });
}
