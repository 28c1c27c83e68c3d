// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are expressions of workflows
import { deploying, rule, scripted, testing } from './check.js';

const config = (text: string) => [{ path: 'fleet.config.yaml', text }];

rule('refused-setting', {
  bad: {
    'a flag with a typing error': {
      input: scripted('fleet redeploy --environment staging --bath-size 3'),
      at: '--bath-size',
      says: 'mean --batch-size',
    },
    'a flag without its unit': { input: scripted('fleet redeploy --soak 5'), at: '--soak', says: '--soak: ' },
    'a number that is none': { input: scripted('fleet redeploy --batch-size=0'), at: '--batch-size' },
    'a choice that is none': { input: scripted("fleet redeploy --strategy 'blue-green'"), at: '--strategy' },
    'a flag behind npx, on another line': {
      input: scripted('npx -y @tenant-fleet/fleet-cli@1.2.3 \\\n  redeploy \\\n  --tmeout 5m'),
      at: '--tmeout',
    },
    'a plan, in a workflow that deploys nothing': {
      input: testing().replace('make test', 'fleet plan --sok 5s'),
      at: '--sok',
      severity: 'warning',
    },
    'in what another shell is given': { input: scripted("sh -c 'fleet redeploy --soke 1s'"), at: '--soke' },
    'in a here-document of a shell': {
      input: scripted("ssh host bash <<'EOF'\nfleet redeploy --soke 1s\nEOF"),
      at: '--soke',
    },
    'within another command': { input: scripted('x="$(fleet redeploy --soke 1s)"'), at: '--soke' },
    'an input': {
      input: deploying({ inputs: 'environment: x\nbatch-size: many' }),
      at: 'many',
      says: 'batch-size',
    },
    'a variable': {
      input: scripted('fleet redeploy', { step: 'env:\n  FLEET_SETTLE_BUDGET: 4 minutes' }),
      at: '4 minutes',
      says: 'FLEET_SETTLE_BUDGET',
    },
    'the name of a variable': {
      input: scripted('fleet redeploy', { step: 'env:\n  FLEET_BATCHSIZE: 3' }),
      at: 'FLEET_BATCHSIZE',
      says: 'mean FLEET_BATCH_SIZE',
    },
  },
  good: {
    'what fleet takes': scripted(
      'fleet redeploy --environment staging --soak 1m --batch-size=3 --ephemeral \'e2e-*\' --json --quiet --target-tag "main-$SHA" --strategy single-call',
    ),
    'what only the run knows': scripted('fleet redeploy --soak "$SOAK" --batch-size ${{ vars.SIZE }}'),
    'an input and a variable': deploying({
      inputs: "environment: x\nsoak: 90s\nalert-issue: 'true'\nlock_wait: '${{ vars.W }}'",
      step: 'env:\n  FLEET_CP_TOKEN: x\n  FLEET_CANARY: a\n  FLEET_OF_OURS: 1',
    }),
    'another program': scripted('fleetctl redeploy --nothing\nfleet redeploy'),
    'a text': scripted('echo "fleet redeploy --nothing"\nfleet redeploy'),
    'a here-document that no shell reads': scripted('cat <<EOF\nfleet redeploy --nothing\nEOF'),
  },
});

rule('refused-config', {
  bad: {
    'an unknown key': { input: config('soak: 1s\nbatchsize: 3\n'), at: 'batchsize', says: 'batch-size' },
    'a value without its unit': { input: config('settle-budget: soon\n'), at: 'settle-budget' },
    'the second of two environments': {
      input: config('environments:\n  staging:\n    soak: 1s\n  production:\n    batch-size: none\n'),
      at: 'batch-size',
    },
    'a token': { input: config('fleet-cp-token: x\n'), at: 'fleet-cp-token', says: 'FLEET_CP_TOKEN' },
    'a list': { input: config('- soak\n'), at: '- soak', says: 'mapping' },
  },
  good: {
    'a whole file': config(
      'control-plane: https://cp.example\ntenant-url: https://{slug}.example\nalert-issue: true\nenvironments:\n  staging: {}\n  production: {soak: 5m, batchSize: 2}\n',
    ),
    'an empty file': config(''),
    'what is missing, which flags may bring': config('lock-wait: 5m\n'),
  },
});

rule('unowned-package', {
  bad: {
    npx: { input: scripted('npx fleet redeploy --target-tag x'), at: 'npx fleet' },
    'npx with a version': { input: scripted('npx -y fleet-cli@latest redeploy'), at: 'npx -y' },
    'a server, beside a token': {
      input: testing('push', 'env:\n  CP_TOKEN: ${{ secrets.CP }}').replace(
        'make test',
        'npx fleet-control-plane',
      ),
      at: 'npx fleet-control-plane',
      says: 'secret',
    },
    'a server without one': {
      input: testing().replace('make test', 'pnpm dlx fleet-control-plane'),
      at: 'pnpm dlx',
      severity: 'warning',
    },
    'an installation': {
      input: scripted('npm install -g left-pad fleet-cli\nfleet redeploy'),
      at: 'npm install',
    },
    'in the middle of a line': { input: scripted('make && npm exec -- fleet redeploy'), at: 'npm exec' },
  },
  good: {
    'our packages': scripted(
      'npx -y @tenant-fleet/fleet-cli redeploy\nnpm i @tenant-fleet/fleet-control-plane',
    ),
    'a program of a package that is named': scripted('npx -p @tenant-fleet/fleet-cli fleet redeploy'),
    'what a clone has': scripted('npx -y pnpm@10 fleet redeploy'),
    'what is installed': scripted('npx --no-install fleet redeploy\npnpm fleet redeploy'),
  },
});
