// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are expressions of workflows
import { ACTION_REF, deploying, rule, scripted, testing } from './check.js';

const build = 'build:\n  runs-on: x\n  steps:\n    - run: docker build -t x . && docker push x';
const other = (id: string, run = 'make test') => `${id}:\n  runs-on: x\n  steps: [{run: ${run}}]`;
const chain = `${build}\n${other('check').replace('runs-on', 'needs: build\n  runs-on')}`;

rule('deploy-without-needs', {
  bad: {
    'two jobs side by side': { input: deploying({ jobs: build }), at: 'deploy:\n', says: 'job `build`' },
    'a need of another job': {
      input: deploying({ jobs: `${build}\n${other('test')}`, job: 'needs: test' }),
      at: 'deploy:\n',
    },
    'a build by action': {
      input: deploying({ jobs: 'pack:\n  runs-on: x\n  steps: [{uses: docker/build-push-action@v6}]' }),
      at: 'deploy:\n',
    },
  },
  good: {
    'a need': deploying({ jobs: build, job: 'needs: build' }),
    'a need by way of another job': deploying({ jobs: chain, job: 'needs: [check]' }),
    'no build here': deploying({ jobs: other('test') }),
    'a build for another event': deploying({
      on: '[push, workflow_dispatch]',
      jobs: build.replace('runs-on', "if: github.event_name == 'push'\n  runs-on"),
      job: "if: github.event_name == 'workflow_dispatch'",
    }),
    'a build in the same job': scripted('docker build .\nfleet redeploy'),
  },
});

rule('deploy-after-failure', {
  bad: {
    'always()': { input: deploying({ jobs: build, job: 'needs: build\nif: always()' }), at: 'always()' },
    '!cancelled()': {
      input: deploying({
        jobs: build,
        job: "needs: build\nif: ${{ !cancelled() && github.ref_name == 'main' }}",
      }),
      at: '${{ !cancelled()',
    },
    'success() || failure()': {
      input: deploying({ jobs: build, job: 'needs: build\nif: success() || failure()' }),
      at: 'success() ||',
    },
    'one of two needs': {
      input: deploying({
        jobs: `${build}\n${other('test')}`,
        job: "needs: [build, test]\nif: always() || needs.build.result == 'success'",
      }),
      at: 'always()',
    },
    'a step after tests': {
      input: scripted('make test').concat('      - if: always()\n        run: fleet redeploy\n'),
      at: 'always()',
      says: 'this step',
    },
    'a step whatever came before': {
      input: scripted('make test').concat(
        '      - if: success() || failure()\n        run: fleet redeploy\n',
      ),
      at: 'success() ||',
    },
    'a step of an action': {
      input: [
        {
          path: '.gitea/actions/ship/action.yml',
          text: `runs:\n  using: composite\n  steps:\n    - {run: make, shell: sh}\n    - if: '!cancelled()'\n      uses: ${ACTION_REF}\n`,
        },
      ],
      at: "'!cancelled()'",
    },
    'a kept line end': {
      input: deploying({ jobs: build, job: 'needs: build\nif: |\n  ${{ always() && vars.ON }}' }),
      at: '|\n',
    },
  },
  good: {
    'a result that is asked for': deploying({
      jobs: build,
      job: "needs: build\nif: always() && needs.build.result == 'success'",
    }),
    'no condition on the outcome': deploying({
      jobs: build,
      job: "needs: build\nif: github.ref_name == 'main'",
    }),
    'a failure that is waited for': deploying({ jobs: build, job: 'needs: build\nif: failure()' }),
    'a condition that success ends': deploying({
      jobs: build,
      job: 'needs: build\nif: always() && !failure()',
    }),
    'a step after a checkout': deploying({ step: 'if: always()' }),
    'a step after one that may fail': scripted('make test', { step: 'continue-on-error: true' }).concat(
      '      - if: always()\n        run: fleet redeploy\n',
    ),
    'a step that asks': scripted('make test', { step: 'id: test' }).concat(
      "      - if: always() && steps.test.outcome == 'success'\n        run: fleet redeploy\n",
    ),
    'a rollback after a failure': scripted('make test').concat(
      '      - if: failure()\n        run: fleet rollback --target-tag x\n',
    ),
    'a job that reports': deploying({
      jobs: `${build}\n${other('report')}`.replace('report:', 'report:\n  if: always()'),
    }),
  },
});

const production = (needs: string) =>
  `production:\n  runs-on: x\n${needs}  steps:\n    - run: fleet redeploy --environment production --target-tag x`;

