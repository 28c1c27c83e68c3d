/** Gates before, under and during a roll. Numbers name rows of docs/incidents.md. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FakeFleet, json, NEW } from '../helpers/fake-fleet.js';
import { run } from '../helpers/run.js';

let fleet: FakeFleet;
/** Answers of the Gitea API by path below the repository, or below the API for other things; requests are kept. */
let gitea: Map<string, (response: ServerResponse, request: IncomingMessage) => void>;
let asked: string[];

beforeEach(async () => {
  fleet = await FakeFleet.start(['acme', 'birch']);
  gitea = new Map();
  gitea.set('', (response) => json(response, 200, { full_name: 'acme/server' }));
  asked = [];
  fleet.extra = (request, response) => {
    const path = (request.url ?? '').split('?')[0]?.split(/\/api\/v1(?:\/repos\/acme\/server)?/)[1];
    if (path === undefined) return false;
    asked.push(request.url ?? '');
    const answer = gitea.get(path);
    if (answer) answer(response, request);
    else json(response, 404, { message: 'not found' });
    return true;
  };
});
afterEach(() => fleet.stop());

const gated = () => ({
  ...fleet.options,
  giteaUrl: fleet.url,
  giteaToken: 'gitea-token',
  repository: 'acme/server',
  branch: 'main',
  supersededBy: 'off' as const,
});
const VARIABLE = '/actions/variables/FREEZE';
const withSwitch = () => ({ ...gated(), killSwitch: 'FREEZE' });

describe('event', () => {
  test.each(['push', 'schedule', 'workflow_dispatch', 'release'])('%s is trusted', async (event) => {
    expect((await run({ ...fleet.options, trigger: { event } })).result.outcome).toBe('succeeded');
  });

  test.each(['pull_request', 'pull_request_target', 'issue_comment', 'fork'])(
    '112: %s is refused before any request',
    async (event) => {
      const { result } = await run({ ...fleet.options, trigger: { event } });
      expect(result).toMatchObject({ outcome: 'refused', exit_code: 4, deployed: false });
      expect(fleet.requests).toBe(0);
    },
  );
});

describe('branch', () => {
  test('3: runs of another branch may not roll an environment that follows one', async () => {
    const options = { ...fleet.options, onlyBranch: 'main', trigger: { event: 'push' } };
    for (const branch of ['feature', undefined]) {
      const { result } = await run({ ...options, branch });
      expect(result).toMatchObject({ outcome: 'refused', exit_code: 4 });
    }
    expect(fleet.requests).toBe(0);
    expect((await run({ ...options, branch: 'main' })).result.outcome).toBe('succeeded');
    // A person at a terminal is on no branch that CI names.
    expect((await run({ ...options, trigger: {}, force: true })).result.outcome).toBe('succeeded');
  });
});

