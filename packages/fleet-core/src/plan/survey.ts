/** Which tenants there are and what each runs: before a roll, and once more after it. */

import type { Calls } from '../clients/control-plane/redeploy.js';
import { listFleet } from '../clients/control-plane/redeploy.js';
import { FleetError } from '../errors.js';
import { type Verification, verifyTenants } from '../verify/verify.js';
import { checkCanary, readFleet, type Wave } from './plan.js';

/** Lists the fleet and asks every tenant once: the baseline, and the proof that tenants can be read at all. */
export async function survey(io: Calls & Verification): Promise<string[]> {
  const { config, ledger } = io;
  const fleet = readFleet(await listFleet(io));
  for (const reason of fleet.warnings) io.emit({ code: 'warning', reason });
  for (const slug of fleet.slugs) ledger.add(slug);
  await verifyTenants(io, fleet.slugs, 0);
  ledger.keepBaseline();
  checkCanary(config.canary, fleet.slugs);
  return fleet.slugs;
}

/** Stops before a roll whose success could not be seen. */
export function refuseBlindness({ config, ledger, emit }: Verification, slugs: string[]): void {
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
  if (config.force || !asked || counts.invalid !== asked) return;
  throw new FleetError(
    'FAILED',
    `none of ${slugs.length} tenants answers with buildinfo, so a roll could not be proven; nothing was rolled`,
    {
      outcome: 'failed',
      hint: `${ledger.detailOf(ledger.stragglers()[0] as string)}: check --tenant-url and what stands in front of /buildinfo; --force rolls anyway`,
    },
  );
}

/** Enumerates again and asks everybody again: tenants come, go and fall back while a roll takes its time. */
export async function lookAgain(io: Calls & Verification, settle: boolean): Promise<void> {
  const { config, ledger } = io;
  const before = ledger.slugs;
  const after = await listFleet(io)
    .then((rows) => readFleet(rows).slugs)
    .catch((error) => {
      if (io.signal.aborted) throw error;
      io.emit({
        code: 'warning',
        reason:
          'the fleet could not be listed again after the roll: tenants created meanwhile are not verified',
      });
      return before;
    });
  const fresh = after.filter((slug) => !ledger.has(slug));
  for (const slug of fresh) {
    ledger.add(slug).note = 'appeared during the roll';
    io.emit({ code: 'warning', reason: `${slug} appeared during the roll` });
  }
  const stragglers = new Set(ledger.stragglers(before));
  const lookOnce = before.filter((slug) => stragglers.has(slug));
  const proveAgain = [...before.filter((slug) => !stragglers.has(slug)), ...fresh];
  // Whoever used up a budget is asked just once more; whoever was proven gets a budget only if it fell back.
  await verifyTenants(io, [...lookOnce, ...proveAgain], 0);
  const open = proveAgain.filter((slug) => !ledger.isOnTarget(slug) && ledger.statusOf(slug) !== 'excused');
  if (settle && open.length) await verifyTenants(io, open, config.settleBudgetMs);
  for (const slug of before) {
    if (!after.includes(slug)) ledger.get(slug).note = 'the control plane no longer lists it';
  }
  for (const slug of ledger.slugs) {
    if (ledger.isOnTarget(slug) && ledger.get(slug).row?.verified === false) {
      io.emit({ code: 'warning', reason: `${slug}: ${ledger.detailOf(slug)}` });
    }
  }
}

/** Tells the plan. */
export function emitPlan({ config, ledger, emit }: Verification, slugs: string[], waves: Wave[]): void {
  emit({
    code: 'plan.ready',
    tenants: slugs.length,
    on_target: slugs.filter((slug) => ledger.isOnTarget(slug)),
    waves,
    strategy: config.strategy,
    dry_run: config.dryRun,
  });
}
