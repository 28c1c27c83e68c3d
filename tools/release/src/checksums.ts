/** What a package is known by, so that everybody can build it from its tag and compare. */
import { hash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { requireClean } from './git.js';
import { say } from './output.js';
import { packAll, type Tarball } from './pack.js';
import { build, publishOrder, requireVersioned } from './workspace.js';

/** Packs all packages of this commit and says their checksums: the same commit makes the same bytes, on any machine. */
export function checksums(root: string, { built }: { built?: boolean }): void {
  requireClean(root);
  const release = requireVersioned(root);
  const temp = mkdtempSync(join(tmpdir(), 'fleet-release-'));
  try {
    if (!built) build(root, release);
    for (const tarball of packAll(root, publishOrder(release.packages), release, temp)) sayChecksums(tarball);
  } finally {
    rmSync(temp, { recursive: true, force: true });
  }
}

/** One line as `sha256sum --check` reads it, one as registries list it. */
export function sayChecksums({ name, version, file }: Tarball): void {
  const bytes = readFileSync(file);
  say(`${hash('sha256', bytes)}  ${basename(file)}`);
  say(`${name}@${version} sha512-${hash('sha512', bytes, 'base64')}`);
}
