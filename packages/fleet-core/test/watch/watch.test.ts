/** What a watch finds, whom it tells, and what is left of its look. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkOptions } from '../../src/config/check-options.js';
import type { RolloutEntry } from '../../src/contract.js';
import { examine } from '../../src/doctor/doctor.js';
import { renderStatus } from '../../src/render/status.js';
import { readStatus } from '../../src/status/status.js';
import { FakeGitea, RecordingSink } from '../../src/testing/index.js';
import { watchFleet } from '../../src/watch/watch.js';
import { FakeFleet, json, NEW, OLD } from '../helpers/fake-fleet.js';
import { FakeLock } from '../helpers/fake-lock.js';

const HOUR = 3_600_000;
const [NEXT, LAST] = ['c'.repeat(40), 'd'.repeat(40)];
let fleet: FakeFleet;
let lock: FakeLock;
let gitea: FakeGitea;
let now: number;
const ago = (hours: number) => new Date(now - hours * HOUR).toISOString();

const proof = (hours: number, over: Record<string, unknown> = {}): RolloutEntry => ({
  claim_id: '6f1c1f0e-2b0a-4d7b-9e55-0c4f3f1a7d10',
  fencing_token: 7,
  holder: { name: 'fleet redeploy staging' },
  state: 'ended',
  started_at: ago(hours),
  ended_at: ago(hours),
  rollout: { target_tag: 'main-b', expected_sha: NEW, outcome: 'succeeded', tool_version: '1', ...over },
});

beforeEach(async () => {
  now = Date.UTC(2026, 5, 1);
  fleet = await FakeFleet.start(['acme', 'birch', 'cobalt', 'e2e-1'], NEW);
  lock = new FakeLock(fleet);
  lock.rollouts = [proof(1)];
  gitea = await FakeGitea.start({ now: () => now });
  gitea.repository.addCommit(NEW, [], 'main');
});
afterEach(async () => {
  await fleet.stop();
  await gitea.stop();
});

const configOf = (over: Parameters<typeof checkOptions>[1] = {}, command: 'watch' | 'status' = 'watch') => {
  const { controlPlane, controlPlaneToken, tenantUrl } = fleet.options;
  return checkOptions(command, {
    ...{ controlPlane, controlPlaneToken, tenantUrl, lockGroup: 'staging', ephemeral: ['e2e-*'] },
    ...{ giteaUrl: gitea.url, giteaToken: 'gitea-token', repository: 'acme/server', branch: 'main' },
    ...over,
  });
};
/** The system's clock runs the requests; the hour is the one of the test. */
const ports = () => ({ clock: { ...systemLike(), wall: () => now } });
const systemLike = () => ({
  monotonic: () => performance.now(),
  timer: (ms: number, done: () => void) => {
    const timer = setTimeout(done, ms);
    return () => clearTimeout(timer);
  },
});
const watch = (over?: Parameters<typeof checkOptions>[1]) => {
  const sink = new RecordingSink();
  return watchFleet(configOf(over), { ports: { ...ports(), emit: sink.emit } });
};
/** A green commit of the branch, `hours` old. */
const merge = (sha: string, parent: string, hours: number, state: 'success' | 'pending' = 'success') => {
  const [real, at] = [now, now - hours * HOUR];
  now = at;
  gitea.repository.addCommit(sha, [parent], 'main');
  gitea.repository.addStatus(sha, { context: 'ci', state });
  now = real;
};

