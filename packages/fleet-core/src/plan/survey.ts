/** Which tenants there are and what each runs: before a roll, and once more after it. */

import type { RedeployClient } from '../clients/control-plane/redeploy.js';
import type { StageContext } from '../context.js';
import { FleetError } from '../errors.js';
import type { Emit } from '../events/emitter.js';
import type { Ledger } from '../verify/ledger.js';
import type { Verifier } from '../verify/verify.js';
import { listFleet } from './list.js';
import { checkCanary } from './plan.js';
import { checkScope, inScope, type ScopePolicy } from './scope.js';

/** What looking at a fleet takes. */
export interface SurveyTools {
  context: StageContext;
  client: RedeployClient;
  verifier: Verifier;
  ledger: Ledger;
}

export interface SurveyPolicy extends ScopePolicy {
  canary: string | null;
}

/**
 * Lists the fleet and asks every tenant that is meant: the baseline, and the proof that tenants can be read at all.
 *
 * @returns The whole fleet; those that are meant stand in the ledger.
 */
export async function survey(
  { context, client, verifier, ledger }: SurveyTools,
  policy: SurveyPolicy,
): Promise<string[]> {
  const { slugs: fleet, warnings } = await listFleet(client, context);
  for (const reason of warnings) context.emit({ code: 'warning', reason });
  checkScope(fleet, policy);
  for (const slug of inScope(fleet, policy)) ledger.add(slug);
  await verifier.look(ledger.slugs);
  ledger.keepBaseline();
  checkCanary(policy.canary, fleet);
  return fleet;
}

/** Stops before a roll whose success could not be seen. */
export function refuseBlindness(ledger: Ledger, emit: Emit, force: boolean): void {
  const { slugs } = ledger;
  const counts = ledger.counts();
  const asked = counts.enumerated - counts.excused;
  const dev = slugs.filter((slug) => ledger.get(slug).observed?.kind === 'dev');
  if (dev.length === slugs.length) {
    emit({
      code: 'warning',
      reason:
        'every tenant answers "dev" now: should the new image carry no commit either, the roll will not be proven',
    });
  }
  if (force || !asked || counts.invalid !== asked) return;
  throw new FleetError(
    'FAILED',
    `none of ${slugs.length} tenants answers with buildinfo, so a roll could not be proven; nothing was rolled`,
    {
      outcome: 'failed',
      next: `${ledger.detailOf(ledger.stragglers()[0] as string)}: check --tenant-url and what stands in front of /buildinfo; --force rolls anyway`,
    },
  );
}

/**
 * Enumerates again and asks everybody again: tenants come, go and fall back while a roll takes its time.
 *
 * @param options.settle Gives whoever was proven and fell back, or came meanwhile, a settle budget.
 */
export async function lookAgain(
  { context, client, verifier, ledger }: SurveyTools,
  { settle, ...scope }: ScopePolicy & { settle: boolean },
): Promise<void> {
  const { emit, signal } = context;
  const before = ledger.slugs;
  const after = await listFleet(client, context)
    .then(({ slugs }) => inScope(slugs, scope))
    .catch((error) => {
      if (signal.aborted) throw error;
      emit({
        code: 'warning',
        reason:
          'the fleet could not be listed again after the roll: tenants created meanwhile are not verified',
      });
      return before;
    });
  const fresh = after.filter((slug) => !ledger.has(slug));
  for (const slug of fresh) {
    ledger.add(slug).note = 'appeared during the roll';
    emit({ code: 'warning', reason: `${slug} appeared during the roll` });
  }
  const stragglers = new Set(ledger.stragglers(before));
  const lookOnce = before.filter((slug) => stragglers.has(slug));
  const proveAgain = [...before.filter((slug) => !stragglers.has(slug)), ...fresh];
  // Whoever used up a budget is asked just once more; whoever was proven gets a budget only if it fell back.
  await verifier.ask([...lookOnce, ...proveAgain]);
  const open = proveAgain.filter((slug) => !ledger.isOnTarget(slug) && ledger.statusOf(slug) !== 'excused');
  if (settle && open.length) await verifier.prove(open);
  for (const slug of before) {
    if (!after.includes(slug)) ledger.get(slug).note = 'the control plane no longer lists it';
  }
  for (const slug of ledger.slugs) {
    if (ledger.isOnTarget(slug) && ledger.get(slug).row?.verified === false) {
      emit({ code: 'warning', reason: `${slug}: ${ledger.detailOf(slug)}` });
    }
  }
}
