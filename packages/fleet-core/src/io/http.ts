import { Agent, buildConnector, request as undiciRequest } from 'undici';
import manifest from '../../package.json' with { type: 'json' };
import type { Clock } from './clock.js';

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

export type HttpFailureKind =
  /** The request never left: no such host, refused, TLS failed. */
  | 'not_sent'
  /** The connection died after the request may have been delivered. */
  | 'broken'
  | 'timeout'
  | 'aborted'
  | 'too_large';

/** Why there is no answer. The request may have had its effect unless `kind` is `not_sent`. */
export class HttpFailure extends Error {
  override readonly name = 'HttpFailure';
  constructor(
    readonly kind: HttpFailureKind,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }
}

const CONNECT_TIMEOUT_MS = 10_000;
/** Edges refuse clients without a name of their own; a request's own header wins. */
const USER_AGENT = `fleet/${manifest.version} (+https://www.npmjs.com/package/@tenant-fleet/fleet-core)`;

/** Why there is no connection, in words. */
const NO_CONNECTION: Record<string, string> = {
  ECONNREFUSED: 'connection refused',
  ENOTFOUND: 'no such host',
  EAI_AGAIN: 'name lookup failed',
  EHOSTUNREACH: 'no route to host',
  ENETUNREACH: 'network unreachable',
  ETIMEDOUT: 'connecting timed out',
  UND_ERR_CONNECT_TIMEOUT: 'connecting timed out',
  ECONNRESET: 'connection closed while connecting',
  CERT_HAS_EXPIRED: 'TLS: certificate has expired',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'TLS: self-signed certificate',
  SELF_SIGNED_CERT_IN_CHAIN: 'TLS: self-signed certificate in the chain',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'TLS: certificate cannot be verified',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'TLS: certificate cannot be verified',
  ERR_TLS_CERT_ALTNAME_INVALID: 'TLS: certificate is for another host',
  ERR_SSL_WRONG_VERSION_NUMBER: 'TLS: the port does not speak TLS',
  EPROTO: 'TLS: handshake failed',
};

/** The HTTP port on undici: pooled connections for the control plane, one connection a request where `fresh`. */
export function undiciHttp(clock: Clock): Http {
  // The clock port ends every exchange, so undici's own limits, shorter than a fleet-wide roll, are off.
  const limits = { headersTimeout: 0, bodyTimeout: 0, connect: connector() };
  const pooled = new Agent(limits);
  const fresh = new Agent({ ...limits, pipelining: 0 });

  return async (request) => {
    const timeout = new AbortController();
    const cancelTimer = clock.timer(request.timeoutMs, () => timeout.abort());
    const signal = request.signal ? AbortSignal.any([request.signal, timeout.signal]) : timeout.signal;
    try {
      signal.throwIfAborted();
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
        dispatcher: request.fresh ? fresh : pooled,
        signal,
      });
      const chunks: Buffer[] = [];
      let size = 0;
      for await (const chunk of answer.body as AsyncIterable<Buffer>) {
        size += chunk.length;
        if (size > request.maxBytes) {
          throw new HttpFailure('too_large', `answer is larger than ${request.maxBytes} bytes`);
        }
        chunks.push(chunk);
      }
      const headers: Record<string, string> = {};
      for (const [name, value] of Object.entries(answer.headers)) {
        const first = Array.isArray(value) ? value[0] : value;
        if (first !== undefined) headers[name] = first;
      }
      return { status: answer.statusCode, headers, body: Buffer.concat(chunks).toString('utf8') };
    } catch (error) {
      if (error instanceof HttpFailure) throw error;
      if (request.signal?.aborted)
        throw new HttpFailure('aborted', 'cancelled', { cause: request.signal.reason });
      if (timeout.signal.aborted) {
        throw new HttpFailure('timeout', `no answer within ${request.timeoutMs} ms`, { cause: error });
      }
      throw failureOf(error);
    } finally {
      cancelTimer();
    }
  };
}

/**
 * Tells "never connected" from "broke later" by where it happened: the same codes (a reset, an unreachable host) stand
 * for both, and only the first means that nothing was sent.
 */
function connector(): buildConnector.connector {
  const connect = buildConnector({ timeout: CONNECT_TIMEOUT_MS });
  return (options, callback) =>
    connect(options, (error, socket) => {
      if (!error) return callback(null, socket);
      const code = codeOf(error);
      const why = NO_CONNECTION[code] ?? `cannot connect${code && ` (${code})`}`;
      callback(new HttpFailure('not_sent', why, { cause: error }), null);
    });
}

function failureOf(error: unknown): HttpFailure {
  const code = codeOf(error);
  if (code === 'UND_ERR_HEADERS_OVERFLOW')
    return new HttpFailure('too_large', 'the headers of the answer are too large', { cause: error });
  return new HttpFailure('broken', `connection broke${code && ` (${code})`}`, { cause: error });
}

/** The code of an error where it is one that is safe to print, else an empty text. */
function codeOf(error: unknown): string {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' && /^[A-Z0-9_]+$/.test(code) ? code : '';
}
