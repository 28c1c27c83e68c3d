/** Client of the control plane's redeploy endpoint: one exchange each, classified. */

import type { Share } from '../../config/batch.js';
import type { StageContext } from '../../context.js';
import {
  CLAIM_HEADER,
  FENCE_HEADER,
  IDEMPOTENCY_HEADER,
  LOCK_GROUP_HEADER,
  REDEPLOY_PATH,
  type RedeployAnswer,
  type RedeployRequest,
  SETTLE_ROLLS_PATH,
  type SettledRoll,
  settledRollsSchema,
  slugSchema,
} from '../../contract.js';
import { HttpFailure, type HttpResponse } from '../../io/http.js';
import { isProxyPage } from '../../io/proxy-page.js';
import type { CallResult } from '../../result/result.js';
import { parseJson } from '../../text/json.js';
import { redact } from '../../text/sanitize.js';
import { AnswerReader } from './answer.js';
import type { CallLog } from './call-log.js';
import { problemOf, statusInWords } from './problem.js';
import type { Unanswered } from './refusal.js';
import { hadNoEffect, isDraining } from './retry.js';

/** What a roll of the control plane may take at worst, by the contract: a batch, the whole fleet. */
export const ROLL_MAY_LAST_MS = { scoped: 600_000, 'single-call': 1_200_000 } as const;
const PLAN_TIMEOUT_MS = 120_000;
const SETTLE_TIMEOUT_MS = 10_000;
/** Of an answer that is no list of rows. */
const SETTLE_MAX_BYTES = 8 * 1024 * 1024;
/** Far more than a million rows take; what an answer is really bounded by are its rows. */
const MAX_BYTES = 2 * 1024 ** 3;

export interface Fence {
  group: string;
  fencingToken: number;
  /** The claim that the token was granted to. */
  claimId: string;
  /** Resolves while the lease is safely usable; rejects once it is lost. */
  ready(signal: AbortSignal): Promise<void>;
}

/** What every call says of the rollout: the control plane plans by it, and rolls by it in a single call. */
export interface RequestPolicy {
  targetTag: string;
  expectedSha: string | null;
  canary: string | null;
  soakMs: number;
  /** Tenants, or a share of the fleet, which only those know who know the fleet. */
  batchSize: number | Share;
  maxStragglers: number;
  strategy: 'scoped' | 'single-call';
}

export interface Sent extends Unanswered {
  answer: RedeployAnswer | null;
  retryAfter: string | undefined;
}

interface Call {
  kind: 'plan' | 'roll';
  phase: string | null;
  slugs: string[] | null;
  headers: Record<string, string>;
}

export class RedeployClient {
  readonly url: string;
  /** Private: the token is among them. */
  readonly #headers: Record<string, string>;
  readonly #base: RedeployRequest;
  /** The refusal that the control plane repeats until an older roll has ended. */
  #draining: CallResult | null = null;

