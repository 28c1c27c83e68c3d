import { describe, expect, test } from 'vitest';
import { didYouMean } from '../../src/config/file.js';
import type { Command, FleetOptions } from '../../src/config/options.js';
import { type Layers, resolveOptions } from '../../src/config/resolve.js';
import { type NamedSetting, SETTING_NAMES, SETTINGS, type Setting } from '../../src/config/settings.js';
import { triggerOf } from '../../src/config/trigger.js';
import { usageOf } from '../helpers/usage.js';

// biome-ignore lint/suspicious/noTemplateCurlyInString: what CI leaves is exactly this text
const LEFT_BY_CI = '${{ vars.X }}';

const file = (content: unknown) => ({ path: 'fleet.config.yaml', content });
const resolve = (layers: Partial<Layers>, command: Command = 'redeploy') =>
  resolveOptions(command, { flags: {}, env: {}, ...layers });
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

const readable: NamedSetting[] = SETTINGS.filter(
  (setting: Setting) => !setting.noFile && setting.name !== 'environment',
);

describe.each(readable.map((setting) => [setting.name, setting] as const))('--%s', (name, setting) => {
  const key = setting.option as keyof FleetOptions;
  const resolve = (layers: Partial<Layers>) =>
    resolveOptions(setting.commands[0] as Command, { flags: {}, env: {}, ...layers });
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

describe('the tokens', () => {
  test('come from the file that was named, then from FLEET_CP_TOKEN; the one of Gitea from GITEA_TOKEN', () => {
    const env = { FLEET_CP_TOKEN: 'a', GITEA_TOKEN: 'g' };
    expect(resolve({ env, secrets: { token: 'b' } }).options).toMatchObject({
      controlPlaneToken: 'b',
      giteaToken: 'g',
    });
    expect(resolve({ env }).options.controlPlaneToken).toBe('a');
    expect(resolve({ env: { GITEA_TOKEN: '' } }).options.giteaToken).toBeUndefined();
  });
});

describe('what CI says of the run', () => {
  test('is taken over', () => {
    const env = {
      GITHUB_EVENT_NAME: 'push',
      GITHUB_REF_TYPE: 'tag',
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
      refType: 'tag',
      actor: 'anna',
      runId: '7',
      runAttempt: '2',
      job: 'deploy',
      runUrl: 'https://git.example.com/o/r/actions/runs/12?by_index=1',
    });
  });

  test('orders runs by what grows for every run of the server: the id of the run, and what is asked for wins', () => {
    const env = { GITHUB_RUN_ID: '4711', GITHUB_RUN_NUMBER: '3' };
    expect(resolve({ env }).options.order).toBe(4711);
    expect(resolve({ env: { ...env, FLEET_ORDER: '9' } }).options.order).toBe(9);
    expect(resolve({ env: { GITHUB_RUN_NUMBER: '3' } }).options.order).toBeUndefined();
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
])('did you mean: %s', (name, next) => {
  expect(didYouMean(name, SETTING_NAMES)).toBe(next);
});
