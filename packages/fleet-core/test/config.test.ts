import { describe, expect, test } from 'vitest';
import { type Config, checkOptions } from '../src/config.js';
import { parseDuration } from '../src/duration.js';
import type { Command, FleetOptions } from '../src/options.js';
import { SETTINGS, type Setting, settingOf } from '../src/settings.js';
import { usageOf } from './helpers/usage.js';

const SHA = '0123456789abcdef0123456789abcdef01234567';
const TOKEN = 's3cr3t-value';
const good: FleetOptions = {
  environment: 'staging',
  controlPlane: 'https://cp.example.com',
  controlPlaneToken: TOKEN,
  tenantUrl: 'https://{slug}.example.com',
  targetTag: 'staging-0123456',
  expectedSha: SHA,
};
const gitea = {
  giteaUrl: 'https://git.example.com/',
  giteaToken: 'gitea-token',
  repository: 'owner/name',
  branch: 'main',
};
const check = (rest: FleetOptions = {}, command: Command = 'redeploy') =>
  checkOptions(command, { ...good, ...rest });

describe('the defaults', () => {
  test('are those of the table of settings', () => {
    const config = check() as unknown as Record<string, unknown>;
    const lock = config.lock as Record<string, unknown>;
    for (const setting of SETTINGS as readonly Setting[]) {
      if (setting.default === undefined) continue;
      const key = setting.name.replace(/-(.)/g, (_all, letter) => letter.toUpperCase());
      const place = setting.name.startsWith('lock-') ? lock : config;
      const name = setting.name === 'lock-wait' ? 'waitMs' : setting.name === 'lock-ttl' ? 'ttlMs' : key;
      const value = place[setting.kind === 'duration' && place === config ? `${name}Ms` : name];
      const expected =
        setting.kind === 'duration'
          ? parseDuration(setting.default, setting.name)
          : setting.kind === 'integer'
            ? Number(setting.default)
            : setting.default;
      expect([setting.name, value]).toEqual([setting.name, expected]);
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
      lock: { group: 'staging', url: 'https://cp.example.com', waitMs: 1_200_000, ttlMs: 30_000 },
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
      tenant: ['a', 'b', 'a'],
    }),
  ).toMatchObject({
    controlPlane: 'https://cp.example.com/base',
    expectedSha: SHA,
    environment: 'staging',
    canary: 'acme',
    tenants: ['a', 'b'],
  });
});

