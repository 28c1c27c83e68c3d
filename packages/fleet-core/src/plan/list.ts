import type { RedeployClient } from '../clients/control-plane/redeploy.js';
import { refusal } from '../clients/control-plane/refusal.js';
import { nextStep, RETRY_WAITS_MS } from '../clients/control-plane/retry.js';
import type { StageContext } from '../context.js';
import { FleetError } from '../errors.js';
import { sleep } from '../io/sleep.js';
import { type Fleet, readFleet } from './plan.js';

/** Lists the fleet by a dry run. @throws FleetError `CP_*` where that fails, or as {@link readFleet}. */
export async function listFleet(client: RedeployClient, context: StageContext): Promise<Fleet> {
  for (let attempt = 0; ; attempt++) {
    const sent = await client.plan();
    const next = nextStep('plan', sent.exchange, client.calls.reached);
    if (next === 'read' && sent.answer) {
      if (sent.answer.ok) return readFleet(sent.answer.results);
      throw new FleetError('CP_CONTRACT', 'the control plane refused to plan the roll (ok: false)', {
        next: 'run with --verbose for its words, masked',
      });
    }
    const wait = RETRY_WAITS_MS[attempt];
    if (next !== 'retry' || wait === undefined) throw refusal(client.url, sent);
    context.emit({
      code: 'call.retry',
      phase: 'plan',
      attempt: attempt + 1,
      wait_ms: wait,
      reason: sent.reason,
    });
    await sleep(context.clock, wait, context.signal);
  }
}
