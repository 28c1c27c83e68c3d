/** The repository that runners and people fetch from. */
import { ReleaseError } from './errors.js';
import { remoteGit, revision } from './git.js';
import { redact } from './output.js';

export interface Remote {
  name: string;
  /** Commit of the release's tag, or null where the remote lacks it. */
  tag: string | null;
  /** True where the remote's branch contains HEAD. */
  hasHead: boolean;
}

/** Asks the remote, and fetches what it answers with. @throws ReleaseError `PUSH_REJECTED` */
export function readRemote(root: string, name: string, tag: string, branch: string): Remote {
  const refs = [`refs/tags/${tag}`, `refs/heads/${branch}`];
  const listed = remoteGit(root, name, ['ls-remote', name, ...refs]);
  if (listed.code !== 0) throw unreachable(name, listed.stderr);
  const known = new Map(
    listed.stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => line.split('\t').reverse() as [string, string]),
  );
  const present = refs.filter((ref) => known.has(ref));
  if (present.length > 0) {
    const fetched = remoteGit(root, name, ['fetch', '--quiet', '--no-tags', name, ...present]);
    if (fetched.code !== 0) throw unreachable(name, fetched.stderr);
  }
  const [tagged, head] = refs.map((ref) => known.get(ref));
  return {
    name,
    tag: tagged ? revision(root, `${tagged}^{commit}`) : null,
    hasHead:
      head !== undefined && remoteGit(root, name, ['merge-base', '--is-ancestor', 'HEAD', head]).code === 0,
  };
}

/**
 * All refs or none, and never by force: of two releases at once one wins, and the other one changes nothing.
 *
 * @throws ReleaseError `PUSH_REJECTED`
 */
export function pushAll(root: string, remote: string, refspecs: readonly string[]): void {
  const pushed = remoteGit(root, remote, ['push', '--atomic', '--porcelain', remote, ...refspecs]);
  if (pushed.code === 0) return;
  // Lines of refused refs start with "!": "!\tHEAD:refs/heads/main\t[rejected] (fetch first)".
  const refused = pushed.stdout.split('\n').filter((line) => line.startsWith('!'));
  if (refused.length === 0) throw unreachable(remote, pushed.stderr);
  const reasons = refused.map((line) => line.split('\t').slice(1).join(' '));
  throw new ReleaseError(
    'PUSH_REJECTED',
    `${remote} took neither branch nor tag: ${redact(reasons.join('; ')).slice(0, 500)}`,
    'where somebody else pushed meanwhile, run the release again; where a hook declined, let the owner of RELEASE_TOKEN push to the branch and create tags',
  );
}

function unreachable(remote: string, stderr: string): ReleaseError {
  const reason = stderr.split('\n').find((line) => /^(fatal|error|remote):/.test(line)) ?? 'no reason given';
  return new ReleaseError(
    'PUSH_REJECTED',
    `git cannot use the remote ${remote}: ${redact(reason).slice(0, 300)}`,
    'check the address, and that RELEASE_TOKEN has the scope write:repository',
  );
}