rule('production-before-staging', {
  bad: {
    '85: side by side': {
      input: deploying({ jobs: production('') }),
      at: 'production:',
      severity: 'warning',
    },
    'legs of one matrix': {
      input: deploying({
        job: 'strategy:\n  matrix:\n    env: [staging, production]',
        inputs: 'environment: ${{ matrix.env }}',
      }),
      at: 'deploy:\n',
      severity: 'warning',
      says: 'legs',
    },
    'legs that are included': {
      input: scripted('fleet redeploy --environment "${{ matrix.fleet }}"', {
        job: 'strategy:\n  matrix:\n    include:\n      - fleet: prod-eu\n      - {fleet: stage, x: 1}',
      }),
      at: 'deploy:\n',
      severity: 'warning',
    },
    'a leg beside a job': {
      input: deploying({
        jobs: production(''),
        job: 'strategy: {matrix: {env: [staging]}}',
        inputs: 'environment: ${{ matrix.env }}',
      }),
      at: 'production:',
      severity: 'warning',
    },
  },
  good: {
    'legs of production': deploying({
      job: 'strategy: {matrix: {env: [prod-eu, prod-us], other: [staging]}}',
      inputs: 'environment: ${{ matrix.env }}',
    }),
    'a matrix that only the run knows': deploying({
      job: 'strategy: {matrix: "${{ fromJSON(vars.M) }}"}',
      inputs: 'environment: ${{ matrix.env }}',
    }),
    'one after the other': deploying({ jobs: production('  needs: deploy\n') }),
    'production alone': deploying({ inputs: 'environment: production' }),
  },
});

rule('dead-condition', {
  bad: {
    'a short name as a ref': {
      input: deploying({ job: "if: github.ref == 'main'" }),
      at: "github.ref == 'main'",
    },
    'a full ref as a name': {
      input: deploying({ job: "if: ${{ github.ref_name == 'refs/heads/main' && vars.ON }}" }),
      at: '${{ github.ref_name',
    },
    'a branch that the filter keeps out': {
      input: deploying({
        on: '\n  push:\n    branches: [main]',
        job: "if: github.ref == 'refs/heads/staging'",
      }),
      at: "github.ref == 'refs/heads/staging'",
    },
    'an event that is no trigger': {
      input: deploying({ step: "if: github.event_name == 'release'" }),
      at: "github.event_name == 'release'",
    },
  },
  good: {
    'the branch of the filter': deploying({
      on: '\n  push:\n    branches: [main, staging]',
      job: "if: github.ref == 'refs/heads/staging' && github.ref_name == 'staging'",
    }),
    'a branch behind a glob': deploying({
      on: "\n  push:\n    branches: ['rel/**']",
      job: "if: github.ref == 'refs/heads/rel/1'",
    }),
    'one of two': deploying({ job: "if: github.ref == 'refs/heads/x' || vars.ALL" }),
    'what is switched off': deploying({ job: 'if: false', step: "if: false && (github.event_name == 'x')" }),
    'a start of the ref': deploying({ job: "if: startsWith(github.ref, 'refs/tags/v')" }),
  },
});

const after = (condition: string, id = 'report') =>
  deploying({ jobs: `${id}:\n  needs: deploy\n  if: ${condition}\n  runs-on: x\n  steps: [{run: make}]` });

rule('constant-condition', {
  bad: {
    'text behind the braces': {
      input: deploying({ job: "if: ${{ github.ref == 'refs/heads/main' }} && vars.ON" }),
      at: '${{ github.ref',
      says: 'text beside',
    },
    'a kept line end': {
      input: deploying({ step: "if: |\n  ${{ github.ref_name == 'main' }}" }),
      at: '${{ github.ref_name',
      says: 'white space',
    },
    'two of them, in a test': {
      input: testing('push', 'if: ${{ vars.A }} || ${{ vars.B }}'),
      at: '${{ vars.A',
      severity: 'warning',
    },
    'quotes with a space': { input: deploying({ step: 'if: "${{ vars.A }} "' }), at: '${{ vars.A }} "' },
  },
  good: {
    'no braces': deploying({ step: "if: |\n  github.ref_name == 'main' &&\n  vars.ON" }),
    'a folded line end that is dropped': deploying({ step: "if: >-\n  ${{ github.ref_name == 'main' }}" }),
    'all of it in braces': deploying({ job: "if: ${{ vars.A && '}}' }}" }),
  },
});

rule('job-if-status', {
  bad: {
    'failure()': { input: after('failure()'), at: 'failure()', severity: 'warning' },
    'always() and more': { input: after("always() && vars.ON == 'x'"), at: 'always()', severity: 'warning' },
    '!cancelled()': { input: after('${{ !cancelled() }}'), at: '${{ !cancelled', severity: 'warning' },
  },
  good: {
    'always()': after('always()'),
    'always() in braces': after('${{ always() }}'),
    'a job that wants no failure': after(
      "${{ !failure() && !cancelled() && needs.deploy.result == 'success' }}",
    ),
    'success()': after("success() && vars.ON == 'x'"),
    'a step': deploying({ step: 'if: failure()' }),
  },
});

rule('cancelled-condition', {
  bad: {
    'a job': { input: after('cancelled()'), at: 'cancelled()', severity: 'warning' },
    'a step': {
      input: deploying({ step: 'if: cancelled() || vars.X' }),
      at: 'cancelled() ||',
      severity: 'warning',
    },
  },
  good: { '!cancelled()': after('${{ !cancelled() }}'), 'always()': deploying({ step: 'if: always()' }) },
});

rule('cleanup-job', {
  bad: {
    'an unlock': { input: after('always()', 'unlock'), at: 'unlock', severity: 'warning' },
    'a cleanup': { input: after('failure()', 'clean-up'), at: 'clean-up', severity: 'warning' },
  },
  good: {
    'a report': after('always()'),
    'a cleanup step': deploying({ step: 'name: cleanup\nif: always()' }),
  },
});
