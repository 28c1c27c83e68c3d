import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { oldNodeProblem } from '../src/node-version.js';
import { compositeManifest, manifest, withTables } from './manifest.js';

it('action.yml has the inputs of the settings table', async () => {
  await expect(manifest()).toMatchFileSnapshot('../action.yml');
});

it('the composite has them too, but for those that it leaves out', async () => {
  await expect(compositeManifest()).toMatchFileSnapshot('../../../.gitea/actions/redeploy-fleet/action.yml');
});

it('the README has the same inputs and outputs', async () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  await expect(withTables(readme)).toMatchFileSnapshot('../README.md');
});

it.each([
  ['v16.20.2', true],
  ['v18.19.0', true],
  ['v20.9.0', true],
  ['v20.19.0', false],
  ['v22.0.0', false],
  ['v24.1.0', false],
])('Node %s: too old is %s', (version, old) => {
  expect(oldNodeProblem(version) !== null).toBe(old);
});