describe('what is found', () => {
  it('nothing, where all is well', async () => {
    expect(await watch()).toMatchObject({ findings: [], unwatched: [], exit_code: 0, proven_sha: NEW });
  });

  it.each<[string, () => void, Parameters<typeof checkOptions>[1], string, RegExp]>([
    ['drift', () => fleet.tenants.set('birch', OLD), {}, 'drift', /^birch left the proven commit bbbbbbb$/],
    [
      'silence',
      () => fleet.tenants.set('birch', (response) => void response.destroy()),
      {},
      'silent',
      /birch \(/,
    ],
    [
      'an old quarantine',
      () => {
        fleet.tenants.set('birch', OLD);
        lock.rollouts = [
          proof(30, { outcome: 'succeeded_with_quarantine', tenants: [{ slug: 'birch', status: 'stale' }] }),
        ];
      },
      {},
      'quarantine',
      /birch in quarantine for 30h/,
    ],
    [
      'an old freeze',
      () => {
        lock.status = (_, response) =>
          lock.show(response, { frozen: { actor: 'ann', reason: 'x', since: ago(25) } });
      },
      {},
      'freeze',
      /frozen for 25h.* by ann: x/,
    ],
    [
      'a green commit that waits',
      () => {
        merge(NEXT, NEW, 5);
        merge(LAST, NEXT, 1, 'pending');
      },
      { requireContext: ['ci'] },
      'behind',
      /green commit ccccccc is 5h.* old and not on the fleet/,
    ],
    ['a commit that waits, without checks', () => merge(NEXT, NEW, 5), {}, 'behind', /ccccccc is 5h/],
    [
      'a schedule that stopped',
      () => {
        lock.rollouts = [proof(27)];
      },
      { maxQuietMs: 26 * HOUR },
      'quiet',
      /no rollout was started for 27h/,
    ],
    [
      'a control plane that is away',
      () => {
        fleet.planAnswer = (response) => json(response, 503, {});
      },
      {},
      'blind',
      /503/,
    ],
  ])('%s', async (_name, prepare, over, kind, says) => {
    prepare();
    const report = await watch(over);
    expect(report.findings).toEqual([expect.objectContaining({ kind, says: expect.stringMatching(says) })]);
    expect(report.exit_code).toBe(kind === 'blind' ? 5 : 1);
  });

  it.each<[string, () => void, Parameters<typeof checkOptions>[1]]>([
    ['an ephemeral tenant that is off', () => fleet.tenants.set('e2e-1', OLD), {}],
    [
      'drift while a rollout is under way',
      () => {
        fleet.tenants.set('birch', OLD);
        lock.held = 8;
      },
      {},
    ],
    [
      'a young quarantine',
      () => {
        fleet.tenants.set('birch', OLD);
        lock.rollouts = [
          proof(1, { outcome: 'succeeded_with_quarantine', tenants: [{ slug: 'birch', status: 'stale' }] }),
        ];
      },
      {},
    ],
    ['a commit that is not green', () => merge(NEXT, NEW, 5, 'pending'), { requireContext: ['ci'] }],
    ['a young commit', () => merge(NEXT, NEW, 1), {}],
    [
      'a commit that waits for the end of a freeze',
      () => {
        merge(NEXT, NEW, 5);
        lock.status = (_, response) => lock.show(response, { frozen: { reason: 'x', since: ago(5) } });
      },
      {},
    ],
    [
      'anything that is switched off',
      () => {
        merge(NEXT, NEW, 500);
        lock.rollouts = [proof(500)];
      },
      { maxLagMs: 0 },
    ],
  ])('not %s', async (_name, prepare, over) => {
    prepare();
    expect((await watch(over)).findings).toEqual([]);
  });

  it('says what it could not look at', async () => {
    gitea.fail(500, { path: /branches/ });
    lock.givesRecords = false;
    const { unwatched, exit_code } = await watch();
    expect(unwatched).toEqual([
      expect.stringMatching(/^drift and quarantine/),
      expect.stringMatching(/^commits that wait/),
    ]);
    expect(exit_code).toBe(0);
  });
});

describe('who is told', () => {
  const alerting = { alertIssue: true, commitStatus: true };
  it('one issue, told anew only of news, closed by the next good look; the alert of a rollout is left alone', async () => {
    const other = gitea.repository.addIssue({
      title: 'x',
      body: '<!-- fleet-alert {"environment":"staging","since":"2026-01-01T00:00:00Z","runs":1,"last_run":null} -->',
    });
    fleet.tenants.set('birch', OLD);
    await watch(alerting);
    await watch(alerting);
    const [, issue] = gitea.issues;
    expect(issue).toMatchObject({ title: 'fleet/staging watch: drift', state: 'open', comments: [] });
    expect(issue?.body).toMatch(/Found by 2 looks since/);
    fleet.tenants.set('cobalt', OLD);
    await watch(alerting);
    expect(issue?.comments).toHaveLength(1);
    fleet.tenants.set('birch', NEW);
    fleet.tenants.set('cobalt', NEW);
    await watch(alerting);
    expect(issue).toMatchObject({
      state: 'closed',
      comments: [expect.anything(), expect.stringMatching(/^All is well again after 3 looks/)],
    });
    expect(other.state).toBe('open');
  });

  it('the webhook hears of news only', async () => {
    const heard: string[] = [];
    const serve = fleet.extra;
    fleet.extra = (request, response, body) => {
      if (request.url !== '/hook') return serve?.(request, response, body) ?? false;
      heard.push(JSON.parse(body).text);
      json(response, 200, {});
      return true;
    };
    const both = { ...alerting, alertWebhook: `${fleet.url}/hook` };
    fleet.tenants.set('birch', OLD);
    await watch(both);
    await watch(both);
    fleet.tenants.set('birch', NEW);
    await watch(both);
    await watch(both);
    expect(heard).toEqual([
      expect.stringMatching(/^fleet\/staging watch: drift\ndrift: birch/),
      expect.stringMatching(/all is well again/),
    ]);
  });

  it('a Gitea that cannot be written to is a warning', async () => {
    gitea.fail(403, { method: 'POST' });
    fleet.tenants.set('birch', OLD);
    const report = await watch(alerting);
    expect(report.exit_code).toBe(1);
    expect(report.warnings.join()).toMatch(/alert issue not announced: .*issues: write/);
  });
});

describe('the last look', () => {
  it('stands on the proven commit, one row in half an hour where nothing changes, and is seen in status and doctor', async () => {
    const look = { commitStatus: true };
    await watch(look);
    await watch(look);
    const rows = () => gitea.statuses.filter(({ context }) => context === 'fleet-watch/staging');
    expect(rows()).toEqual([
      expect.objectContaining({ sha: NEW, state: 'success', description: 'looked: all is well' }),
    ]);
    now += HOUR;
    await watch(look);
    expect(rows()).toHaveLength(2);
    now += HOUR / 2;
    const status = async () =>
      renderStatus(await readStatus(configOf({}, 'status'), { ports: ports() })).map(({ text }) => text);
    expect(await status()).toContain('Last look of the watch: 30m ago, looked: all is well');
    const given = () => ({
      flags: {
        'control-plane': fleet.url,
        'tenant-url': `${fleet.url}/t/{slug}`,
        'lock-group': 'staging',
        'gitea-url': gitea.url,
        repository: 'acme/server',
        branch: 'main',
        'kill-switch': 'FREEZE',
      },
      env: { FLEET_CP_TOKEN: 'token', GITEA_TOKEN: 'token' },
    });
    const readFile = async () => Promise.reject(Object.assign(new Error('gone'), { code: 'ENOENT' }));
    const doctor = async () =>
      (await examine(given(), { node: '20', git: null }, { ports: { ...ports(), readFile } })).checks.find(
        ({ name }) => name === 'watch',
      );
    expect(await doctor()).toMatchObject({
      state: 'ok',
      says: 'its last look was 30m ago: looked: all is well',
    });
    now += 7 * HOUR;
    expect(await doctor()).toMatchObject({ state: 'warning', next: expect.stringMatching(/fleet watch/) });
  });

  it('a Gitea that is silent keeps nobody waiting longer than silent tenants do', async () => {
    gitea.fail('silent');
    fleet.tenants.set('birch', () => {});
    const status = await readStatus(configOf({}, 'status'));
    expect(status.last_look).toMatchObject({ known: false, why: expect.stringMatching(/2000 ms/) });
    expect(status.took_ms).toBeLessThan(3_000);
  });

  it('none since the commit was proven is said', async () => {
    const status = await readStatus(configOf({}, 'status'), { ports: ports() });
    expect(renderStatus(status).map(({ text }) => text)).toContain(
      'Last look of the watch: none since the last proven rollout',
    );
  });
});
