/** Client of the control plane's redeploy endpoint. */
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
import { HttpFailure } from '../../io/http.js';
import { retryAfterMs, sleep } from '../../io/sleep.js';
import type { CallResult } from '../../report/build-result.js';
import { applyRows } from '../../rollout/rows.js';
import { redact } from '../../text/sanitize.js';
import { type Verification, verifyTenants } from '../../verify/verify.js';
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

export interface Calls extends Verification {
  /** Takes down every call for the report. */
  calls: CallResult[];
  /** The right to roll; null where the user said --no-lock. */
  fence: Fence | null;
  /** Set once the control plane has answered anything. */
  reached: { cp: boolean };
}

interface Sent extends Unanswered {
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

/**
 * Rolls tenants with one call. When the answer is lost the tenants are asked, and a second call goes out only where
 * the contract calls the first one repeatable, and only for tenants that are not on target by then.
 *
 * @returns `unknown` where the answer was lost for good: what happened must be read off the tenants.
 * @throws FleetError `CP_*`, `LOCK_LOST`.
 */
export async function roll(
  io: Calls,
  phase: string,
  slugs: string[],
  rest: Partial<RedeployRequest>,
): Promise<'answered' | 'unknown'> {
  const { ports, emit, signal, config, ledger } = io;
  for (const slug of slugs) ledger.startRoll(slug, phase, ports.clock.monotonic());
  let pending = slugs;
  let key = ports.random.uuid();
  for (let attempt = 0; ; ) {
    await io.fence?.ready(signal);
    const whole = rest.only_slugs === undefined && pending.length === slugs.length;
    const request = { ...baseRequest(io), ...rest, ...(whole ? {} : { only_slugs: pending }) };
    if (request.canary_slug && !pending.includes(request.canary_slug)) delete request.canary_slug;
    const sent = await send(io, request, { kind: 'roll', phase, slugs: pending, key });
    const next = nextStep('roll', sent.exchange, io.reached.cp);
    if (next === 'read' && sent.answer) {
      report(io, phase, sent.answer);
      applyRows(io, pending, sent.answer.results);
      return 'answered';
    }
    if (next === 'look') {
      for (const slug of pending) ledger.get(slug).note = 'the answer to its roll was lost';
      emit({ code: 'call.unknown', phase, reason: sent.reason });
      return 'unknown';
    }
    if (next === 'wait') {
      const wait = retryAfterMs(sent.retryAfter, 2_000, 30_000);
      emit({
        code: 'call.retry',
        phase,
        attempt: 0,
        wait_ms: wait,
        reason: 'an older roll of this fleet still runs',
      });
      await sleep(ports.clock, wait, signal);
      continue;
    }
    const wait = RETRY_WAITS_MS[attempt];
    if (next === 'give_up' || (next === 'retry' && wait === undefined))
      throw refusal(config.controlPlane, sent);
    if (wait === undefined) {
      emit({ code: 'call.unknown', phase, reason: sent.reason });
      return 'unknown';
    }
    attempt++;
    emit({ code: 'call.retry', phase, attempt, wait_ms: wait, reason: sent.reason });
    await sleep(ports.clock, wait, signal);
    if (next === 'retry') continue;
    if (next === 'look_then_retry') emit({ code: 'call.unknown', phase, reason: sent.reason });
    const unproven = await verifyTenants(io, pending, next === 'look_then_retry' ? config.settleBudgetMs : 0);
    // A tenant whose last answer was the expected commit was rolled, even where its proof is not complete.
    const open = unproven.filter((slug) => ledger.get(slug).streak === 0);
    if (!open.length) return 'unknown';
    // The same body goes with the same key, so that a control plane that knows keys cannot run it twice.
    if (open.length !== pending.length) key = ports.random.uuid();
    pending = open;
  }
}

function baseRequest({ config }: Calls): RedeployRequest {
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

async function send(
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
function report(io: Calls, phase: string, answer: RedeployAnswer): void {
  const say = (slug: string | null, text: string | null | undefined) => {
    if (text) io.emit({ code: 'call.detail', phase, slug, text: redact(text) });
  };
  say(null, answer.error);
  for (const row of answer.results)
    say(slugSchema.safeParse(row.slug).success ? (row.slug ?? null) : null, row.error);
}
