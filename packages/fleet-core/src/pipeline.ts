/** The pipeline: gate -> lock -> gate again -> plan -> rollout <-> verify. No rules of its own. */
import { announceStart } from './announce/announce.js';
import type { Fence } from './clients/control-plane/redeploy.js';
import { refuse } from './config/trust.js';
import { stopIfAsked } from './context.js';
import { isFleetError } from './errors.js';
import { passGates, passGatesAgain, recheckGates, recheckHead } from './gate/gates.js';
import { type Lent, underParentsLease } from './lock/child.js';
import { freezeBehind } from './lock/freeze-behind.js';
import { lockOptions } from './lock/from-config.js';
import { withLease } from './lock/lock.js';
import { decideWaves, doubtedNow } from './plan/decide.js';
import { refuseShrunkFleet } from './plan/history.js';
import { listFleet } from './plan/list.js';
import { dueIn, type Wave } from './plan/plan.js';
import { checkScope, inScope } from './plan/scope.js';
import { lookAgain } from './plan/survey.js';
import { planned, surveyed, takeScope } from './planning.js';
import { type Ending, endingOf } from './report/ending.js';
import { rolledOf } from './report/rolled.js';
import { judge } from './report/verdict.js';
import { isDeployed } from './result/outcome.js';
import { isPart } from './result/result.js';
import { type Holding, keeperOf, noRecord, type RecordKeeper } from './rollout/keeper.js';
import { type Halt, type Rollout, rollInOneCall, rollScoped } from './rollout/rollout.js';
import { settleCalls } from './rollout/settle.js';
import { contextOf, gatesOf, type Run, stepOf, toolsOf } from './run-state.js';
import { nameList, plural } from './text/words.js';

/**
 * Goes through the stages of what the configuration asks for.
 *
 * @returns How it ended, also where an error ended it. @throws only for faults of the library itself.
 */
export async function conduct(run: Run): Promise<Ending> {
  const { config, emitter } = run;
  if (config.command === 'verify') {
    refuse(config);
    return verify(run);
  }
  emitter.begin('waiting at the gates', config.timeoutMs);
  const ending = await pastTheGates(run).catch((error) => endingOf(error, run, run.context.signal));
  if (ending.outcome === 'held' && !run.ledger.slugs.length) await showDrift(run);
  return ending;
}

async function pastTheGates(run: Run): Promise<Ending> {
  const { config, emitter } = run;
  const { durable } = run.context;
  if (durable?.takeovers)
    run.emit({ code: 'run.taken_over', takeovers: durable.takeovers, host: run.ports.hostname() });
  await stepOf(run)('gates', async () => {
    await passGates(gatesOf(run, run.signal));
    if (!config.dryRun) await announceStart(run, run.signal);
  });
  if (config.dryRun) return dryRun(run);
  if (!config.lock) {
    emitter.warn('rolling without a lock (--no-lock): nothing keeps another roll of this fleet away');
    return rollout(run, run.signal, null, noRecord);
  }
  const { group, inheritedToken } = config.lock;
  run.stage = 'lock';
  if (inheritedToken !== undefined) {
    run.lock = { group, fencing_token: inheritedToken, waited_ms: 0 };
    emitter.begin(`waiting for its turn under the lease of ${group}`);
    const context = { ...run.context, ports: run.ports, signal: run.signal };
    return underParentsLease(config, context, run.emit, (lent, signal) => underLent(run, signal, lent));
  }
  emitter.begin(`waiting for the lock ${group}`, config.lock.waitMs);
  return underLock(run, group);
}

async function underLock(run: Run, group: string): Promise<Ending> {
  const { config, ports } = run;
  const started = ports.clock.monotonic();
  const options = lockOptions(config, ports, run.context);
  try {
    return await withLease(options, ports, run.emit, run.signal, async (lease) => {
      run.lock = { group, fencing_token: lease.fencingToken, waited_ms: lease.waitedMs };
      const signal = AbortSignal.any([run.signal, lease.signal]);
      const tell = (step: string) => {
        lease.step = step;
      };
      const value = await recorded(run, signal, lease, { records: lease.records, tell });
      return { value, result: proves(run, value) ? 'proven' : 'not_proven' };
    });
  } finally {
    if (run.lock?.fencing_token === null) run.lock.waited_ms = Math.round(ports.clock.monotonic() - started);
  }
}

/** Under the lease of a parent, which tells those who wait what it does, and ends later than this rollout. */
async function underLent(run: Run, signal: AbortSignal, { fence, records }: Lent): Promise<Ending> {
  if (!records) return rollout(run, signal, fence, noRecord);
  const order = run.config.order ?? undefined;
  const ending = await recorded(run, signal, fence, { records, tell: () => {}, order });
  await records.keep(undefined, proves(run, ending) ? order : undefined).catch(() => {});
  return ending;
}

const proves = ({ scope }: Run, { outcome }: Ending) => isDeployed(outcome) && !isPart(scope);

/** Learns from the record of the run before, and leaves one of its own, with how it ended. */
async function recorded(run: Run, signal: AbortSignal, fence: Fence, holding: Holding): Promise<Ending> {
  let ending: Ending | undefined;
  const takenOver = !!run.context.durable?.takeovers;
  const facts = {
    ...{ ...run, context: contextOf(run, signal), timeline: run.timeline.entries },
    ...{ takenOver, ending: () => ending },
  };
  ending = await keeperOf(holding, facts)
    .then((keeper) => rollout(run, signal, fence, keeper))
    .catch((error) => endingOf(error, run, run.context.signal));
  return ending;
}

