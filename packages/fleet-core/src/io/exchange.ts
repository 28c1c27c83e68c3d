/** One request and its answer. */
import type { End } from './end.js';

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
  /**
   * Takes the body as it comes, decoded; the response then has its beginning only, 64 KiB. What it throws ends the
   * exchange. A port that does not know it brings the whole body.
   */
  receive?: (text: string) => void;
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
  receive: ((text: string) => void) | undefined;
  fresh: boolean;
  /** Ends the exchange, and its connection with it. */
  end: End;
  /** Told once the request begins to leave, on a connection that stands. */
  sent: () => void;
}

/** How long a connection may take to stand. */
export const CONNECT_TIMEOUT_MS = 10_000;
