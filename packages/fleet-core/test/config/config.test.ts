import { describe, expect, test } from 'vitest';
import { checkOptions } from '../../src/config/check-options.js';
import type { Config } from '../../src/config/config.js';
import { parseDuration } from '../../src/config/duration.js';
import type { Command, FleetOptions } from '../../src/config/options.js';
import { SETTINGS, type Setting, type SettingName, settingOf } from '../../src/config/settings.js';
import { gitea, good, SHA, TOKEN } from '../helpers/options.js';
import { usageOf } from '../helpers/usage.js';

const check = (rest: FleetOptions = {}, command: Command = 'redeploy') =>
  checkOptions(command, { ...good, ...rest });

describe('the defaults', () => {
  const placeOf: Record<string, (config: Config) => unknown> = {
    strategy: (config) => config.strategy,
    soak: (config) => config.soakMs,
    'batch-size': (config) => config.batchSize,
    'batch-growth': (config) => config.batchGrowth,
    'max-stragglers': (config) => config.maxStragglers,
    'settle-budget': (config) => config.settleBudgetMs,
    'probe-timeout': (config) => config.probeTimeoutMs,
    'probe-concurrency': (config) => config.probeConcurrency,
    confirmations: (config) => config.confirmations,
    'lock-wait': (config) => config.lock?.waitMs,
    'lock-ttl': (config) => config.lock?.ttlMs,
    'min-tenants': (config) => config.minTenants,
    'image-wait': (config) => config.image?.waitMs,
    'max-age': (config) => config.watch.maxAgeMs,
    'max-lag': (config) => config.watch.maxLagMs,
    'max-quiet': (config) => config.watch.maxQuietMs,
    timeout: (config) => config.timeoutMs,
  };

  test('are those of the table of settings', () => {
    const config = check({ image: 'registry.example.com/team/server' });
    const defaults = (SETTINGS as readonly Setting[]).filter((setting) => setting.default !== undefined);
    expect(defaults.map(({ name }) => name).sort()).toEqual(Object.keys(placeOf).sort());
    for (const { name, kind, default: text = '' } of defaults) {
      const expected =
        kind === 'duration' ? parseDuration(text, name) : kind === 'integer' ? Number(text) : text;
      expect([name, placeOf[name]?.(config)]).toEqual([name, expected]);
    }
  });

  test('are those that the contract fixes', () => {
    expect(check()).toMatchObject({
      strategy: 'scoped',
      canary: null,
      soakMs: 60_000,
      batchSize: 3,
      maxStragglers: 0,
      ephemeral: [],
      settleBudgetMs: 240_000,
      probeTimeoutMs: 10_000,
      confirmations: 1,
      lock: {
        group: 'staging',
        url: 'https://cp.example.com',
        token: TOKEN,
        waitMs: 1_200_000,
        ttlMs: 30_000,
      },
      timeoutMs: 1_800_000,
      gitea: null,
      hold: null,
      killSwitch: null,
      requireContexts: [],
      dryRun: false,
      force: false,
    } satisfies Partial<Config>);
  });
});

test('values are brought into one form', () => {
  expect(
    check({
      controlPlane: 'https://cp.example.com/base//',
      expectedSha: ` ${SHA.toUpperCase()} `,
      environment: ' staging ',
      canary: ' acme ',
    }),
  ).toMatchObject({
    controlPlane: 'https://cp.example.com/base',
    expectedSha: SHA,
    environment: 'staging',
    canary: 'acme',
  });
  expect(check({ tenant: ['a', ' b', 'a'] }, 'verify').tenants).toEqual(['a', 'b']);
});

test('a value that the command does not take is not looked at', () => {
  const other = { tenant: ['no slug'], tenantUrl: 'no URL', order: -1 };
  expect(check({ tenant: ['no slug'] }).tenants).toBeNull();
  expect(check(other, 'lock')).toMatchObject({ tenantUrl: '', order: null });
});

