import { describe, expect, test } from 'vitest';
import { type Layers, resolveConfig, resolveOptions } from '../../src/config/resolve.js';
import { usageOf } from '../helpers/usage.js';

// biome-ignore lint/suspicious/noTemplateCurlyInString: what CI leaves is exactly this text
const LEFT_BY_CI = '${{ vars.X }}';

const file = (content: unknown) => ({ path: 'fleet.config.yaml', content });
const resolve = (layers: Partial<Layers>) => resolveOptions('redeploy', { flags: {}, env: {}, ...layers });

describe('a list', () => {
  test.each<[string, Partial<Layers>, string[] | undefined]>([
    ['by commas', { env: { FLEET_EPHEMERAL: 'a-*, b-*,' } }, ['a-*', 'b-*']],
    ['by lines', { env: { FLEET_EPHEMERAL: '\na-*\n\nb-*\n' } }, ['a-*', 'b-*']],
    ['by lines, with commas in the names', { env: { FLEET_EPHEMERAL: 'a, b\nc,\n' } }, ['a, b', 'c,']],
    ['of one name with a comma', { env: { FLEET_EPHEMERAL: 'a, b\n' } }, ['a, b']],
    ['with a comma between braces', { env: { FLEET_EPHEMERAL: '{a,b}-*,c' } }, ['{a,b}-*', 'c']],
    ['of repeated flags, each as it is', { flags: { ephemeral: ['a-*', ' b-* '] } }, ['a-*', 'b-*']],
    ['of the file', { file: file({ ephemeral: ['a-*', 'b-*'] }) }, ['a-*', 'b-*']],
    ['that is empty in the file', { file: file({ ephemeral: [] }) }, undefined],
    ['that is cleared', { flags: { ephemeral: [''] }, env: { FLEET_EPHEMERAL: 'a' } }, undefined],
  ])('%s', (_name, layers, expected) => {
    expect(resolve(layers).options.ephemeral).toEqual(expected);
  });

  test.each<[string, Partial<Layers>]>([
    ['100: of commas alone', { env: { FLEET_REQUIRE_CONTEXT: ',' } }],
    ['100: of commas and blanks', { env: { FLEET_REQUIRE_CONTEXT: ' , \n' } }],
    ['100: of one empty flag', { flags: { 'require-context': [''] } }],
    ['100: of one blank in the file', { file: file({ 'require-context': [' '] }) }],
  ])('of required checks is refused %s: it would let everything through', async (_name, layers) => {
    expect((await usageOf(() => resolve(layers))).message).toMatch(/has only empty entries/);
  });
});

test.each(['control-plane-host', 'only', 'exclude', 'require-context'])(
  'an empty --%s, of a variable that is not set, lets nothing through',
  async (name) => {
    for (const typed of [[''], [' ', '']])
      expect((await usageOf(() => resolve({ flags: { [name]: typed } }))).option).toBe(`--${name}`);
  },
);

describe('a value of the wrong kind names its place', () => {
  test.each<[string, Partial<Layers>, string, RegExp]>([
    ['a switch', { env: { FLEET_NO_LOCK: 'maybe' } }, 'FLEET_NO_LOCK', /neither true nor false/],
    ['a number in words', { flags: { 'batch-size': 'three' } }, '--batch-size', /whole number of at least 1/],
    ['a share in words', { flags: { 'batch-size': 'five%' } }, '--batch-size', /no share/],
    ['a number below its range', { flags: { 'batch-size': '0' } }, '--batch-size', /at least 1/],
    ['a negative number', { flags: { 'max-stragglers': '-1' } }, '--max-stragglers', /at least 0/],
    ['a fraction', { env: { FLEET_CONFIRMATIONS: '1.5' } }, 'FLEET_CONFIRMATIONS', /whole number/],
    ['a number in other digits', { flags: { order: '0x10' } }, '--order', /whole number/],
    ['a number too large to be exact', { flags: { order: '9'.repeat(16) } }, '--order', /whole number/],
    ['a run id that is none', { env: { GITHUB_RUN_ID: 'x' } }, 'GITHUB_RUN_ID', /whole number/],
    ['an unknown choice', { flags: { strategy: 'hope' } }, '--strategy', /not known/],
    ['a choice in capitals', { flags: { 'superseded-by': 'HEAD' } }, '--superseded-by', /not known/],
    ['a bare number', { file: file({ soak: 60 }) }, 'soak in fleet.config.yaml', /"60" has no unit/],
    ['a mapping', { file: file({ canary: { a: 1 } }) }, 'canary in fleet.config.yaml', /must be a text/],
    [
      'a list of numbers',
      { file: file({ ephemeral: [1] }) },
      'ephemeral in fleet.config.yaml',
      /list of texts/,
    ],
    [
      'a tag that YAML reads as a number, and shortens',
      { file: file({ 'target-tag': 1.1 }) },
      'target-tag in fleet.config.yaml',
      /must be a text/,
    ],
    [
      'a name that is a number',
      { file: file({ environment: 5 }) },
      'environment in fleet.config.yaml',
      /must be a text/,
    ],
    [
      'a name that is a list',
      { file: file({ environment: ['a'] }) },
      'environment in fleet.config.yaml',
      /must be a text/,
    ],
    [
      'a name that is an expression',
      { file: file({ environment: LEFT_BY_CI }) },
      'environment in fleet.config.yaml',
      /contains/,
    ],
  ])('%s', async (_name, layers, option, message) => {
    const error = await usageOf(() => resolveConfig('redeploy', { flags: {}, env: {}, ...layers }));
    expect(error.option).toBe(option);
    expect(error.message).toMatch(message);
  });
});

