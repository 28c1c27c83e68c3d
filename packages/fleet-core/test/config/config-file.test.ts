import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { configFileJsonSchema, configFileSchema, fileLayer } from '../../src/config/file.js';
import { SETTINGS } from '../../src/config/settings.js';

const readme = readFileSync(new URL('../../../../README.md', import.meta.url), 'utf8');

test('the file of the README is one that editors accept', () => {
  const [, example] = /```yaml\n([\s\S]*?)```/.exec(readme) ?? [];
  expect(configFileSchema().parse(parse(example ?? ''))).toMatchObject({
    environments: { staging: { canary: 'acme' } },
  });
});

test.each([
  ['an unknown key', { sook: '60s' }],
  ['a duration without a unit', { soak: '60' }],
  ['a number for a duration', { soak: 60 }],
  ['a batch of none', { 'batch-size': 0 }],
  ['an unknown strategy', { strategy: 'yolo' }],
  ['a token', { 'token-file': '/x' }],
  ['a bound that is none', { 'policy-bounds': { soak: { max: true } } }],
  ['a bound of what no request may say', { environments: { staging: { 'policy-bounds': { force: true } } } }],
  ['an environment in an environment', { environments: { staging: { environment: 'x' } } }],
])('%s is marked', (_name, content) => {
  expect(configFileSchema().safeParse(content).success).toBe(false);
});

test.each([
  ['at the top', (own: object) => own],
  ['of an environment', (own: object) => ({ environments: { staging: own } })],
])('what only a server reads, %s, is a key of the file that commands leave alone', (_where, within) => {
  const content = within({ 'policy-bounds': { soak: { min: '30s', max: '10m' }, only: true } });
  expect(configFileSchema().safeParse(content).success).toBe(true);
  const { values } = fileLayer({ path: 'fleet.config.yaml', content }, 'staging', () => undefined);
  expect([...values]).toEqual([]);
});

test('the JSON Schema describes every key that a file may have, with its help', () => {
  const { properties } = configFileJsonSchema() as { properties: Record<string, { description: string }> };
  const expected = SETTINGS.filter((one) => !('noFile' in one && one.noFile)).map((one) => one.name);
  expect(Object.keys(properties).sort()).toEqual([...expected, 'environments', 'policy-bounds'].sort());
  expect(properties.soak?.description).toContain('default: 60s');
});
