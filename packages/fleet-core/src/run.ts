/** One run from checked options to the published result. */
import { announceEnd } from './announce/announce.js';
import { CallLog } from './clients/control-plane/call-log.js';
import { checkOptions } from './config/check-options.js';
import type { Config } from './config/config.js';
import type { Command, FleetOptions } from './config/options.js';
import { policyOf } from './config/policy.js';
import type { RunContext } from './context.js';
import { Emitter } from './events/emitter.js';
import { conduct, type Run } from './pipeline.js';
import { systemPorts } from './ports.js';
import { lagOf } from './report/branch-lag.js';
import { buildResult } from './report/build-result.js';
import { endingOf, timeoutError } from './report/ending.js';
import { nextCommands } from './report/next-commands.js';
import { stopSignalOf } from './result/outcome.js';
import type { FleetResult } from './result/result.js';
import { Ledger } from './verify/ledger.js';

/**
 * Runs what a checked configuration asks for.
 *
 * @returns The result of every outcome, the bad ones too. @throws only for faults of the library itself.
 */
export async function runFleet(config: Config, context: RunContext = {}): Promise<FleetResult> {
  const ports = systemPorts(context.ports);
  const emitter = new Emitter(ports);
  const deadline = new AbortController();
  const cancelDeadline = ports.clock.timer(config.timeoutMs, () =>
    deadline.abort(timeoutError(config.timeoutMs)),
  );
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
    calls: new CallLog(),
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
  for (const warning of config.warnings) emitter.warn(warning);
  try {
    const ending = await conduct(run).catch((error) => endingOf(error, run, context.signal));
    const branch = await lagOf(config, { http: ports.http, signal });
    const verdict = buildResult({
      branch,
      ...ending,
      environment: config.environment ?? undefined,
      scope: run.scope,
      targetTag: config.targetTag || undefined,
      expectedSha: config.expectedSha ?? undefined,
      startedAt,
      finishedAt: Math.max(startedAt, ports.clock.wall()),
      lock: run.lock,
      ledger: run.ledger,
      calls: run.calls.entries,
      warnings: emitter.warnings,
      askedBy: config.askedBy,
      signal: stopSignalOf(context.signal?.reason),
    });
    emitter.doing = 'telling how it ended';
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
    cancelDeadline();
    emitter.close();
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
