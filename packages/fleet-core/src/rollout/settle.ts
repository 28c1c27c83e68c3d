/** Calls of this run whose end it was not told: none may begin, or still change a tenant, once the fleet is proven. */
import { refusal } from '../clients/control-plane/refusal.js';
import { RETRY_WAITS_MS } from '../clients/control-plane/retry.js';
import { SETTLE_ROLLS_PATH } from '../contract.js';
import { sleep } from '../io/sleep.js';
import { DRAINS_AT_MOST_MS, drainsTooLong } from '../lock/draining.js';
import { nameList } from '../text/words.js';
import type { RollTools } from './roll.js';

const ASK_AGAIN_MS = 2_000;

/**
 * Has the control plane say what became of them: one that has not arrived is given up there, one that runs is waited
 * for. Does nothing where every call was answered, and where the control plane cannot say.
 *
 * @param waits False where the run cannot be proven any more: then nothing hangs on what still runs.
 * @throws FleetError `LOCK_TIMEOUT` where one does not end; `CP_*`, `LOCK_LOST`.
 */
export async function settleCalls(tools: RollTools, waits: boolean): Promise<void> {
  const { context, client, fence, verifier } = tools;
  const { clock, emit, signal } = context;
  if (!fence) return;
  const end = clock.monotonic() + DRAINS_AT_MOST_MS;
  const late = new Set<string>();
  for (let failures = 0; client.calls.unsettled.length; ) {
    const calls = client.calls.unsettled;
    const told = await client.settle(
      calls.map(({ key }) => key),
      fence,
    );
    if (told === 'unknown') return;
    if ('exchange' in told) {
      const wait = RETRY_WAITS_MS[failures++];
      if (wait === undefined || ('status' in told.exchange && told.exchange.status === 412))
        throw refusal(client.url, told, SETTLE_ROLLS_PATH);
      await sleep(clock, wait, signal);
      continue;
    }
    const states = new Map(told.rolls.map(({ key, state }) => [key, state]));
    for (const call of calls) {
      const state = states.get(call.key);
      if (call.refused && (state === 'open' || state === 'ended')) arrivedLate(tools, call, late);
      if (state === 'given_up') client.calls.neverBegan.add(call.key);
      if (state === 'given_up' || state === 'ended') client.calls.settled(call.key, 'ended');
    }
    const open = client.calls.unsettled;
    if (!open.length || !waits) break;
    const slugs = open.flatMap((call) => call.slugs);
    if (clock.monotonic() >= end)
      throw drainsTooLong(fence.group, { fencing_token: fence.fencingToken, slugs });
    emit({
      code: 'warning',
      reason: `a roll that was sent under this lease still runs, and is waited for: ${nameList(slugs)}`,
    });
    await sleep(clock, ASK_AGAIN_MS, signal);
  }
  if (late.size) await verifier.prove([...late]);
}

/** The control plane refused the request, and took another copy of it later: that is a roll like any other. */
function arrivedLate(
  { context, ledger }: RollTools,
  { phase, slugs }: { phase: string; slugs: string[] },
  late: Set<string>,
): void {
  const fresh = slugs.filter((slug) => ledger.has(slug) && !late.has(slug));
  if (!fresh.length) return;
  for (const slug of fresh) {
    ledger.startRoll(slug, phase, context.clock.monotonic());
    late.add(slug);
  }
  context.emit({
    code: 'warning',
    reason: `a roll that was refused arrived once more and was carried out: ${nameList(fresh)}`,
  });
}
