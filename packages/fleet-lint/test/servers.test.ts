import { describe, expect, it } from 'vitest';
import { type LintFile, lintWorkflows, parseServer, SERVERS, type Server } from '../src/index.js';
import { deploying, rule, testing, WORKFLOW } from './check.js';

const at = (...paths: string[]): LintFile[] =>
  paths.map((path) => ({ path, text: deploying({ on: 'pull_request' }).replace('deploy', path) }));
const found = (files: LintFile[], id: string, server?: Server) =>
  lintWorkflows(files, { server })
    .filter((one) => one.rule === id)
    .map(({ file }) => file);
const [FORGEJO, GITEA, GITHUB] = ['.forgejo', '.gitea', '.github'].map(
  (folder) => `${folder}/workflows/d.yml`,
) as [string, string, string];

describe('the folder that a server reads', () => {
  it.each<[Server | undefined, string[], string[]]>([
    ['forgejo', [FORGEJO, GITEA, GITHUB], [FORGEJO]],
    ['forgejo', [GITEA, GITHUB], [GITEA]],
    ['forgejo', [GITHUB], [GITHUB]],
    ['gitea-1.25', [FORGEJO, GITEA, GITHUB], [GITEA]],
    ['gitea-1.27', [FORGEJO, GITHUB], [GITHUB]],
    ['gitea-1.22', [FORGEJO], []],
    ['github', [FORGEJO, GITEA, GITHUB], [GITHUB]],
    ['github', ['.github/workflows/more/d.yml', GITHUB], [GITHUB]],
    ['gitea-1.25', ['.github/workflows/more/d.yml'], ['.github/workflows/more/d.yml']],
    [undefined, [FORGEJO, GITEA, GITHUB], [FORGEJO, GITEA, GITHUB]],
  ])('%s with %j: %j', (server, paths, read) => {
    expect(found(at(...paths), 'untrusted-trigger', server)).toEqual(read);
    const unread = paths.filter((path) => !read.includes(path));
    if (server) expect(found(at(...paths), 'shadowed-workflow', server)).toEqual(unread);
  });

  it('a server that reads nothing of a repository is said, whatever stands there', () => {
    const [finding, ...more] = lintWorkflows([{ path: WORKFLOW, text: testing() }], { server: 'github' });
    expect(finding).toMatchObject({
      rule: 'shadowed-workflow',
      message: expect.stringContaining('GitHub reads no'),
    });
    expect(more).toEqual([]);
  });

  it('workflows for different servers may have one name', () => {
    const files = [GITEA, GITHUB].map((path) => ({ path, text: testing() }));
    expect(found(files, 'duplicate-workflow-name')).toEqual([]);
    expect(found([...files, { path: FORGEJO, text: testing() }], 'duplicate-workflow-name')).toEqual([]);
  });
});

describe('what concerns a server', () => {
  const cases: [string, string, Server[]][] = [
    [
      'workflow-run-trigger',
      deploying({ on: '\n  workflow_run: {workflows: [build]}' }),
      ['gitea-1.22', 'forgejo'],
    ],
    ['workflow-run-trigger', deploying({ on: 'workflow_run' }), [...SERVERS]],
    ['inert-trigger', deploying({ on: '[push, deployment]' }), SERVERS.filter((one) => one !== 'github')],
    ['inert-trigger', deploying({ on: '[push, pull_request_comment]' }), ['github']],
    ['inert-trigger', deploying({ on: '[psuh]' }), [...SERVERS]],
    ['dispatch-only', deploying({ on: 'workflow_dispatch' }), ['gitea-1.22']],
    [
      'nested-trigger',
      deploying({ on: '\n  workflow_dispatch: {inputs: {a: {type: string}}}' }),
      ['gitea-1.22'],
    ],
    ['called-deploy', deploying({ on: 'workflow_call' }), ['gitea-1.27']],
    [
      'run-concurrency',
      deploying({ top: 'concurrency: x', jobs: 'a: {runs-on: x, steps: [{run: a}]}' }),
      ['gitea-1.27', 'forgejo'],
    ],
    [
      'cancel-in-progress',
      deploying({ job: 'concurrency: {group: x, cancel-in-progress: true}' }),
      ['gitea-1.27', 'forgejo', 'github'],
    ],
    ['untrusted-trigger', deploying({ on: 'pull_request' }), [...SERVERS]],
  ];
  it.each(cases)('%s', (id, text, servers) => {
    const path = '.github/workflows/d.yml';
    const of = (server?: Server) => found([{ path, text }], id, server).length;
    expect(SERVERS.filter((server) => of(server))).toEqual(servers);
    expect(of()).toBe(1);
  });
});

rule('hosted-action', {
  bad: {
    'beside the workflows of Gitea': {
      input: [
        { path: WORKFLOW, text: testing() },
        { path: GITHUB, text: deploying() },
      ],
      at: 'https://',
    },
  },
  good: {
    'where Gitea may read it too': [{ path: GITHUB, text: deploying() }],
    'an action without a host': [
      { path: WORKFLOW, text: testing() },
      { path: GITHUB, text: deploying({ uses: 'owner/fleet/packages/fleet-action@v1.2.3' }) },
    ],
  },
});

describe('the same finding once', () => {
  it.each([
    [
      'an anchor in two jobs',
      testing('push', 'environment: &e staging').concat(
        '  b: {runs-on: x, environment: *e, steps: [{run: a}]}\n',
      ),
      'ignored-environment',
      2,
    ],
    [
      'rights of the workflow, for two jobs',
      deploying({ top: 'permissions: {contents: read}', inputs: "alert-issue: 'true'" }).replace(
        /( {2}deploy:[\s\S]*)/,
        (job) => job + job.replace('deploy', 'again'),
      ),
      'missing-permission',
      1,
    ],
    [
      'a list of steps in two jobs',
      `${deploying({ step: 'continue-on-error: true' }).replace('steps:', 'steps: &s')}  b: {runs-on: x, steps: *s}\n`,
      'masked-failure',
      1,
    ],
  ])('%s', (_name, text, id, times) => {
    expect(found([{ path: WORKFLOW, text }], id)).toHaveLength(times);
  });
});

it('names of servers are read in any case, and others are refused', () => {
  expect(parseServer('Gitea-1.25')).toBe('gitea-1.25');
  expect(() => parseServer('gitea')).toThrow(expect.objectContaining({ code: 'USAGE', option: 'server' }));
});
