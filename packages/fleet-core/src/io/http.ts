import { Agent, type Dispatcher, ProxyAgent, request as undiciRequest } from 'undici';
import manifest from '../../package.json' with { type: 'json' };
import type { Clock } from './clock.js';
import { failureOf, HttpFailure } from './failure.js';
import { type Lookup, Names } from './names.js';
import { type ProxyEnv, proxyFor } from './proxy.js';

export { HttpFailure, type HttpFailureKind } from './failure.js';

export interface HttpRequest {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH';
  url: string;
  headers?: Record<string, string>;
  /** JSON text; sets the content type. */
  body?: string;
  /** Milliseconds for the whole exchange, connecting and reading included. */
  timeoutMs: number;
  /** Bytes after which reading stops and the exchange fails as `too_large`. */
  maxBytes: number;
  signal?: AbortSignal;
  /** Opens a connection of its own: a pooled one may lead to a replica that is being drained, or be half dead. */
  fresh?: boolean;
}

export interface HttpResponse {
  status: number;
  /** Lower-case names; a repeated header keeps its first value. */
  headers: Record<string, string>;
  body: string;
}

/** Sends one request. Follows no redirect, decodes no compression, retries nothing. */
export type Http = (request: HttpRequest) => Promise<HttpResponse>;

const CONNECT_TIMEOUT_MS = 10_000;
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
 * The HTTP port on undici: pooled connections for the control plane, one connection a request where `fresh`; through a
 * proxy where the environment names one.
 */
export function undiciHttp(clock: Clock, { env = {}, lookup }: HttpSurroundings = {}): Http {
  const names = new Names(clock, lookup);
  const ways = new Map<string, Dispatcher>();
  const dispatcherOf = (proxy: string | null, fresh: boolean): Dispatcher => {
    const key = `${fresh} ${proxy}`;
    const known = ways.get(key);
    if (known) return known;
    // The clock port ends every exchange, so undici's own limits, shorter than a fleet-wide roll, are off.
    const limits = { headersTimeout: 0, bodyTimeout: 0, ...(fresh ? { pipelining: 0 } : {}) };
    const connect = { timeout: CONNECT_TIMEOUT_MS };
    const made = proxy
      ? new ProxyAgent({ ...limits, uri: proxy, proxyTls: connect, requestTls: connect })
      : new Agent({ ...limits, connect: { ...connect, lookup: names.lookup } });
    ways.set(key, made);
    return made;
  };

  return async (request) => {
    const url = new URL(request.url);
    const proxy = proxyFor(url, env);
    // A proxy looks names up by itself.
    if (!proxy)
      await names.resolve(url.hostname, request.signal).catch((error) => fail(error, request, null));
    const timeout = new AbortController();
    const cancelTimer = clock.timer(request.timeoutMs, () => timeout.abort());
    const signal = request.signal ? AbortSignal.any([request.signal, timeout.signal]) : timeout.signal;
    let sent = false;
    try {
      signal.throwIfAborted();
      const dispatcher = watched(dispatcherOf(proxy, request.fresh ?? false), () => {
        sent = true;
      });
      return await exchange(request, dispatcher, signal);
    } catch (error) {
      if (!sent && !proxy) names.forget(url.hostname);
      const late =
        timeout.signal.aborted && new HttpFailure('timeout', `no answer within ${request.timeoutMs} ms`);
      return fail(late || failureOf(error, sent), request, proxy);
    } finally {
      cancelTimer();
    }
  };
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

/** Tells when a request begins to leave: on a connection that stands, through the tunnel of a proxy too. */
const watched = (dispatcher: Dispatcher, tell: () => void): Dispatcher =>
  dispatcher.compose(
    (dispatch) => (options, handler) =>
      dispatch(options, {
        onRequestStart(controller, context) {
          tell();
          handler.onRequestStart?.(controller, context);
        },
        onRequestUpgrade: (...about) => handler.onRequestUpgrade?.(...about),
        onResponseStart: (...about) => handler.onResponseStart?.(...about),
        onResponseData: (...about) => handler.onResponseData?.(...about),
        onResponseEnd: (...about) => handler.onResponseEnd?.(...about),
        onResponseError: (...about) => handler.onResponseError?.(...about),
      }),
  );

async function exchange(
  request: HttpRequest,
  dispatcher: Dispatcher,
  signal: AbortSignal,
): Promise<HttpResponse> {
  const answer = await undiciRequest(request.url, {
    method: request.method,
    headers: {
      'user-agent': USER_AGENT,
      accept: 'application/json',
      'accept-encoding': 'identity',
      ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
      ...request.headers,
    },
    body: request.body,
    dispatcher,
    signal,
  });
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of answer.body as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > request.maxBytes)
      throw new HttpFailure('too_large', `answer is larger than ${request.maxBytes} bytes`);
    chunks.push(chunk);
  }
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(answer.headers)) {
    const first = Array.isArray(value) ? value[0] : value;
    if (first !== undefined) headers[name] = first;
  }
  return { status: answer.statusCode, headers, body: Buffer.concat(chunks).toString('utf8') };
}
