/** The step: inputs, one call of core, output. */
import { exitCodeOf, type FleetError, isFleetError, USAGE_EXIT_CODE } from '@tenant-fleet/fleet-core';
import { type Config, type Env, loadConfig, secretsOf } from '@tenant-fleet/fleet-core/config';
import {
  announceUnstarted,
  outcomeOf,
  redact,
  runFleet,
  systemPorts,
} from '@tenant-fleet/fleet-core/program';
import { lineTeller, renderResult } from '@tenant-fleet/fleet-core/render';
import { wantsTelemetry } from '@tenant-fleet/fleet-telemetry/wanted';
import { forgetClaim, keepClaim } from './claim-state.js';
import { type Inputs, readInputs } from './inputs.js';
import { writeOutputs, writeSummary } from './outputs.js';
import { mask, saveState, say, sayEvent } from './runner.js';

declare const FLEET_VERSION: string;

/** Runs the step to its exit code. Never rejects. */
export async function runAction(env: Env): Promise<number> {
  let inputs: Inputs | undefined;
  try {
    inputs = readInputs(env);
    mask(await secretsOf(inputs, systemPorts()));
    for (const problem of inputs.unknown) say(`warning: ${problem}`);
    return await roll(env, inputs);
  } catch (error) {
    const known = isFleetError(error) && error.code !== 'INTERNAL';
    const text = error instanceof Error ? error.message : String(error);
    say(`ERROR: ${known ? text : `${redact(text)} (INTERNAL)`}`);
    if (known && error.next) say(`next: ${error.next}`);
    if (!known) return 1;
    if (error.code === 'USAGE' && inputs) await tellUnstarted(inputs, error);
    return error.code === 'USAGE' ? USAGE_EXIT_CODE : exitCodeOf(outcomeOf(error), { askedBy: 'human' });
  } finally {
    saveState(env, 'finished', 'true');
    forgetClaim(env);
  }
}

/** A run that cannot begin is a deploy that fails: people are told as far as its settings say whom. */
async function tellUnstarted(inputs: Inputs, error: FleetError): Promise<void> {
  try {
    const config = await loadConfig('announce', inputs, systemPorts());
    await announceUnstarted(config, error, { ports: { emit: sayEvent } });
  } catch (problem) {
    if (!isFleetError(problem)) throw problem;
    say(`warning: nobody is told of it: ${problem.message}`);
  }
}

async function roll(env: Env, inputs: Inputs): Promise<number> {
  const { verbose } = inputs;
  const config = await loadConfig('redeploy', inputs, systemPorts());
  if (env.GITEA_ACTIONS === 'true') {
    say(
      `Gitea Actions, runner ${env.GITEA_ACTIONS_RUNNER_VERSION || 'of unknown version'}, Node ${process.version}`,
    );
  }
  const controller = new AbortController();
  const hurry = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      if (controller.signal.aborted) return hurry.abort();
      say(
        `${name}: ${config.handOver ? 'no longer watching' : 'stopping in order and giving the lock back'}`,
      );
      controller.abort(name);
    });
  }
  saveState(env, 'started', new Date().toISOString());
  if (config.handOver) saveState(env, 'watches', 'true');
  const tell = lineTeller({ verbose });
  const telemetry = await telemetryOf(env, config);
  const result = await runFleet(config, {
    signal: controller.signal,
    hurry: hurry.signal,
    onClaim: (claim) => keepClaim(env, claim),
    ports: {
      ...(telemetry ? { http: telemetry.traced(systemPorts().http) } : {}),
      emit: (event) => {
        telemetry?.follow(event);
        const line = tell(event);
        if (line !== null) say(line);
      },
    },
  });
  // Gitea folds what a step prints before this.
  if (env.GITEA_ACTIONS === 'true') say('::endgroup::');
  const [verdict, ...rest] = renderResult(result, { verbose });
  say(result.exit_code === 0 ? `${verdict}` : `ERROR: ${verdict}`);
  for (const line of rest) say(line);
  writeOutputs(env, result);
  await writeSummary(env, result);
  await telemetry?.end();
  return result.exit_code;
}

/** Traces and metrics of the step, where its environment asks for them; loaded only there. */
async function telemetryOf(env: Env, config: Config) {
  if (!wantsTelemetry(env, config.trigger)) return null;
  const { startTelemetry } = await import('@tenant-fleet/fleet-telemetry');
  return startTelemetry({ env, version: FLEET_VERSION, config, name: 'fleet redeploy', warn: say });
}
