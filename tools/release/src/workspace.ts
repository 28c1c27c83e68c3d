/** What is released: the packages of the `fixed` group in `.changeset/config.json`, all under one version. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PNPM, show } from './command.js';
import { ReleaseError } from './errors.js';

export const ACTION_DIR = 'packages/fleet-action';

export interface Manifest {
  name: string;
  version: string;
  private?: boolean;
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
  exports?: unknown;
  bin?: unknown;
}

export interface ReleasedPackage {
  manifest: Manifest;
  dir: string;
}

export interface Release {
  version: string;
  /** Branch that releases are made from. */
  branch: string;
  packages: ReleasedPackage[];
}

/** @throws ReleaseError `VERSIONS` where the packages do not share one version, `PACKAGE` where one would be forgotten. */
export function readRelease(root: string): Release {
  const config = readJson(join(root, '.changeset/config.json')) as { fixed: string[][]; baseBranch: string };
  const names = config.fixed.flat();
  const all = readdirSync(join(root, 'packages'))
    .map((entry) => join(root, 'packages', entry))
    .filter((dir) => existsSync(join(dir, 'package.json')))
    .map((dir) => ({ dir, manifest: readJson(join(dir, 'package.json')) as Manifest }));
  const forgotten = all.find(({ manifest }) => !manifest.private && !names.includes(manifest.name));
  if (forgotten) {
    throw new ReleaseError(
      'PACKAGE',
      `${forgotten.manifest.name} is not private and not in the fixed group of .changeset/config.json`,
      'add it to the group, or set "private": true in its package.json',
    );
  }
  const packages = all.filter(({ manifest }) => names.includes(manifest.name));
  const versions = new Set(packages.map(({ manifest }) => manifest.version));
  const [version = ''] = versions;
  if (versions.size !== 1) {
    const list = packages.map(({ manifest }) => `${manifest.name} ${manifest.version}`).join(', ');
    throw new ReleaseError(
      'VERSIONS',
      `the packages have different versions: ${list}`,
      'give all of them the highest one',
    );
  }
  return { version, branch: config.baseBranch, packages };
}

/** Changesets that no version carries yet, by file name. */
export function pendingChangesets(root: string): string[] {
  return readdirSync(join(root, '.changeset')).filter((name) => name.endsWith('.md') && name !== 'README.md');
}

/** @throws ReleaseError `PENDING_CHANGESETS`, `VERSIONS` */
export function requireVersioned(root: string): Release {
  const pending = pendingChangesets(root);
  if (pending.length > 0) {
    throw new ReleaseError(
      'PENDING_CHANGESETS',
      `changesets are pending: ${pending.join(', ')}`,
      'run "release version" first; one that it leaves names only packages that are never released: delete it',
    );
  }
  const release = readRelease(root);
  if (release.version === '0.0.0') {
    throw new ReleaseError(
      'VERSIONS',
      'there is no version yet',
      'write a changeset and run "release version"',
    );
  }
  return release;
}

/** Builds the released packages from the sources, and never from a cache. */
export function build(root: string, release: Release): void {
  const filters = release.packages.map(({ manifest }) => `--filter=${manifest.name}`);
  const [npx, ...pnpm] = PNPM;
  show(
    npx,
    [
      ...pnpm,
      'exec',
      'turbo',
      'run',
      'build',
      '--cache=local:,remote:',
      '--output-logs=errors-only',
      ...filters,
    ],
    root,
  );
}

/** Those that go to the registry, each after what it depends on. */
export function publishOrder(packages: readonly ReleasedPackage[]): ReleasedPackage[] {
  const open = packages.filter(({ manifest }) => !manifest.private);
  const ordered: ReleasedPackage[] = [];
  while (open.length > 0) {
    const index = open.findIndex(({ manifest }) =>
      open.every((other) => other.manifest === manifest || !dependsOn(manifest, other.manifest.name)),
    );
    const [next] = open.splice(Math.max(index, 0), 1);
    if (next) ordered.push(next);
  }
  return ordered;
}

function dependsOn(
  { dependencies, optionalDependencies, peerDependencies }: Manifest,
  name: string,
): boolean {
  return [dependencies, optionalDependencies, peerDependencies].some((group) => group && name in group);
}

export function readJson(path: string): unknown {
  return JSON.parse(readFileSync(path, 'utf8'));
}
