// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are expressions of workflows
import { deploying, rule, scripted, testing, WORKFLOW } from './check.js';

const curl = 'curl -sS -o /tmp/r.json -X POST "$CP/cp/admin/tenants/redeploy-fleet" -d @body.json';
const config = (text: string) => ({ path: 'fleet.config.yaml', text });
const pair = (one: string, other: string) => [
  { path: '.gitea/workflows/a.yml', text: one },
  { path: '.gitea/workflows/b.yml', text: other },
];
const CONFIG = `environments:
  staging:
    control-plane: https://cp.staging.example.com
    lock-group: stage
`;

rule('lock-group-mismatch', {
  bad: {
    '78: two inputs': {
      input: pair(
        deploying({ inputs: 'environment: staging\nlock-group: one' }),
        deploying({ inputs: 'environment: staging\nlock-group: two' }),
      ),
      at: 'lock-group: two',
      says: '`one` in .gitea/workflows/a.yml:11',
    },
    'a flag against the name of the environment': {
      input: pair(
        deploying(),
        scripted('fleet redeploy --environment=staging --lock-group "two" --target-tag x'),
      ),
      at: 'fleet redeploy',
    },
    'a variable': {
      input: pair(deploying(), deploying({ job: 'env:\n  FLEET_LOCK_GROUP: two' })),
      at: 'https://git.example.com',
    },
    'an exported variable': {
      input: pair(deploying(), scripted('export FLEET_LOCK_GROUP=two\nfleet redeploy --environment staging')),
      at: 'fleet redeploy',
    },
    'one control plane under two names': {
      input: [
        config(`${CONFIG}  stage2:\n    control-plane: https://cp.staging.example.com/\n`),
        { path: WORKFLOW, text: testing() },
      ],
      at: 'stage2',
    },
    'a step against the file': {
      input: [config(CONFIG), { path: WORKFLOW, text: deploying({ inputs: 'lock-group: other' }) }],
      at: 'lock-group: other',
    },
  },
  good: {
    'the same group': pair(
      deploying(),
      scripted('fleet redeploy --environment staging --lock-group staging'),
    ),
    'the group of the file': [
      config(CONFIG),
      { path: WORKFLOW, text: deploying({ inputs: 'environment: staging\nlock-group: stage' }) },
    ],
    'two environments': pair(deploying(), deploying({ inputs: 'environment: production' })),
    'what the run fills in': pair(
      deploying(),
      deploying({ inputs: 'environment: staging\nlock-group: ${{ vars.GROUP }}' }),
    ),
    'an environment that the run fills in': pair(
      deploying(),
      scripted('fleet redeploy --environment "$ENV" --lock-group other'),
    ),
    'a flag within a shell': pair(
      deploying(),
      scripted('sh -c "make && fleet redeploy --environment staging"'),
    ),
    'a flag whose value is built': pair(
      deploying(),
      scripted('fleet redeploy --environment staging --lock-group "a"b'),
    ),
    'a dry run': pair(
      deploying(),
      deploying({ inputs: 'environment: staging\ndry-run: true\nlock-group: x' }),
    ),
  },
});

rule('unlocked-deploy', {
  bad: {
    'a call by hand': { input: scripted(curl), at: 'curl', severity: 'warning' },
    'a call by way of a variable': {
      input: scripted('URL="$CP/cp/admin/tenants/redeploy-fleet"\nstatus=$(curl -sS -o r "$URL")'),
      at: 'curl',
      severity: 'warning',
    },
    'an input': { input: deploying({ inputs: 'no-lock: true' }), at: 'https://git', severity: 'warning' },
    'a flag beside deploys that lock': {
      input: pair(deploying(), scripted('npx -y @tenant-fleet/fleet-cli redeploy --no-lock')),
      at: '@tenant-fleet/fleet-cli redeploy',
      says: 'other deploys',
    },
  },
  good: {
    'a deploy': deploying(),
    'a call under the lock': scripted(`fleet lock run --environment staging -- ${curl}`),
    'a dry run': scripted(`${curl} --data '{"target_tag":"x","confirm":true,"dry_run":true}'`),
    'a mention': scripted('echo "curl redeploy-fleet"\ncat .gitea/actions/redeploy-fleet/action.yml # curl'),
    'an input that is off': deploying({ inputs: 'no-lock: false' }),
    'another fleet': scripted('fleet status\necho fleet redeploy'),
  },
});

rule('concurrency-as-lock', {
  bad: {
    'a call by hand': { input: scripted(curl, { job: 'concurrency: deploy' }), at: 'curl' },
    'no-lock': {
      input: deploying({ inputs: 'no-lock: "true"', top: 'concurrency: deploy' }),
      at: 'https://git',
    },
  },
  good: { 'beside the lock': deploying({ job: 'concurrency: deploy' }), 'none of both': scripted(curl) },
});

rule('cancel-in-progress', {
  bad: {
    '82: of the job': {
      input: deploying({ job: 'concurrency:\n  group: x\n  cancel-in-progress: true' }),
      at: 'true',
    },
    'of the run': {
      input: deploying({ top: 'concurrency: {group: x, cancel-in-progress: true}' }),
      at: 'true',
    },
    'by an expression': {
      input: deploying({ job: "concurrency: {group: x, cancel-in-progress: '${{ vars.X }}'}" }),
      at: "'${{ vars.X",
    },
  },
  good: {
    false: deploying({ job: 'concurrency: {group: x, cancel-in-progress: false}' }),
    'a test': testing('push', 'concurrency: {group: x, cancel-in-progress: true}'),
    'another job': deploying({
      jobs: 'test:\n  concurrency: {group: x, cancel-in-progress: true}\n  runs-on: x\n  steps: [{run: make}]',
    }),
  },
});

rule('concurrency-group-twice', {
  bad: {
    'a text and a mapping': {
      input: deploying({ top: 'concurrency: deploy-x', job: 'concurrency: {group: deploy-x}' }),
      at: 'deploy-x}',
    },
    'one expression': {
      input: deploying({
        top: "concurrency: 'a-${{ github.ref }}'",
        job: 'concurrency:\n  group: a-${{ github.ref }}\n',
      }),
      at: 'a-${{ github.ref }}\n',
    },
  },
  good: { 'two groups': deploying({ top: 'concurrency: run', job: 'concurrency: job' }) },
});

const build = 'build:\n  runs-on: x\n  steps: [{run: make}]';

rule('run-concurrency', {
  bad: {
    'several jobs': {
      input: deploying({ top: 'concurrency: deploys', jobs: build }),
      at: 'deploys',
      severity: 'warning',
    },
  },
  good: {
    'one job': deploying({ top: 'concurrency: deploys' }),
    'the deploy job': deploying({ jobs: build, job: 'concurrency: deploys' }),
  },
});
