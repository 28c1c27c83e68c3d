import { buildinfoSchema } from '../contract.js';
import { type Http, HttpFailure, type HttpResponse } from '../io/http.js';
import { isWebPage } from '../io/proxy-page.js';
import { parseJson } from '../text/json.js';

/** What one request to a tenant's `/buildinfo` said. */
export type Observation =
  | { kind: 'sha'; sha: string }
  /** A build into which no commit was wired; never on target. */
  | { kind: 'dev' }
  | { kind: 'unreachable'; why: string }
  /** Something answered that is not buildinfo. */
  | { kind: 'invalid'; why: string };

/** buildinfo is one short field; a web page that answers in its place is larger. */
const MAX_BYTES = 64 * 1024;

/** The address that is asked; the slug has passed the slug grammar. */
export function buildinfoUrl(template: string, slug: string): string {
  return `${template.replace('{slug}', slug).replace(/\/+$/, '')}/buildinfo`;
}

export interface ProbeOptions {
  /** Milliseconds for one request, connecting and reading included. */
  timeoutMs: number;
  signal: AbortSignal;
  /** A word that was never sent before: no cache can have the answer to it. */
  nonce: () => string;
}

/**
 * Asks one tenant once, on a connection of its own, without any credential. An answer out of a cache is no word of the
 * tenant: it is then asked again at an address that no cache knows. Never throws but for an abort.
 */
export async function probe(http: Http, url: string, options: ProbeOptions): Promise<Observation> {
  const { timeoutMs, signal, nonce } = options;
  const ask = (address: string) =>
    http({
      method: 'GET',
      url: address,
      headers: { 'cache-control': 'no-cache' },
      fresh: true,
      maxBytes: MAX_BYTES,
      timeoutMs,
      signal,
    });
  try {
    const answer = await ask(url);
    const seen = readBuildinfo(answer);
    const cache = cacheOf(answer);
    if (!cache || (seen.kind !== 'sha' && seen.kind !== 'dev')) return seen;
    const again = await ask(`${url}?nocache=${nonce()}`);
    const own = cacheOf(again) ? null : readBuildinfo(again);
    if (own?.kind === 'sha' || own?.kind === 'dev') return own;
    return { kind: 'invalid', why: `a cache answered (${cache}), not the tenant: exempt /buildinfo from it` };
  } catch (error) {
    if (!(error instanceof HttpFailure)) throw error;
    if (error.kind === 'aborted') throw signal.reason;
    if (error.kind === 'too_large')
      return { kind: 'invalid', why: `answer is larger than ${MAX_BYTES / 1024} KiB` };
    return { kind: 'unreachable', why: error.message };
  }
}

/** How caches say that they answered by themselves; `Cache-Status` is RFC 9211, the others are of edges. */
const CACHE_HEADERS = ['cache-status', 'cf-cache-status', 'x-cache-status', 'x-cache'];

/** Why an answer is not fresh from the tenant; null where nothing says so. */
function cacheOf({ headers }: HttpResponse): string | null {
  const age = /^\s*(\d{1,9})\s*$/.exec(headers.age ?? '')?.[1];
  if (age && Number(age) > 0) return `its answer is ${Number(age)} s old`;
  const name = CACHE_HEADERS.find((name) => /\b(?:hit|stale|updating)\b/i.test(headers[name] ?? ''));
  return name ? `${name}: hit` : null;
}

/** Reads an answer; anything but a 200 with well-formed buildinfo is `invalid`, never "unreachable". */
export function readBuildinfo(answer: HttpResponse): Observation {
  const { status, headers } = answer;
  const invalid = (why: string): Observation => ({ kind: 'invalid', why });
  if (status >= 300 && status < 400) return invalid(`redirect (HTTP ${status}), which is not followed`);
  // Windows tools put a byte order mark in front, which JSON does not know.
  const body = answer.body.replace(/^\ufeff/, '');
  const page = isWebPage({ headers, body });
  if (status !== 200) return invalid(`HTTP ${status}${page ? ' with a web page' : ''}`);
  const encoding = headers['content-encoding'];
  if (encoding && encoding !== 'identity') return invalid('compressed answer, which was not asked for');
  if (page) return invalid('a web page instead of buildinfo');
  const json = parseJson(body);
  if (json === undefined) return invalid(body.trim() === '' ? 'empty answer' : 'answer is not JSON');
  const parsed = buildinfoSchema.safeParse(json);
  if (!parsed.success) {
    const wrong = typeof json === 'object' && json !== null && 'git_sha' in json;
    return invalid(wrong ? 'git_sha is neither 40 hex digits nor "dev"' : 'JSON without git_sha');
  }
  const { git_sha: sha } = parsed.data;
  return sha === 'dev' ? { kind: 'dev' } : { kind: 'sha', sha };
}
