/** One request and its answer. */

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

/** One request on its way, with all its headers. */
export interface Outgoing {
  url: URL;
  method: string;
  headers: Record<string, string>;
  body: string | undefined;
  maxBytes: number;
  fresh: boolean;
  /** Ends the exchange, and its connection with it. */
  signal: AbortSignal;
  /** Told once the request begins to leave, on a connection that stands. */
  sent: () => void;
}

/** How long a connection may take to stand. */
export const CONNECT_TIMEOUT_MS = 10_000;
