/** One exchange with Gitea's API: what an answer means, pages, and what may be sent again. */
import * as z from 'zod';
import type { Clock } from '../../io/clock.js';
import { type Http, HttpFailure, type HttpRequest, type HttpResponse } from '../../io/http.js';
import { isProxyPage } from '../../io/proxy-page.js';
import { sleep } from '../../io/sleep.js';
import { parseJson } from '../../text/json.js';

export interface GiteaOptions {
  /** Base URL of the server, a path included where it runs under one. */
  url: string;
  token: string | null;
  /** `owner/name`. */
  repository: string;
  http: Http;
  signal: AbortSignal;
  /**
   * Sends again after these milliseconds what may be sent again, as long as a wait ends within `withinMs` of the first
   * attempt. Default: one attempt.
   */
  retry?: { clock: Clock; waitsMs: readonly number[]; withinMs?: number };
  /** Milliseconds for one exchange, default 15 000. */
  timeoutMs?: number;
}

/** A definite answer, or why there is none: callers decide what an unreadable gate means. */
export type Read<T> =
  | { kind: 'read'; value: T }
  /** 404: there is no such thing, or the token may not see it. */
  | { kind: 'absent' }
  /** 403 of the server itself: the token lacks the right; with `missingScope` it is a scope of the token. */
  | { kind: 'forbidden'; missingScope?: true }
  /** `unknown`: the request was to change something, and may have. */
  | { kind: 'unreadable'; why: string; unknown?: true };

export interface GiteaRequest {
  method: 'GET' | 'POST' | 'PATCH';
  /** Below the repository, with its query; or below the API where `root` says so. */
  path: string;
  root?: true;
  body?: object;
  /** May be sent again although it may have had its effect. Default: only GET and PATCH. */
  repeatable?: boolean;
}

const TIMEOUT_MS = 15_000;
const MAX_BYTES = 4 * 1024 * 1024;
/** The server clamps larger pages to this without a word. */
const PAGE_SIZE = 50;

/** How Gitea words a refusal; the pages and problem documents of proxies have other fields. */
const refusalSchema = z.looseObject({ message: z.string() });

interface Attempt<T> {
  read: Read<T>;
  /** Whether the same request could fare better: `safe` where it had no effect, `unknown` where it may have had one. */
  again: 'no' | 'safe' | 'unknown';
}

/** Asks once, or as often as `options.retry` has waits. @throws the reason of `options.signal`. */
export async function ask<Schema extends z.ZodType>(
  options: GiteaOptions,
  request: GiteaRequest,
  schema: Schema,
): Promise<Read<z.output<Schema>>> {
  const { retry, signal } = options;
  const repeatable = request.repeatable ?? request.method !== 'POST';
  const started = retry?.clock.monotonic() ?? 0;
  for (let attempt = 0; ; attempt++) {
    const { read, again } = await exchange(options, request, schema);
    const wait = retry?.waitsMs[attempt];
    const late =
      retry?.withinMs !== undefined && retry.clock.monotonic() + (wait ?? 0) > started + retry.withinMs;
    if (!retry || wait === undefined || late || again === 'no' || (again === 'unknown' && !repeatable)) {
      return read.kind === 'unreadable' && again === 'unknown' && request.method !== 'GET'
        ? { ...read, unknown: true }
        : read;
    }
    await sleep(retry.clock, wait, signal);
  }
}

/** A list, page by page until an empty one: how large its pages are is the server's affair. */
export async function askPages<Schema extends z.ZodType>(
  options: GiteaOptions,
  path: string,
  row: Schema,
  { maxPages, what }: { maxPages: number; what: string },
): Promise<Read<z.output<Schema>[]>> {
  const rows: z.output<Schema>[] = [];
  const query = path.includes('?') ? '&' : '?';
  for (let page = 1; page <= maxPages; page++) {
    const read = await ask(
      options,
      { method: 'GET', path: `${path}${query}page=${page}&limit=${PAGE_SIZE}` },
      z.array(row).nullable(),
    );
    if (read.kind !== 'read') return read;
    if (!read.value?.length) return { kind: 'read', value: rows };
    rows.push(...read.value);
  }
  return { kind: 'unreadable', why: `more than ${maxPages} pages of ${what}` };
}

/** Why there is no answer, in words. */
export const whyNot = (read: Exclude<Read<unknown>, { kind: 'read' }>): string => {
  if (read.kind === 'unreadable') return read.why;
  if (read.kind === 'absent') return 'not found (HTTP 404): it is not there, or the token may not see it';
  return read.missingScope
    ? 'the token lacks the scope (HTTP 403)'
    : 'the user of the token lacks the right (HTTP 403)';
};

async function exchange<Schema extends z.ZodType>(
  { url, token, repository, http, signal, timeoutMs = TIMEOUT_MS }: GiteaOptions,
  { method, path, body, root }: GiteaRequest,
  schema: Schema,
): Promise<Attempt<z.output<Schema>>> {
  const request: HttpRequest = {
    method,
    url: `${url}/api/v1${root ? '' : `/repos/${repository}`}${path}`,
    headers: token ? { authorization: `token ${token}` } : {},
    ...(body ? { body: JSON.stringify(body) } : {}),
    timeoutMs,
    maxBytes: MAX_BYTES,
    signal,
  };
  try {
    const answer = await http(request);
    const json = parseJson(answer.body);
    if (answer.status === 200 || (answer.status === 201 && method !== 'GET')) {
      const parsed = schema.safeParse(json);
      if (parsed.success) return { read: { kind: 'read', value: parsed.data }, again: 'no' };
      return {
        read: { kind: 'unreadable', why: 'an answer of another shape' },
        again: method === 'GET' ? 'no' : 'unknown',
      };
    }
    return refusal(answer, json);
  } catch (error) {
    if (!(error instanceof HttpFailure)) throw error;
    if (error.kind === 'aborted') throw signal.reason;
    const again = error.kind === 'not_sent' ? 'safe' : error.kind === 'too_large' ? 'no' : 'unknown';
    return { read: { kind: 'unreadable', why: error.message }, again };
  }
}

function refusal(answer: HttpResponse, json: unknown): Attempt<never> {
  const { status } = answer;
  const unreadable = (why: string, again: Attempt<never>['again'] = 'no'): Attempt<never> => ({
    read: { kind: 'unreadable', why },
    again,
  });
  switch (status) {
    case 401:
      return unreadable('Gitea does not accept GITEA_TOKEN (HTTP 401)');
    case 403: {
      const said = refusalSchema.safeParse(json);
      // A proxy's refusal says nothing about rights: it must not open the fallback that a lack of rights opens.
      if (!said.success || isProxyPage(answer))
        return unreadable('a proxy in front of Gitea refused the request (HTTP 403)');
      const missingScope = /required scope/i.test(said.data.message);
      return { read: { kind: 'forbidden', ...(missingScope ? { missingScope } : {}) }, again: 'no' };
    }
    case 404:
      return { read: { kind: 'absent' }, again: 'no' };
    case 423:
      return unreadable('the repository is archived (HTTP 423)');
    case 429:
      return unreadable('HTTP 429', 'safe');
    default:
      return unreadable(`HTTP ${status}`, status >= 500 ? 'unknown' : 'no');
  }
}
