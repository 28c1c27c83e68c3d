import { attempt, type CommandResult, run } from './command.js';
import { ReleaseError } from './errors.js';
import { basicCredentials } from './output.js';

export function git(root: string, args: readonly string[], env?: Record<string, string>): string {
  return run('git', args, { cwd: root, env });
}

/** The object that a revision names, or null. */
export function revision(root: string, name: string): string | null {
  const found = attempt('git', ['rev-parse', '--quiet', '--verify', name], { cwd: root });
  return found.code === 0 ? found.stdout.trim() : null;
}

/** @throws ReleaseError `DIRTY` */
export function requireClean(root: string): void {
  const changes = git(root, ['status', '--porcelain']).split('\n').filter(Boolean);
  if (changes.length === 0) return;
  const shown = changes.slice(0, 5).map((line) => line.slice(3));
  const more = changes.length > shown.length ? ` and ${changes.length - shown.length} more` : '';
  throw new ReleaseError(
    'DIRTY',
    `the working tree differs from its commit: ${shown.join(', ')}${more}`,
    'commit these files or take them away; a release is made of commits alone',
  );
}

/** Name of the branch, or null on a detached HEAD. */
export function currentBranch(root: string): string | null {
  return attempt('git', ['symbolic-ref', '--quiet', '--short', 'HEAD'], { cwd: root }).stdout.trim() || null;
}

/** Git with a remote, with `RELEASE_TOKEN` where one is given. Standard output may name the remote: redact it. */
export function remoteGit(root: string, remote: string, args: readonly string[]): CommandResult {
  return attempt('git', args, {
    cwd: root,
    env: { GIT_TERMINAL_PROMPT: '0', ...authorization(root, remote) },
  });
}

/**
 * The token as configuration of this one process, for the address of this one remote: it is in no argument, no file of
 * the repository, and goes to no other host.
 */
function authorization(root: string, remote: string): Record<string, string> {
  const token = process.env.RELEASE_TOKEN?.trim();
  const found = attempt('git', ['remote', 'get-url', '--push', remote], { cwd: root });
  const url = found.code === 0 ? found.stdout.trim() : remote;
  if (!token || !/^https?:/.test(url)) return {};
  return {
    GIT_CONFIG_COUNT: '1',
    GIT_CONFIG_KEY_0: `http.${url}.extraHeader`,
    GIT_CONFIG_VALUE_0: `Authorization: Basic ${basicCredentials(token)}`,
  };
}
