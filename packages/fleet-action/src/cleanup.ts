/** The second chance to give a lock back, and to settle a commit status: after a step that was killed half-way. */
import { getState } from '@actions/core';
import { type ClaimHandle, isFleetError } from '@tenant-fleet/fleet-core';
import { type Env, loadConfig, secretsOf } from '@tenant-fleet/fleet-core/config';
import { announceCutOff, releaseClaim, systemPorts } from '@tenant-fleet/fleet-core/program';
import { forgetClaim, leftClaim } from './claim-state.js';
import { type Inputs, readInputs } from './inputs.js';
import { mask, say, sayEvent } from './runner.js';

/** Never rejects and never fails the job: the deploy has its own verdict, and what stays ends with its lease. */
export async function cleanUp(env: Env): Promise<void> {
  const left = leftClaim(env);
  const started = getState('started');
  if (!left && !started) return;
  if (getState('watches')) {
    say('the step only watched: the rollout goes on on the server, see fleet rollout list');
    return;
  }
  const inputs = readInputs(env);
  const ports = systemPorts();
  mask([...(await secretsOf(inputs, ports)), left?.session]);
  const since = started ? ` (it began at ${started})` : '';
  say(`the deploy step was cut off${since}: whether it rolled anything, fleet verify will tell`);
  if (left) await giveBack(inputs, left, env);
  else say('it had not asked for the lock yet: nothing is left of it there');
  try {
    // Up to Gitea 1.26 the token of the job is no good any more: then the next run settles the status.
    await announceCutOff(await loadConfig('announce', inputs, ports), { ports: { emit: sayEvent } });
  } catch {
    say('its commit status, if it left one, is settled by the next run');
  }
}

async function giveBack(inputs: Inputs, left: ClaimHandle, env: Env): Promise<void> {
  const ports = systemPorts();
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
