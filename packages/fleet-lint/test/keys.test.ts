// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are expressions of workflows
import { ACTION_REF, deploying, rule, scripted, testing, WORKFLOW } from './check.js';

rule('ignored-environment', {
  bad: {
    'a text': {
      input: deploying({ job: 'environment: production' }),
      at: 'environment: production',
      severity: 'warning',
    },
    'a mapping': {
      input: testing('push', 'environment:\n  name: x'),
      at: 'environment',
      severity: 'warning',
    },
  },
  good: {
    'an input': deploying(),
    GitHub: [{ path: '.github/workflows/a.yml', text: testing('push', 'environment: x') }],
  },
});

const URL = '"$CP/cp/admin/tenants/redeploy-fleet"';

rule('job-timeout', {
  bad: {
    'shorter than the deploy': {
      input: deploying({ job: 'timeout-minutes: 20' }),
      at: '20',
      severity: 'warning',
      says: '30m',
    },
    'shorter than a longer one': {
      input: scripted('fleet redeploy --timeout 1h', { job: 'timeout-minutes: 45' }),
      at: '45',
      severity: 'warning',
    },
    'the only limit of a call': {
      input: scripted(`curl -o r ${URL}`, { job: 'timeout-minutes: 45' }),
      at: '45',
      severity: 'warning',
    },
  },
  good: {
    longer: deploying({ job: 'timeout-minutes: 45' }),
    'a shorter deploy': deploying({ job: 'timeout-minutes: 20', inputs: 'timeout: 15m' }),
    'a limit of the call': scripted(`curl -o r --max-time 1200 ${URL}`, { job: 'timeout-minutes: 45' }),
    'a limit of the step': scripted(`curl -o r ${URL}`, {
      job: 'timeout-minutes: 45',
      step: 'timeout-minutes: 30',
    }),
    'what the run fills in': deploying({ job: 'timeout-minutes: 20', inputs: 'timeout: ${{ vars.T }}' }),
    'a test': testing('push', 'timeout-minutes: 5'),
  },
});

const at = (ref: string) =>
  deploying({ uses: `https://git.example.com/tenant-fleet/fleet/packages/fleet-action${ref}` });

rule('moving-ref', {
  bad: {
    'a branch': { input: at('@main'), at: 'https://git', severity: 'warning' },
    'a moving tag': { input: at('@v1'), at: 'https://git', severity: 'warning' },
    'the composite': {
      input: deploying({ uses: 'tenant-fleet/fleet/.gitea/actions/redeploy-fleet@v0.1' }),
      at: 'tenant-fleet/fleet/.gitea',
      severity: 'warning',
    },
    'a short SHA': { input: at('@4f2c1a9'), at: 'https://git' },
    'no ref': { input: at(''), at: 'https://git' },
  },
  good: {
    'a release': at('@v0.1.0'),
    'a commit': at('@abcdef1234567890abcdef1234567890abcdef12'),
    'a local action': deploying({ uses: './.gitea/actions/redeploy-fleet' }),
    'another action': deploying(),
  },
});

rule('hostless-action', {
  bad: {
    'an owner and a repository': {
      input: deploying({ uses: 'tenant-fleet/fleet/packages/fleet-action@v0.1.0' }),
      at: 'tenant-fleet/fleet/packages',
      severity: 'warning',
    },
  },
  good: {
    'an address': at('@v0.1.0'),
    'a local action': deploying({ uses: './.gitea/actions/redeploy-fleet' }),
  },
});

const local = deploying({ uses: './.gitea/actions/redeploy-fleet' });

rule('checkout-missing', {
  bad: { 'no checkout': { input: local.replace('uses: actions/checkout@v4', 'run: make'), at: './.gitea' } },
  good: {
    'a checkout': local,
    'a clone': local.replace('uses: actions/checkout@v4', 'run: git clone "$URL" .'),
    'a remote action': deploying().replace('uses: actions/checkout@v4', 'run: make'),
  },
});

const COMPOSITE_REF = ACTION_REF.replace('packages/fleet-action', '.gitea/actions/redeploy-fleet');
const composite = (inputs: string) => [
  {
    path: '.gitea/actions/redeploy-fleet/action.yml',
    text: `inputs:\n  environment: {description: x}\n  target_tag: {description: x}\nruns:\n  using: composite\n  steps:\n    - {run: make, shell: sh}\n`,
  },
  { path: WORKFLOW, text: deploying({ uses: './.gitea/actions/redeploy-fleet', inputs }) },
];

rule('unknown-input', {
  bad: {
    'a typing error': {
      input: deploying({ inputs: 'enviroment: x' }),
      at: 'enviroment',
      says: 'mean environment',
    },
    'a flag of another command': {
      input: deploying({ inputs: 'environment: x\ntenant: y' }),
      at: 'tenant: y',
    },
    'a local action': { input: composite('soak: 1s'), at: 'soak' },
    'a setting that the composite leaves out': {
      input: deploying({ uses: COMPOSITE_REF, inputs: 'environment: x\nno-lock: true' }),
      at: 'no-lock',
    },
    'the nearest name is the one that is meant': {
      input: deploying({ uses: COMPOSITE_REF, inputs: 'tokn: x' }),
      at: 'tokn',
      says: 'mean token',
    },
  },
  good: {
    'known ones': deploying({
      inputs: 'token: x\ngitea-token: x\nalert-webhook: x\nverbose: true\nlock_group: x\nhold: x',
    }),
    'a local action': composite('environment: x\ntarget-tag: y'),
    'another action': deploying().replace(
      'actions/checkout@v4',
      'actions/checkout@v4\n        with: {soak: 1}',
    ),
    'the composite': deploying({
      uses: COMPOSITE_REF,
      inputs: 'environment: x\ntoken: y\nalert-webhook: z\nverbose: true',
    }),
  },
});

const ship = (inputs: string, given: string) => [
  {
    path: '.gitea/actions/ship/action.yml',
    text: `inputs:
  ${inputs}
runs:
  using: composite
  steps:
    - uses: ${ACTION_REF}
      with:
        environment: staging
        target-tag: main-\${{ inputs.version }}
        ${given}
`,
  },
];

rule('leaking-input', {
  bad: {
    'an input that no setting has': {
      input: ship("version: {description: ''}", 'token: x'),
      at: 'version:',
      severity: 'warning',
      says: 'does not know',
    },
    'an input with the name of a setting': {
      input: ship('Batch_Size: {default: 40}', 'token: x'),
      at: 'Batch_Size',
      severity: 'warning',
      says: 'sets it',
    },
  },
  good: {
    'one that is handed on': ship('token: {}', 'token: ${{ inputs.token }}'),
    'an action that uses another one': [
      {
        path: '.gitea/actions/x/action.yml',
        text: 'inputs: {version: {}}\nruns: {using: composite, steps: [{uses: actions/checkout@v4}]}\n',
      },
    ],
  },
});

const runs = (text: string) => [
  { path: '.gitea/actions/x/action.yml', text: `name: x\nruns:\n  main: a.js\n  ${text}\n` },
];

rule('action-runtime', {
  bad: {
    node24: { input: runs('using: node24'), at: 'node24', severity: 'warning' },
    node18: { input: runs('using: node18'), at: 'node18' },
    pre: { input: runs('using: node20\n  pre: b.js'), at: 'pre', severity: 'warning' },
  },
  good: { node20: runs('using: node20'), docker: runs('using: docker') },
});