describe('kill switch', () => {
  test.each([
    [{ data: '' }, 'succeeded'],
    [{ data: '0' }, 'succeeded'],
    [{ value: 'No' }, 'succeeded'],
    [{ data: 'off' }, 'succeeded'],
    [{ data: '1' }, 'held'],
    [{ value: 'TRUE' }, 'held'],
    [{ data: ' disabled ' }, 'held'],
    [{ data: 'y' }, 'refused'],
    [{ data: 'enabled' }, 'refused'],
    [{ data: '2' }, 'refused'],
    [{ nothing: 1 }, 'refused'],
  ])('91: the variable %j means %s', async (body, outcome) => {
    gitea.set(VARIABLE, (response) => json(response, 200, body));
    const { result } = await run(withSwitch());
    expect(result.outcome).toBe(outcome);
    expect(fleet.rolls).toHaveLength(outcome === 'succeeded' ? 1 : 0);
  });

  test('87: a variable that neither the repository nor its organisation has is off', async () => {
    expect((await run(withSwitch())).result.outcome).toBe('succeeded');
    expect(asked.filter((url) => url.includes('/orgs/acme/'))).not.toHaveLength(0);
  });

  test('87: a repository that the token may not see has no variables that could be off: refused', async () => {
    gitea.delete('');
    const { result } = await run(withSwitch());
    expect(result).toMatchObject({ outcome: 'refused', exit_code: 4 });
    expect(result.reason).toContain('acme/server is not there, or the token may not see it');
    expect(fleet.rolls).toHaveLength(0);
  });

  describe('of the organisation, where the repository has none', () => {
    const OWNED = '/orgs/acme/actions/variables/FREEZE';
    test.each([
      ['1', 'held'],
      ['0', 'succeeded'],
    ])('%s means %s', async (data, outcome) => {
      gitea.set(OWNED, (response) => json(response, 200, { data }));
      expect((await run(withSwitch())).result.outcome).toBe(outcome);
    });

    test('is not asked where the repository has one', async () => {
      gitea.set(VARIABLE, (response) => json(response, 200, { data: '0' }));
      gitea.set(OWNED, (response) => json(response, 200, { data: '1' }));
      expect((await run(withSwitch())).result.outcome).toBe('succeeded');
    });

    test('that may not be read is as one of the repository that may not', async () => {
      gitea.set(OWNED, (response) => json(response, 403, { message: 'token has no required scope(s)' }));
      expect((await run(withSwitch())).result.outcome).toBe('refused');
      expect((await run({ ...withSwitch(), hold: '0' })).result.outcome).toBe('succeeded');
    });
  });

  test('87: one bad answer between two batches is asked again, and does not end the roll', async () => {
    let reads = 0;
    gitea.set(VARIABLE, (response) =>
      ++reads === 3 || reads === 4 ? json(response, 502, {}) : json(response, 200, { data: '0' }),
    );
    const { result, clock } = await run({ ...withSwitch(), batchSize: 1 });
    expect(result.outcome).toBe('succeeded');
    expect(clock.monotonic()).toBe(3_000);
  });

  test('an outage of Gitea is waited out for half a minute, and no longer', async () => {
    gitea.set(VARIABLE, (response) => json(response, 502, {}));
    const { result, clock } = await run(withSwitch());
    expect(result).toMatchObject({ outcome: 'refused', exit_code: 4 });
    expect(clock.monotonic()).toBe(30_000);
  });

  test.each([
    ['401', (response: ServerResponse) => json(response, 401, {})],
    ['500', (response: ServerResponse) => json(response, 500, {})],
    ['a dead connection', (response: ServerResponse) => void response.socket?.destroy()],
    ['a web page', (response: ServerResponse) => void response.writeHead(200).end('<html>')],
    [
      '89: the 403 of an edge',
      (response: ServerResponse) => void response.writeHead(403).end('error code: 1010'),
    ],
  ])('87: %s counts as armed: refused', async (_name, answer) => {
    gitea.set(VARIABLE, answer);
    const { result } = await run({ ...withSwitch(), hold: '0' });
    expect(result).toMatchObject({ outcome: 'refused', exit_code: 4 });
    expect(fleet.rolls).toHaveLength(0);
  });

  test('88: without the right to read it, the value given at the start counts, loudly; without one it is refused', async () => {
    gitea.set(VARIABLE, (response) =>
      json(response, 403, { message: 'user should be the owner of the repo' }),
    );
    expect((await run(withSwitch())).result.outcome).toBe('refused');
    expect((await run({ ...withSwitch(), hold: 'on' })).result.outcome).toBe('held');
    const { result } = await run({ ...withSwitch(), hold: 'off' });
    expect(result.outcome).toBe('succeeded');
    expect(result.warnings.join()).toContain('FREEZE cannot be read with this token');
  });

  test('90: armed between two batches, it stops the next one', async () => {
    let armed = '0';
    gitea.set(VARIABLE, (response) => json(response, 200, { data: armed }));
    fleet.script.set(0, (roll, response, done) => {
      armed = '1';
      done();
      json(response, 200, { ok: true, results: roll.slugs.map((slug) => ({ slug, ssm_status: 'Success' })) });
    });
    const { result } = await run({ ...withSwitch(), batchSize: 1 });
    expect(result).toMatchObject({
      outcome: 'held',
      deployed: false,
      exit_code: 4,
      counts: { on_target: 1, stale: 1 },
    });
    expect(fleet.rolls).toHaveLength(1);
  });

  test.each([
    ['push', 0],
    ['schedule', 0],
    ['workflow_dispatch', 4],
    [undefined, 4],
  ])('92: held under %s exits %i, so that a rollback never looks done', async (event, code) => {
    const { result } = await run({ ...fleet.options, hold: 'on', trigger: { event } });
    expect(result).toMatchObject({ outcome: 'held', exit_code: code, deployed: false });
  });

  test('93: a held run still shows the plan and how far the fleet is from it', async () => {
    const { result, sink } = await run({ ...fleet.options, hold: 'on' });
    expect(result.counts).toMatchObject({ enumerated: 2, stale: 2 });
    expect(sink.of('plan.ready')).toHaveLength(1);
    expect(fleet.rolls).toHaveLength(0);
  });

  test('a dry run shows closed gates and obeys none', async () => {
    const { result, sink } = await run(
      { ...fleet.options, hold: 'on', onlyBranch: 'main', trigger: { event: 'push' } },
      { command: 'plan' },
    );
    expect(result).toMatchObject({ outcome: 'planned', exit_code: 0 });
    expect(sink.of('gate.stopped').map((event) => [event.outcome, event.obeyed])).toEqual([
      ['refused', false],
      ['held', false],
    ]);
  });
});

