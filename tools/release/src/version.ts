/** Turns pending changesets into versions and changelogs. */
import { join } from 'node:path';
import { run } from './command.js';
import { ReleaseError } from './errors.js';
import { currentBranch, git, requireClean } from './git.js';
import { say } from './output.js';
import { raisePins } from './pins.js';
import { pendingChangesets, readRelease } from './workspace.js';

/**
 * One commit on the release branch; nothing where no changeset is pending.
 *
 * @throws ReleaseError `DIRTY`, `BRANCH`, `VERSIONS`, `COMMAND`
 */
export function version(root: string): void {
  requireClean(root);
  const before = readRelease(root);
  if (pendingChangesets(root).length === 0) {
    say(`no changeset is pending: the version stays ${before.version}`);
    return;
  }
  if (currentBranch(root) !== before.branch) {
    throw new ReleaseError(
      'BRANCH',
      `versions are made on ${before.branch}, and this is ${currentBranch(root) ?? 'no branch'}`,
      `switch to ${before.branch}`,
    );
  }
  const changesets = join(root, 'node_modules/@changesets/cli/bin.js');
  run(process.execPath, [changesets, 'version'], { cwd: root });
  const after = readRelease(root);
  const released = after.version !== before.version;
  if (released) raisePins(root, after.version);
  git(root, ['add', '--all']);
  // An empty changeset says that a change releases nothing, and is spent all the same.
  git(root, [
    'commit',
    '--quiet',
    '-m',
    released ? `Release ${after.version}` : 'Remove changesets that release nothing',
  ]);
  say(
    released
      ? `${before.version} -> ${after.version}, committed`
      : `no package changes: the version stays ${before.version}`,
  );
}
