/** The claim that the step has at the lock, kept where the post step finds it if the step is killed. */
import { lstatSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ClaimHandle } from '@tenant-fleet/fleet-core';
import type { Env } from '@tenant-fleet/fleet-core/config';
import { attempt, mask, saveState } from './runner.js';

const STATE = 'claim';

/** Called before the claim is sent: from then on it is never unknown what may be left. */
export function keepClaim(env: Env, { claimId, session }: ClaimHandle): void {
  mask([session]);
  const text = JSON.stringify({ claimId, session });
  saveState(env, STATE, text);
  try {
    const file = fileOf(env);
    rmSync(file, { force: true });
    // Never through a link that somebody else has put there.
    writeFileSync(file, text, { mode: 0o600, flag: 'wx' });
  } catch {
    // The state is the first way; a folder that cannot be written to only takes away the second.
  }
}

/** The claim that a step left which did not finish: its ids alone, since any step of the job may have written them. */
export function leftClaim(env: Env): ClaimHandle | null {
  const text = env[`STATE_${STATE}`] || read(fileOf(env));
  if (!text) return null;
  try {
    const { claimId, session } = JSON.parse(text) as Partial<Record<keyof ClaimHandle, unknown>>;
    return typeof claimId === 'string' && typeof session === 'string' ? { claimId, session } : null;
  } catch {
    return null;
  }
}

/** Nothing is left. */
export function forgetClaim(env: Env): void {
  attempt('the claim file', () => rmSync(fileOf(env), { force: true }));
}

/** Some runners lose the state of a step that they kill: this file is of the same step of the same job. */
function fileOf(env: Env): string {
  const { GITHUB_RUN_ID: run, GITHUB_RUN_ATTEMPT: attempt, GITHUB_JOB: job, GITHUB_ACTION: step } = env;
  const name = [run, attempt, job, step].map((part) => (part ?? '').replace(/[^\w.-]/g, '_')).join('-');
  return join(env.RUNNER_TEMP || tmpdir(), `fleet-claim-${name}.json`);
}

function read(file: string): string | null {
  try {
    return lstatSync(file).isFile() ? readFileSync(file, 'utf8') : null;
  } catch {
    return null;
  }
}