describe('required checks', () => {
  const STATUSES = `/commits/${NEW}/statuses`;
  const checked = () => ({ ...gated(), requireContext: ['CI / all (push)'] });
  const pages = (...rows: object[][]) =>
    gitea.set(STATUSES, (response, request) => {
      const page = Number(new URL(request.url ?? '', 'http://x').searchParams.get('page'));
      json(response, 200, rows[page - 1] ?? []);
    });

  test('green lets the roll through, in either spelling of the state', async () => {
    pages([{ id: 1, context: 'CI / all (push)', status: 'success' }]);
    expect((await run(checked())).result.outcome).toBe('succeeded');
    pages([{ id: 1, context: 'CI / all (push)', state: 'success' }]);
    expect((await run({ ...checked(), force: true })).result.outcome).toBe('succeeded');
  });

  test('96, 97: it pages until a page is empty, and the newest row of a context counts', async () => {
    const noise = (from: number) =>
      Array.from({ length: 30 }, (_, index) => ({
        id: from + index,
        context: `other ${from + index}`,
        status: 'pending',
      }));
    pages([{ id: 500, context: 'CI / all (push)', status: 'success' }, ...noise(1)], noise(100), [
      { id: 3, context: 'CI / all (push)', status: 'failure' },
    ]);
    expect((await run(checked())).result.outcome).toBe('succeeded');
    expect(asked.filter((url) => url.includes('/statuses'))).toHaveLength(4);
  });

  test('a red check is refused at once', async () => {
    pages([{ id: 1, context: 'CI / all (push)', status: 'failure' }]);
    const { result, clock } = await run(checked());
    expect(result).toMatchObject({ outcome: 'refused', exit_code: 4 });
    expect(result.reason).toContain('CI / all (push) is red');
    expect(clock.monotonic()).toBe(0);
  });

  test.each([
    { status: 'skipped', description: 'Skipped' },
    { status: 'skipped', description: 'Has been skipped' },
    { status: 'success', description: 'Has been skipped' },
  ])('a check that was skipped (%j) is refused at once', async (row) => {
    pages([{ id: 1, context: 'CI / all (push)', ...row }]);
    const { result, clock } = await run(checked());
    expect(result).toMatchObject({ outcome: 'refused', exit_code: 4 });
    expect(result.reason).toContain('CI / all (push) was skipped');
    expect(clock.monotonic()).toBe(0);
  });

  describe('where the server has a record of the job', () => {
    const task = { id: 8, name: 'all', event: 'push', head_sha: NEW, run_number: 3 };
    const red = { id: 1, context: 'CI / all (push)', status: 'failure' };
    const recorded = (...tasks: object[]) =>
      gitea.set('/actions/tasks', (response) => json(response, 200, { workflow_runs: tasks }));

    test('99: the record says that it was cancelled, whatever the text', async () => {
      pages([{ ...red, description: 'Abgebrochen' }]);
      recorded({ ...task, status: 'cancelled' });
      const { result } = await run({ ...checked(), timeoutMs: 60_000 });
      expect(result.reason).toContain('waiting for required checks: CI / all (push) (cancelled)');
    });

    test.each([
      ['it failed', { ...task, status: 'failure' }],
      ['another job was cancelled', { ...task, name: 'some', status: 'cancelled' }],
      ['that of another commit was cancelled', { ...task, head_sha: 'f'.repeat(40), status: 'cancelled' }],
    ])('a red check is red where %s', async (_name, other) => {
      pages([{ ...red, description: 'Failing after 3s' }]);
      recorded(other);
      const { result, clock } = await run(checked());
      expect(result.reason).toContain('is red');
      expect(clock.monotonic()).toBe(0);
    });

    test('the newest record of a job that was run again counts', async () => {
      pages([{ ...red, description: 'Failing after 3s' }]);
      recorded({ ...task, id: 9, status: 'failure' }, { ...task, status: 'cancelled' });
      expect((await run(checked())).result.reason).toContain('is red');
    });
  });

  test.each([
    ['pending', [{ id: 1, context: 'CI / all (push)', status: 'pending' }]],
    ['missing', []],
    ['95: of a similar name only', [{ id: 1, context: 'CI / all (pull_request)', status: 'success' }]],
    ['103: in a state that nobody knows', [{ id: 1, context: 'CI / all (push)', status: 'warning' }]],
    ['101: without any state', [{ id: 1, context: 'CI / all (push)' }]],
    ...['Has been cancelled', 'Canceled after 16s', 'Cancelled after 1m2s'].map(
      (description): [string, object[]] => [
        `99: ${description}, which may never have run`,
        [{ id: 1, context: 'CI / all (push)', status: 'failure', description }],
      ],
    ),
    ['being cancelled', [{ id: 1, context: 'CI / all (push)', status: 'pending', description: 'Canceling' }]],
    ['in progress', [{ id: 2, context: 'CI / all (push)', status: 'pending', description: 'In progress' }]],
  ])('94: a check that is %s is awaited until the timeout, and then named', async (_name, rows) => {
    pages(rows);
    const { result, clock } = await run({ ...checked(), timeoutMs: 120_000 });
    expect(result).toMatchObject({ outcome: 'refused', exit_code: 4 });
    expect(result.reason).toContain('waiting for required checks: CI / all (push)');
    expect(clock.monotonic()).toBe(120_000);
  });

  test('a check that turns green while it is awaited lets the roll through', async () => {
    let polls = 0;
    gitea.set(STATUSES, (response, request) => {
      if (!request.url?.includes('page=1&')) return json(response, 200, []);
      json(response, 200, [
        { id: 1, context: 'CI / all (push)', status: polls++ < 3 ? 'pending' : 'success' },
      ]);
    });
    const { result, clock } = await run(checked());
    expect(result.outcome).toBe('succeeded');
    expect(clock.monotonic()).toBe(45_000);
  });

  test('unreadable checks are refused', async () => {
    gitea.set(STATUSES, (response) => json(response, 500, {}));
    expect((await run(checked())).result.outcome).toBe('refused');
  });
});

