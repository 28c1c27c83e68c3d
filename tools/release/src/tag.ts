/**
 * The tag of a release: the commit of the branch, and on top of it one commit with the built action. Runners take an
 * action from git as it stands at the ref, and branches carry no build.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkBundle } from './bundle.js';
import { run } from './command.js';
import { ReleaseError } from './errors.js';
import { currentBranch, git, requireClean, revision } from './git.js';
import { say } from './output.js';
import { pushAll, readRemote } from './remote.js';
import { ACTION_DIR, build, requireVersioned } from './workspace.js';

export interface TagOptions {
  /** Remote that gets the branch and the tag; without one the tag stays here. */
  push?: string;
  /** The packages were built just before, from this commit: take `dist` as it is. */
  built?: boolean;
  /** Do all but create and push the tag. */
  dryRun?: boolean;
}

/**
 * Working tree, index and branch stay as they are. The same content gives the same commit on every machine, so a second
 * run finds the tag in place and succeeds.
 *
 * @throws ReleaseError `DIRTY`, `PENDING_CHANGESETS`, `VERSIONS`, `BUNDLE`, `TAG_EXISTS`, `BRANCH`, `PUSH_REJECTED`
 */
export function tag(root: string, options: TagOptions): void {
  requireClean(root);
  const release = requireVersioned(root);
  if (!options.built) {
    build(root, release);
    requireClean(root);
  }
  checkBundle(join(root, ACTION_DIR));
  const name = `v${release.version}`;
  const commit = releaseCommit(root, name);

  const remote = options.push === undefined ? null : readRemote(root, options.push, name, release.branch);
  const existing = remote?.tag ?? revision(root, `refs/tags/${name}^{commit}`);
  if (existing) requireSameTree(root, name, existing, commit);
  else requireBranch(root, release.branch, commit);

  if (options.dryRun) {
    say(existing ? `${name} is already there: ${existing}` : `${name} would be ${commit}`);
    return;
  }
  // Where the tag is, its branch came with it, if only from a run that made the same content at another second.
  if (remote && !remote.tag) {
    // The tag's own commit never goes to the branch, also where the release runs on the tag.
    const ahead = currentBranch(root) === release.branch && !carriesBundle(root, commit) && !remote.hasHead;
    pushAll(root, remote.name, [
      ...(ahead ? [`HEAD:refs/heads/${release.branch}`] : []),
      `${existing ?? commit}:refs/tags/${name}`,
    ]);
  }
  if (!revision(root, `refs/tags/${name}`)) {
    // Not annotated: the SHA that `git ls-remote` shows for the tag is then the one to pin, and the tag has no date.
    git(root, ['tag', '--no-sign', name, existing ?? commit]);
  }
  say(existing ? `${name} is already there: ${existing}` : `${name} is ${commit}`);
}

/** A commit object that nothing refers to yet: HEAD and the built action. */
function releaseCommit(root: string, name: string): string {
  const temp = mkdtempSync(join(tmpdir(), 'fleet-index-'));
  const env = { GIT_INDEX_FILE: join(temp, 'index') };
  try {
    git(root, ['read-tree', 'HEAD'], env);
    const dist = `${ACTION_DIR}/dist`;
    const old = git(root, ['ls-files', '-z', '--', dist], env);
    if (old) run('git', ['update-index', '-z', '--force-remove', '--stdin'], { cwd: root, env, input: old });
    for (const file of readdirSync(join(root, dist), { recursive: true, withFileTypes: true })) {
      if (!file.isFile()) continue;
      const path = join(file.parentPath, file.name);
      // Byte for byte, whatever .gitattributes says about line ends.
      const blob = run('git', ['hash-object', '-w', '--no-filters', '--stdin'], {
        cwd: root,
        input: readFileSync(path),
      });
      const entry = `100644,${blob},${path.slice(root.length + 1)}`;
      git(root, ['update-index', '--add', '--cacheinfo', entry], env);
    }
    const tree = git(root, ['write-tree'], env);
    return git(
      root,
      ['commit-tree', tree, '-p', 'HEAD', '-m', `${name}: add the built action`],
      sameAuthor(root),
    );
  } finally {
    rmSync(temp, { recursive: true, force: true });
  }
}

/** Names and dates of HEAD, so that the commit depends on content alone and needs no identity of its own. */
function sameAuthor(root: string): Record<string, string> {
  const [name = '', email = '', date = ''] = git(root, ['log', '-1', '--format=%cn%n%ce%n%cI']).split('\n');
  return {
    GIT_AUTHOR_NAME: name,
    GIT_AUTHOR_EMAIL: email,
    GIT_AUTHOR_DATE: date,
    GIT_COMMITTER_NAME: name,
    GIT_COMMITTER_EMAIL: email,
    GIT_COMMITTER_DATE: date,
  };
}

function requireSameTree(root: string, name: string, existing: string, commit: string): void {
  if (revision(root, `${existing}^{tree}`) === revision(root, `${commit}^{tree}`)) return;
  throw new ReleaseError(
    'TAG_EXISTS',
    `${name} exists and has other content: ${existing}`,
    `a version is released once. To release this commit, add a changeset; to finish publishing ${name}, run the release on the tag ${name}`,
  );
}

function requireBranch(root: string, branch: string, commit: string): void {
  if (currentBranch(root) !== branch) {
    throw new ReleaseError('BRANCH', `a new tag is made on ${branch}`, `switch to ${branch}`);
  }
  if (carriesBundle(root, commit)) {
    throw new ReleaseError(
      'BRANCH',
      `${branch} carries ${ACTION_DIR}/dist itself`,
      `take it off the branch: git rm -r ${ACTION_DIR}/dist`,
    );
  }
}

/** Whether HEAD has the built action already. */
function carriesBundle(root: string, commit: string): boolean {
  return revision(root, `${commit}^{tree}`) === revision(root, 'HEAD^{tree}');
}
