import { deploying, rule, testing, WORKFLOW } from './check.js';

const two = (one: string, other: string) => [
  { path: '.gitea/workflows/a.yml', text: one },
  { path: '.gitea/workflows/b.yml', text: other },
];

rule('invalid-yaml', {
  bad: {
    'an open bracket': { input: 'name: x\non: [push\njobs:\n', at: 'jobs' },
    'a tab for indentation': { input: 'on:\n\tpush:\n', at: '\tpush' },
    'an action': {
      input: [{ path: '.gitea/actions/x/action.yml', text: 'name: [x\nruns: y\n' }],
      at: 'runs',
    },
  },
  good: {
    YAML: testing(),
    'a mistake that is never read': `${testing()}---\na: [b\n`,
    'an end mark': `${testing()}---\n`,
    'a key given twice': testing('push', 'env: {A: 1}\nenv: {B: 1}'),
  },
});

rule('duplicate-key', {
  bad: {
    '9: the same key of a job': {
      input: testing('push', 'env: {A: 1}\nif: true\nenv:\n  B: 2'),
      at: 'env:\n',
      says: 'in line 6 already',
    },
    'two jobs of one id': {
      input: `${testing()}  test:\n    uses: ./x.yml\n`,
      at: 'test:\n    uses',
      says: 'in line 4',
    },
    'a key of fleet.config.yaml': {
      input: [{ path: 'fleet.config.yaml', text: 'soak: 1s\nbatch-size: 3\nsoak: 2s\n' }],
      at: 'soak: 2s',
    },
  },
  good: { 'one key in two mappings': deploying({ job: 'env: {A: 1}', step: 'env: {A: 2}' }) },
});

rule('incomplete-workflow', {
  bad: {
    'no trigger': { input: 'name: x\njobs:\n  a:\n    runs-on: x\n    steps: [{run: a}]\n', at: 'name' },
    'no jobs': { input: 'name: x\non: push\n', at: 'name' },
    'nothing but a text': { input: 'deploy\n', at: 'deploy' },
    'all of it commented out': {
      input: deploying().replace(/^/gm, '# '),
      at: '# name',
      severity: 'warning',
      says: 'switched off',
    },
    'an empty file': { input: '', at: '', severity: 'warning' },
    'no first document': { input: `---\n---\n${testing()}`, at: '---', severity: 'warning' },
    'a job without steps': { input: 'on: push\njobs:\n  a:\n    runs-on: x\n', at: 'a:' },
    'a job without a runner': { input: 'on: push\njobs:\n  a:\n    steps: [{run: a}]\n', at: 'a:' },
    'a step that does nothing': {
      input: testing().replace('run: make test', 'name: nothing'),
      at: 'name: nothing',
    },
    'a step that does two things': {
      input: testing().replace('run: make test', 'run: make\n        uses: a/b@v1'),
      at: 'run: make',
    },
    'a need that does not exist': { input: testing('push', 'needs: [biuld]'), at: 'biuld' },
    'an action without runs': {
      input: [{ path: '.gitea/actions/x/action.yml', text: 'name: x\n' }],
      at: 'name',
    },
  },
  good: {
    'a workflow': testing(),
    'a job that calls a workflow': 'on: push\njobs:\n  a:\n    uses: ./.gitea/workflows/x.yml\n',
    'a trigger list': testing('[push, release]'),
  },
});

rule('duplicate-workflow-name', {
  bad: {
    'two of one name': { input: two(testing(), testing()), at: 'test', severity: 'warning', says: 'a.yml' },
  },
  good: {
    'two names': two(testing(), deploying()),
    none: two(testing().replace(/.*\n/, ''), testing().replace(/.*\n/, '')),
  },
});

rule('shadowed-workflow', {
  bad: {
    '5: a deploy in the folder that is not read': {
      input: [
        { path: '.gitea/workflows/ci.yml', text: testing() },
        { path: '.github/workflows/deploy.yml', text: deploying() },
      ],
      at: 'deploy:\n',
      severity: 'warning',
    },
  },
  good: {
    'no other folder': [{ path: '.github/workflows/deploy.yml', text: deploying() }],
    'a test for GitHub': [
      { path: WORKFLOW, text: deploying() },
      { path: '.github/workflows/ci.yml', text: testing('[push, deployment]') },
    ],
  },
});

rule('further-document', {
  bad: {
    'a deploy behind a deploy': { input: `${deploying()}---\n${testing()}`, at: 'name: test' },
    'a deploy behind a test': {
      input: `${testing()}---\n${deploying()}`,
      at: 'name: deploy',
      severity: 'warning',
    },
    'a mistake in it': { input: `${deploying()}---\na: [b\nc: d\n`, at: 'a: [b' },
  },
  good: {
    'an end mark': `${deploying()}---\n`,
    'a start mark, an end mark and comments': `# one\n---\n${deploying()}...\n---\n# two\n`,
  },
});

rule('linked-file', {
  bad: {
    'a workflow': { input: [{ path: WORKFLOW, text: '', link: true }], at: '' },
    'a folder': { input: [{ path: '.gitea/workflows', text: '', link: true }], at: '', says: 'not follow' },
  },
  good: { 'the file itself': deploying() },
});
