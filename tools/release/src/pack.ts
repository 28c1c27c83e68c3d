/** Packs a package and looks inside: what is wrong in a tarball cannot be mended after it is published. */
import { join } from 'node:path';
import { PNPM, run } from './command.js';
import { ReleaseError } from './errors.js';
import type { Manifest, Release, ReleasedPackage } from './workspace.js';

export interface Tarball {
  name: string;
  version: string;
  file: string;
}

const GROUPS = ['dependencies', 'devDependencies', 'peerDependencies', 'optionalDependencies'] as const;

/** In the order of `packages`. @throws ReleaseError `PACKAGE` */
export function packAll(
  root: string,
  packages: readonly ReleasedPackage[],
  release: Release,
  folder: string,
): Tarball[] {
  if (packages.length === 0) return [];
  const filters = packages.map(({ manifest }) => `--filter=${manifest.name}`);
  const [npx, ...pnpm] = PNPM;
  // pnpm, since npm would leave its `workspace:` and `catalog:` ranges as they are.
  run(npx, [...pnpm, ...filters, '--recursive', 'pack', '--pack-destination', folder], { cwd: root });
  return packages.map(({ manifest }) => {
    const file = join(folder, `${manifest.name.replace('@', '').replace('/', '-')}-${release.version}.tgz`);
    inspect(file, manifest.name, release);
    return { name: manifest.name, version: release.version, file };
  });
}

function inspect(file: string, name: string, release: Release): void {
  const entries = new Set(run('tar', ['-tzf', file], { cwd: '/' }).split('\n'));
  const manifest = JSON.parse(run('tar', ['-xzOf', file, 'package/package.json'], { cwd: '/' })) as Manifest;
  const problem = fault(manifest, entries, release);
  if (problem)
    throw new ReleaseError('PACKAGE', `${name}: ${problem}`, 'nothing was published; mend its package.json');
}

/** What is wrong with a packed package, or null. */
export function fault(manifest: Manifest, entries: Set<string>, release: Release): string | null {
  if (manifest.version !== release.version)
    return `the packed version is ${manifest.version}, not ${release.version}`;
  const siblings = new Set(release.packages.map((released) => released.manifest.name));
  for (const group of GROUPS) {
    for (const [name, range] of Object.entries(manifest[group] ?? {})) {
      if (/^(workspace|catalog|link|file):/.test(range)) return `${group} asks for ${name} by ${range}`;
      if (siblings.has(name) && range !== release.version) return `${group} asks for ${name} ${range}`;
    }
  }
  const wanted = ['./README.md', './LICENSE', ...paths(manifest.exports), ...paths(manifest.bin)];
  const missing = wanted.find((path) => !entries.has(`package/${path.replace(/^\.\//, '')}`));
  return missing ? `${missing} is not in the package` : null;
}

/** All strings of a nested object: the files of `exports` and `bin`. */
function paths(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return value && typeof value === 'object' ? Object.values(value).flatMap(paths) : [];
}