describe('what a command needs', () => {
  test('a plan needs neither lock nor commit', () => {
    expect(check({ environment: undefined, expectedSha: undefined }, 'plan')).toMatchObject({
      dryRun: true,
      lock: null,
      expectedSha: null,
    });
    expect(check({ environment: undefined, expectedSha: undefined, dryRun: true })).toMatchObject({
      dryRun: true,
      lock: null,
    });
  });

  test('a verification needs a commit and no lock; with tenants of its own, no control plane', async () => {
    expect(check({ environment: undefined }, 'verify').lock).toBeNull();
    expect((await usageOf(() => check({ expectedSha: '' }, 'verify'))).option).toBe('--expected-sha');
    const alone = { tenant: ['acme'], tenantUrl: good.tenantUrl, expectedSha: SHA };
    expect(checkOptions('verify', alone)).toMatchObject({ controlPlane: '', tenants: ['acme'] });
  });

  test('a verification is not stopped by gates that it does not pass', () => {
    const rest = { supersededBy: 'head', killSwitch: 'HOLD', giteaUrl: undefined } as const;
    expect(check(rest, 'verify').gitea).toBeNull();
    expect(check(rest, 'lock').gitea).toBeNull();
  });

  test('the lock needs its server, a token and a group', async () => {
    const lock = { controlPlane: good.controlPlane, controlPlaneToken: TOKEN, lockGroup: 'staging' };
    expect(checkOptions('lock', lock).lock).toMatchObject({
      group: 'staging',
      url: 'https://cp.example.com',
    });
    expect((await usageOf(() => checkOptions('lock', { ...lock, controlPlane: '' }))).option).toBe(
      '--control-plane',
    );
    expect((await usageOf(() => checkOptions('lock', { ...lock, lockGroup: '' }))).option).toBe(
      '--lock-group',
    );
    expect((await usageOf(() => checkOptions('lock', { ...lock, controlPlane: 'http://a.b' }))).option).toBe(
      '--control-plane',
    );
  });
});

describe('the lock', () => {
  test.each<[string, FleetOptions, Config['lock'] extends infer L ? Partial<NonNullable<L>> | null : never]>([
    ['is named by its own option first', { lockGroup: 'fleet-a' }, { group: 'fleet-a' }],
    ['is named by the environment', {}, { group: 'staging' }],
    [
      'is served elsewhere where that is said',
      { lockUrl: 'https://lock.example.com/' },
      { url: 'https://lock.example.com' },
    ],
    ['is not there where that is said', { noLock: true, environment: undefined }, null],
    ['takes the bounds of its lease', { lockTtlMs: 2_000, lockWaitMs: 0 }, { ttlMs: 2_000, waitMs: 0 }],
  ])('%s', (_name, rest, expected) => {
    const { lock } = check(rest);
    if (expected === null) expect(lock).toBeNull();
    else expect(lock).toMatchObject(expected);
  });
});

describe('what supersedes a run', () => {
  test.each<[string, FleetOptions, Config['supersededBy'], Config['order']]>([
    [
      'claim, where an order is known',
      { ...gitea, order: 7 },
      'claim',
      { key: 'owner/name@main', number: 7 },
    ],
    [
      'the first run has an order too',
      { ...gitea, order: 0 },
      'claim',
      { key: 'owner/name@main', number: 0 },
    ],
    ['head, where branch and token are known', gitea, 'head', null],
    [
      'head, where there is no lock that could carry an order',
      { ...gitea, order: 7, noLock: true },
      'head',
      null,
    ],
    ['off, without a token', { ...gitea, giteaToken: undefined }, 'off', null],
    ['off, without a branch', { ...gitea, branch: undefined }, 'off', null],
    ['what is asked for, over an order', { ...gitea, order: 7, supersededBy: 'head' }, 'head', null],
    ['nothing, where that is asked for', { ...gitea, order: 7, supersededBy: 'off' }, 'off', null],
    ['claim without an order has none', { supersededBy: 'claim' }, 'claim', null],
    [
      'an order without a repository is kept by environment',
      { order: 7 },
      'claim',
      { key: 'staging@-', number: 7 },
    ],
  ])('%s', (_name, rest, supersededBy, order) => {
    expect(check(rest)).toMatchObject({ supersededBy, order });
  });
});

