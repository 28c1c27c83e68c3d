// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are expressions of workflows
import { deploying, rule, scripted, testing } from './check.js';

rule('masked-failure', {
  bad: {
    '114: on the step': { input: deploying({ step: 'continue-on-error: true' }), at: 'true' },
    'on the job': { input: deploying({ job: 'continue-on-error: true' }), at: 'true' },
    'by an expression': {
      input: scripted('fleet redeploy', { step: "continue-on-error: '${{ vars.X }}'" }),
      at: "'${{",
    },
    'in the shared action': {
      input: [
        {
          path: '.gitea/actions/redeploy-fleet/action.yml',
          text: 'runs:\n  using: composite\n  steps:\n    - uses: ./.fleet-action\n      continue-on-error: true\n',
        },
      ],
      at: 'true',
    },
  },
  good: {
    'on another step': deploying({ step: '' }).replace(
      '- uses: actions/checkout@v4',
      '- {run: make cache, continue-on-error: true}',
    ),
    false: deploying({ step: 'continue-on-error: false' }),
    'a test': testing('push', 'continue-on-error: true'),
  },
});

rule('masked-exit-code', {
  bad: {
    '114: || true': { input: scripted('fleet redeploy --target-tag x || true'), at: '|| true' },
    '|| true on a line of its own': {
      input: scripted('fleet redeploy \\\n  --target-tag x \\\n  || true'),
      at: '|| true',
    },
    '|| echo': {
      input: scripted('make\nnode packages/fleet-cli/dist/cli.js redeploy || echo "::warning::no"'),
      at: '|| echo',
    },
    '|| :': { input: scripted('curl -o r "$CP/cp/admin/tenants/redeploy-fleet" || :'), at: '|| :' },
    '|| exit 0': { input: scripted('fleet redeploy --soak 1s || exit 0'), at: '|| exit 0' },
    'within a shell': { input: scripted('sh -c "make && fleet redeploy || true"'), at: '|| true' },
    'a block that only talks': { input: scripted('fleet redeploy || { echo "failed"; }'), at: '|| {' },
    'an if': {
      input: scripted('if ! fleet redeploy --soak 1s; then\n  echo "failed"\nfi\nmake report'),
      at: 'fleet redeploy',
    },
    'set +e': { input: scripted('set -u\nset +e\nfleet redeploy\nmake report'), at: 'set +e' },
    'set +eu until later': { input: scripted('set +eu\nfleet redeploy\nset -e\nmake report'), at: 'set +eu' },
  },
  good: {
    'a plain command': scripted('set -euo pipefail\nfleet redeploy --target-tag x'),
    'another command': scripted('docker pull x || true\nfleet redeploy\nmake report || true'),
    'another command in the same line': scripted('fleet redeploy; make report || true'),
    'a block of several lines': scripted('fleet redeploy || { echo "failed"\n  exit 1\n}'),
    'an exit of its own': scripted('fleet redeploy || { echo "failed"; exit 1; }'),
    'an exit code that is read': scripted('set +e\nfleet redeploy\ncode=$?\nset -e\nexit "$code"'),
    'a status that is read': scripted(
      'set +e\ncurl -o r -w "%{http_code}" "$CP/cp/admin/tenants/redeploy-fleet" >code || true\nset -e\nmake report',
    ),
    'an if that ends the step': scripted('if ! fleet redeploy; then\n  echo "failed"\n  exit 1\nfi'),
    'an if that passes the code on': scripted('if fleet redeploy; then make; else code=$?; exit "$code"; fi'),
    'the last command': scripted('set +e\nfleet redeploy'),
    'turned on again': scripted('set +e\nmake\nset -e\nfleet redeploy\nmake report'),
    'a test': scripted('make test || true'),
    'a text': scripted(
      'fleet redeploy --reason "a || true"\n: "fleet redeploy || true"\ngit commit -m "x; fleet redeploy" || true',
    ),
  },
});

const alerting = (permissions: string, more = '') =>
  deploying({
    top: permissions,
    inputs: `environment: staging\nalert-issue: 'true'\ncommit-status: 'true'\n${more}`,
  });

rule('missing-permission', {
  bad: {
    'no issues': {
      input: alerting('permissions:\n  contents: write'),
      at: 'contents: write',
      says: 'issues: write',
    },
    'statuses in place of contents': {
      input: alerting('permissions: {issues: write, statuses: write}'),
      at: '{issues',
      says: 'contents: write',
    },
    'of the job': {
      input: deploying({
        job: 'permissions: read-all',
        inputs: "alert-issue: 'true'",
        top: 'permissions: write-all',
      }),
      at: 'read-all',
    },
    'the composite, which alerts by default': {
      input: deploying({
        uses: 'https://git.example.com/tenant-fleet/fleet/.gitea/actions/redeploy-fleet@v0.1.0',
        top: 'permissions: {contents: write}',
      }),
      at: '{contents',
      says: 'issues: write',
    },
    'of a command': {
      input: scripted('fleet redeploy --alert-issue', {
        top: 'permissions: {}',
        job: 'env:\n  GITEA_TOKEN: ${{ github.token }}',
      }),
      at: '{}',
    },
  },
  good: {
    both: alerting('permissions: {issues: write, contents: write}'),
    code: alerting('permissions: {issues: write, code: write}'),
    all: alerting('permissions: write-all'),
    'none listed': alerting(''),
    'another token': alerting('permissions: {}', 'gitea-token: ${{ secrets.BOT_TOKEN }}'),
    'the composite without its alerts': deploying({
      uses: './.gitea/actions/redeploy-fleet',
      top: 'permissions: {contents: write}',
      inputs: "alert-issue: 'false'",
    }),
    'an alert that the run decides on': deploying({
      uses: './.gitea/actions/redeploy-fleet',
      top: 'permissions: {contents: write}',
      inputs: 'alert-issue: ${{ vars.ALERT }}',
    }),
    'no alert': deploying({ top: 'permissions: {contents: read}' }),
  },
});
