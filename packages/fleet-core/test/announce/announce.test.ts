/** What people are told, run by run, against a Gitea in memory. Numbers name rows of docs/incidents.md. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { announceCutOff, announceUnstarted } from '../../src/announce/announce.js';
import { checkOptions } from '../../src/config/check-options.js';
import { loadConfig } from '../../src/config/load.js';
import type { FleetOptions } from '../../src/index.js';
import { FakeGitea, ManualClock, RecordingSink } from '../../src/testing/index.js';
import { FakeFleet, NEW, OLD } from '../helpers/fake-fleet.js';
import { FakeLock } from '../helpers/fake-lock.js';
import { run } from '../helpers/run.js';
import { serve } from '../helpers/server.js';
import { usageOf } from '../helpers/usage.js';

const RUN = 'https://git.example.com/acme/server/actions/runs/7?by_index=1';
const MARKER = /^<!-- fleet-alert \{"environment":"staging",/;

let fleet: FakeFleet;
let gitea: FakeGitea;
let clock: ManualClock;

beforeEach(async () => {
  fleet = await FakeFleet.start(['acme', 'birch']);
  clock = new ManualClock();
  gitea = await FakeGitea.start({ token: 'gitea-token', now: clock.wall });
  gitea.repository.addCommit(OLD);
  gitea.repository.addCommit(NEW, [OLD], 'main');
});
afterEach(async () => {
  await fleet.stop();
  await gitea.stop();
});

const options = (more: FleetOptions = {}): FleetOptions => ({
  ...fleet.options,
  environment: 'staging',
  giteaUrl: gitea.url,
  giteaToken: 'gitea-token',
  giteaWebUrl: 'https://git.example.com/',
  repository: 'acme/server',
  alertIssue: true,
  trigger: { event: 'push', runUrl: RUN },
  ...more,
});
const go = (more: FleetOptions = {}, context: Parameters<typeof run>[1] = {}) =>
  run(options(more), { clock, ...context });
const failing = async (more: FleetOptions = {}) => {
  fleet.stuck.add('birch');
  fleet.tenants.set('birch', OLD);
  return go(more);
};
const succeeding = async (more: FleetOptions = {}) => {
  fleet.stuck.clear();
  return go(more);
};
const opened = () => gitea.issues.filter(({ state }) => state === 'open');
const writes = () => gitea.exchanges.filter(({ method }) => method !== 'GET');

describe('the alert issue', () => {
  test('114: a failure opens one that says what, who, why, whereto and what next', async () => {
    const { result, sink } = await failing();
    expect(result).toMatchObject({ outcome: 'failed', exit_code: 1 });
    expect(gitea.issues).toHaveLength(1);
    const [issue] = gitea.issues;
    expect(issue).toMatchObject({
      state: 'open',
      title: 'fleet/staging FAILED: staging-bbbbbbb (bbbbbbb) is not proven',
      comments: [],
    });
    expect(issue?.labels.map(({ name }) => name)).toEqual(['fleet-alert']);
    expect(issue?.body).toMatch(MARKER);
    for (const part of [
      /FAILED: staging is not proven to run staging-bbbbbbb/,
      /birch: stale, .*aaaaaaa/,
      /Next: /,
      `Run: <${RUN}>`,
    ])
      expect(issue?.body).toMatch(part);
    expect(sink.of('alert.issue')).toMatchObject([
      { action: 'opened', number: 1, runs: 1, url: 'https://git.example.com/acme/server/issues/1' },
    ]);
    expect(result.warnings.filter((text) => /announced/.test(text))).toEqual([]);
  });

  test('114: each further failure is counted in it and told by a comment; the next deployed run closes it', async () => {
    await failing();
    const [issue] = gitea.issues;
    const since = /"since":"([^"]+)"/.exec(issue?.body ?? '')?.[1];
    await clock.advance(3_600_000);
    await failing();
    await failing({ trigger: { event: 'schedule' } });
    expect(gitea.issues).toHaveLength(1);
    expect(issue?.comments).toHaveLength(2);
    expect(issue?.comments[1]).toContain(`3 runs in a row have failed since ${since}`);
    expect(issue?.body).toContain(`"since":"${since}","runs":3,"last_run":null}`);
    const { result, sink } = await succeeding();
    expect(result.outcome).toBe('succeeded');
    expect(issue).toMatchObject({ state: 'closed' });
    expect(issue?.comments).toHaveLength(3);
    expect(issue?.comments[2]).toMatch(/^Deployed again after 3 failed runs since/);
    expect(sink.of('alert.issue')).toMatchObject([{ action: 'closed', number: 1, runs: 3 }]);
    // Closed is over: the next failure begins anew.
    await failing();
    expect(opened().map(({ number, body }) => [number, /"runs":(\d+)/.exec(body)?.[1]])).toEqual([[2, '1']]);
  });

  test('117: is found on the third page, and what only looks like it is left alone', async () => {
    const { body } = await failing().then(() => ({ ...(gitea.issues[0] as { body: string }) }));
    gitea.issues.length = 0;
    // Labelled like the real one: only the marker tells them apart.
    const labels = ['fleet-alert'];
    const quoted = gitea.repository.addIssue({ title: 'seen today', body: `this came:\n${body}`, labels });
    const pull = gitea.repository.addIssue({ title: 'fleet/staging FAILED', body, isPull: true, labels });
    const production = body.replace('"staging"', '"production"');
    const other = gitea.repository.addIssue({ title: 'fleet/production', body: production, labels });
    const half = '<!-- fleet-alert {"environment":"staging"} -->';
    const broken = gitea.repository.addIssue({ title: 'x', body: half, labels });
    const closed = gitea.repository.addIssue({ title: 'old', body });
    closed.state = 'closed';
    // Listed newest first: the one in question comes last.
    const ours = gitea.repository.addIssue({ title: 'old title', body, labels: ['fleet-alert'] });
    for (let n = 0; n < 120; n++)
      gitea.repository.addIssue({ title: `task ${n}`, labels: ['fleet-alert'], body: `no. ${n}` });
    const count = gitea.issues.length;
    await failing();
    expect(gitea.issues).toHaveLength(count);
    expect(ours.comments).toHaveLength(1);
    expect(ours.body).toContain('"runs":2');
    await succeeding();
    expect(ours.state).toBe('closed');
    for (const left of [quoted, pull, other, broken, closed]) expect(left.comments).toEqual([]);
    expect([quoted, pull, other, broken].map(({ state }) => state)).toEqual(['open', 'open', 'open', 'open']);
  });

  test('117: without its label it is found all the same, and gets it', async () => {
    await failing();
    const [issue] = gitea.issues;
    if (issue) issue.labels = [];
    await failing();
    expect(gitea.issues).toHaveLength(1);
    expect(issue?.comments).toHaveLength(1);
    expect(issue?.labels.map(({ name }) => name)).toEqual(['fleet-alert']);
  });

  test('where the label cannot be had, it does without', async () => {
    gitea.fail(403, { path: /^\/labels/ });
    const { result } = await failing();
    expect(result.warnings.at(-1)).toMatch(/goes without its label fleet-alert, .*HTTP 403/);
    expect(gitea.issues).toMatchObject([{ state: 'open', labels: [] }]);
    await failing();
    expect(gitea.issues).toHaveLength(1);
    await succeeding();
    expect(opened()).toEqual([]);
  });

  test('117: an issue that lost its label is closed all the same', async () => {
    await failing();
    const [issue] = gitea.issues;
    if (issue) issue.labels = [];
    await succeeding();
    expect(opened()).toEqual([]);
  });

  test('a label that cannot be put on is said as that, and the issue is told of the failure', async () => {
    await failing();
    const [issue] = gitea.issues;
    if (issue) issue.labels = [];
    gitea.fail(403, { method: 'POST', path: /^\/issues\/1\/labels/ });
    const { result, sink } = await failing();
    expect(result.warnings.at(-1)).toMatch(/#1 cannot be labelled fleet-alert: .*HTTP 403/);
    expect(sink.of('alert.issue')).toMatchObject([{ action: 'updated', number: 1, runs: 2 }]);
  });

  test('a repository whose issues are switched off is called that', async () => {
    gitea.repository.hasIssues = false;
    const { result } = await failing();
    expect(result.warnings.at(-1)).toMatch(/issues are switched off in the repository/);
  });

  test('a label that the server drops unsaid is missed aloud', async () => {
    gitea.repository.addLabel('fleet-alert');
    gitea.repository.mayLabel = false;
    const { result } = await failing();
    expect(result.warnings.at(-1)).toMatch(/#1 was opened without its label .* needs "issues: write"/);
  });

  test('whose answer was lost is not opened twice', async () => {
    gitea.fail('cut-after', { method: 'POST', path: /^\/issues$/, times: 1 });
    await failing();
    expect(gitea.issues).toHaveLength(1);
    expect(writes().filter(({ path }) => path.endsWith('/issues'))).toHaveLength(1);
  });

  test('that never arrived is sent once more, after a look', async () => {
    gitea.fail('cut', { method: 'POST', path: /^\/issues$/, times: 1 });
    await failing();
    expect(gitea.issues).toHaveLength(1);
    const sent = gitea.exchanges.map(({ method, path }) => `${method} ${path.split('/').at(-1)}`);
    const posts = sent.flatMap((name, index) => (name === 'POST issues' ? [index] : []));
    expect(posts).toHaveLength(2);
    expect(sent.slice(posts[0], posts[1])).toContain('GET issues');
  });

  test('that is refused is not sent again', async () => {
    gitea.fail(403, { method: 'POST', path: /^\/issues$/ });
    const { result } = await failing();
    expect(writes().filter(({ path }) => path.endsWith('/issues'))).toHaveLength(1);
    expect(result.warnings.at(-1)).toBe(
      'alert issue not announced: cannot open the alert issue: the user of the token lacks the right (HTTP 403); GITEA_TOKEN needs "issues: write" (scope write:issue)',
    );
  });

  test('of two runs that failed at once, the later one gives way and its failure is told in the older', async () => {
    gitea.repository.addLabel('fleet-alert');
    await failing();
    const [first] = gitea.issues;
    const kept = { ...first };
    // The first issue becomes visible only after the second run has looked for one.
    gitea.issues.length = 0;
    gitea.repository.addIssue({ title: 'a task' });
    const push = gitea.issues.push.bind(gitea.issues);
    gitea.issues.push = (...rows) => {
      gitea.issues.push = push;
      const [row] = gitea.issues;
      if (row) Object.assign(row, kept);
      return push(...rows);
    };
    const { sink } = await failing();
    expect(gitea.issues.map(({ state }) => state)).toEqual(['open', 'closed']);
    expect(gitea.issues[1]?.comments).toEqual([expect.stringContaining('goes on in #1')]);
    expect(gitea.issues[0]?.body).toContain('"runs":2');
    expect(sink.of('alert.issue')).toMatchObject([{ action: 'updated', number: 1, runs: 2 }]);
  });

  test('105: carries no word of the control plane, and no markup of anybody', async () => {
    fleet.rows.set('birch', { error: 'i-0abc1234def @everyone #1 token=abcdef123456', ssm_status: 'Failed' });
    await failing();
    const [issue] = gitea.issues;
    expect(issue?.body).toMatch(/birch: /);
    expect(issue?.body).not.toMatch(/i-0abc|abcdef123456|@everyone/);
    const [outside] = (issue?.body ?? '').split('~~~text');
    expect(outside).not.toContain('birch');
  });

  test('names the lock group where there is no environment, and who holds the lock', async () => {
    const lock = new FakeLock(fleet);
    lock.claim = (_call, response) => lock.queue(response);
    const { result } = await go({
      environment: undefined,
      noLock: false,
      lockGroup: 'blue',
      lockWaitMs: 30_000,
    });
    expect(result.outcome).toBe('lock_timeout');
    const [issue] = gitea.issues;
    expect(issue?.title).toBe('fleet/blue LOCK TIMEOUT: staging-bbbbbbb (bbbbbbb) is not proven');
    expect(issue?.body).toMatch(/held by fleet redeploy staging \(bob\) for 1m 5s, doing: rolling batch-2/);
  });
});

describe('the commit status', () => {
  const status = { alertIssue: false, commitStatus: true } as const;
  const rows = () => gitea.statuses.map(({ sha, context, state }) => [sha.slice(0, 1), context, state]);

  test('115: is pending before anything is rolled, and the verdict at the end', async () => {
    let atRoll: unknown;
    fleet.script.set(0, (_roll, response, done) => {
      atRoll = rows();
      done();
      response.writeHead(200).end(JSON.stringify({ ok: true, results: [] }));
    });
    const { sink } = await go(status);
    expect(atRoll).toEqual([['b', 'fleet/staging', 'pending']]);
    expect(rows()).toEqual([
      ['b', 'fleet/staging', 'pending'],
      ['b', 'fleet/staging', 'success'],
    ]);
    expect(gitea.statuses.map(({ target_url }) => target_url)).toEqual([RUN, RUN]);
    expect(gitea.statuses[1]?.description).toMatch(/^DEPLOYED: staging runs/);
    expect(sink.of('status.shown').map(({ state }) => state)).toEqual(['pending', 'success']);
  });

  test.each<[string, FleetOptions, string[]]>([
    ['a failure', {}, ['pending', 'failure']],
    ['a hold', { hold: 'on' }, ['warning']],
    [
      'a hold of a person, whose exit code is 4',
      { hold: 'on', trigger: { event: 'workflow_dispatch' } },
      ['warning'],
    ],
    ['a gate that refuses', { onlyBranch: 'main', branch: 'other' }, ['error']],
    ['a newer head', { supersededBy: 'head', branch: 'next' }, ['warning']],
  ])('says what became of %s', async (_name, more, states) => {
    gitea.repository.addCommit('c'.repeat(40), [NEW], 'next');
    const { result } = await failing({ ...status, ...more });
    expect(gitea.statuses.map(({ state }) => state)).toEqual(states);
    for (const { description } of gitea.statuses) expect(description.length).toBeLessThanOrEqual(140);
    expect(result.warnings.filter((text) => /announced/.test(text))).toEqual([]);
  });

  test('has a description of 140 characters at most', async () => {
    await go({ ...status, environment: 'staging', targetTag: `t${'x'.repeat(127)}` });
    expect(gitea.statuses.at(-1)?.description).toHaveLength(140);
  });

  test('101: of a run that was killed ends with the next proven one, and of one that may still run does not', async () => {
    const [killed, running, newest] = ['c', 'd', 'e'].map((digit) => digit.repeat(40)) as [
      string,
      string,
      string,
    ];
    const { repository } = gitea;
    repository.addCommit(killed, [OLD]);
    repository.addCommit(running, [killed]);
    repository.addCommit(newest, [running]);
    repository.addCommit(NEW, [newest], 'main');
    const pending = { context: 'fleet/staging', state: 'pending', target_url: 'https://git.example.com/3' };
    repository.addStatus(OLD, pending);
    repository.addStatus(OLD, { ...pending, state: 'success' });
    repository.addStatus(killed, pending);
    repository.addStatus(killed, { ...pending, context: 'fleet/production' });
    await clock.advance(3_600_000 + 60_000);
    repository.addStatus(running, pending);
    const { sink } = await go(status);
    expect(repository.stateOf(killed, 'fleet/staging')).toBe('error');
    expect(gitea.statuses.at(-1)).toMatchObject({
      sha: killed,
      description: 'cut off; bbbbbbb was proven later',
      target_url: 'https://git.example.com/3',
    });
    expect(repository.stateOf(killed, 'fleet/production')).toBe('pending');
    expect(repository.stateOf(running, 'fleet/staging')).toBe('pending');
    expect(repository.stateOf(OLD, 'fleet/staging')).toBe('success');
    expect(sink.of('status.shown').at(-1)).toMatchObject({ sha: killed, state: 'error' });
  });

  test('101: of a killed run ends with the next one, proven or not', async () => {
    gitea.repository.addStatus(OLD, { context: 'fleet/staging', state: 'pending' });
    await clock.advance(3_600_000 + 60_000);
    await failing(status);
    expect(gitea.statuses.at(-1)).toMatchObject({
      ...{ sha: OLD, state: 'error' },
      description: 'cut off; bbbbbbb was tried later',
    });
  });

  test('101: of a run that was killed and may have gone on when the next one ended is settled by a later one', async () => {
    const { repository } = gitea;
    const [killed, next, later] = ['c', 'd', 'e'].map((digit) => digit.repeat(40)) as [
      string,
      string,
      string,
    ];
    repository.addCommit(killed, [OLD]);
    repository.addCommit(next, [killed]);
    repository.addCommit(later, [next]);
    repository.addCommit(NEW, [later], 'main');
    const row = { context: 'fleet/staging', state: 'pending' };
    repository.addStatus(killed, row);
    await clock.advance(60_000);
    // Too young to be settled by them, and no record of its job.
    repository.addStatus(next, { ...row, state: 'success' });
    await clock.advance(600_000);
    repository.addStatus(later, { ...row, state: 'failure' });
    await clock.advance(3_600_000);
    await succeeding(status);
    expect(repository.stateOf(killed, 'fleet/staging')).toBe('error');
  });

  test('101: of killed runs end however many there are, back to what runs have settled', async () => {
    const { repository } = gitea;
    const killed = Array.from({ length: 120 }, (_, index) => index.toString(16).padStart(40, '0'));
    repository.addCommit('e'.repeat(40), [OLD]);
    repository.addCommit('d'.repeat(40), ['e'.repeat(40)]);
    repository.addStatus(OLD, { context: 'fleet/staging', state: 'pending' });
    repository.addStatus('e'.repeat(40), { context: 'fleet/staging', state: 'success' });
    await clock.advance(3_600_000 + 60_000);
    repository.addStatus('d'.repeat(40), { context: 'fleet/staging', state: 'success' });
    let parent = 'd'.repeat(40);
    for (const sha of killed) {
      repository.addCommit(sha, [parent]);
      parent = sha;
    }
    for (const sha of [killed[0], killed[60], killed[119]])
      repository.addStatus(sha as string, { context: 'fleet/staging', state: 'pending' });
    repository.addCommit(NEW, [parent], 'main');
    await clock.advance(3_600_000 + 60_000);
    await succeeding(status);
    expect(killed.map((sha) => repository.stateOf(sha, 'fleet/staging')).filter(Boolean)).toEqual([
      ...['error', 'error', 'error'],
    ]);
    expect(repository.stateOf(OLD, 'fleet/staging')).toBe('pending');
  });

  test.each([
    ['is over', 'cancelled', 'error'],
    ['goes on', 'running', 'pending'],
  ])(
    '101: a younger one, whose job %s by the record of the server: %s, so %s',
    async (_name, recorded, state) => {
      const { repository } = gitea;
      const target_url = 'https://git.example.com/acme/server/actions/runs/41?by_index=1';
      repository.addStatus(OLD, { context: 'fleet/staging', state: 'pending', target_url });
      const task = { id: 1, event: 'push', head_sha: OLD };
      repository.tasks.push({ ...task, name: 'deploy', status: recorded, run_number: 41 });
      repository.tasks.push({ ...task, id: 2, name: 'deploy', status: 'running', run_number: 42 });
      await clock.advance(60_000);
      await succeeding(status);
      expect(repository.stateOf(OLD, 'fleet/staging')).toBe(state);
    },
  );

  test('a freeze over a fleet that is on target leaves the commit proven', async () => {
    await succeeding(status);
    const { result } = await go({ ...status, hold: 'on' });
    expect(result).toMatchObject({ outcome: 'held', deployed: false, counts: { on_target: 2 } });
    expect(gitea.repository.stateOf(NEW, 'fleet/staging')).toBe('success');
    expect(gitea.statuses.at(-1)?.description).toMatch(
      /^HELD: .*nothing was rolled; 2 tenants answered with/,
    );
  });
});

describe('the webhook', () => {
  test('116: is told of each failure, and once of the recovery from one', async () => {
    const hook = await serve((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk) => chunks.push(chunk));
      request.on('end', () => {
        texts.push(JSON.parse(Buffer.concat(chunks).toString()).text);
        response.writeHead(200).end('ok');
      });
    });
    const texts: string[] = [];
    const alertWebhook = `${hook.url}/services/s3cr3t-path`;
    await failing({ alertWebhook, targetTag: 'staging-bbbbbbb' });
    await succeeding({ alertWebhook });
    await succeeding({ alertWebhook });
    expect(texts).toEqual([
      expect.stringMatching(/^fleet\/staging FAILED: .*\nReason: .*\n2 tenants: 1 on target, 1 stale\n/),
      expect.stringMatching(/^fleet\/staging is deployed again after 1 failed run since/),
    ]);
    expect(texts[0]).toContain(`Run: ${RUN.replaceAll('&', '&amp;')}`);
  });

  test('reads nothing as markup of the chat', async () => {
    const bodies: string[] = [];
    const hook = await serve((request, response) => {
      request.on('data', (chunk) => bodies.push(`${chunk}`));
      request.on('end', () => response.writeHead(200).end('ok'));
    });
    await failing({ environment: 'R&D <!channel>', alertWebhook: hook.url });
    expect(JSON.parse(bodies.join('')).text).toMatch(/^fleet\/R&amp;D &lt;!channel&gt; FAILED: /);
    expect(gitea.issues[0]?.title).toContain('fleet/R&D <!channel>');
    await succeeding({ environment: 'R&D <!channel>' });
    expect(opened()).toEqual([]);
  });

  test.each<[string, (response: import('node:http').ServerResponse) => void, RegExp, number]>([
    ['refuses', (response) => void response.writeHead(404).end('no_service'), /HTTP 404/, 1],
    ['fails', (response) => void response.writeHead(500).end(), /HTTP 500/, 3],
    [
      'redirects',
      (response) => void response.writeHead(302, { location: 'https://x.example.com/' }).end(),
      /redirects/,
      1,
    ],
    ['hangs up', (response) => void response.destroy(), /connection broke/, 3],
    ['is silent', () => {}, /no answer within/, 2],
  ])('that %s costs one warning without its address', async (_name, reply, why, times) => {
    const hook = await serve((_request, response) => reply(response));
    const { result, sink } = await failing({ alertIssue: false, alertWebhook: `${hook.url}/s3cr3t-path` });
    expect(result).toMatchObject({ outcome: 'failed', exit_code: 1 });
    expect(result.warnings.at(-1)).toMatch(why);
    expect(result.warnings.filter((text) => text.startsWith('webhook'))).toHaveLength(1);
    expect(hook.requests.length).toBeGreaterThanOrEqual(times);
    expect(JSON.stringify([sink.events, result])).not.toContain('s3cr3t-path');
  });
});

describe('what announcing must not do', () => {
  const all = { alertIssue: true, commitStatus: true } as const;

  test.each<[string, FleetOptions, Parameters<typeof run>[1]]>([
    ['112: an event from outside', { trigger: { event: 'pull_request' } }, {}],
    ['a dry run', { dryRun: true }, {}],
    ['a plan', {}, { command: 'plan' }],
    ['a verification', {}, { command: 'verify' }],
  ])('%s announces nothing', async (_name, more, context) => {
    const hook = await serve((_request, response) => void response.end());
    fleet.stuck.add('birch');
    await go({ ...all, ...more, alertWebhook: hook.url }, context);
    expect(gitea.exchanges).toEqual([]);
    expect(hook.requests).toEqual([]);
  });

  test.each([403, 'scope', 'edge', 401, 404, 500, 'cut', 'silent', 'html'] as const)(
    '116: a Gitea that answers with %s leaves the verdict alone, within 20 s, and each loss is one warning',
    async (fault) => {
      gitea.fail(fault);
      const bare = await succeeding({ alertIssue: false });
      fleet.tenants.set('acme', OLD);
      const started = clock.monotonic();
      const { result, sink } = await failing(all);
      expect(result).toMatchObject({ outcome: 'failed', exit_code: 1, deployed: false });
      // 3 s of settling, 10 s at most for the mark at the start and 20 s at most for the end.
      expect(clock.monotonic() - started).toBeLessThanOrEqual(3_000 + 10_000 + 20_000 + 1_000);
      const lost = result.warnings.filter((text) => /not announced/.test(text));
      expect(lost.length).toBeGreaterThanOrEqual(2);
      expect(lost.length).toBeLessThanOrEqual(3);
      expect(lost.some((text) => text.startsWith('alert issue not announced'))).toBe(true);
      expect(lost.some((text) => text.startsWith('commit status not announced'))).toBe(true);
      if (fault === 403 || fault === 'scope') {
        expect(lost.join('\n')).toMatch(
          /HTTP 403\); GITEA_TOKEN needs "issues: write" \(scope write:issue\)/,
        );
        expect(lost.join('\n')).toMatch(/needs "contents: write" \(scope write:repository\)/);
      } else if (fault === 'edge') expect(lost.join('\n')).toMatch(/a proxy in front of Gitea/);
      expect(sink.of('run.finished')[0]?.result.warnings).toEqual(result.warnings);
      expect(bare.result.outcome).toBe('succeeded');
      expect(clock.pending).toBe(0);
    },
  );

  test('a deployed run stays deployed', async () => {
    gitea.fail(500);
    expect((await succeeding(all)).result).toMatchObject({
      outcome: 'succeeded',
      exit_code: 0,
      deployed: true,
    });
  });

  test('it begins after the lock was given back, and lasts when the time of the run is over', async () => {
    new FakeLock(fleet);
    fleet.script.set(0, () => {});
    const { result, sink } = await go({ ...all, noLock: false, timeoutMs: 60_000 });
    expect(result).toMatchObject({ outcome: 'failed', reason: expect.stringMatching(/time is up/) });
    expect(opened()).toHaveLength(1);
    const { codes } = sink;
    expect(codes.indexOf('lock.released')).toBeGreaterThan(-1);
    expect(codes.indexOf('alert.issue')).toBeGreaterThan(codes.indexOf('lock.released'));
    expect(codes.lastIndexOf('status.shown')).toBeGreaterThan(codes.indexOf('lock.released'));
    expect(codes.at(-1)).toBe('run.finished');
  });

  test('a run that was interrupted is told of', async () => {
    const controller = new AbortController();
    fleet.script.set(0, () => controller.abort('SIGTERM'));
    const { result } = await go(all, { signal: controller.signal });
    expect(result).toMatchObject({ outcome: 'interrupted', exit_code: 143 });
    expect(opened()).toHaveLength(1);
    expect(gitea.statuses.map(({ state }) => state)).toEqual(['pending', 'error']);
  });

  test.each([
    ['a second signal ends it at once', true],
    ['the first signal ends it at once where it comes that late', false],
  ])('%s', async (_name, interrupted) => {
    const [signal, hurry] = [new AbortController(), new AbortController()];
    if (interrupted) fleet.script.set(0, () => signal.abort('SIGTERM'));
    else fleet.stuck.add('birch');
    gitea.fail('silent');
    const hook = await serve(() => (interrupted ? hurry : signal).abort('SIGINT'));
    const { result } = await go({ alertWebhook: hook.url }, { signal: signal.signal, hurry: hurry.signal });
    expect(result.outcome).toBe(interrupted ? 'interrupted' : 'failed');
    expect(result.warnings.slice(-2).sort()).toEqual([
      'alert issue not announced: stopped',
      'webhook not announced: stopped',
    ]);
    expect(clock.monotonic()).toBeLessThan(8_000);
  });
});

describe('a run that never began', () => {
  const given = (flags: Record<string, string>, env: Record<string, string> = {}) => ({
    flags: { environment: 'staging', 'alert-issue': 'true', 'commit-status': 'true', ...flags },
    env: {
      ...{
        CI: 'true',
        GITHUB_EVENT_NAME: 'push',
        GITHUB_SERVER_URL: gitea.url,
        GITHUB_REPOSITORY: 'acme/server',
      },
      ...{ GITHUB_SHA: NEW, GITHUB_RUN_NUMBER: '7', GITEA_TOKEN: 'gitea-token', ...env },
    },
  });
  const noFiles = { readFile: () => Promise.reject(Object.assign(new Error(), { code: 'ENOENT' })) };
  const tell = async (...[flags, env]: Parameters<typeof given>) => {
    const error = await usageOf(() => loadConfig('redeploy', given(flags, env), noFiles));
    const config = await loadConfig('announce', given(flags, env), noFiles);
    const sink = new RecordingSink();
    await announceUnstarted(config, error, { ports: { emit: sink.emit } });
    return sink;
  };

  test.each([
    ['the token is not set', {}, /FLEET_CP_TOKEN/],
    ['the kill switch has a value that is none', { hold: 'maybe' }, /--hold: "maybe" is neither on nor off/],
    [
      'a value of an alert is no good either',
      { 'gitea-web-url': 'nowhere' },
      /--gitea-web-url: "nowhere" is not/,
    ],
  ])('%s: the commit is red, and an issue says why', async (_name, flags, why) => {
    const sink = await tell({ 'target-tag': 'main-bbbbbbb', ...flags });
    expect(gitea.statuses).toMatchObject([{ sha: NEW, state: 'error', context: 'fleet/staging' }]);
    const [issue] = opened();
    expect(issue).toMatchObject({ title: 'fleet/staging REFUSED: main-bbbbbbb (bbbbbbb) is not proven' });
    expect(issue?.body).toMatch(why);
    expect(issue?.body).toContain('the run did not begin');
    expect(sink.of('warning')).toEqual([]);
    expect(sink.of('alert.issue')).toMatchObject([{ action: 'opened' }]);
    await succeeding();
    expect(opened()).toEqual([]);
  });

  test.each([
    ['an event that is not trusted', {}, { GITHUB_EVENT_NAME: 'pull_request' }],
    ['a dry run', { 'dry-run': 'true' }, {}],
    ['no token for Gitea', {}, { GITEA_TOKEN: '' }],
    ['hosts that are pinned to others', { 'control-plane-host': 'cp.example.com' }, {}],
  ])('%s: nobody is told, and no secret leaves', async (_name, flags, env) => {
    await tell(flags, env).catch((error) => expect(error).toMatchObject({ code: 'USAGE' }));
    expect(gitea.exchanges).toEqual([]);
  });
});

describe('a run that was cut off', () => {
  const status = { context: 'fleet/staging', state: 'pending', target_url: RUN };
  const cutOff = async (more: FleetOptions = {}) => {
    const sink = new RecordingSink();
    const config = checkOptions('announce', {
      ...options({ commitStatus: true, ...more }),
      expectedSha: NEW,
    });
    await announceCutOff(config, { ports: { emit: sink.emit } });
    return sink;
  };

  test('its pending status is ended by what is left of it', async () => {
    gitea.repository.addStatus(NEW, status);
    const sink = await cutOff();
    expect(gitea.statuses.at(-1)).toMatchObject({ state: 'error', target_url: RUN });
    expect(sink.of('status.shown')).toMatchObject([{ sha: NEW, state: 'error' }]);
  });

  test.each([
    ['of another run', { ...status, target_url: `${RUN}8` }],
    ['that has its verdict', { ...status, state: 'success' }],
    ['of another environment', { ...status, context: 'fleet/production' }],
  ])('a status %s is left alone', async (_name, row) => {
    gitea.repository.addStatus(NEW, row);
    await cutOff();
    expect(writes()).toEqual([]);
  });

  test('a token that is no good any more is said, and nothing else', async () => {
    gitea.repository.addStatus(NEW, status);
    gitea.fail(401);
    expect((await cutOff()).of('warning').map(({ reason }) => reason)).toEqual([
      'commit status not announced: cannot read the statuses of bbbbbbb: Gitea does not accept GITEA_TOKEN (HTTP 401)',
    ]);
  });
});