describe('Gitea', () => {
  test('is configured where a gate needs it', () => {
    expect(check({ ...gitea, requireContext: ['ci'] }).gitea).toEqual({
      url: 'https://git.example.com',
      token: 'gitea-token',
      repository: 'owner/name',
    });
    expect(check({ ...gitea, branch: undefined }).gitea).toBeNull();
    expect(check({ ...gitea, giteaToken: undefined }).gitea).toBeNull();
  });

  test('that no gate needs tells how far behind it is, and what is wrong with it is no error', () => {
    expect(check({ ...gitea, supersededBy: 'off' }).gitea?.url).toBe('https://git.example.com');
    expect(check({ ...gitea, supersededBy: 'off', giteaUrl: 'http://gitea:3000' }).gitea).toBeNull();
    expect(check({ ...gitea, supersededBy: 'off', repository: 'name' }).gitea).toBeNull();
  });

  test('may be read over http where the user allows it', () => {
    const rest = { ...gitea, giteaUrl: 'http://gitea:3000', killSwitch: 'HOLD', allowHttpGitea: true };
    expect(check(rest).gitea?.url).toBe('http://gitea:3000');
  });
});

test.each<[string | undefined, Config['hold']]>([
  [undefined, null],
  ['', false],
  ['off', false],
  ['ON', true],
])('--hold %j means %s', (hold, expected) => {
  expect(check({ hold }).hold).toBe(expected);
});

test.each<[string | undefined, string | undefined, Config['askedBy']]>([
  ['push', undefined, 'ci'],
  ['push', 'branch', 'ci'],
  ['push', 'tag', 'human'],
  ['schedule', 'branch', 'ci'],
  ['workflow_dispatch', 'branch', 'human'],
  ['release', 'tag', 'human'],
  ['pull_request', 'branch', 'human'],
  [undefined, undefined, 'human'],
])('the event %s of a %s is asked for by %s', (event, refType, askedBy) => {
  expect(check({ trigger: { event, refType } }).askedBy).toBe(askedBy);
});

test.each<[string, string, boolean]>([
  ['staging-0123456', SHA, false],
  ['staging-0123456789ABCDEF', SHA, false],
  ['main-4f2c1a9', SHA, true],
  ['4f2c1a9', SHA, true],
  [`main-4f2c1a9@sha256:${'0'.repeat(64)}`, SHA, true],
  ['release-20240131', SHA, false],
  ['v1.2.3', SHA, false],
  ['main-defaced', SHA, false],
  ['main-4f2c1a', SHA, false],
])('the tag %s beside the commit %s: warned of is %s', (targetTag, expectedSha, warned) => {
  const { warnings } = check({ targetTag, expectedSha, image: 'registry.example.com/team/server' });
  expect(warnings.length).toBe(warned ? 1 : 0);
  if (warned) expect(warnings[0]).toMatch(/4f2c1a9, and the expected one is 0123456:/);
});

describe('the table of settings', () => {
  test('has every name and every variable once', () => {
    const names = SETTINGS.map(({ name }) => name);
    const variables = SETTINGS.flatMap(({ env }) => env);
    expect(new Set(names).size).toBe(names.length);
    expect(new Set(variables).size).toBe(variables.length);
  });

  test('gives every value a placeholder, and no switch one', () => {
    for (const setting of SETTINGS as readonly Setting[])
      expect([setting.name, setting.value === undefined]).toEqual([setting.name, setting.kind === 'boolean']);
  });

  test('lets a command that takes a secret take its file too', () => {
    const commandsOf = (name: SettingName) => settingOf(name).commands;
    for (const { name } of SETTINGS.filter(({ kind }) => kind === 'secret'))
      expect([name, commandsOf(`${name}-file` as SettingName)]).toEqual([name, commandsOf(name)]);
  });

  test('keeps secrets and paths out of the configuration file', () => {
    for (const { name, kind, noFile } of SETTINGS)
      expect([name, noFile ?? false]).toEqual([name, kind === 'secret' || kind === 'file']);
  });

  test('is asked by name', () => {
    expect(settingOf('soak').default).toBe('60s');
    expect(() => settingOf('sook' as 'soak')).toThrow(RangeError);
  });
});
