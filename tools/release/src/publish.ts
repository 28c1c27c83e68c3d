/** Puts the released packages into the npm registry. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sayChecksums } from './checksums.js';
import { ReleaseError } from './errors.js';
import { requireClean, revision } from './git.js';
import { say } from './output.js';
import { packAll } from './pack.js';
import { Registry } from './registry.js';
import { build, publishOrder, requireVersioned } from './workspace.js';

export interface PublishOptions {
  /** The packages were built just before, from this commit: take `dist` as it is. */
  built?: boolean;
  /** Pack, check, and ask the registry; publish nothing. */
  dryRun?: boolean;
}

/**
 * Packs and checks all packages before it publishes the first; then one after the other, dependencies first. A version
 * that is in the registry is left alone, so a run that was cut short is finished by the next.
 *
 * @throws ReleaseError `DIRTY`, `PENDING_CHANGESETS`, `VERSIONS`, `NOT_TAGGED`, `PACKAGE`, `REGISTRY`, `USAGE`
 */
export function publish(root: string, options: PublishOptions): void {
  requireClean(root);
  const release = requireVersioned(root);
  if (!options.dryRun) requireTagged(root, `v${release.version}`);
  const temp = mkdtempSync(join(tmpdir(), 'fleet-release-'));
  try {
    const registry = new Registry(process.env, temp);
    const missing = publishOrder(release.packages).filter(({ manifest: { name } }) => {
      const there = registry.lists(name, release.version);
      if (there) say(`${name} ${release.version}: already published`);
      return !there;
    });
    if (missing.length > 0 && !options.built) {
      build(root, release);
      requireClean(root);
    }
    for (const tarball of packAll(root, missing, release, temp)) {
      const outcome = options.dryRun ? 'would be published' : registry.publish(tarball);
      say(`${tarball.name} ${tarball.version}: ${outcome}`);
      sayChecksums(tarball);
    }
  } finally {
    rmSync(temp, { recursive: true, force: true });
  }
}

/** The tag is what makes a version one content: packages of two under one version cannot be told apart. */
function requireTagged(root: string, name: string): void {
  // The commit below the tag, or the tag itself.
  const [head, below, tagged] = ['HEAD', `refs/tags/${name}~1`, `refs/tags/${name}`].map((ref) =>
    revision(root, `${ref}^{tree}`),
  );
  if (head !== null && (head === below || head === tagged)) return;
  throw new ReleaseError(
    'NOT_TAGGED',
    tagged ? `${name} has other content than this commit` : `${name} is not tagged`,
    `run "release tag" first; to finish publishing an older release, run it on the tag ${name}`,
  );
}
