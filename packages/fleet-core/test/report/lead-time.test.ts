import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemHttp } from '../../src/io/http.js';
import { leadTimeOf } from '../../src/report/lead-time.js';
import { FakeGitea, ManualClock } from '../../src/testing/index.js';

const SHA = 'b'.repeat(40);
const COMMITTED = '2026-01-02T02:50:00.000Z';
const startedAt = Date.parse('2026-01-02T03:00:00.000Z');

let gitea: FakeGitea;
beforeEach(async () => {
  gitea = await FakeGitea.start({ token: 'gitea-token', now: () => Date.parse(COMMITTED) });
  gitea.repository.addCommit(SHA, [], 'main');
});
afterEach(() => gitea.stop());

const access = () => ({ url: gitea.url, token: 'gitea-token', repository: 'acme/server' });
const config = () => ({ command: 'redeploy' as const, gitea: access(), expectedSha: SHA });
const deploy = {
  outcome: 'succeeded' as const,
  scope: undefined,
  startedAt,
  timeline: [
    { at_ms: 1000, event: 'tenant.rolled', slug: 'acme' },
    { at_ms: 4000, event: 'tenant.proven', slug: 'acme' },
    { at_ms: 9000, event: 'tenant.proven', slug: 'birch' },
    { at_ms: 9500, event: 'soak.passed' },
  ],
};
const context = (committedAt?: () => Promise<string | null>) => ({
  ...{ http: systemHttp(new ManualClock()), signal: new AbortController().signal, committedAt },
});

describe('the lead time', () => {
  test('is from the commit, as Gitea has it, to the last proof', async () => {
    expect(await leadTimeOf(config(), deploy, context())).toEqual({
      ...{ committed_at: COMMITTED, proven_at: '2026-01-02T03:00:09.000Z', ms: 609_000 },
    });
  });

  test('is read off a clone where one is, and Gitea is not asked then', async () => {
    const clone = context(async () => '2026-01-02T04:59:09+02:00');
    expect(await leadTimeOf(config(), deploy, clone)).toMatchObject({ ms: 60_000 });
    expect(gitea.exchanges).toEqual([]);
  });

  const part = { only: ['acme'], exclude: [], tenants: 1, of: 2 };
  const back = { claim_id: 'c', fencing_token: 3 } as never;
  test.each<[string, Partial<Parameters<typeof leadTimeOf>[0]>, Partial<Parameters<typeof leadTimeOf>[1]>]>([
    ['nothing is proven', {}, { outcome: 'failed' }],
    ['a part of the fleet is', {}, { scope: part }],
    ['nothing was rolled', {}, { timeline: deploy.timeline.slice(1) }],
    ['it is a rollback', { rollback: back }, {}],
    ['it only verifies', { command: 'verify' }, {}],
    ['nobody knows the commit', { expectedSha: 'c'.repeat(40) }, {}],
    ['there is no Gitea', { gitea: null }, {}],
    ['the commit is younger than its proof', {}, { startedAt: startedAt - 3_600_000 }],
  ])('is not told where %s', async (_, changed, other) => {
    const found = leadTimeOf({ ...config(), ...changed }, { ...deploy, ...other }, context());
    expect(await found).toBeUndefined();
  });

  test('is not told, and fails nothing, where a clone or Gitea does not answer', async () => {
    const broken = context(() => Promise.reject(new Error('no git')));
    expect(await leadTimeOf(config(), deploy, broken)).toBeUndefined();
    await gitea.stop();
    const now = { ...context(), http: systemHttp(new ManualClock()), signal: AbortSignal.timeout(50) };
    expect(await leadTimeOf(config(), deploy, now)).toBeUndefined();
  });
});
