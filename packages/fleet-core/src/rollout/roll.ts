/** One roll: sends it, and where its answer does not settle it, waits, asks the tenants, and decides. */
import type { Fence, RedeployClient, Sent } from '../clients/control-plane/redeploy.js';
import { refusal } from '../clients/control-plane/refusal.js';
import { hadNoEffect, type Next, nextStep, RETRY_WAITS_MS } from '../clients/control-plane/retry.js';
import type { StageContext } from '../context.js';
import type { RedeployRequest } from '../contract.js';
import { retryAfterMs } from '../io/retry-after.js';
import { sleep } from '../io/sleep.js';
import { DRAINS_AT_MOST_MS, drainsTooLong } from '../lock/draining.js';
import { nameList } from '../text/words.js';
import type { Ledger } from '../verify/ledger.js';
import type { Verifier } from '../verify/verify.js';
import { DrainingWait } from './draining.js';
import { applyRows } from './rows.js';

/** What one roll takes. */
export interface RollTools {
  context: StageContext;
  client: RedeployClient;
  verifier: Verifier;
  ledger: Ledger;
  /** The right to roll; null where the user said --no-lock. */
  fence: Fence | null;
  /** Keeps the state for the run that comes next. @param call What is sent next, where something is. */
  keep: (call?: { key: string; slugs: string[] }) => Promise<void>;
}

/**
 * How a roll came out. `unknown`: no answer says what happened, so it must be read off the tenants. `needless`: all
 * were on target before anything was sent that had an effect.
 */
export type RollEnd = 'answered' | 'unknown' | 'needless';

/**
 * Rolls tenants with one call. After every wait the tenants are asked before anything is sent again, and a second call
 * goes out only where the contract calls the first one repeatable, and only for tenants that are not on target by then.
 *
 * @param doing Tells those who wait what is being done: `step`, and `draining` while another roll of the fleet runs.
 * @throws FleetError `CP_*`, `LOCK_LOST`; `LOCK_TIMEOUT` where another roll does not end.
 */
export async function roll(
  tools: RollTools,
  phase: string,
  slugs: string[],
  rest: Partial<RedeployRequest>,
  { doing, step }: { doing: (step: string) => void; step: string },
): Promise<RollEnd> {
  const { context, client, ledger, fence, keep } = tools;
  const { clock, emit, signal } = context;
  const draining = new DrainingWait(context, phase, doing, step);
  let pending = slugs;
  let key = context.random.uuid();
  /** Why an earlier call of this roll may have had its effect. */
  let lost: string | null = null;
  let drainsUntil = Number.POSITIVE_INFINITY;
  for (let attempt = 0; pending.length; ) {
    await keep({ key, slugs: pending });
    await fence?.ready(signal);
    for (const slug of pending) ledger.startRoll(slug, phase, clock.monotonic());
    const whole = rest.only_slugs === undefined && pending.length === slugs.length;
    const request = { ...rest, ...(whole ? {} : { only_slugs: pending }) };
    const about = { phase, slugs: pending, key, fence };
    const sent = await draining.send(() => client.roll(request, about));
    if (hadNoEffect(sent.exchange)) for (const slug of pending) ledger.undoRoll(slug);
    else if (lost) tellSecondRoll(emit, pending, lost);
    const next = nextStep('roll', sent.exchange, client.calls.reached);
    if (next === 'read' && sent.answer) {
      applyRows(ledger, emit, pending, sent.answer.results);
      return 'answered';
    }
    const wait = waitOf(next, sent, attempt);
    if (next === 'give_up' || (next === 'retry' && wait === null)) throw refusal(client.url, sent);
    if (next === 'look' || wait === null) {
      for (const slug of pending) ledger.get(slug).note = noteOf(sent);
      emit({ code: 'call.unknown', phase, reason: sent.reason });
      return 'unknown';
    }
    if (next === 'ask_then_retry' || next === 'look_then_retry') lost = sent.reason;
    if (next === 'wait') {
      drainsUntil = Math.min(drainsUntil, clock.monotonic() + DRAINS_AT_MOST_MS);
      if (clock.monotonic() >= drainsUntil)
        throw drainsTooLong(fence?.group ?? '', {
          fencing_token: sent.problem?.roll?.fencing_token ?? 0,
          slugs: [],
        });
      draining.refused(sent, lost !== null, fence);
    } else {
      emit({ code: 'call.retry', phase, attempt: ++attempt, wait_ms: wait, reason: sent.reason });
    }
    await sleep(clock, wait, signal);
    if (next === 'look_then_retry') emit({ code: 'call.unknown', phase, reason: sent.reason });
    const open = await stillOpen(tools, pending, next, lost !== null);
    // The same body goes with the same key, so that a control plane that knows keys cannot run it twice.
    if (open.length !== pending.length) key = context.random.uuid();
    pending = open;
  }
  return lost === null ? 'needless' : 'unknown';
}

/** Milliseconds before the same may be tried again; null where it may not. */
function waitOf(next: Next, sent: Sent, attempt: number): number | null {
  return next === 'wait' ? retryAfterMs(sent.retryAfter, 2_000, 30_000) : (RETRY_WAITS_MS[attempt] ?? null);
}

/**
 * Asks the tenants which of them still have to be rolled.
 *
 * @param sentBefore A call that may have had its effect was sent: whoever answers the expected commit was rolled by it,
 *   even where its proof is not complete, and where one has moved the call arrived, so that the others get their time.
 */
async function stillOpen(
  { verifier, ledger }: RollTools,
  pending: string[],
  next: Next,
  sentBefore: boolean,
): Promise<string[]> {
  const settled = next === 'look_then_retry';
  // Who was on target before, and is rolled by force, shows by no answer whether the call arrived.
  const isOpen = (slug: string) => !(settled ? ledger.get(slug).streak > 0 : ledger.hasMoved(slug));
  await (settled ? verifier.prove(pending, { untilQuiet: true }) : verifier.look(pending));
  const open = pending.filter(isOpen);
  if (!sentBefore || settled || !open.length || !pending.some((slug) => ledger.hasMoved(slug))) return open;
  await verifier.prove(open, { untilQuiet: true });
  return open.filter(isOpen);
}

function noteOf({ exchange }: Sent): string {
  if ('status' in exchange && (exchange.status === 500 || exchange.status < 300))
    return `the control plane's answer to its roll says nothing of it (HTTP ${exchange.status})`;
  return 'the answer to its roll was lost';
}

function tellSecondRoll(emit: StageContext['emit'], slugs: string[], lost: string): void {
  emit({
    code: 'warning',
    reason: `sent again after a call that brought no answer (${lost}), so these may have been rolled twice: ${nameList(slugs)}`,
  });
}