describe('a key of the file that is not known', () => {
  test.each([
    ['sook', /did you mean soak\?/],
    ['max-straglers', /did you mean max-stragglers\?/],
    ['enviroments', /did you mean environments\?/],
    ['policy-bound', /did you mean policy-bounds\?/],
    ['something-else-entirely', undefined],
    ['token', /a secret never stands in this file/],
    ['control_plane_token', /a secret never stands in this file/],
    ['token-file', /a secret never stands in this file/],
    ['giteaToken', /a secret never stands in this file/],
    ['alert-webhook', /a secret never stands in this file/],
    ['registryPassword', /a secret never stands in this file/],
    ['alert-webhok', undefined],
    ['config', undefined],
    ['__proto__x', undefined],
    ['constructor', undefined],
  ])('%s', async (key, next) => {
    const error = await usageOf(() => resolve({ file: file({ [key]: 'hunter2' }) }));
    expect(error.message).toBe(`${key} in fleet.config.yaml: unknown key`);
    if (next) expect(error.next).toMatch(next);
    expect(`${error.message}${error.next}`).not.toContain('hunter2');
  });

  test('is found in the part of an environment too', async () => {
    const content = { environments: { staging: { sook: '1s' } } };
    expect((await usageOf(() => resolve({ file: file(content) }))).message).toMatch(
      /^environments\.staging\.sook in/,
    );
  });

  test('takes no more than one line, whatever the key is', async () => {
    await usageOf(() => resolve({ file: file({ 'a\n::error::b': 1 }) }));
  });

  test('the same key in two spellings is an error', async () => {
    const content = { 'batch-size': 1, batch_size: 2 };
    expect((await usageOf(() => resolve({ file: file(content) }))).message).toMatch(/given twice/);
  });
});

describe('an environment', () => {
  const two = { environments: { staging: { canary: 'a' }, production: { canary: 'b' } }, branch: 'main' };
  test.each<[string, Partial<Layers>, string | undefined, string | undefined]>([
    [
      'of a flag',
      { flags: { environment: 'production' }, env: { FLEET_ENVIRONMENT: 'staging' } },
      'production',
      'b',
    ],
    ['of a variable, white space aside', { env: { FLEET_ENVIRONMENT: ' staging ' } }, 'staging', 'a'],
    ['of the file', { file: file({ ...two, environment: 'production' }) }, 'production', 'b'],
    [
      'of a variable over the file',
      { env: { FLEET_ENVIRONMENT: 'staging' }, file: file({ ...two, environment: 'production' }) },
      'staging',
      'a',
    ],
    ['that is the only one', { file: file({ environments: { staging: { canary: 'a' } } }) }, 'staging', 'a'],
    ['without parts in the file', { env: { FLEET_ENVIRONMENT: 'x' }, file: file({ canary: 'c' }) }, 'x', 'c'],
    ['without a file', { env: { FLEET_ENVIRONMENT: 'x' }, file: undefined }, 'x', undefined],
    ['that nobody names', { file: file({ canary: 'c' }) }, undefined, 'c'],
    ['in a file that is empty', { file: file(null), flags: { environment: 'x' } }, 'x', undefined],
  ])('%s', (_name, layers, environment, canary) => {
    const { options } = resolve({ file: file(two), ...layers });
    expect([options.environment, options.canary]).toEqual([environment, canary]);
  });

  test.each<[string, Partial<Layers>, RegExp]>([
    [
      '124: is asked for where there are several',
      {},
      /--environment is missing: fleet\.config\.yaml has staging, production/,
    ],
    [
      'is asked for where an empty flag clears it',
      { flags: { environment: '' }, env: { FLEET_ENVIRONMENT: 'staging' } },
      /is missing/,
    ],
    ['must be in the file', { flags: { environment: 'prod' } }, /has no environment "prod"/],
    ['is no property of every object', { flags: { environment: 'constructor' } }, /has no environment/],
    [
      'names no other environment',
      { file: file({ environments: { a: { environment: 'b' } } }) },
      /environments\.a\.environment in .*: unknown key/,
    ],
    ['is a mapping', { file: file({ environments: { a: 'b' } }) }, /environments\.a in .*mapping/],
  ])('%s', async (_name, layers, message) => {
    expect((await usageOf(() => resolve({ file: file(two), ...layers }))).message).toMatch(message);
  });

  test.each([['a text'], [['a', 'list']], [7]])('a file that is %j is refused', async (content) => {
    expect((await usageOf(() => resolve({ file: file(content) }))).message).toMatch(/must be a mapping/);
  });
});