async function rollout(
  run: Run,
  signal: AbortSignal,
  fence: Fence | null,
  { last, flips, left, tell, start, keep }: RecordKeeper,
): Promise<Ending> {
  const { config, ledger } = run;
  const { durable } = run.context;
  const gates = gatesOf(run, signal);
  const tools = toolsOf(run, signal, fence, keep, flips);
  const doing = (step: string, lastsMs?: number) => {
    run.emitter.begin(step, lastsMs);
    tell(step);
  };
  run.stage = 'gate';
  await passGatesAgain(gates);
  run.stage = 'roll';
  doing('planning');
  await settleCalls(tools, true);
  const { fleet, waves } = await planned(run, tools, last);
  await start(fleet, tools.verifier);
  let halt: Halt | null = null;
  if (waves.length) {
    const mayGoOn = async () => {
      stopIfAsked(run.context);
      if (durable) await run.suspended(() => durable.mayGoOn(signal));
      await recheckGates(gates);
    };
    const half = durable?.takeovers ? { rolled: left(), doubted: doubtedNow(ledger, last) } : null;
    const rollout = { tools, policy: config, mayGoOn, doing, step: stepOf(run), left: half };
    halt = await rollWaves(run, rollout, waves);
    await settleCalls(tools, halt === null);
    doing('looking at the whole fleet once more');
    await lookAgain(tools, { only: config.only, exclude: config.exclude, settle: halt === null });
  }
  const verdict = verdictOf(run, halt, !waves.length);
  // Tenants that run something newer than this commit are no failure of this run.
  if (verdict.outcome === 'failed') await recheckHead(gates);
  if (isDeployed(verdict.outcome)) await freezeBehind(run);
  return verdict;
}

async function rollWaves(
  { config, ledger, scope }: Run,
  rollout: Rollout,
  waves: Wave[],
): Promise<Halt | null> {
  try {
    if (config.strategy === 'scoped') return await rollScoped(rollout, waves);
    const due = new Set(dueIn(waves));
    const inOrder = ledger.slugs.filter((slug) => due.has(slug));
    const { halt, tenants } = await rollout.step('fleet', async () => ({
      halt: await rollInOneCall(rollout, inOrder, {
        whole: inOrder.length === ledger.slugs.length && !isPart(scope),
        soaksFirst: waves.find((wave) => wave.soak_only)?.slugs[0],
      }),
      tenants: ledger.keep(inOrder),
    }));
    ledger.restore(tenants);
    return halt;
  } catch (error) {
    // What was rolled before the fault is asked once more, so that the report does not end in the past.
    if (!rollout.tools.context.signal.aborted) await rollout.tools.verifier.ask(rolledOf(ledger));
    throw error;
  }
}

/** What the tenants that are meant prove. */
function verdictOf({ config, ledger, scope }: Run, halt: Halt | null, alreadyOnTarget: boolean): Ending {
  const { maxStragglers, tenants: named } = config;
  const canary = !named && config.canary && ledger.has(config.canary) ? config.canary : null;
  const verdict = judge({ ledger, canary, maxStragglers, halt, alreadyOnTarget });
  if (!scope || !isPart(scope)) return verdict;
  const { only, exclude, tenants, of } = scope;
  const flags = [...only.map((name) => `--only ${name}`), ...exclude.map((name) => `--exclude ${name}`)];
  return {
    ...verdict,
    reason: `${verdict.reason}; ${tenants} of ${of} tenants: ${nameList(flags, 10, ' ')}`,
  };
}

async function dryRun(run: Run): Promise<Ending> {
  run.stage = 'roll';
  run.emitter.begin('planning');
  const fleet = await surveyed(run, toolsOf(run, run.signal, null));
  try {
    refuseShrunkFleet(fleet, null, run.config);
  } catch (error) {
    if (!isFleetError(error)) throw error;
    run.emitter.warn(`a real roll would stop here: ${error.message}`);
  }
  const waves = decideWaves(run, run.config, null);
  const rolled = waves.filter((wave) => !wave.soak_only);
  for (const { phase, slugs: wave } of rolled) for (const slug of wave) run.ledger.get(slug).phase = phase;
  const soaks = waves.find((wave) => wave.soak_only)?.slugs[0];
  const first = soaks ? `, once the canary ${soaks} has soaked again` : '';
  return {
    outcome: 'planned',
    reason: waves.length
      ? `${dueIn(waves).length} of ${plural(run.ledger.slugs.length, 'tenant')} would be rolled in ${plural(rolled.length, 'wave')}${first}`
      : 'all tenants are on target: nothing would be rolled',
    next: [],
  };
}

async function verify(run: Run): Promise<Ending> {
  run.stage = 'roll';
  const { config, ledger } = run;
  run.emitter.begin('listing the fleet');
  const { context, client, verifier } = toolsOf(run, run.signal, null);
  const fleet = config.tenants ?? (await listFleet(client, context)).slugs;
  if (!config.tenants) refuseShrunkFleet(fleet, null, config);
  checkScope(fleet, config);
  for (const slug of inScope(fleet, config)) ledger.add(slug);
  takeScope(run, fleet);
  run.emitter.begin('verifying', config.settleBudgetMs);
  await verifier.prove(ledger.slugs, { tellsFirstLook: true });
  return verdictOf(run, null, false);
}

/** A held run still shows the plan and how far the fleet is from it; what fails here changes nothing. */
async function showDrift(run: Run): Promise<void> {
  run.emitter.begin('looking at the fleet, on hold');
  try {
    await surveyed(run, toolsOf(run, run.signal, null));
    decideWaves(run, run.config, null);
  } catch (error) {
    if (run.signal.aborted) throw error;
    run.emitter.warn('the fleet could not be looked at while on hold');
  }
}
