/** The second chance to give a lock back: after a step that was killed half-way. */
import { readFileSync } from 'node:fs';
import { getState } from '@actions/core';
import { type Env, releaseLeftClaim } from '@tenant-fleet/fleet-core';
import { forgetClaim, leftClaim } from './claim-state.js';
import { inputOf, secretsOf } from './inputs.js';
import { mask, say } from './runner.js';

/** Never rejects and never fails the job: the deploy has its own verdict, and what stays ends with its lease. */
export async function cleanUp(env: Env): Promise<void> {
  const left = leftClaim(env);
  const started = getState('started');
  if (!left && !started) return;
  mask([...secretsOf(env), left?.session]);
  const since = started ? ` (it began at ${started})` : '';
  say(`the deploy step was cut off${since}: whether it rolled anything, fleet verify will tell`);
  if (!left) {
    say('it had not asked for the lock yet: nothing is left of it there');
    return;
  }
  const token = tokenOf(env);
  const gone = token !== '' && (await releaseLeftClaim(left, token).catch(() => false));
  if (gone) {
    say(`lock ${left.group}: given back, nothing of that step is left there`);
    forgetClaim(env);
  } else {
    const why = token ? 'the lock server could not be asked' : 'this step has no control plane token';
    say(`lock ${left.group}: not given back, ${why}; it is free again once the lease runs out`);
  }
}

function tokenOf(env: Env): string {
  const file = inputOf('token-file');
  const direct = file ? '' : inputOf('token') || env.FLEET_CP_TOKEN;
  try {
    return (direct || readFileSync(file || env.FLEET_TOKEN_FILE || '', 'utf8')).trim();
  } catch {
    return '';
  }
}
