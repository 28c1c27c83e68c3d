/**
 * Packs every package that is published and looks at the tarball as a registry and its users will: publint,
 * arethetypeswrong, the fields that a registry shows, and links that lead somewhere from its page.
 *
 *   node tools/house/packages.mjs
 *
 * Build first. Ends with 1 and a line for each fault.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { problemKindInfo } from '@arethetypeswrong/core/problems';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';

const root = fileURLToPath(new URL('../..', import.meta.url));
const PNPM = ['-y', 'pnpm@10'];
/** The packages are ES modules: how CommonJS and TypeScript's oldest resolution see them is no fault. */
const ESM = ['node16-esm', 'bundler'];

const temp = mkdtempSync(join(tmpdir(), 'fleet-packages-'));
let faults = 0;
const fault = (name, what) => {
  faults += 1;
  console.log(`${name}: ${what}`);
};
try {
  for (const name of readdirSync(join(root, 'packages'))) {
    const dir = join(root, 'packages', name);
    const manifest = JSON.parse(readFileSync(join(dir, 'package.json'), 'utf8'));
    if (manifest.private) continue;
    execFileSync('npx', [...PNPM, 'pack', '--pack-destination', temp], { cwd: dir, stdio: 'ignore' });
    const file = join(temp, `${manifest.name.replace('@', '').replace('/', '-')}-${manifest.version}.tgz`);
    await inspect(name, manifest, readFileSync(file));
    for (const link of linksOf(dir))
      fault(name, `its README links to ${link}, which leads nowhere from a registry's page`);
  }
} finally {
  rmSync(temp, { recursive: true });
}
process.exitCode = faults ? 1 : 0;

async function inspect(name, manifest, tarball) {
  const { messages, pkg } = await publint({ pack: { tarball: arrayOf(tarball) }, strict: true });
  for (const message of messages) fault(name, formatMessage(message, pkg, { color: false }));
  for (const field of [
    'description',
    'keywords',
    'homepage',
    'bugs',
    'repository',
    'license',
    'engines',
    'files',
  ])
    if (!manifest[field]?.length && !Object.keys(manifest[field] ?? {}).length)
      fault(name, `it has no ${field}`);
  if (manifest.repository?.directory !== `packages/${name}`)
    fault(name, 'its repository.directory is another folder');
  if (!manifest.exports) return;
  const { types, problems = [] } = await checkPackage(createPackageFromTarballData(new Uint8Array(tarball)));
  if (!types) fault(name, 'it has no types');
  for (const problem of problems)
    if (!problem.resolutionKind || ESM.includes(problem.resolutionKind))
      fault(
        name,
        `${problem.entrypoint ?? ''} ${problemKindInfo[problem.kind].title} (${problem.resolutionKind ?? ''})`,
      );
}

function arrayOf({ buffer, byteOffset, byteLength }) {
  return buffer.slice(byteOffset, byteOffset + byteLength);
}

/** Links of a README that do not work outside of the repository, or name a file of it that is not there. */
function linksOf(dir) {
  const readme = readFileSync(join(dir, 'README.md'), 'utf8');
  const home = /^git\+(.*)\.git$/.exec(
    JSON.parse(readFileSync(join(dir, 'package.json'), 'utf8')).repository?.url,
  )?.[1];
  return [...readme.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link]) => link)
    .filter((link) => {
      const own =
        link.startsWith(`${home}/src/branch/main/`) && link.slice(`${home}/src/branch/main/`.length);
      if (own) return !existsSync(join(root, own.replace(/#.*/, '')));
      return !/^(?:https?:|mailto:|#)/.test(link);
    });
}