  constructor(
    /** `url`: base URL of the control plane, without a slash at its end. */
    server: { url: string; token: string; client: Record<string, string> },
    private readonly policy: RequestPolicy,
    private readonly context: StageContext,
    readonly calls: CallLog,
  ) {
    this.url = server.url;
    this.#headers = { authorization: `Bearer ${server.token}`, ...server.client };
    this.#base = {
      // A verification names a commit, and lists the fleet by a dry run, which rolls to nothing.
      target_tag: policy.targetTag || (policy.expectedSha ?? ''),
      confirm: true,
      ...(policy.canary ? { canary_slug: policy.canary } : {}),
      soak_seconds: Math.ceil(policy.soakMs / 1000),
      ...(typeof policy.batchSize === 'number' ? { batch_size: policy.batchSize } : {}),
      max_stragglers: policy.maxStragglers,
    };
  }

  /** Asks for the plan of a roll; changes nothing. */
  plan(): Promise<Sent> {
    const call: Call = { kind: 'plan', phase: null, slugs: null, headers: {} };
    // The canary is looked for in the answer: a control plane that misses it refuses the whole request.
    const { canary_slug: _, ...request } = this.#base;
    return this.#send({ ...request, dry_run: true }, call);
  }

  /**
   * Rolls tenants.
   *
   * @param rest What differs from the policy; without `only_slugs` the whole fleet is rolled.
   * @param key The same request goes with the same key, so that a control plane that knows keys cannot run it twice.
   */
  async roll(
    rest: Partial<RedeployRequest>,
    { phase, slugs, key, fence }: { phase: string; slugs: string[]; key: string; fence: Fence | null },
  ): Promise<Sent> {
    const request = { ...this.#base, ...rest };
    if (request.canary_slug && !slugs.includes(request.canary_slug)) delete request.canary_slug;
    const headers = { [IDEMPOTENCY_HEADER]: key, ...(fence && headersOf(fence)) };
    const { clock } = this.context;
    const mayLastMs = ROLL_MAY_LAST_MS[this.policy.strategy];
    this.calls.sends(key, { phase, slugs, sentAt: clock.wall(), mayLastMs });
    const sent = await this.#send(request, { kind: 'roll', phase, slugs, headers });
    if (hadNoEffect(sent.exchange))
      this.calls.settled(key, 'failure' in sent.exchange ? 'not sent' : 'refused');
    else if (sent.answer) this.calls.settled(key, 'ended');
    return sent;
  }

  /**
   * Asks what became of the requests with these keys; those that have not arrived start nothing any more.
   *
   * @returns `unknown` where the control plane does not know the question.
   */
  async settle(
    keys: string[],
    fence: Fence,
  ): Promise<{ rolls: SettledRoll[] } | Omit<Sent, 'answer' | 'retryAfter'> | 'unknown'> {
    try {
      const response = await this.context.http({
        method: 'POST',
        url: `${this.url}${SETTLE_ROLLS_PATH}`,
        headers: { ...this.#headers, ...headersOf(fence) },
        body: JSON.stringify({ keys }),
        timeoutMs: SETTLE_TIMEOUT_MS,
        maxBytes: SETTLE_MAX_BYTES,
        fresh: true,
        signal: this.context.signal,
      });
      const { status } = response;
      const json = parseJson(response.body);
      const told = settledRollsSchema.safeParse(json);
      if (status === 200 && told.success) return { rolls: told.data.rolls };
      // Whatever else an older control plane, or what stands in front of it, says of an address that it does not know.
      if (status < 500 && status !== 412 && status !== 429) return 'unknown';
      if (status === 501) return 'unknown';
      const problem = problemOf(json);
      return {
        exchange: { status, readable: false, error: problem?.error },
        reason: statusInWords(status, problem),
        html: isProxyPage(response),
        problem,
      };
    } catch (error) {
      if (!(error instanceof HttpFailure)) throw error;
      if (error.kind === 'aborted') throw this.context.signal.reason;
      return { exchange: { failure: error.kind }, reason: error.message, html: false, problem: undefined };
    }
  }

  async #send(request: RedeployRequest, call: Call): Promise<Sent> {
    const { context, policy } = this;
    const record = this.#record(call);
    const answer = new AnswerReader();
    try {
      const response = await context.http({
        method: 'POST',
        url: `${this.url}${REDEPLOY_PATH}`,
        headers: { ...this.#headers, ...call.headers },
        body: JSON.stringify(request),
        timeoutMs: call.kind === 'plan' ? PLAN_TIMEOUT_MS : ROLL_MAY_LAST_MS[policy.strategy],
        maxBytes: MAX_BYTES,
        receive: (text) => answer.push(text),
        // A pooled connection that died unnoticed would make a harmless call an unknown one.
        fresh: call.kind === 'roll',
        signal: context.signal,
      });
      this.calls.reached = true;
      const { sent, outcome } = classify(response, answer);
      record(outcome, response.status, sent.answer?.ok ?? null, isDraining(sent.exchange));
      this.#tellWords(call.phase ?? 'plan', sent);
      return sent;
    } catch (error) {
      if (!(error instanceof HttpFailure)) throw error;
      record(error.kind === 'not_sent' ? 'not_sent' : 'unknown', null, null);
      if (error.kind === 'aborted') throw context.signal.reason;
      return {
        exchange: { failure: error.kind },
        answer: null,
        retryAfter: undefined,
        reason: error.message,
        html: false,
        problem: undefined,
      };
    }
  }

  /** Takes the call down once it has ended. */
  #record({ kind, phase, slugs }: Call) {
    const { clock, emit } = this.context;
    const started = clock.monotonic();
    const started_at = new Date(clock.wall()).toISOString();
    return (
      outcome: CallResult['outcome'],
      http_status: number | null,
      ok: boolean | null,
      draining = false,
    ) => {
      const duration_ms = Math.round(clock.monotonic() - started);
      const entry = { kind, phase, slugs, started_at, duration_ms, http_status, outcome, ok };
      const isRepeated = draining && this.#draining !== null;
      if (!isRepeated) this.calls.entries.push(entry);
      if (phase && !draining) emit({ code: 'wave.answered', phase, http_status, ok, duration_ms });
      this.#draining = draining ? (this.#draining ?? entry) : null;
    };
  }

  /** Words of the control plane leave this client masked, and only in events for verbose output. */
  #tellWords(phase: string, { answer, problem, exchange }: Sent): void {
    const unable = 'status' in exchange && exchange.status >= 500;
    const say = (slug: string | null, text: string | null | undefined) => {
      if (text) this.context.emit({ code: 'call.detail', phase, slug, text: redact(text) });
    };
    // A refusal says the same in its error.
    say(null, answer ? answer.error : unable ? (problem?.detail ?? problem?.error) : null);
    for (const row of answer?.results ?? [])
      say(slugSchema.safeParse(row.slug).success ? (row.slug ?? null) : null, row.error);
  }
}

const headersOf = ({ group, fencingToken, claimId }: Fence) => ({
  [LOCK_GROUP_HEADER]: group,
  [FENCE_HEADER]: String(fencingToken),
  [CLAIM_HEADER]: claimId,
});

function classify(
  response: HttpResponse,
  reader: AnswerReader,
): { sent: Sent; outcome: CallResult['outcome'] } {
  const { status, headers, body } = response;
  const { answer, json } = reader.end(body);
  const problem = problemOf(json);
  const usable = answer !== null && (status === 200 || status === 500);
  const unknown = status >= 500 || (status >= 200 && status < 300);
  return {
    outcome: usable ? 'answered' : unknown ? 'unknown' : 'refused',
    sent: {
      exchange: { status, readable: usable, error: problem?.error },
      answer: usable ? answer : null,
      retryAfter: headers['retry-after'],
      problem,
      reason: `${statusInWords(status, problem)}${usable || json !== undefined ? '' : ', and its body is not JSON'}`,
      html: isProxyPage(response),
    },
  };
}
