// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are expressions of workflows
import { deploying, rule, scripted } from './check.js';

const URL = '"$CP/cp/admin/tenants/redeploy-fleet"';
const call = (more = '', rest = '') => scripted(`curl -sS ${more} -X POST ${URL} -d @b.json${rest}`);

rule('raw-response', {
  bad: {
    'curl alone': { input: call(), at: 'curl' },
    'curl in a here-document of a shell': {
      input: scripted(`bash <<'EOF'\ncurl -X POST ${URL}\nEOF`),
      at: 'curl',
    },
    'a pipe to tee': { input: call('', ' | tee answer.json'), at: 'curl' },
    'a pipe to jq': { input: call('', ' | jq .'), at: 'curl' },
    'curl -v': { input: call('-v -o /dev/null'), at: 'curl' },
    'an echo of the variable': {
      input: scripted(`answer=$(curl -sS \\\n  -X POST ${URL})\nmake\necho "answer: $answer"`),
      at: 'echo',
    },
    '104, 105: a cat of the file': {
      input: scripted(`code=$(curl -o "$OUT" -w '%{http_code}' ${URL})\ncat "$OUT"`),
      at: 'cat',
    },
    'a cat in the same line': { input: call('-o r.json', ' || { cat r.json; exit 1; }'), at: 'cat' },
    'error texts of the file': {
      input: scripted(`curl -so r.json ${URL}\njq -r '.results[] | .slug + .error' r.json`),
      at: 'jq',
    },
    'a pipe to jq of the file': { input: scripted(`curl -so "$R" ${URL}\ncat "$R" | jq .`), at: 'cat' },
    'an echo of the file': { input: scripted(`curl -o "$R" ${URL}\necho "got $(cat "$R")"`), at: 'echo' },
    'jq of the file': { input: scripted(`curl -so r.json ${URL}\njq . r.json >&2`), at: 'jq' },
  },
  good: {
    'a file': call('-o r.json'),
    'nothing kept': call('--output /dev/null --fail'),
    'a redirection': call('', ' > r.json 2>&1'),
    'chosen fields': scripted(
      `answer=$(curl -sS ${URL})\necho "$answer" | jq -r .ok\njq -r '.results[].slug' r.json`,
    ),
    'the code': scripted(`code=$(curl -o r.json -w '%{http_code}' ${URL})\necho "HTTP $code"`),
    'what is read for a test': scripted(
      `curl -so r ${URL}\nbody=$(cat r)\nbad=$(jq -r '.results[].error' r | wc -l)`,
    ),
    'another call': scripted('curl -sS https://example.com/buildinfo'),
  },
});

rule('shell-trace', {
  bad: {
    'set -x': { input: scripted(`set -x\ncurl -o r ${URL}`), at: 'set -x' },
    'set -euxo pipefail': { input: scripted(`make\nset -euxo pipefail\ncurl -o r ${URL}`), at: 'set -eux' },
    'the shell': { input: scripted(`curl -o r ${URL}`, { step: 'shell: bash -ex {0}' }), at: 'bash -ex' },
    'a command with the token': {
      input: scripted('set -x\nexport FLEET_CP_TOKEN="$T"\nfleet redeploy'),
      at: 'set -x',
    },
  },
  good: {
    'turned off': scripted(`set -x\nmake\nset +x\ncurl -o r ${URL}`),
    afterwards: scripted(`curl -o r ${URL}\nset -x\nmake`),
    'a command without the token': scripted('set -x\nfleet redeploy --target-tag x'),
    'other options': scripted(`set -euo pipefail\ncurl -o r ${URL}`),
  },
});

rule('token-argument', {
  bad: {
    'a flag': { input: scripted('fleet redeploy --token "$T" --target-tag x'), at: '--token' },
    'a header': { input: call('-o r -H "Authorization: Bearer $T"'), at: '-H' },
    'a secret in the script': {
      input: scripted('export FLEET_CP_TOKEN=${{ secrets.T }}\nfleet redeploy'),
      at: '${{ secrets',
    },
  },
  good: {
    'the environment': scripted('fleet redeploy --token-file "$F"', { step: 'env:\n  A: ${{ secrets.T }}' }),
    'a header from a file': call('-o r -H @header.txt -H "Content-Type: application/json"'),
    'another step': deploying({ jobs: 'a:\n  runs-on: x\n  steps: [{run: "x ${{ secrets.T }}"}]' }),
  },
});

rule('expression-in-script', {
  bad: {
    'an input': {
      input: scripted('fleet redeploy --target-tag ${{ inputs.tag }}'),
      at: '${{ inputs',
      severity: 'warning',
    },
    'a branch': {
      input: scripted('fleet redeploy --target-tag "x-${{ github.ref_name }}"'),
      at: '${{ github',
      severity: 'warning',
    },
    'a title': {
      input: scripted('echo "${{ github.event.head_commit.message }}"\nfleet redeploy'),
      at: '${{ github',
      severity: 'warning',
    },
  },
  good: {
    'a variable': scripted('fleet redeploy --target-tag "$TAG"', { step: 'env:\n  TAG: ${{ inputs.tag }}' }),
    'what nobody can name': scripted(
      'fleet redeploy --expected-sha ${{ github.sha }} --target-tag ${{ vars.TAG }}',
    ),
  },
});

const action = (text: string) => [
  {
    path: '.gitea/actions/redeploy-fleet/action.yml',
    text: `inputs: {token: {description: x}}\nruns:\n  using: composite\n  steps:\n    - run: fleet redeploy\n      shell: bash\n      env:\n        T: ${text}\n`,
  },
];

rule('secrets-in-composite', {
  bad: { 'a secret': { input: action('${{ secrets.T }}'), at: '${{ secrets' } },
  good: {
    'an input': action('${{ inputs.token }}'),
    'a workflow': deploying({ inputs: 'token: ${{ secrets.T }}' }),
  },
});
