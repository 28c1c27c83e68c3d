/** One run from checked options to the published result. */
import { announceEnd } from './announce/announce.js';
import { CallLog } from './clients/control-plane/call-log.js';
import type { Label } from './config/check.js';
import { checkOptions } from './config/check-options.js';
import type { Config } from './config/config.js';
import type { FleetOptions } from './config/options.js';
import { policyOf } from './config/policy.js';
import { settingOf } from './config/settings.js';
import type { RunContext } from './context.js';
import { Emitter } from './events/emitter.js';
import type { EventData } from './events/events.js';
import { holdLock } from './lock/from-config.js';
import type { Lease } from './lock/lease.js';
import { runOnServer } from './on-server/hand-over.js';
import { conduct } from './pipeline.js';
import { type Ports, systemPorts } from './ports.js';
import { behindBranch } from './report/behind-branch.js';
import { buildResult } from './report/build-result.js';
import { type Ending, endingOf, timeoutError } from './report/ending.js';
import { leadTimeOf } from './report/lead-time.js';
import { nextCommands } from './report/next-commands.js';
import { Timeline } from './report/timeline.js';
import { stopSignalOf } from './result/outcome.js';
import type { FleetResult, Policy } from './result/result.js';
import type { Run } from './run-state.js';
import { Ledger } from './verify/ledger.js';

/**
 * Runs what a checked configuration asks for.
 *
 * @returns The result of every outcome, the bad ones too. @throws only for faults of the library itself.
 */
export async function runFleet(config: Config, context: RunContext = {}): Promise<FleetResult> {
  if (config.handOver) return runOnServer(config, context);
  const ports = systemPorts(context.ports);
  const startedAt = context.durable?.startedAt ?? ports.clock.wall();
  const sinceMs = Math.max(0, ports.clock.wall() - startedAt);
  const timeline = new Timeline(ports.clock, config.expectedSha, sinceMs);
  const emitter = new Emitter({
    clock: ports.clock,
    emit: (event) => {
      timeline.note(event);
      return ports.emit(event);
    },
  });
  const deadline = deadlineOf(ports.clock, config.timeoutMs);
  const signal = context.signal ? AbortSignal.any([context.signal, deadline.signal]) : deadline.signal;
  const run: Run = {
    config,
    ports,
    signal,
    suspended: deadline.suspended,
    context,
    emitter,
    emit: emitter.emit,
    ledger: new Ledger(config.expectedSha, config.confirmations, config.ephemeral),
    calls: new CallLog(),
    timeline,
    stage: 'gate',
    lock:
      config.lock && !config.dryRun ? { group: config.lock.group, fencing_token: null, waited_ms: 0 } : null,
  };
  const policy = config.command === 'verify' ? null : policyOf(config);
  if (!context.durable?.takeovers) emitter.emit(started(config, policy));
  for (const warning of config.warnings) emitter.warn(warning);
  try {
    const ending = withTakeovers(
      await conduct(run).catch((error) => endingOf(error, run, context.signal)),
      context.durable?.takeovers ?? 0,
    );
    const about = { http: ports.http, signal, committedAt: context.committedAt };
    const deploy = { ...ending, scope: run.scope, startedAt, timeline: timeline.entries };
    const verdict = buildResult({
      branch: await behindBranch(config, about),
      leadTime: await leadTimeOf(config, deploy, about),
      ...deploy,
      environment: config.environment ?? undefined,
      rollback: config.rollback,
      rollout: context.durable && { id: context.durable.id, takeovers: context.durable.takeovers },
      targetTag: config.targetTag || undefined,
      expectedSha: config.expectedSha ?? undefined,
      finishedAt: Math.max(startedAt, ports.clock.wall()),
      lock: run.lock,
      ledger: run.ledger,
      calls: run.calls.entries,
      actor: config.trigger.actor,
      runUrl: config.trigger.runUrl,
      controlPlane: config.controlPlane || undefined,
      policy: policy ?? undefined,
      warnings: emitter.warnings,
      askedBy: config.askedBy,
      signal: stopSignalOf(context.signal?.reason),
    });
    emitter.begin('telling how it ended');
    // A signal that ended the run has been obeyed: people are told of that too.
    const late = context.signal?.aborted ? [context.hurry] : [context.signal, context.hurry];
    await announceEnd(
      run,
      verdict,
      late.filter((one) => one !== undefined),
    );
    const result = {
      ...verdict,
      warnings: [...emitter.warnings],
      next_commands: nextCommands(verdict, config, ending.code),
    };
    emitter.emit({ code: 'run.finished', result });
    return result;
  } finally {
    deadline.cancel();
    emitter.close();
  }
}

