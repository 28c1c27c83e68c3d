import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { CONFIG_FILES } from '@tenant-fleet/fleet-core/config';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { lintWorkflows, readRepository } from '../src/index.js';
import { deploying, testing } from './check.js';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'fleet-lint-'));
});
afterEach(() => rmSync(root, { recursive: true }));

function put(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}
const paths = async () => (await readRepository(root)).map(({ path }) => path);

it('workflows of every server, with their sub-folders, then actions, then the configuration', async () => {
  for (const folder of ['.github', '.gitea', '.forgejo']) {
    put(`${folder}/workflows/b.yaml`, testing());
    put(`${folder}/workflows/a.yml/more/c.yml`, testing());
    put(`${folder}/workflows/notes.md`, '# notes');
    put(`${folder}/actions/x/action.yml`, 'runs: {using: node20, main: a.js}');
    put(`${folder}/actions/x/node_modules/y/action.yml`, 'runs: {using: node20}');
  }
  put('fleet.config.yaml', 'soak: 1s');
  expect(await paths()).toEqual([
    ...['.forgejo', '.gitea', '.github'].flatMap((folder) => [
      `${folder}/workflows/a.yml/more/c.yml`,
      `${folder}/workflows/b.yaml`,
    ]),
    ...['.forgejo', '.gitea', '.github'].map((folder) => `${folder}/actions/x/action.yml`),
    'fleet.config.yaml',
  ]);
});

it.each(CONFIG_FILES)('%s, whose mistakes are found', async (name) => {
  put('.gitea/workflows/d.yml', deploying());
  put(name, '{"soak": "60"}');
  expect(await paths()).toEqual(['.gitea/workflows/d.yml', name]);
  expect(lintWorkflows(await readRepository(root))).toContainEqual(
    expect.objectContaining({ rule: 'refused-config', file: name }),
  );
});

it('an action that a workflow uses, wherever it stands', async () => {
  put('.gitea/workflows/d.yml', deploying({ uses: './ci/ship/' }));
  put('ci/ship/action.yaml', 'inputs: {tag: {}}\nruns: {using: composite, steps: []}');
  expect(await paths()).toEqual(['.gitea/workflows/d.yml', 'ci/ship/action.yaml']);
  expect(lintWorkflows(await readRepository(root))).toContainEqual(
    expect.objectContaining({ rule: 'unknown-input', message: expect.stringContaining('`environment`') }),
  );
});

it.each([
  ['the folder of workflows', '../real', '.gitea/workflows'],
  ['a file', '../../real/d.yml', '.gitea/workflows/d.yml'],
  ['a file that points nowhere', '../../nowhere', '.gitea/workflows/d.yml'],
  ['a folder that leads back to itself', '../workflows', '.gitea/workflows/loop'],
])('a link in place of %s is named and not followed', async (_name, to, path) => {
  put('real/d.yml', deploying());
  mkdirSync(dirname(join(root, path)), { recursive: true });
  symlinkSync(to, join(root, path));
  const findings = lintWorkflows(await readRepository(root));
  expect(findings).toEqual([
    expect.objectContaining({ file: path, line: 1, column: 1, rule: 'linked-file', severity: 'error' }),
  ]);
});

it.each([
  ['no folder', 'nowhere', 'is not there'],
  ['a file', 'file', 'is not a folder'],
  ['no workflow', '.', 'there is nothing to read'],
])('refuses %s', async (_name, path, says) => {
  put('file', '');
  await expect(readRepository(join(root, path))).rejects.toMatchObject({
    code: 'USAGE',
    message: expect.stringContaining(says),
    next: 'name the root of a repository',
  });
});
