/** The configuration of a command, from what was typed, where and by whom; and the secrets that this process knows since. */
import { execFile } from 'node:child_process';
import { userInfo } from 'node:os';
import { promisify } from 'node:util';
import {
  type Command,
  type Config,
  type Given,
  loadConfig,
  secretsOf,
} from '@tenant-fleet/fleet-core/config';
import { systemPorts } from '@tenant-fleet/fleet-core/program';
import { environment } from './process/lent-lease.js';

const run = promisify(execFile);
/** A clone on a disk that is gone must not hold up the verdict. */
const GIT_MS = 2_000;
const secrets = new Set<string>();

/** @throws FleetError `USAGE` before any request. */
export async function configOf(command: Command, typed: Given['flags']): Promise<Config> {
  const config = await loadConfig(command, await givenOf(typed), systemPorts());
  // Who waits for a lock is to know whom to ask; in CI that is whoever started the run.
  const holds = command === 'redeploy' || command === 'rollback' || command === 'lock run';
  const actor = config.trigger.actor ?? (holds ? userName() : undefined);
  return { ...config, trigger: { ...config.trigger, actor } };
}

/** What was typed, with the environment around it; no secret in either is printed from here on. */
export async function givenOf(typed: Given['flags']): Promise<Given> {
  const given = { flags: await withWholeCommit(typed), env: await environment() };
  for (const secret of await secretsOf(given, systemPorts())) secrets.add(secret);
  return given;
}

/** For what nobody foresaw, which may carry anything. */
export function withoutSecrets(text: string): string {
  return [...secrets].reduce((rest, secret) => rest.replaceAll(secret, '[secret]'), text);
}

/** A short commit, a branch or a tag as the commit that it names in the git clone around this folder. */
async function withWholeCommit(flags: Given['flags']): Promise<Given['flags']> {
  const name = flags['expected-sha'];
  if (typeof name !== 'string' || !name || /^[0-9a-f]{40}$/i.test(name)) return flags;
  const asked = ['rev-parse', '--verify', '--quiet', '--end-of-options', `${name}^{commit}`];
  // Outside a clone, or without git, the name stands as it is and is refused as no commit.
  const found = await run('git', asked).catch(() => null);
  const sha = found?.stdout.trim() ?? '';
  return /^[0-9a-f]{40}$/.test(sha) ? { ...flags, 'expected-sha': sha } : flags;
}

/** The committer's date of a commit that the git clone around this folder has. */
export async function committedAt(sha: string): Promise<string | null> {
  const asked = ['show', '--no-patch', '--format=%cI', '--end-of-options', `${sha}^{commit}`];
  const found = await run('git', asked, { timeout: GIT_MS }).catch(() => null);
  return found?.stdout.trim() || null;
}

/** Containers run under numbers that no name belongs to. */
export function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return process.env.USER || `uid ${process.getuid?.()}`;
  }
}
