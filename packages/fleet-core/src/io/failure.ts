/** Why an exchange brought no answer. */

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

const PRIVATE_CA = '; a private CA is trusted where NODE_EXTRA_CA_CERTS names its file';

/** Why there is no connection, in words. */
const NO_CONNECTION: Record<string, string> = {
  ECONNREFUSED: 'connection refused',
  EHOSTUNREACH: 'no route to host',
  ENETUNREACH: 'network unreachable',
  ETIMEDOUT: 'connecting timed out',
  UND_ERR_CONNECT_TIMEOUT: 'connecting timed out',
  ECONNRESET: 'connection closed while connecting',
  CERT_HAS_EXPIRED: 'TLS: certificate has expired',
  DEPTH_ZERO_SELF_SIGNED_CERT: `TLS: self-signed certificate${PRIVATE_CA}`,
  SELF_SIGNED_CERT_IN_CHAIN: `TLS: self-signed certificate in the chain${PRIVATE_CA}`,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: `TLS: certificate cannot be verified${PRIVATE_CA}`,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: `TLS: certificate cannot be verified${PRIVATE_CA}`,
  ERR_TLS_CERT_ALTNAME_INVALID: 'TLS: certificate is for another host',
  ERR_SSL_WRONG_VERSION_NUMBER: 'TLS: the port does not speak TLS',
  EPROTO: 'TLS: handshake failed',
};

/**
 * What an error of Node's client or of undici means.
 *
 * @param sent Whether the request had begun to leave: the same codes (a reset, an unreachable host) stand for "never
 *   connected" and for "broke later", and only the first means that nothing was sent.
 */
export function failureOf(error: unknown, sent: boolean): HttpFailure {
  if (error instanceof HttpFailure) return error;
  const code = errorCode(error);
  if (code === 'HPE_HEADER_OVERFLOW' || code === 'UND_ERR_HEADERS_OVERFLOW')
    return new HttpFailure('too_large', 'the headers of the answer are too large', { cause: error });
  if (sent) return new HttpFailure('broken', `connection broke${code && ` (${code})`}`, { cause: error });
  const tunnel = /^Proxy response \((\d{3})\)/.exec((error as Error).message)?.[1];
  const why = tunnel ? `the proxy refuses the connection (HTTP ${tunnel})` : NO_CONNECTION[code];
  return new HttpFailure('not_sent', why ?? `cannot connect${code && ` (${code})`}`, { cause: error });
}

/** The code of an error where it is one that is safe to print, else an empty text. */
export function errorCode(error: unknown): string {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' && /^[A-Z0-9_]+$/.test(code) ? code : '';
}