const started = (config: Config, policy: Policy | null): EventData => ({
  code: 'run.started',
  command: config.command === 'verify' ? 'verify' : config.dryRun ? 'plan' : 'redeploy',
  environment: config.environment,
  target_tag: config.targetTag || null,
  expected_sha: config.expectedSha,
  control_plane: config.controlPlane || null,
  timeout_ms: config.timeoutMs,
  policy,
});

/** The limit of the whole run; what is suspended does not count. */
function deadlineOf(clock: Ports['clock'], limitMs: number) {
  const over = new AbortController();
  let leftMs = limitMs;
  let since = 0;
  let cancel = () => {};
  const arm = () => {
    since = clock.monotonic();
    cancel = clock.timer(leftMs, () => over.abort(timeoutError(limitMs)));
  };
  arm();
  return {
    signal: over.signal,
    cancel: () => cancel(),
    suspended: async (work: () => Promise<void>) => {
      cancel();
      leftMs -= clock.monotonic() - since;
      try {
        await work();
      } finally {
        arm();
      }
    },
  };
}

/** Whoever reads the verdict is told that more than one process brought it about. */
function withTakeovers(ending: Ending, takeovers: number): Ending {
  if (!takeovers) return ending;
  const times = takeovers === 1 ? '' : ` ${takeovers} times`;
  return { ...ending, reason: `${ending.reason}; taken over${times} by another process of the server` };
}

/** Names an option as it stands in {@link FleetOptions}. */
const optionLabel: Label = (name) => settingOf(name).option;

/**
 * Rolls a fleet to a target and proves it: gates, lock, plan, rollout, verification, report.
 *
 * @param options Durations in milliseconds, addresses without a slash at their end; each with its default in
 *   {@link FleetOptions}. Needed: `controlPlane`, `controlPlaneToken`, `tenantUrl`, `targetTag`, `expectedSha`, and
 *   `environment` or `lockGroup` (or `noLock`).
 * @param context Replaced surroundings, `signal` to interrupt the run, and `ports.emit` for its events.
 * @returns The result of every outcome, the bad ones too: read `deployed`, then `outcome`.
 * @throws FleetError `USAGE` before any request, for an option that is missing or wrong.
 */
export async function redeployFleet(options: FleetOptions, context: RunContext = {}): Promise<FleetResult> {
  return runFleet(checkOptions('redeploy', options, optionLabel), context);
}

/**
 * What a roll would do: the gates, the waves, and what every tenant runs now. Changes nothing and takes no lock.
 *
 * @param options As for {@link redeployFleet}; without `expectedSha` nobody is on target.
 * @returns Outcome `planned`, or why the fleet could not be looked at.
 * @throws FleetError `USAGE` before any request.
 */
export async function planFleet(options: FleetOptions, context: RunContext = {}): Promise<FleetResult> {
  return runFleet(checkOptions('plan', options, optionLabel), context);
}

/**
 * Asks every tenant what it runs, until each is proven or its `settleBudgetMs` (default 240 000) is spent. Changes
 * nothing and takes no lock.
 *
 * @param options Needed: `tenantUrl`, `expectedSha`, and `controlPlane` with its token, or `tenant`, the slugs to ask.
 * @throws FleetError `USAGE` before any request.
 */
export async function verifyFleet(options: FleetOptions, context: RunContext = {}): Promise<FleetResult> {
  return runFleet(checkOptions('verify', options, optionLabel), context);
}

/**
 * Does other work on a fleet under its lock, and gives the lock back whatever happens.
 *
 * @param options Needed: `lockGroup` or `environment`, `controlPlane` (or `lockUrl`) and `controlPlaneToken`. `lockWaitMs`
 *   (default 1 200 000) bounds the queue, `lockTtlMs` (default 30 000) the life of a lease that is not renewed.
 * @param work Its lease renews itself. Nothing may start once `lease.signal` aborts: the lease is lost by then.
 * @returns What `work` returns.
 * @throws FleetError `USAGE` before any request; `LOCK_TIMEOUT`, `LOCK_LOST`, `SUPERSEDED`, `HELD`, `CP_*`,
 *   `LOCK_UNKNOWN_ENDPOINT`; what `work` throws; the reason of `context.signal`.
 */
export async function withFleetLock<T>(
  options: FleetOptions,
  work: (lease: Lease) => Promise<T>,
  context: RunContext = {},
): Promise<T> {
  return holdLock(checkOptions('lock', options, optionLabel), work, context);
}
