/** The command as people get it: from its tarball, in an empty folder, with nothing of this repository near. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';

const CLI = fileURLToPath(new URL('../../../packages/fleet-cli', import.meta.url));
const temp = mkdtempSync(join(tmpdir(), 'fleet-packed-'));
/** Off the network: the command has no dependencies, so its installation needs none. */
const NPM = { npm_config_offline: 'true', npm_config_update_notifier: 'false' };
afterAll(() => rmSync(temp, { recursive: true }));

let tarball = '';
beforeAll(() => {
  execFileSync('npx', ['-y', 'pnpm@10', 'pack', '--pack-destination', temp], { cwd: CLI });
  tarball = join(temp, readdirSync(temp).find((name) => name.endsWith('.tgz')) ?? '');
});

function run(cwd: string, program: string, ...args: string[]): string {
  const env = { PATH: process.env.PATH, HOME: process.env.HOME, ...NPM };
  return execFileSync(program, args, { cwd, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

function empty(name: string): string {
  const folder = join(temp, name);
  mkdirSync(folder);
  return folder;
}

const bytesIn = (folder: string): number =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0);

it('npx runs it', () => {
  expect(run(empty('npx'), 'npx', '-y', `--package=${tarball}`, 'fleet', '--version')).toMatch(
    /^\d+\.\d+\.\d+\n$/,
  );
});

it('a global installation puts fleet on the path', () => {
  const prefix = empty('global');
  run(prefix, 'npm', 'install', '--global', '--prefix', prefix, tarball);
  expect(run(prefix, join(prefix, 'bin/fleet'), 'redeploy', '--help')).toContain('--control-plane');
});

it('a project gets one package, of the size that docs/dependencies.md states', () => {
  const folder = empty('project');
  run(folder, 'npm', 'install', '--prefix', folder, tarball);
  expect(readdirSync(join(folder, 'node_modules/@tenant-fleet'))).toEqual(['fleet-cli']);
  expect(readdirSync(join(folder, 'node_modules')).filter((name) => !name.startsWith('.'))).toEqual([
    '@tenant-fleet',
  ]);
  const installed = join(folder, 'node_modules/@tenant-fleet/fleet-cli');
  expect(readdirSync(installed)).toEqual(expect.arrayContaining(['LICENSE', 'README.md']));
  expect(bytesIn(join(installed, 'dist'))).toBeLessThan(2.5e6);
  expect(statSync(tarball).size).toBeLessThan(0.7e6);
});
