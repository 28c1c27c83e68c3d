/** Client of the control plane's redeploy endpoint. */
import type { Config } from '../../config/config.js';
import {
  FENCE_HEADER,
  IDEMPOTENCY_HEADER,
  LOCK_GROUP_HEADER,
  problemSchema,
  REDEPLOY_PATH,
  type RedeployAnswer,
  type RedeployRequest,
  type RedeployRow,
  redeployAnswerSchema,
  slugSchema,
} from '../../contract.js';
import { FleetError } from '../../errors.js';
import type { Emit } from '../../events/emitter.js';
import { HttpFailure } from '../../io/http.js';
import { sleep } from '../../io/sleep.js';
import type { Ports } from '../../ports.js';
import type { CallResult } from '../../result/result.js';
import { redact } from '../../text/sanitize.js';
import { refusal, type Unanswered } from './refusal.js';
import { nextStep, RETRY_WAITS_MS } from './retry.js';

/** What a roll of the control plane may take at worst, by the contract: a batch, the whole fleet, a plan. */
const TIMEOUT_MS = { scoped: 600_000, 'single-call': 1_200_000, plan: 120_000 } as const;
/** A thousand tenants fit many times over. */
const MAX_BYTES = 8 * 1024 * 1024;

export interface Fence {
  group: string;
  token: number;
  /** Resolves while the lease is safely usable; rejects once it is lost. */
  ready(signal: AbortSignal): Promise<void>;
}

export interface Calls {
  config: Config;
  ports: Ports;
  emit: Emit;
  signal: AbortSignal;
  /** Takes down every call for the report. */
  calls: CallResult[];
  /** The right to roll; null where the user said --no-lock. */
  fence: Fence | null;
  /** Set once the control plane has answered anything. */
  reached: { cp: boolean };
}

export interface Sent extends Unanswered {
  answer: RedeployAnswer | null;
  retryAfter: string | undefined;
}

/** Lists the fleet by a dry run. @throws FleetError `CP_*` where that fails. */
export async function listFleet(io: Calls): Promise<RedeployRow[]> {
  const { config } = io;
  const request = { ...baseRequest(io), dry_run: true };
  for (let attempt = 0; ; attempt++) {
    const sent = await send(io, request, { kind: 'plan', phase: null, slugs: null, key: null });
    const next = nextStep('plan', sent.exchange, io.reached.cp);
    if (next === 'read' && sent.answer) {
      report(io, 'plan', sent.answer);
      if (sent.answer.ok) return sent.answer.results;
      throw new FleetError('CP_CONTRACT', 'the control plane refused to plan the roll (ok: false)', {
        hint: 'run with --verbose for its words, masked',
      });
    }
    const wait = RETRY_WAITS_MS[attempt];
    if (next !== 'retry' || wait === undefined) throw refusal(config.controlPlane, sent);
    io.emit({ code: 'call.retry', phase: 'plan', attempt: attempt + 1, wait_ms: wait, reason: sent.reason });
    await sleep(io.ports.clock, wait, io.signal);
  }
}

export function baseRequest({ config }: Calls): RedeployRequest {
  return {
    // A verification names a commit, and lists the fleet by a dry run, which rolls to nothing.
    target_tag: config.targetTag || (config.expectedSha ?? ''),
    confirm: true,
    ...(config.canary ? { canary_slug: config.canary } : {}),
    soak_seconds: Math.ceil(config.soakMs / 1000),
    batch_size: config.batchSize,
    max_stragglers: config.maxStragglers,
  };
}

/** One exchange, classified and taken down. */
export async function send(
  io: Calls,
  request: RedeployRequest,
  call: { kind: 'plan' | 'roll'; phase: string | null; slugs: string[] | null; key: string | null },
): Promise<Sent> {
  const { config, ports, fence } = io;
  const started = ports.clock.monotonic();
  const started_at = new Date(ports.clock.wall()).toISOString();
  const record = (outcome: CallResult['outcome'], http_status: number | null, ok: boolean | null) => {
    const duration_ms = Math.round(ports.clock.monotonic() - started);
    io.calls.push({
      kind: call.kind,
      phase: call.phase,
      slugs: call.slugs,
      started_at,
      duration_ms,
      http_status,
      outcome,
      ok,
    });
    if (call.phase) io.emit({ code: 'wave.answered', phase: call.phase, http_status, ok, duration_ms });
  };
  try {
    const response = await ports.http({
      method: 'POST',
      url: `${config.controlPlane}${REDEPLOY_PATH}`,
      headers: {
        authorization: `Bearer ${config.controlPlaneToken}`,
        ...(call.key ? { [IDEMPOTENCY_HEADER]: call.key } : {}),
        ...(fence && call.kind === 'roll'
          ? { [LOCK_GROUP_HEADER]: fence.group, [FENCE_HEADER]: String(fence.token) }
          : {}),
      },
      body: JSON.stringify(request),
      timeoutMs: TIMEOUT_MS[call.kind === 'plan' ? 'plan' : config.strategy],
      maxBytes: MAX_BYTES,
      // A pooled connection that died unnoticed would make a harmless call an unknown one.
      fresh: call.kind === 'roll',
      signal: io.signal,
    });
    const json = parseJson(response.body);
    const answer = redeployAnswerSchema.safeParse(json);
    const problem = problemSchema.safeParse(json);
    const usable = answer.success && (response.status === 200 || response.status === 500);
    io.reached.cp = true;
    record(
      usable
        ? 'answered'
        : response.status >= 500 || (response.status >= 200 && response.status < 300)
          ? 'unknown'
          : 'refused',
      response.status,
      usable ? answer.data.ok : null,
    );
    return {
      exchange: {
        status: response.status,
        readable: usable,
        error: problem.success ? problem.data.error : undefined,
      },
      answer: usable ? answer.data : null,
      retryAfter: response.headers['retry-after'],
      reason: `HTTP ${response.status}${usable || json !== undefined ? '' : ', and its body is not JSON'}`,
      html:
        json === undefined &&
        /html|error code: 10\d\d/i.test(
          `${response.headers['content-type'] ?? ''} ${response.body.slice(0, 2000)}`,
        ),
    };
  } catch (error) {
    if (!(error instanceof HttpFailure)) throw error;
    record(error.kind === 'not_sent' ? 'not_sent' : 'unknown', null, null);
    if (error.kind === 'aborted') throw io.signal.reason;
    return {
      exchange: { failure: error.kind },
      answer: null,
      retryAfter: undefined,
      reason: error.message,
      html: false,
    };
  }
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

/** Words of the control plane leave this function masked, and only in events for verbose output. */
export function report(io: Calls, phase: string, answer: RedeployAnswer): void {
  const say = (slug: string | null, text: string | null | undefined) => {
    if (text) io.emit({ code: 'call.detail', phase, slug, text: redact(text) });
  };
  say(null, answer.error);
  for (const row of answer.results)
    say(slugSchema.safeParse(row.slug).success ? (row.slug ?? null) : null, row.error);
}
