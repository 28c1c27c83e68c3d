/** Stage 4 as the pipeline goes through it: looks at the fleet, and makes its waves. */
import { decideWaves } from './plan/decide.js';
import { type LastRollout, refuseShrunkFleet } from './plan/history.js';
import { refuseBlindness, survey } from './plan/survey.js';
import type { RollTools } from './rollout/roll.js';
import { type Run, stepOf } from './run-state.js';
import { nameList } from './text/words.js';

/** The fleet and its waves; where an earlier process of this run planned them, as it did, and with what every tenant runs now. */
export async function planned(run: Run, tools: RollTools, last: LastRollout | null) {
  const { config, ledger, emit } = run;
  let isNew = false;
  const made = await stepOf(run)('plan', async () => {
    isNew = true;
    const fleet = await surveyed(run, tools);
    const gone = refuseShrunkFleet(fleet, last, config);
    if (gone.length)
      run.emitter.warn(`gone since the last rollout, which --allow-missing allows: ${nameList(gone)}`);
    refuseBlindness(ledger, emit, config.force);
    return { fleet, waves: decideWaves(run, config, last), tenants: ledger.keep(ledger.slugs) };
  });
  if (isNew) return made;
  const { verifier } = tools;
  ledger.restore(made.tenants);
  takeScope(run, made.fleet);
  await verifier.look(ledger.slugs);
  const begun = ledger.slugs.filter((slug) => ledger.get(slug).streak > 0 && !ledger.isOnTarget(slug));
  if (begun.length) await verifier.prove(begun);
  return made;
}

/** Looks at the fleet, and takes down which part of it is meant. @returns The whole fleet. */
export async function surveyed(run: Run, tools: RollTools): Promise<string[]> {
  const { config, ledger } = run;
  const fleet = await survey(tools, config);
  takeScope(run, fleet);
  if (config.canary && !ledger.has(config.canary))
    run.emitter.warn(`the canary ${config.canary} is not in the scope: nobody is rolled and watched first`);
  return fleet;
}

export function takeScope(run: Run, fleet: string[]): void {
  const { only, exclude } = run.config;
  if (only.length || exclude.length)
    run.scope = { only, exclude, tenants: run.ledger.slugs.length, of: fleet.length };
}
