import { buildinfoSchema } from '../contract.js';
import { type Http, HttpFailure } from '../io/http.js';
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

/** Asks one tenant once, on a connection of its own, without any credential. Never throws but for an abort. */
export async function probe(
  http: Http,
  url: string,
  options: { timeoutMs: number; signal: AbortSignal },
): Promise<Observation> {
  try {
    const answer = await http({
      method: 'GET',
      url,
      headers: { 'cache-control': 'no-cache' },
      fresh: true,
      maxBytes: MAX_BYTES,
      ...options,
    });
    return readBuildinfo(answer.status, answer.headers, answer.body);
  } catch (error) {
    if (!(error instanceof HttpFailure)) throw error;
    if (error.kind === 'aborted') throw options.signal.reason;
    if (error.kind === 'too_large')
      return { kind: 'invalid', why: `answer is larger than ${MAX_BYTES / 1024} KiB` };
    return { kind: 'unreachable', why: error.message };
  }
}

/** Reads an answer; anything but a 200 with well-formed buildinfo is `invalid`, never "unreachable". */
export function readBuildinfo(status: number, headers: Record<string, string>, body: string): Observation {
  const invalid = (why: string): Observation => ({ kind: 'invalid', why });
  if (status >= 300 && status < 400) return invalid(`redirect (HTTP ${status}), which is not followed`);
  const html = isWebPage({ headers, body });
  if (status !== 200) return invalid(`HTTP ${status}${html ? ' with a web page' : ''}`);
  const encoding = headers['content-encoding'];
  if (encoding && encoding !== 'identity') return invalid('compressed answer, which was not asked for');
  if (html) return invalid('a web page instead of buildinfo');
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