describe('is refused by a usage error that names the option', () => {
  const cases: [string, FleetOptions, string, RegExp][] = [
    ['no control plane', { controlPlane: '' }, '--control-plane', /is missing/],
    ['a control plane over http', { controlPlane: 'http://cp.example.com' }, '--control-plane', /forged/],
    [
      'a control plane with a password',
      { controlPlane: `https://x:${TOKEN}@cp.example.com` },
      '--control-plane',
      /password/,
    ],
    [
      'another host than the pinned one',
      { controlPlaneHost: 'cp.prod.example.com' },
      '--control-plane',
      /may only talk to cp\.prod/,
    ],
    ['no token', { controlPlaneToken: '' }, 'FLEET_CP_TOKEN', /missing/],
    ['no tenant URL', { tenantUrl: undefined }, '--tenant-url', /is missing/],
    ['a tenant URL without {slug}', { tenantUrl: 'https://x.example.com' }, '--tenant-url', /exactly once/],
    ['16: no target tag', { targetTag: undefined }, '--target-tag', /is missing/],
    ['a tag with a colon', { targetTag: 'image:tag' }, '--target-tag', /not an image tag/],
    ['a tag with a line break', { targetTag: 'a\n::error::b' }, '--target-tag', /not an image tag/],
    ['a tag that is too long', { targetTag: 'a'.repeat(129) }, '--target-tag', /not an image tag/],
    ['no expected commit', { expectedSha: undefined }, '--expected-sha', /is missing/],
    ['67: a short commit', { expectedSha: SHA.slice(0, 12) }, '--expected-sha', /not a full commit id/],
    ['a commit of other letters', { expectedSha: 'g'.repeat(40) }, '--expected-sha', /not a full commit id/],
    ['"dev" for a commit', { expectedSha: 'dev' }, '--expected-sha', /not a full commit id/],
    ['23: a commit of zeros', { expectedSha: '0'.repeat(40) }, '--expected-sha', /all zeros/],
    ['a canary that is no slug', { canary: 'acme.example.com' }, '--canary', /not a tenant slug/],
    ['106: a tenant that is no slug', { tenant: ['a/../b'] }, '--tenant', /not a tenant slug/],
    ['a glob that excuses everybody', { ephemeral: ['e2e-*', '*'] }, '--ephemeral', /matches every tenant/],
    ['an unknown strategy', { strategy: 'hope' as 'scoped' }, '--strategy', /not known/],
    ['an unknown rule of supersession', { supersededBy: 'hope' as 'off' }, '--superseded-by', /not known/],
    ['a batch of none', { batchSize: 0 }, '--batch-size', /at least 1/],
    ['half a tenant a batch', { batchSize: 1.5 }, '--batch-size', /whole number/],
    ['a batch that is no number', { batchSize: Number.NaN }, '--batch-size', /whole number/],
    ['fewer stragglers than none', { maxStragglers: -1 }, '--max-stragglers', /at least 0/],
    ['no confirmation', { confirmations: 0 }, '--confirmations', /at least 1/],
    ['no probe at a time', { probeConcurrency: 0 }, '--probe-concurrency', /at least 1/],
    ['a probe without time', { probeTimeoutMs: 0 }, '--probe-timeout', /at least 1ms/],
    ['a budget below nothing', { settleBudgetMs: -1 }, '--settle-budget', /at least 0ms/],
    ['a soak without end', { soakMs: Number.POSITIVE_INFINITY }, '--soak', /at least/],
    ['a run without time', { timeoutMs: 0 }, '--timeout', /at least 1ms/],
    ['no lock group', { environment: undefined }, '--lock-group', /no lock group/],
    ['a lock group of other letters', { lockGroup: 'Staging' }, '--lock-group', /must match/],
    ['a lock group that is a path', { lockGroup: '../x' }, '--lock-group', /must match/],
    ['a lock group that is too long', { lockGroup: 'a'.repeat(64) }, '--lock-group', /must match/],
    ['an environment that cannot name a lock', { environment: 'my staging' }, '--lock-group', /must match/],
    ['a lock server over http', { lockUrl: 'http://lock.example.com' }, '--lock-url', /forged/],
    ['a lease too short', { lockTtlMs: 1_999 }, '--lock-ttl', /from 2s to 3600s/],
    ['a lease too long', { lockTtlMs: 3_600_001 }, '--lock-ttl', /from 2s to 3600s/],
    ['a wait below nothing', { lockWaitMs: -1 }, '--lock-wait', /at least 0ms/],
    [
      '100: an empty required check',
      { ...gitea, requireContext: ['ci', ' '] },
      '--require-context',
      /empty name/,
    ],
    [
      'a required check without a server',
      { requireContext: ['ci'] },
      '--require-context',
      /needs a Gitea server/,
    ],
    [
      'a kill switch that is no variable',
      { ...gitea, killSwitch: 'a b' },
      '--kill-switch',
      /not a variable name/,
    ],
    [
      '102: a kill switch without a token',
      { ...gitea, giteaToken: '', killSwitch: 'HOLD' },
      'GITEA_TOKEN',
      /cannot be read without it/,
    ],
    ['a Gitea token that is none', { giteaToken: 'None' }, 'GITEA_TOKEN', /not a token/],
    [
      'a repository without an owner',
      { ...gitea, repository: 'name', killSwitch: 'HOLD' },
      '--repository',
      /owner\/name/,
    ],
    [
      'a repository that climbs',
      { ...gitea, repository: '../..', killSwitch: 'HOLD' },
      '--repository',
      /owner\/name/,
    ],
    [
      'a Gitea server over http',
      { ...gitea, giteaUrl: 'http://gitea:3000', killSwitch: 'HOLD' },
      '--gitea-url',
      /forged/,
    ],
    ['the head of no branch', { ...gitea, branch: '', supersededBy: 'head' }, '--branch', /needed/],
    ['91: a hold that is neither', { hold: 'maybe' }, '--hold', /neither on nor off/],
    ['an order that is no number', { order: 1.5 }, '--order', /whole number/],
    ['an order below nothing', { order: -1 }, '--order', /whole number/],
  ];
  test.each(cases)('%s', async (_name, rest, option, message) => {
    const error = await usageOf(() => check(rest));
    expect(error.option).toBe(option);
    expect(error.message).toMatch(message);
    expect(`${error.message}${error.hint}${error.stack}`).not.toContain(TOKEN);
  });

  test('in the words of whoever gave it', async () => {
    const label = (name: string) => `FLEET_${name.toUpperCase()}`;
    const error = await usageOf(() => checkOptions('redeploy', { ...good, batchSize: 0 }, label));
    expect(error).toMatchObject({
      option: 'FLEET_BATCH-SIZE',
      message: expect.stringMatching(/^FLEET_BATCH-SIZE: /),
    });
  });

  test('with all ways to give what is missing', async () => {
    const { hint } = await usageOf(() => check({ expectedSha: '' }));
    expect(hint).toBe(
      'give --expected-sha, set FLEET_EXPECTED_SHA or GITHUB_SHA, or write expected-sha: in fleet.config.yaml',
    );
  });
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

describe('the pin of the control plane', () => {
  test('takes the host whatever its case and port', () => {
    const pin = { controlPlaneHost: 'CP.example.com' };
    expect(check({ ...pin, controlPlane: 'https://cp.example.com:8443' }).controlPlane).toMatch(/8443$/);
  });

  test('holds for the lock commands too, which send the same token', async () => {
    const rest = { controlPlaneHost: 'cp.prod.example.com' };
    expect((await usageOf(() => check(rest, 'lock'))).message).toMatch(/may only talk to/);
    expect(check({ ...rest, lockUrl: 'https://lock.example.com' }, 'lock').lock?.url).toBe(
      'https://lock.example.com',
    );
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

  test('that no gate needs tells the lag, and what is wrong with it is no error', () => {
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

test.each<[string | undefined, Config['askedBy']]>([
  ['push', 'ci'],
  ['schedule', 'ci'],
  ['workflow_dispatch', 'human'],
  ['release', 'human'],
  ['pull_request', 'human'],
  [undefined, 'human'],
])('the event %s is asked for by %s', (event, askedBy) => {
  expect(check({ trigger: { event } }).askedBy).toBe(askedBy);
});

describe('the table of settings', () => {
  test('has every name and every variable once', () => {
    const names = SETTINGS.map(({ name }) => name);
    const variables = SETTINGS.flatMap(({ env }) => env);
    expect(new Set(names).size).toBe(names.length);
    expect(new Set(variables).size).toBe(variables.length);
    expect(variables).not.toContain('FLEET_CP_TOKEN');
  });

  test('gives every value a placeholder, and no switch one', () => {
    for (const setting of SETTINGS as readonly Setting[])
      expect([setting.name, setting.value === undefined]).toEqual([setting.name, setting.kind === 'boolean']);
  });

  test('is asked by name', () => {
    expect(settingOf('soak').default).toBe('60s');
    expect(() => settingOf('sook' as 'soak')).toThrow(RangeError);
  });
});
