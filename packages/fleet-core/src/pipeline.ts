/** The pipeline: gate -> lock -> gate again -> plan -> rollout <-> verify. No rules of its own. */
import { announceStart } from './announce/announce.js';
import { type Calls, type Fence, listFleet } from './clients/control-plane/redeploy.js';
import type { Config } from './config/config.js';
import type { RunContext } from './context.js';
import { isFleetError } from './errors.js';
import type { Emitter } from './events/emitter.js';
import { passGates, passGatesAgain, recheckGates, recheckHead } from './gate/gates.js';
import { lockOptions } from './lock/from-config.js';
import type { Lease } from './lock/lease.js';
import { withFleetLock } from './lock/lock.js';
import { planWaves, readFleet } from './plan/plan.js';
import { emitPlan, lookAgain, refuseBlindness, survey } from './plan/survey.js';
import type { Ending, Stage } from './report/ending.js';
import { judge } from './report/verdict.js';
import type { FleetResult } from './result/result.js';
import { type Halt, rollInOneCall, rollScoped } from './rollout/rollout.js';
import { type Verification, verifyTenants } from './verify/verify.js';

export interface Run extends Calls, Verification {
  context: RunContext;
  emitter: Emitter;
  stage: Stage;
  lock: FleetResult['lock'];
}

/** Goes through the stages of what the configuration asks for. */
export async function conduct(run: Run): Promise<Ending> {
  const { config } = run;
  if (config.command === 'verify') return verify(run);
  run.emitter.doing = 'waiting at the gates';
  try {
    await passGates(run);
    if (config.dryRun) return await dryRun(run);
    await announceStart(run, run.signal);
    if (!config.lock) {
      run.emitter.warn('rolling without a lock (--no-lock): nothing keeps another roll of this fleet away');
      return await rollout(run, run.signal, null);
    }
    const { group, inheritedToken } = config.lock;
    if (inheritedToken !== undefined) {
      run.lock = { group, fencing_token: inheritedToken, waited_ms: 0 };
      // The parent renews, and ends this process where it loses the lease; the fence stops what comes too late.
      return await rollout(run, run.signal, { group, token: inheritedToken, ready: async () => {} });
    }
    run.stage = 'lock';
    run.emitter.doing = `waiting for the lock ${config.lock.group}`;
    return await underLock(run, config.lock);
  } catch (error) {
    if (isFleetError(error) && error.outcome === 'held' && !run.ledger.slugs.length) await showDrift(run);
    throw error;
  }
}

async function underLock(run: Run, lock: NonNullable<Config['lock']>): Promise<Ending> {
  const { config, ports } = run;
  const started = ports.clock.monotonic();
  try {
    return await withFleetLock(
      lockOptions(config, ports, run.context),
      ports,
      run.emit,
      run.signal,
      async (lease) => {
        run.lock = { group: lock.group, fencing_token: lease.fencingToken, waited_ms: lease.waitedMs };
        const ending = await rollout(
          run,
          AbortSignal.any([run.signal, lease.signal]),
          fenceOf(lease),
          (step) => {
            lease.step = step;
          },
        );
        return { value: ending, proven: ending.outcome.startsWith('succeeded') };
      },
    );
  } finally {
    if (run.lock?.fencing_token === null) run.lock.waited_ms = Math.round(ports.clock.monotonic() - started);
  }
}

const fenceOf = (lease: Lease): Fence => ({
  group: lease.group,
  token: lease.fencingToken,
  ready: (signal) => lease.ready(signal),
});

async function rollout(
  run: Run,
  signal: AbortSignal,
  fence: Fence | null,
  tell: (step: string) => void = () => {},
): Promise<Ending> {
  const { config, ledger, emitter } = run;
  const io = {
    ...run,
    signal,
    fence,
    mayGoOn: () => recheckGates({ ...run, signal }),
    doing: (step: string) => {
      emitter.doing = step;
      tell(step);
    },
  };
  run.stage = 'gate';
  await passGatesAgain(io);
  run.stage = 'roll';
  io.doing('planning');
  const slugs = await survey(io);
  refuseBlindness(io, slugs);
  const skip = new Set(config.force ? [] : slugs.filter((slug) => ledger.isOnTarget(slug)));
  const waves = planWaves(slugs, skip, config);
  emitPlan(io, slugs, waves);
  let halt: Halt | null = null;
  if (waves.length) {
    try {
      if (config.strategy === 'scoped') halt = await rollScoped(io, waves);
      else
        await rollInOneCall(
          io,
          slugs.filter((slug) => !skip.has(slug)),
          skip.size === 0,
        );
    } catch (error) {
      // What was rolled before the fault is asked once more, so that the report does not end in the past.
      if (!signal.aborted) await verifyTenants(io, rolledOf(io), 0);
      throw error;
    }
    io.doing('looking at the whole fleet once more');
    await lookAgain(io, halt === null);
  }
  const verdict = judge({
    ledger,
    canary: config.canary,
    maxStragglers: config.maxStragglers,
    halt,
    alreadyOnTarget: !waves.length,
  });
  // Tenants that run something newer than this commit are no failure of this run.
  if (verdict.outcome === 'failed') await recheckHead(io);
  return verdict;
}

const rolledOf = ({ ledger }: Verification) => ledger.slugs.filter((slug) => ledger.get(slug).phase !== null);

async function dryRun(run: Run): Promise<Ending> {
  run.stage = 'roll';
  run.emitter.doing = 'planning';
  const { config, ledger } = run;
  const slugs = await survey(run);
  const skip = new Set(config.force ? [] : slugs.filter((slug) => ledger.isOnTarget(slug)));
  const waves = planWaves(slugs, skip, config);
  for (const { phase, slugs: wave } of waves) for (const slug of wave) ledger.get(slug).phase = phase;
  emitPlan(run, slugs, waves);
  const count = slugs.length - skip.size;
  return {
    outcome: 'planned',
    reason: count
      ? `${count} of ${slugs.length} tenants would be rolled in ${waves.length} waves`
      : 'all tenants are on target: nothing would be rolled',
    next: [],
  };
}

async function verify(run: Run): Promise<Ending> {
  run.stage = 'roll';
  run.emitter.doing = 'verifying';
  const { config, ledger } = run;
  const slugs = config.tenants ?? readFleet(await listFleet(run)).slugs;
  for (const slug of slugs) ledger.add(slug);
  await verifyTenants(run, slugs, config.settleBudgetMs);
  const canary = config.tenants ? null : config.canary;
  return judge({ ledger, canary, maxStragglers: config.maxStragglers, halt: null, alreadyOnTarget: false });
}

/** A held run still shows the plan and how far the fleet is from it; what fails here changes nothing. */
async function showDrift(run: Run): Promise<void> {
  run.emitter.doing = 'looking at the fleet, on hold';
  try {
    const slugs = await survey(run);
    const skip = new Set(slugs.filter((slug) => run.ledger.isOnTarget(slug)));
    emitPlan(run, slugs, planWaves(slugs, skip, run.config));
  } catch (error) {
    if (run.signal.aborted) throw error;
    run.emitter.warn('the fleet could not be looked at while on hold');
  }
}
