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
    'in a here-document of a shell': {
      input: scripted("bash <<'EOF'\nfleet redeploy --target-tag x || true\nEOF"),
      at: '|| true',
    },
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
    'a pipe in sh': {
      input: scripted('fleet redeploy 2>&1 | tee deploy.log', { step: 'shell: sh' }),
      at: '| tee',
      says: 'that of `tee`',
    },
    'a pipe in the default shell': {
      input: scripted('fleet redeploy 2>&1 | tee deploy.log'),
      at: '| tee',
      severity: 'warning',
      says: 'images without bash',
    },
    'a pipe in the shell of the workflow': {
      input: scripted('fleet redeploy | tee deploy.log', { top: 'defaults: {run: {shell: "bash -e {0}"}}' }),
      at: '| tee',
    },
    'a shell of its own': {
      input: scripted('fleet redeploy\nmake report', { step: 'shell: bash {0}' }),
      at: 'fleet redeploy',
      says: 'no `-e`',
    },
    'a background job': { input: scripted('nohup fleet redeploy &\nwait'), at: 'fleet redeploy' },
    'an export': {
      input: scripted('export OUT="$(fleet redeploy)"'),
      at: 'fleet redeploy',
      says: '`export`',
    },
    'a container that is left alone': {
      input: scripted('docker run -d tools fleet redeploy'),
      at: 'docker run',
    },
    'an expression in between': {
      input: scripted("fleet redeploy --target-tag ${{ format('a}b{0}', github.sha) }} | tee x", {
        step: 'shell: sh',
      }),
      at: '| tee',
    },
    'a script of an action': {
      input: [
        {
          path: '.gitea/actions/ship/action.yml',
          text: 'runs:\n  using: composite\n  steps:\n    - {shell: sh, run: fleet redeploy | tee x}\n',
        },
      ],
      at: '| tee',
    },
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
    'a pipe in bash': scripted('fleet redeploy | tee deploy.log', { step: 'shell: bash' }),
    'a dry run': scripted('fleet redeploy --dry-run || true'),
    'the last command': scripted('set +e\nfleet redeploy'),
    'turned on again': scripted('set +e\nmake\nset -e\nfleet redeploy\nmake report'),
    'a test': scripted('make test || true'),
    'a text': scripted(
      'fleet redeploy --reason "a || true"\n: "fleet redeploy || true"\ngit commit -m "x; fleet redeploy" || true',
    ),
  },
});

rule('unread-script', {
  bad: {
    'another language': {
      input: scripted('fleet redeploy', { step: 'shell: pwsh' }),
      at: 'fleet redeploy',
      severity: 'warning',
      says: '`pwsh`',
    },
    'a bracket too many': {
      input: scripted('fleet redeploy\n) | tee log'),
      at: ') | tee',
      severity: 'warning',
      says: 'cannot be read',
    },
    'a quote without its end': {
      input: scripted('fleet redeploy --reason "x'),
      at: '"x',
      severity: 'warning',
    },
  },
  good: {
    'what bash reads': scripted('[[ $A =~ ^a ]] && x=(1 2)\nfleet redeploy <<<"${x[@]:1}"'),
    'another language without a deploy': scripted('print("fleet")', { step: 'shell: python' }),
    'a dry run': scripted('fleet redeploy --dry-run', { step: 'shell: pwsh' }),
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
