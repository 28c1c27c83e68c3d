/** One roll: sends it, and where its answer does not settle it, waits, asks the tenants, and decides. */
import type { Fence, RedeployClient } from '../clients/control-plane/redeploy.js';
import { refusal } from '../clients/control-plane/refusal.js';
import { nextStep, RETRY_WAITS_MS } from '../clients/control-plane/retry.js';
import type { StageContext } from '../context.js';
import type { RedeployRequest } from '../contract.js';
import { retryAfterMs } from '../io/retry-after.js';
import { sleep } from '../io/sleep.js';
import type { Ledger } from '../verify/ledger.js';
import type { Verifier } from '../verify/verify.js';
import { applyRows } from './rows.js';

/** What one roll takes. */
export interface RollTools {
  context: StageContext;
  client: RedeployClient;
  verifier: Verifier;
  ledger: Ledger;
  /** The right to roll; null where the user said --no-lock. */
  fence: Fence | null;
}

/**
 * Rolls tenants with one call. When the answer is lost the tenants are asked, and a second call goes out only where
 * the contract calls the first one repeatable, and only for tenants that are not on target by then.
 *
 * @returns `unknown` where the answer was lost for good: what happened must be read off the tenants.
 * @throws FleetError `CP_*`, `LOCK_LOST`.
 */
export async function roll(
  { context, client, verifier, ledger, fence }: RollTools,
  phase: string,
  slugs: string[],
  rest: Partial<RedeployRequest>,
): Promise<'answered' | 'unknown'> {
  const { clock, emit, signal } = context;
  for (const slug of slugs) ledger.startRoll(slug, phase, clock.monotonic());
  let pending = slugs;
  let key = context.random.uuid();
  for (let attempt = 0; ; ) {
    await fence?.ready(signal);
    const whole = rest.only_slugs === undefined && pending.length === slugs.length;
    const request = { ...rest, ...(whole ? {} : { only_slugs: pending }) };
    const sent = await client.roll(request, { phase, slugs: pending, key, fence });
    const next = nextStep('roll', sent.exchange, client.calls.reached);
    if (next === 'read' && sent.answer) {
      applyRows(ledger, emit, pending, sent.answer.results);
      return 'answered';
    }
    if (next === 'look') {
      for (const slug of pending) ledger.get(slug).note = 'the answer to its roll was lost';
      emit({ code: 'call.unknown', phase, reason: sent.reason });
      return 'unknown';
    }
    if (next === 'wait') {
      const wait = retryAfterMs(sent.retryAfter, 2_000, 30_000);
      const reason = 'an older roll of this fleet still runs';
      emit({ code: 'call.retry', phase, attempt: 0, wait_ms: wait, reason });
      await sleep(clock, wait, signal);
      continue;
    }
    const wait = RETRY_WAITS_MS[attempt];
    if (next === 'give_up' || (next === 'retry' && wait === undefined))
      throw refusal(client.server.url, sent);
    if (wait === undefined) {
      emit({ code: 'call.unknown', phase, reason: sent.reason });
      return 'unknown';
    }
    attempt++;
    emit({ code: 'call.retry', phase, attempt, wait_ms: wait, reason: sent.reason });
    await sleep(clock, wait, signal);
    if (next === 'retry') continue;
    if (next === 'look_then_retry') emit({ code: 'call.unknown', phase, reason: sent.reason });
    const unproven = next === 'look_then_retry' ? await verifier.prove(pending) : await verifier.ask(pending);
    // A tenant whose last answer was the expected commit was rolled, even where its proof is not complete.
    const open = unproven.filter((slug) => ledger.get(slug).streak === 0);
    if (!open.length) return 'unknown';
    // The same body goes with the same key, so that a control plane that knows keys cannot run it twice.
    if (open.length !== pending.length) key = context.random.uuid();
    pending = open;
  }
}
