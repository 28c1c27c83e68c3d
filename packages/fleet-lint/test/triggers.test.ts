// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are expressions of workflows
import { deploying, rule, scripted, testing, WORKFLOW } from './check.js';

rule('workflow-run-trigger', {
  bad: {
    '5: a deploy': { input: deploying({ on: '{workflow_run: {workflows: [build]}}' }), at: 'workflow_run' },
    'another workflow': { input: testing('[push, workflow_run]'), at: 'workflow_run', severity: 'warning' },
  },
  good: { 'a push': deploying() },
});

rule('inert-trigger', {
  bad: {
    deployment: { input: deploying({ on: 'deployment' }), at: 'deployment' },
    'check_suite beside push': {
      input: testing('[push, check_suite]'),
      at: 'check_suite',
      severity: 'warning',
    },
    'a typing error': { input: deploying({ on: 'pusch' }), at: 'pusch', says: 'did you mean push' },
    repository_dispatch: {
      input: deploying({ on: '\n  repository_dispatch:\n    types: [x]' }),
      at: 'repository_dispatch',
    },
  },
  good: { 'events of Gitea': testing('[push, release, registry_package, gollum, pull_request_target]') },
});

rule('dispatch-only', {
  bad: {
    'a text': { input: deploying({ on: 'workflow_dispatch' }), at: 'workflow_dispatch', severity: 'warning' },
    'a mapping': {
      input: deploying({ on: '\n  workflow_dispatch:' }),
      at: 'workflow_dispatch',
      severity: 'warning',
    },
  },
  good: {
    'with push': deploying({ on: '[push, workflow_dispatch]' }),
    'a workflow that deploys nothing': testing('workflow_dispatch'),
  },
});

rule('nested-trigger', {
  bad: {
    'inputs of a dispatch': {
      input: testing('\n  push:\n  workflow_dispatch:\n    inputs:\n      tag: {type: string}'),
      at: 'inputs',
      severity: 'warning',
    },
    'a number as a branch': {
      input: testing('\n  push:\n    branches: [main, 1.22]'),
      at: '1.22',
      says: 'quotes',
    },
  },
  good: {
    'lists and texts': testing(
      "\n  push:\n    branches: main\n    tags: ['1.22']\n  schedule:\n    - cron: '0 1 * * *'",
    ),
  },
});

const push = (below: string, deploys = false) =>
  (deploys ? (on: string) => deploying({ on }) : testing)(`\n  push:\n    ${below}`);

rule('dead-filter', {
  bad: {
    'only negative patterns': { input: push("branches: ['!wip/**']", true), at: 'branches' },
    'a full ref': { input: push('branches: [refs/heads/main]', true), at: 'refs/heads/main' },
    'an expression': { input: push('branches: [main, "${{ vars.BRANCH }}"]', true), at: '"${{' },
    'everything ignored': { input: push("branches-ignore: ['**']", true), at: 'branches-ignore' },
    'all but one, and then that one': {
      input: push("branches-ignore: ['!main', '**/*']", true),
      at: 'branches-ignore',
    },
    'everything taken back': { input: push("branches: [main, '!**']", true), at: 'branches' },
    'every path ignored': {
      input: push("branches: [main]\n    paths-ignore: ['**']", true),
      at: 'paths-ignore',
      says: 'leaves nothing',
    },
    'every path ignored, for any branch': {
      input: push("paths-ignore: ['**/**']", true),
      at: 'paths-ignore',
    },
    'tags-ignore alone': {
      input: push("tags-ignore: ['v*']", true),
      at: 'tags-ignore',
      says: 'no push to a branch',
    },
    'all tags ignored, of a test': {
      input: push("tags-ignore: ['**']"),
      at: 'tags-ignore',
      severity: 'warning',
    },
    'every base of a pull request ignored, whatever it says of tags': {
      input: testing("\n  pull_request:\n    branches-ignore: ['**']\n    tags: [v1]"),
      at: 'branches-ignore',
      severity: 'warning',
    },
    '6: its own file': { input: push('paths: [.gitea/workflows/deploy.yml]', true), at: 'paths' },
    '6: the file of another workflow': {
      input: push('paths: [.gitea/workflows/publish.yml]', true),
      at: 'paths',
    },
  },
  good: {
    'names and globs': push("branches: [main, 'release/**', '!release/old']", true),
    'the product and the file': push("paths: ['src/**', .gitea/workflows/deploy.yml]", true),
    'ignored documents': push("paths-ignore: ['**/*.md', 'docs/**']"),
    'all paths but some': push("paths-ignore: ['**', '!src/**']"),
    'paths that a tag passes': push("tags: [v1]\n    paths-ignore: ['**']"),
    'empty lists, which count as none': push(
      'branches: []\n    tags: []\n    paths: []\n    paths-ignore: []\n    tags-ignore:',
      true,
    ),
    'no tags, but a branch': push("branches: [main]\n    tags-ignore: ['**']", true),
    'no branches, but tags': push("branches-ignore: ['**']\n    tags: ['v*']", true),
    'tags alone, meant so': push("tags: ['v*']", true),
    'no filter': push(''),
  },
});

