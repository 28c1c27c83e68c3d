import { Agent, request as undiciRequest } from 'undici';
import type { Clock } from './ports.js';

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

const USER_AGENT = 'fleet/0 (+https://www.npmjs.com/package/@tenant-fleet/fleet-core)';

/** Failures that happen before the first byte of the request is written. */
const NOT_SENT: Record<string, string> = {
  ECONNREFUSED: 'connection refused',
  ENOTFOUND: 'no such host',
  EAI_AGAIN: 'name lookup failed',
  EHOSTUNREACH: 'no route to host',
  ENETUNREACH: 'network unreachable',
  UND_ERR_CONNECT_TIMEOUT: 'connecting timed out',
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
  const limits = { headersTimeout: 0, bodyTimeout: 0, connect: { timeout: 10_000 } };
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

function failureOf(error: unknown): HttpFailure {
  const code = (error as { code?: unknown }).code;
  const reason = typeof code === 'string' ? NOT_SENT[code] : undefined;
  if (reason) return new HttpFailure('not_sent', reason, { cause: error });
  const known = typeof code === 'string' && /^[A-Z0-9_]+$/.test(code) ? ` (${code})` : '';
  return new HttpFailure('broken', `connection broke${known}`, { cause: error });
}
