/** The pipeline: gate -> lock -> gate again -> plan -> rollout <-> verify -> report. No rules of its own. */
import { announceEnd, announceStart } from './announce/announce.js';
import { type Calls, type Fence, listFleet } from './clients/control-plane/redeploy.js';
import { type Config, checkOptions } from './config/config.js';
import type { Command, FleetOptions } from './config/options.js';
import { policyOf } from './config/policy.js';
import { isFleetError } from './errors.js';
import { Emitter } from './events/emitter.js';
import { passGates, passGatesAgain, recheckGates, recheckHead } from './gate/gates.js';
import { lockOptions } from './lock/from-config.js';
import type { Lease } from './lock/lease.js';
import { type LeftClaim, withFleetLock } from './lock/lock.js';
import { planWaves, readFleet } from './plan/plan.js';
import { emitPlan, lookAgain, refuseBlindness, survey } from './plan/survey.js';
import { type Ports, systemPorts } from './ports.js';
import { lagOf } from './report/branch-lag.js';
import { buildResult, type FleetResult } from './report/build-result.js';
import { type Ending, endingOf, type Stage, timeoutError } from './report/ending.js';
import { judge } from './report/verdict.js';
import { type Halt, rollInOneCall, rollScoped } from './rollout/rollout.js';
import { Ledger } from './verify/ledger.js';
import { verifyTenants } from './verify/verify.js';

export interface RunContext {
  /** Replaced parts of the surroundings; `emit` receives the events. */
  ports?: Partial<Ports>;
  /** Ends the run as `interrupted`; the reason `SIGTERM` gives exit code 143, anything else 130. */
  signal?: AbortSignal;
  /** Ends at once what a run still does after its verdict: telling people. `signal` does so where it comes that late. */
  hurry?: AbortSignal;
  /** Told of every claim of the lock before it is first sent; see {@link releaseLeftClaim}. */
  onClaim?: (claim: LeftClaim) => void;
}

interface Run extends Calls {
  context: RunContext;
  emitter: Emitter;
  stage: Stage;
  lock: FleetResult['lock'];
}

/**
 * Runs what a checked configuration asks for.
 *
 * @returns The result of every outcome, the bad ones too. @throws only for faults of the library itself.
 */
export async function runFleet(config: Config, context: RunContext = {}): Promise<FleetResult> {
  const ports = systemPorts(context.ports);
  const emitter = new Emitter(ports);
  const deadline = new AbortController();
  const cancelDeadline = ports.clock.timer(config.timeoutMs, () => deadline.abort(timeoutError(config)));
  const startedAt = ports.clock.wall();
  const signal = context.signal ? AbortSignal.any([context.signal, deadline.signal]) : deadline.signal;
  const run: Run = {
    config,
    ports,
    signal,
    context,
    emitter,
    emit: emitter.emit,
    ledger: new Ledger(config.expectedSha, config.confirmations, config.ephemeral),
    calls: [],
    fence: null,
    reached: { cp: false },
    stage: 'gate',
    lock:
      config.lock && !config.dryRun ? { group: config.lock.group, fencing_token: null, waited_ms: 0 } : null,
  };
  emitter.emit({
    code: 'run.started',
    command: config.command === 'verify' ? 'verify' : config.dryRun ? 'plan' : 'redeploy',
    environment: config.environment,
    target_tag: config.targetTag || null,
    expected_sha: config.expectedSha,
    control_plane: config.controlPlane || null,
    timeout_ms: config.timeoutMs,
    policy: config.command === 'verify' ? null : policyOf(config),
  });
  try {
    const ending = await conduct(run).catch((error) => endingOf(run, error, context.signal));
    const branch = await lagOf(run);
    const verdict = buildResult({
      branch,
      ...ending,
      environment: config.environment ?? undefined,
      targetTag: config.targetTag || undefined,
      expectedSha: config.expectedSha ?? undefined,
      startedAt,
      finishedAt: Math.max(startedAt, ports.clock.wall()),
      lock: run.lock,
      ledger: run.ledger,
      calls: run.calls,
      warnings: emitter.warnings,
      askedBy: config.askedBy,
      signal: context.signal?.reason === 'SIGTERM' ? 'SIGTERM' : 'SIGINT',
    });
    emitter.doing = 'telling how it ended';
    // A signal that ended the run has been obeyed: people are told of that too.
    const late = context.signal?.aborted ? [context.hurry] : [context.signal, context.hurry];
    await announceEnd(
      run,
      verdict,
      late.filter((one) => one !== undefined),
    );
    const result = { ...verdict, warnings: [...emitter.warnings] };
    emitter.emit({ code: 'run.finished', result });
    return result;
  } finally {
    cancelDeadline();
    emitter.close();
  }
}

async function conduct(run: Run): Promise<Ending> {
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

const rolledOf = ({ ledger }: Calls) => ledger.slugs.filter((slug) => ledger.get(slug).phase !== null);

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

const start = (command: Command) => async (options: FleetOptions, context?: RunContext) =>
  runFleet(checkOptions(command, options), context);

/** Gates, lock, plan, rollout, verification. @throws FleetError `USAGE` before any request. */
export const redeployFleet = start('redeploy');
/** What a roll would do: gates, plan and what tenants run now; changes nothing. @throws FleetError `USAGE`. */
export const planFleet = start('plan');
/** Asks every tenant what it runs; changes nothing. @throws FleetError `USAGE`. */
export const verifyFleet = start('verify');