const cron = (...crons: string[]) =>
  deploying({ on: `\n  schedule:${crons.map((one) => `\n    - cron: '${one}'`).join('')}` });

rule('dead-schedule', {
  bad: {
    'an hour too many': { input: cron('0 25 * * *'), at: "'0 25", says: 'hour' },
    'seconds before it': { input: cron('0 0 3 * * *'), at: "'0 0 3", says: 'five fields' },
    'a Sunday of other tools': { input: cron('0 3 * * 7'), at: "'0 3", says: 'weekday' },
    'a day that no year has': { input: cron('0 3 30 2 *'), at: "'0 3", says: 'no year' },
    'a range the wrong way round': { input: cron('0 5-3 * * *'), at: "'0 5-3" },
    'no step': { input: cron('*/0 * * * *'), at: "'*/0" },
    'a letter': { input: cron('0 0 L * *'), at: "'0 0 L" },
    'the second of two': { input: cron('0 3 * * *', '61 3 * * *'), at: "'61" },
    'an unknown word': { input: cron('@fortnightly'), at: "'@" },
    'no cron': { input: deploying({ on: '\n  schedule:\n    - {}' }), at: 'schedule', says: 'no `cron`' },
    'no list, of a test': { input: testing('[schedule]'), at: 'schedule', severity: 'warning' },
  },
  good: {
    'what servers take': cron('*/15 0-6,22 1,15 jan-mar,12 MON-FRI', '@daily', '@every 1h30m', '0 4 29 2 *'),
    'a zone': cron('CRON_TZ=Europe/Vienna 0 3 * * 0'),
    'a day or a weekday': cron('0 3 31 2 1'),
    'another event': deploying(),
  },
});

rule('called-deploy', {
  bad: {
    'a deploy that is called': {
      input: [{ path: WORKFLOW, text: deploying({ on: 'workflow_call' }) }],
      at: 'workflow_call',
      severity: 'warning',
    },
    'one that is called and pushed': {
      input: deploying({ on: '\n  push:\n  workflow_call:' }),
      at: 'workflow_call',
      severity: 'warning',
    },
  },
  good: {
    'a test that is called': testing('workflow_call'),
    'a deploy that nobody calls': deploying(),
    'a dry run': deploying({ on: 'workflow_call', inputs: 'dry-run: true' }),
  },
});

const called = (text: string) => [
  { path: '.gitea/workflows/called.yml', text: deploying({ on: 'workflow_call' }) },
  { path: '.gitea/workflows/caller.yml', text },
];
const caller = (on: string) => `on: ${on}\njobs:\n  roll:\n    uses: ./.gitea/workflows/called.yml\n`;

rule('untrusted-trigger', {
  bad: {
    'a pull request': {
      input: deploying({ on: '[push, pull_request]' }),
      at: 'deploy:\n',
      says: 'pull_request',
    },
    'a comment': { input: scripted('fleet redeploy', { on: 'issue_comment' }), at: 'deploy:\n' },
    'a guard that a pull request target passes': {
      input: deploying({ on: '[push, pull_request_target]', job: "if: github.ref == 'refs/heads/main'" }),
      at: 'deploy:\n',
      says: 'pull_request_target',
    },
    'a guard with a way around': {
      input: deploying({
        on: '[push, pull_request]',
        job: "if: github.event_name == 'push' || vars.ALL == 'yes'",
      }),
      at: 'deploy:\n',
    },
    'a guard that always() undoes': {
      input: deploying({
        on: '[push, pull_request]',
        jobs: "build:\n  if: github.event_name == 'push'\n  runs-on: x\n  steps: [{run: make}]",
        job: 'needs: build\nif: always()',
      }),
      at: 'deploy:\n',
    },
    'a called workflow': { input: called(caller('pull_request')), at: 'roll' },
  },
  good: {
    'trusted events': deploying({ on: '[push, schedule, workflow_dispatch, release]' }),
    'a guarded job': deploying({
      on: '[push, pull_request]',
      job: "if: github.event_name == 'push' && vars.ON",
    }),
    'a guarded step': deploying({
      on: '[push, pull_request]',
      step: "if: ${{ github.event_name != 'pull_request' }}",
    }),
    'a guarded need': deploying({
      on: '[push, pull_request]',
      jobs: "build:\n  if: github.event_name == 'push'\n  runs-on: x\n  steps: [{run: make}]",
      job: 'needs: build',
    }),
    'a need whose result is asked for': deploying({
      on: '[push, pull_request]',
      jobs: "build:\n  if: gitea.event_name == 'push'\n  runs-on: x\n  steps: [{run: make}]",
      job: "needs: build\nif: always() && needs.build.result == 'success'",
    }),
    'the ref of a pull request': deploying({
      on: '[push, pull_request]',
      job: "if: github.ref == 'refs/heads/main'",
    }),
    'a dry run': deploying({ on: 'pull_request', inputs: 'dry-run: true' }),
    'a test': testing('[push, pull_request]'),
    'a called workflow on push': called(caller('push')),
  },
});
