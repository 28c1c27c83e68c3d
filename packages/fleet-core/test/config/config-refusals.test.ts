import { describe, expect, test } from 'vitest';
import { checkOptions } from '../../src/config/check-options.js';
import type { FleetOptions } from '../../src/config/options.js';
import { gitea, good, SHA, TOKEN } from '../helpers/options.js';
import { usageOf } from '../helpers/usage.js';

const check = (rest: FleetOptions) => checkOptions('redeploy', { ...good, ...rest });

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
      { controlPlaneHost: ['cp.prod.example.com'] },
      '--control-plane',
      /may only go to cp\.prod/,
    ],
    [
      'a pin that is a URL',
      { controlPlaneHost: ['https://cp.example.com'] },
      '--control-plane-host',
      /not HOST/,
    ],
    ['no token', { controlPlaneToken: '' }, 'FLEET_CP_TOKEN', /missing/],
    ['no tenant URL', { tenantUrl: undefined }, '--tenant-url', /is missing/],
    ['a tenant URL without {slug}', { tenantUrl: 'https://x.example.com' }, '--tenant-url', /exactly once/],
    ['16: no target tag', { targetTag: undefined }, '--target-tag', /is missing/],
    ['a tag with a colon', { targetTag: 'image:tag' }, '--target-tag', /not an image tag/],
    ['a tag with a line break', { targetTag: 'a\n::error::b' }, '--target-tag', /not an image tag/],
    [
      'a digest without a tag',
      { targetTag: `@sha256:${'a'.repeat(64)}` },
      '--target-tag',
      /neither a tag nor TAG@/,
    ],
    [
      'a digest that is short',
      { targetTag: 'main-1@sha256:abc' },
      '--target-tag',
      /neither a tag nor TAG@sha256:DIGEST/,
    ],
    [
      'a digest in capitals',
      { targetTag: `a@sha256:${'A'.repeat(64)}` },
      '--target-tag',
      /neither a tag nor TAG@/,
    ],
    [
      'another digest',
      { targetTag: `a@sha512:${'a'.repeat(128)}` },
      '--target-tag',
      /neither a tag nor TAG@/,
    ],
    [
      'two digests',
      { targetTag: `a${`@sha256:${'a'.repeat(64)}`.repeat(2)}` },
      '--target-tag',
      /neither a tag/,
    ],
    ['a tag that is too long', { targetTag: 'a'.repeat(129) }, '--target-tag', /not an image tag/],
    ['no expected commit', { expectedSha: undefined }, '--expected-sha', /is missing/],
    ['67: a short commit', { expectedSha: SHA.slice(0, 12) }, '--expected-sha', /not a full commit id/],
    ['a commit of other letters', { expectedSha: 'g'.repeat(40) }, '--expected-sha', /not a full commit id/],
    ['"dev" for a commit', { expectedSha: 'dev' }, '--expected-sha', /not a full commit id/],
    ['23: a commit of zeros', { expectedSha: '0'.repeat(40) }, '--expected-sha', /all zeros/],
    ['a canary that is no slug', { canary: 'acme.example.com' }, '--canary', /not a tenant slug/],
    [
      'a missing tenant that is no slug',
      { allowMissing: ['a/../b'] },
      '--allow-missing',
      /not a tenant slug/,
    ],
    ['a part of the fleet that is no glob', { only: ['acme', 'A b'] }, '--only', /not a glob/],
    ['what is left out that is no glob', { exclude: ['a,b'] }, '--exclude', /not a glob/],
    ['a fleet of none', { minTenants: 0 }, '--min-tenants', /at least 1/],
    [
      'a registry password without a user',
      { image: 'r.example.com/a', registryPassword: TOKEN },
      '--registry-user',
      /missing/,
    ],
    [
      'a registry user without a password',
      { image: 'r.example.com/a', registryUser: 'a' },
      'FLEET_REGISTRY_PASSWORD',
      /missing/,
    ],
    ['a glob that excuses everybody', { ephemeral: ['e2e-*', '*'] }, '--ephemeral', /matches every tenant/],
    ['an unknown strategy', { strategy: 'hope' as 'scoped' }, '--strategy', /not known/],
    ['an unknown rule of supersession', { supersededBy: 'hope' as 'off' }, '--superseded-by', /not known/],
    ['a batch of none', { batchSize: 0 }, '--batch-size', /at least 1/],
    ['half a tenant a batch', { batchSize: 1.5 }, '--batch-size', /whole number/],
    ['a share of nobody', { batchSize: '0%' }, '--batch-size', /above 0%/],
    ['more than all', { batchSize: '101%' }, '--batch-size', /up to 100%/],
    ['a growth that shrinks', { batchGrowth: 0 }, '--batch-growth', /at least 1/],
    ['a limit below the size', { batchSize: 5, batchMax: 4 }, '--batch-max', /below the batch size/],
    ['growth in a single call', { batchGrowth: 2, strategy: 'single-call' }, '--batch-growth', /single call/],
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
    ['an alert issue without a server', { alertIssue: true }, '--alert-issue', /needs a Gitea server/],
    ['a commit status without a server', { commitStatus: true }, '--commit-status', /needs a Gitea server/],
    [
      'an alert issue without a repository',
      { ...gitea, repository: '', alertIssue: true },
      '--repository',
      /owner\/name/,
    ],
    [
      'an alert issue without a token',
      { ...gitea, giteaToken: '', alertIssue: true },
      'GITEA_TOKEN',
      /--alert-issue cannot write issues/,
    ],
    [
      'a commit status without a token, beside a gate that needs none',
      { ...gitea, giteaToken: '', requireContext: ['ci'], commitStatus: true },
      'GITEA_TOKEN',
      /--commit-status cannot be set/,
    ],
    [
      'an alert issue on a server over http',
      { ...gitea, giteaUrl: 'http://gitea:3000', alertIssue: true },
      '--gitea-url',
      /forged/,
    ],
    [
      'an address for people that is none',
      { giteaWebUrl: 'git.example.com' },
      '--gitea-web-url',
      /not an http/,
    ],
    [
      'a webhook over http',
      { alertWebhook: `http://chat.example.com/${TOKEN}` },
      'FLEET_ALERT_WEBHOOK',
      /could be read on the way/,
    ],
    ['a webhook that is no URL', { alertWebhook: TOKEN }, 'FLEET_ALERT_WEBHOOK', /not an http/],
    [
      'a webhook with a user',
      { alertWebhook: `https://a:${TOKEN}@chat.example.com/x` },
      'FLEET_ALERT_WEBHOOK',
      /not an http/,
    ],
    ['91: a hold that is neither', { hold: 'maybe' }, '--hold', /neither on nor off/],
    ['an order that is no number', { order: 1.5 }, '--order', /whole number/],
    ['an order below nothing', { order: -1 }, '--order', /whole number/],
  ];
  test.each(cases)('%s', async (_name, rest, option, message) => {
    const error = await usageOf(() => check(rest));
    expect(error.option).toBe(option);
    expect(error.message).toMatch(message);
    expect(`${error.message}${error.next}${error.stack}`).not.toContain(TOKEN);
  });

  test('106: a tenant to verify that is no slug', async () => {
    const rest = { ...good, tenant: ['a/../b'] };
    expect((await usageOf(() => checkOptions('verify', rest))).option).toBe('--tenant');
  });

  test('in the words of whoever gave it', async () => {
    const label = (name: string) => `FLEET_${name.toUpperCase()}`;
    const error = await usageOf(() => checkOptions('redeploy', { ...good, batchSize: 0 }, label));
    expect(error).toMatchObject({
      option: 'FLEET_BATCH-SIZE',
      message: expect.stringMatching(/^FLEET_BATCH-SIZE: /),
    });
  });

  test('with everything that is missing at once', async () => {
    const { message, next } = await usageOf(() => checkOptions('redeploy', {}));
    expect(message).toBe(
      '--control-plane, FLEET_CP_TOKEN, --tenant-url, --target-tag, --expected-sha and --lock-group are missing',
    );
    expect(next).toMatch(/^give --control-plane, --token-file, .* set FLEET_CONTROL_PLANE, FLEET_CP_TOKEN, /);
    expect(next).not.toContain('token:');
  });

  test('with all ways to give what is missing', async () => {
    const { next } = await usageOf(() => check({ expectedSha: '' }));
    expect(next).toBe(
      'give --expected-sha, set FLEET_EXPECTED_SHA or GITHUB_SHA, or write expected-sha: in fleet.config.yaml',
    );
  });
});
