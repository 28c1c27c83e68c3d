/** The few words that a step says to its runner. */
import * as core from '@actions/core';
import type { FleetEvent } from '@tenant-fleet/fleet-core';
import type { Env } from '@tenant-fleet/fleet-core/config';
import { renderEvent } from '@tenant-fleet/fleet-core/render';

export const say = (line: string): void => core.info(line);

export function sayEvent(event: FleetEvent, options?: { verbose?: boolean }): void {
  const line = renderEvent(event, options);
  if (line !== null) say(line);
}

/**
 * Keeps secrets out of the log of the whole job.
 *
 * Runners mask one line at a time; an empty mask would put stars between all letters of the log; and where a shorter
 * mask came first, the rest of a longer secret would show. Older runners print a line of stars for each mask: encoded forms
 * that nothing here writes have none.
 */
export function mask(secrets: readonly (string | undefined)[]): void {
  const lines = secrets.flatMap((secret) => (secret ?? '').split(/\r?\n/)).map((line) => line.trim());
  const forms = lines.filter((line) => line.length > 1).flatMap((line) => [line, encodeURIComponent(line)]);
  for (const form of [...new Set(forms)].sort((a, b) => b.length - a.length)) {
    core.setSecret(form);
    // Older Gitea runners take a mask as it stands, without undoing the escapes that GitHub's expect.
    if (form.includes('%')) say(`::add-mask::${form}`);
  }
}

/**
 * Writes what the runner may have no room for: said aloud, since somebody may miss it, and no part of what happened to
 * the fleet.
 *
 * @returns Whether it was written.
 */
export function attempt(what: string, write: () => void): boolean {
  try {
    write();
    return true;
  } catch (error) {
    const { code } = error as { code?: unknown };
    say(
      `WARNING: ${what} could not be written (${typeof code === 'string' ? code : 'its file is not there'})`,
    );
    return false;
  }
}

/** Sets an output. A runner drops lines over 64 KiB and stumbles over blank ones: long values come in short lines. */
export function setOutput(env: Env, name: string, value: string): void {
  if (env.GITHUB_OUTPUT) attempt(`the output ${name}`, () => core.setOutput(name, value));
}

/** Hands a value of one line to the post step. */
export function saveState(env: Env, name: string, value: string): void {
  // Gitea runners read the file of an interrupted step too late, and this line at once.
  if (env.GITEA_ACTIONS === 'true') say(`::save-state name=${name}::${value.replaceAll('%', '%25')}`);
  if (env.GITHUB_STATE) attempt(`the state ${name}`, () => core.saveState(name, value));
}
