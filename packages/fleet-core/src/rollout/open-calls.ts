/** Rolls that an earlier run left open: what they still do must not land after this run's proof. */
import type { StageContext } from '../context.js';
import type { OpenCall } from '../contract.js';
import { DRAINS_AT_MOST_MS } from '../lock/draining.js';
import { Ledger } from '../verify/ledger.js';
import { type ProbePolicy, Verifier } from '../verify/verify.js';

/**
 * Waits until every open call has ended: its time is over, or all its tenants answer the commit that it rolls to.
 *
 * @param tell Told of each call that is waited for, with the milliseconds since it was sent, and until it is over.
 */
export async function awaitOpenCalls(
  context: StageContext,
  policy: ProbePolicy,
  calls: OpenCall[],
  tell: (call: OpenCall, sinceMs: number, leftMs: number) => void,
): Promise<void> {
  for (const call of calls) {
    // Clocks of two machines may differ: a call that seems to lie ahead, or at no time at all, was sent just now.
    const sinceMs = Math.max(0, context.clock.wall() - Date.parse(call.sent_at) || 0);
    const leftMs = Math.min(call.may_last_seconds * 1000, DRAINS_AT_MOST_MS) - sinceMs;
    if (!(leftMs > 0)) continue;
    tell(call, sinceMs, leftMs);
    const ledger = new Ledger(call.expected_sha?.toLowerCase() ?? null, 1, []);
    for (const slug of call.slugs) ledger.add(slug);
    // Its tenants are asked for that commit, which says nothing of this run's.
    const quiet = { ...context, emit: () => {} };
    await new Verifier(quiet, policy, ledger).prove(call.slugs, { budgetMs: leftMs });
  }
}
