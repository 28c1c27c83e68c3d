// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are expressions of workflows
import { deploying, rule, scripted } from './check.js';

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
  },
  good: {
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
