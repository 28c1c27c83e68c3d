import { describe, expect, test } from 'vitest';
import type { FleetOptions } from '../src/options.js';
import { didYouMean, type Layers, resolveOptions, triggerOf } from '../src/resolve.js';
import { SETTINGS, type Setting, type SettingName } from '../src/settings.js';
import { usageOf } from './helpers/usage.js';

// biome-ignore lint/suspicious/noTemplateCurlyInString: what CI leaves is exactly this text
const LEFT_BY_CI = '${{ vars.X }}';

const file = (content: unknown) => ({ path: 'fleet.config.yaml', content });
const resolve = (layers: Partial<Layers>) => resolveOptions({ flags: {}, env: {}, ...layers });
const optionOf = ({ name, kind }: Setting) =>
  (name.replace(/-(.)/g, (_all, letter) => letter.toUpperCase()) +
    (kind === 'duration' ? 'Ms' : '')) as keyof FleetOptions;

/** Two values of a setting as typed, and what they are read as. */
function samples(setting: Setting): [typed: string, read: unknown][] {
  switch (setting.kind) {
    case 'duration':
      return [
        ['1s', 1_000],
        ['2m', 120_000],
      ];
    case 'integer':
      return [
        ['7', 7],
        ['8', 8],
      ];
    case 'boolean':
      return [
        ['true', true],
        ['off', false],
      ];
    case 'list':
      return [
        ['a, b', ['a', 'b']],
        ['c\nd\n', ['c', 'd']],
      ];
    case 'choice':
      return (setting.choices ?? []).slice(0, 2).map((choice) => [choice, choice]);
    default:
      return [
        ['one', 'one'],
        ['two', 'two'],
      ];
  }
}

const readable: (Setting & { name: SettingName })[] = SETTINGS.filter(
  (setting: Setting) => !setting.noFile && setting.name !== 'environment',
);

describe.each(readable.map((setting) => [setting.name, setting] as const))('--%s', (name, setting) => {
  const key = optionOf(setting);
  const [[high, highRead], [low, lowRead]] = samples(setting) as [[string, unknown], [string, unknown]];

  test('is read from a flag, over every variable and the file', () => {
    const env = Object.fromEntries(setting.env.map((variable) => [variable, low]));
    const { options, label } = resolve({ flags: { [name]: high }, env, file: file({ [name]: low }) });
    expect(options[key]).toEqual(highRead);
    expect(label(name)).toBe(`--${name}`);
  });

  test.each(setting.env.map((variable, index) => [variable, index] as const))(
    'is read from %s, over what comes after it',
    (variable, index) => {
      const later = Object.fromEntries(setting.env.slice(index + 1).map((other) => [other, low]));
      const { options, label } = resolve({
        env: { [variable]: high, ...later },
        file: file({ [name]: low }),
      });
      expect(options[key]).toEqual(highRead);
      expect(label(name)).toBe(variable);
    },
  );

  test('is read from the file, the part of the environment over the top', () => {
    const content = { environments: { staging: { [name]: high } }, [name]: low };
    const { options, label } = resolve({ file: file(content) });
    expect(options[key]).toEqual(highRead);
    expect(label(name)).toBe(`environments.staging.${name} in fleet.config.yaml`);
    const top = resolve({ file: file({ environments: { staging: null }, [name]: low }) });
    expect(top.options[key]).toEqual(lowRead);
  });

  test.each(['snake_case', 'camelCase'])('is read from the file in %s too', (style) => {
    const other =
      style === 'snake_case'
        ? name.replaceAll('-', '_')
        : name.replace(/-(.)/g, (_all, c) => c.toUpperCase());
    expect(resolve({ file: file({ [other]: high }) }).options[key]).toEqual(highRead);
  });

  test('is absent where no layer has it', () => {
    const { options, label } = resolve({});
    expect(options[key]).toBeUndefined();
    expect(label(name)).toBe(`--${name}`);
  });

  test('17: an expression that CI left is an error that names its place', async () => {
    const error = await usageOf(() => resolve({ env: { [setting.env[0] as string]: LEFT_BY_CI } }));
    expect(error.message).toContain(`${setting.env[0]}: contains "\${{"`);
    await usageOf(() => resolve({ flags: { [name]: LEFT_BY_CI } }));
    await usageOf(() => resolve({ file: file({ [name]: LEFT_BY_CI }) }));
  });

  if (name !== 'hold') {
    test('an empty variable is one that is not set', () => {
      const env = Object.fromEntries(setting.env.map((variable) => [variable, '']));
      expect(resolve({ env, file: file({ [name]: low }) }).options[key]).toEqual(lowRead);
    });
  }

  if (setting.kind !== 'list') {
    test('takes one value, not a list', async () => {
      await usageOf(() => resolve({ flags: { [name]: ['a', 'b'] } }));
      expect((await usageOf(() => resolve({ file: file({ [name]: ['a', 'b'] }) }))).option).toContain(name);
    });
  }
});

test('an empty flag clears what a lower layer says', () => {
  const layers = { flags: { canary: '' }, env: { FLEET_CANARY: 'a' }, file: file({ canary: 'b' }) };
  expect(resolve(layers).options.canary).toBeUndefined();
});

test('a null in the file is no value; an empty text clears', () => {
  const environments = { staging: { canary: null, branch: '' } };
  const { options } = resolve({ file: file({ environments, canary: 'a', branch: 'main' }) });
  expect([options.canary, options.branch]).toEqual(['a', undefined]);
});