describe('superseded by the branch head', () => {
  const HEAD = '/branches/main';
  const headed = () => ({ ...gated(), supersededBy: 'head' as const });
  const head = (sha: () => string) =>
    gitea.set(HEAD, (response) => json(response, 200, { commit: { id: sha() } }));

  test('76: an older run rolls nothing', async () => {
    head(() => 'c'.repeat(40));
    const { result } = await run(headed());
    expect(result).toMatchObject({ outcome: 'superseded', exit_code: 0, deployed: false });
    expect(fleet.rolls).toHaveLength(0);
  });

  test('77: overtaken between two batches it stops, neither red nor deployed', async () => {
    let now = NEW;
    head(() => now);
    fleet.script.set(0, (roll, response, done) => {
      now = 'c'.repeat(40);
      done();
      json(response, 200, { ok: true, results: roll.slugs.map((slug) => ({ slug, ssm_status: 'Success' })) });
    });
    const { result } = await run({ ...headed(), batchSize: 1 });
    expect(result).toMatchObject({ outcome: 'superseded', exit_code: 0, counts: { on_target: 1, stale: 1 } });
    expect(fleet.rolls).toHaveLength(1);
  });

  test('65: tenants that a newer deploy has taken meanwhile make the run superseded, not stale', async () => {
    let now = NEW;
    head(() => now);
    fleet.script.set(0, (roll, response) => {
      for (const slug of roll.slugs) fleet.tenants.set(slug, 'c'.repeat(40));
      now = 'c'.repeat(40);
      json(response, 200, { ok: true, results: roll.slugs.map((slug) => ({ slug, ssm_status: 'Success' })) });
    });
    const { result } = await run(headed());
    expect(result.outcome).toBe('superseded');
  });

  test('79: a head that cannot be read is refused', async () => {
    gitea.set(HEAD, (response) => json(response, 502, {}));
    expect((await run(headed())).result).toMatchObject({ outcome: 'refused', exit_code: 4 });
    expect(fleet.rolls).toHaveLength(0);
  });
});

test('a branch name with a slash stays one path segment', async () => {
  gitea.set('/branches/release%2F1', (response) => json(response, 200, { commit: { id: NEW } }));
  const { result } = await run({ ...gated(), supersededBy: 'head', branch: 'release/1' });
  expect(result.outcome).toBe('succeeded');
});

describe('commits behind the branch', () => {
  const claimed = () => ({ ...gated(), supersededBy: 'claim' as const, order: 5 });

  test('2, 80: it is reported, and in claim mode a mere new head never stops a roll', async () => {
    gitea.set('/branches/main', (response) => json(response, 200, { commit: { id: 'c'.repeat(40) } }));
    gitea.set(`/compare/${NEW}...${'c'.repeat(40)}`, (response) => json(response, 200, { total_commits: 4 }));
    const { result } = await run(claimed());
    expect(result).toMatchObject({
      outcome: 'succeeded',
      branch: { name: 'main', head: 'c'.repeat(40), behind_by: 4 },
    });
  });

  test('a Gitea that cannot be read costs the report, not the deploy', async () => {
    gitea.set('/branches/main', (response) => void response.socket?.destroy());
    const { result } = await run(claimed());
    expect(result).toMatchObject({ outcome: 'succeeded', branch: null });
  });
});
