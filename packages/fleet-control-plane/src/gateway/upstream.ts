import { readFile } from 'node:fs/promises';
import { type Http, HttpFailure, type HttpResponse } from '@tenant-fleet/fleet-core';
import { IDEMPOTENCY_HEADER, REDEPLOY_PATH, type RedeployRequest } from '@tenant-fleet/fleet-core/contract';
import { Problem } from '../problem.js';
import type { RollEnd } from '../rolls/roll.js';
import { harmless } from './harmless.js';

const ANSWER_MAX_BYTES = 8 * 1024 * 1024;

/**
 * One call of an existing control plane, classified. Nothing of its bodies is handed on but the rows of a redeploy
 * answer; its refusals become problems of ours, with its status alone.
 */
export class Upstream {
  constructor(
    /** Base address, without a slash at its end. */
    readonly url: string,
    /** Read for every call, so that a token is renewed without a restart. */
    private readonly tokenFile: string,
    private readonly http: Http,
  ) {}

  /** @param key names the roll, for an upstream that knows keys. */
  async call(
    request: RedeployRequest,
    { key, timeoutMs, signal }: { key?: string; timeoutMs: number; signal: AbortSignal },
  ): Promise<RollEnd> {
    const token = await readFile(this.tokenFile, 'utf8').then(
      (text) => text.trim(),
      () => '',
    );
    if (!/^\S+$/.test(token)) return refused(503, 'upstream_token_missing', NO_TOKEN, 5);
    try {
      const response = await this.http({
        method: 'POST',
        url: `${this.url}${REDEPLOY_PATH}`,
        headers: { authorization: `Bearer ${token}`, ...(key && { [IDEMPOTENCY_HEADER]: key }) },
        body: JSON.stringify(request),
        timeoutMs,
        maxBytes: ANSWER_MAX_BYTES,
        // A pooled connection that died unnoticed would make a harmless call an unseen one.
        fresh: true,
        signal,
      });
      return classify(response);
    } catch (error) {
      if (!(error instanceof HttpFailure)) throw error;
      if (error.kind === 'not_sent') return refused(503, 'upstream_unreachable', UNREACHABLE, 5);
      return lost(`no answer came (${error.kind.replaceAll('_', ' ')})`);
    }
  }
}

type Words = [detail: string, next: string];

const NO_TOKEN: Words = [
  "The file with the gateway's own token cannot be read, or is empty; nothing was rolled.",
  'Write the token into the file of --upstream-token-file; it is read for every call.',
];
const UNREACHABLE: Words = [
  'The control plane behind this gateway cannot be reached; nothing was rolled.',
  'Check --upstream of the gateway, and that the control plane runs.',
];

function classify({ status, headers, body }: HttpResponse): RollEnd {
  if (status === 200 || status === 500) {
    const answer = harmless(parse(body));
    return answer ? { kind: 'answered', answer } : lost(`HTTP ${status} came without the rows of a redeploy`);
  }
  if (status === 501 || status === 404 || status === 405 || (status >= 300 && status < 400)) {
    return refused(501, 'upstream_lacks_redeploy', [
      `The control plane behind this gateway has no redeploy call at its address (HTTP ${status}).`,
      'Check --upstream of the gateway: it is the base URL, without /cp/admin.',
    ]);
  }
  if (status === 401 || status === 403) {
    return refused(status, 'upstream_unauthorized', [
      `The control plane behind this gateway does not accept the gateway's own token (HTTP ${status}).`,
      'Renew the token in the file of --upstream-token-file; the token of this call is fine.',
    ]);
  }
  if (status === 429) {
    const seconds = Number(/^\d{1,4}$/.exec(headers['retry-after'] ?? '')?.[0] ?? 5);
    return refused(
      429,
      'upstream_busy',
      [`The control plane behind this gateway is busy.`, 'Send it again.'],
      seconds,
    );
  }
  if (status >= 400 && status < 500) {
    return refused(400, 'upstream_refused', [
      `The control plane behind this gateway refuses the request (HTTP ${status}).`,
      'Check the target tag, the canary and the slugs.',
    ]);
  }
  // Its own edge answers for a control plane that is away, so that the roll hardly began.
  if (status === 502 || status === 503) {
    return {
      kind: 'unseen',
      why: 'unavailable',
      problem: new Problem(
        status,
        'upstream_unavailable',
        `The control plane behind this gateway is unavailable (HTTP ${status}).`,
        'Ask the tenants what they run, then send it again for those that are not on target.',
      ),
    };
  }
  return lost(`HTTP ${status} came in its place`);
}

const refused = (
  status: number,
  code: string,
  [detail, next]: Words,
  retryAfterSeconds?: number,
): RollEnd => ({
  kind: 'refused',
  problem: new Problem(status, code, detail, next, retryAfterSeconds ? { retryAfterSeconds } : {}),
});

const lost = (how: string): RollEnd => ({
  kind: 'unseen',
  why: 'lost',
  problem: new Problem(
    504,
    'upstream_lost',
    `The answer of the control plane behind this gateway was lost: ${how}. The roll counts as running.`,
    'Ask the tenants what they run; another roll is let in when they show its end, or its longest time is over.',
  ),
});

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
