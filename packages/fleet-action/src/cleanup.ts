/** The second chance to give a lock back: after a step that was killed half-way. */
import { getState } from '@actions/core';
import { isFleetError } from '@tenant-fleet/fleet-core';
import { type Env, loadConfig, secretsOf } from '@tenant-fleet/fleet-core/config';
import { releaseClaim, systemPorts } from '@tenant-fleet/fleet-core/program';
import { forgetClaim, leftClaim } from './claim-state.js';
import { readInputs } from './inputs.js';
import { mask, say } from './runner.js';

/** Never rejects and never fails the job: the deploy has its own verdict, and what stays ends with its lease. */
export async function cleanUp(env: Env): Promise<void> {
  const left = leftClaim(env);
  const started = getState('started');
  if (!left && !started) return;
  const inputs = readInputs(env);
  const ports = systemPorts();
  mask([...(await secretsOf(inputs, ports)), left?.session]);
  const since = started ? ` (it began at ${started})` : '';
  say(`the deploy step was cut off${since}: whether it rolled anything, fleet verify will tell`);
  if (!left) {
    say('it had not asked for the lock yet: nothing is left of it there');
    return;
  }
  try {
    const config = await loadConfig('lock', inputs, ports);
    const lock = `lock ${config.lock?.group}`;
    if (await releaseClaim(config, left)) {
      say(`${lock}: given back, nothing of that step is left there`);
      forgetClaim(env);
    } else {
      say(
        `${lock}: not given back, the lock server could not be asked; it is free again once the lease runs out`,
      );
    }
  } catch (error) {
    const why = isFleetError(error) ? error.message : 'its inputs cannot be read any more';
    say(`the lock was not given back: ${why}; it is free again once the lease runs out`);
  }
}