test('--hold: an empty variable says "off", an absent one says nothing', () => {
  expect(resolve({ env: { FLEET_HOLD: '' } }).options.hold).toBe('');
  expect(resolve({ env: {} }).options.hold).toBeUndefined();
  expect(resolve({ file: file({ hold: true }) }).options.hold).toBe('true');
  expect(resolve({ file: file({ hold: null }) }).options.hold).toBeUndefined();
});

describe('a list', () => {
  test.each<[string, Partial<Layers>, string[] | undefined]>([
    ['by commas', { env: { FLEET_EPHEMERAL: 'a-*, b-*,' } }, ['a-*', 'b-*']],
    ['by lines', { env: { FLEET_EPHEMERAL: '\na-*\n\nb-*\n' } }, ['a-*', 'b-*']],
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

describe('a value of the wrong kind names its place', () => {
  test.each<[string, Partial<Layers>, string, RegExp]>([
    ['a switch', { env: { FLEET_NO_LOCK: 'maybe' } }, 'FLEET_NO_LOCK', /neither true nor false/],
    ['a number in words', { flags: { 'batch-size': 'three' } }, '--batch-size', /whole number of at least 1/],
    ['a number below its range', { flags: { 'batch-size': '0' } }, '--batch-size', /at least 1/],
    ['a negative number', { flags: { 'max-stragglers': '-1' } }, '--max-stragglers', /at least 0/],
    ['a fraction', { env: { FLEET_CONFIRMATIONS: '1.5' } }, 'FLEET_CONFIRMATIONS', /whole number/],
    ['a number in other digits', { flags: { order: '0x10' } }, '--order', /whole number/],
    ['a number too large to be exact', { flags: { order: '9'.repeat(16) } }, '--order', /whole number/],
    ['a run number that is none', { env: { GITHUB_RUN_NUMBER: 'x' } }, 'GITHUB_RUN_NUMBER', /whole number/],
    ['an unknown choice', { flags: { strategy: 'hope' } }, '--strategy', /not known/],
    ['a choice in capitals', { flags: { 'superseded-by': 'HEAD' } }, '--superseded-by', /not known/],
    ['a bare number', { file: file({ soak: 60 }) }, 'soak in fleet.config.yaml', /"60" has no unit/],
    ['a mapping', { file: file({ canary: { a: 1 } }) }, 'canary in fleet.config.yaml', /must be one value/],
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
      /one value/,
    ],
    [
      'a name that is an expression',
      { file: file({ environment: LEFT_BY_CI }) },
      'environment in fleet.config.yaml',
      /contains/,
    ],
  ])('%s', async (_name, layers, option, message) => {
    const error = await usageOf(() => resolve(layers));
    expect(error.option).toBe(option);
    expect(error.message).toMatch(message);
  });
});

describe('a key of the file that is not known', () => {
  test.each([
    ['sook', /did you mean soak\?/],
    ['max-straglers', /did you mean max-stragglers\?/],
    ['enviroments', /did you mean environments\?/],
    ['something-else-entirely', undefined],
    ['token', /a token never stands in this file/],
    ['control_plane_token', /a token never stands in this file/],
    ['token-file', /a token never stands in this file/],
    ['giteaToken', /a token never stands in this file/],
    ['config', undefined],
    ['__proto__x', undefined],
    ['constructor', undefined],
  ])('%s', async (key, hint) => {
    const error = await usageOf(() => resolve({ file: file({ [key]: 'hunter2' }) }));
    expect(error.message).toBe(`${key} in fleet.config.yaml: unknown key`);
    if (hint) expect(error.hint).toMatch(hint);
    expect(`${error.message}${error.hint}`).not.toContain('hunter2');
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

describe('the tokens', () => {
  test('come from the file that was named, then from FLEET_CP_TOKEN; the one of Gitea from GITEA_TOKEN', () => {
    const env = { FLEET_CP_TOKEN: 'a', GITEA_TOKEN: 'g' };
    expect(resolve({ env, token: 'b' }).options).toMatchObject({ controlPlaneToken: 'b', giteaToken: 'g' });
    expect(resolve({ env }).options.controlPlaneToken).toBe('a');
    expect(resolve({ env: { GITEA_TOKEN: '' } }).options.giteaToken).toBeUndefined();
  });
});

describe('what CI says of the run', () => {
  test('is taken over', () => {
    const env = {
      GITHUB_EVENT_NAME: 'push',
      GITHUB_ACTOR: 'anna',
      GITHUB_RUN_ID: '7',
      GITHUB_RUN_ATTEMPT: '2',
      GITHUB_JOB: 'deploy',
      GITHUB_SERVER_URL: 'https://git.example.com/',
      GITHUB_REPOSITORY: 'o/r',
      GITHUB_RUN_NUMBER: '12',
    };
    expect(triggerOf(env)).toEqual({
      event: 'push',
      actor: 'anna',
      runId: '7',
      runAttempt: '2',
      job: 'deploy',
      runUrl: 'https://git.example.com/o/r/actions/runs/12?by_index=1',
    });
  });

  test('is nothing at a terminal, and an empty variable says nothing', () => {
    for (const env of [{}, { GITHUB_EVENT_NAME: '', GITHUB_RUN_ID: '' }])
      expect(Object.values(triggerOf(env)).every((value) => value === undefined)).toBe(true);
  });
});

test.each([
  ['time-out', 'did you mean timeout?'],
  ['control-plan', 'did you mean control-plane?'],
  ['zzzzzzzz', undefined],
])('did you mean: %s', (name, hint) => {
  expect(didYouMean(name)).toBe(hint);
});
