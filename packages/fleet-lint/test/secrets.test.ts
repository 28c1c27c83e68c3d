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
    ...Object.fromEntries(
      ['-svo', '-s --verbose -o', '-s --trace-ascii - -o', '-s --trace - -o', '-H "x -q" -v -o'].map(
        (flags) => [
          `curl ${flags}`,
          { input: scripted(`curl ${flags} r.json ${URL}`), at: 'curl', says: 'header with the token' },
        ],
      ),
    ),
    'curl -v at the end': { input: scripted(`curl -o r.json ${URL} -v`), at: 'curl', says: 'curl -v' },
    ...Object.fromEntries(
      ['cat', 'less', 'tee -a log', 'sed -n p', 'jq', 'jq -C', 'jq -C -S .', "jq '.'", 'jq  "."'].map(
        (pipe) => [`a pipe to ${pipe}`, { input: call('', ` |${pipe}`), at: 'curl', says: 'as it is' }],
      ),
    ),
    'an answer that another command follows': { input: call('', ' || true'), at: 'curl', says: 'as it is' },
    'curl that keeps it on the screen': { input: call('-o -'), at: 'curl', says: 'as it is' },
    'only the errors are kept': { input: call('', ' 2> errors.log'), at: 'curl', says: 'as it is' },
    ...Object.fromEntries(
      [
        ['curl -o', `curl -o"r x" ${URL}`, 'cat "r x"'],
        ['curl --output', `curl --output='r x' ${URL}`, "cat 'r x'"],
        ['wget -O', `wget -qO r ${URL}`, 'cat r'],
        ['wget -O, quoted', `wget -O "r x" ${URL}`, "cat 'r x'"],
        ['wget --output-document', `wget --output-document='r x' ${URL}`, 'cat "r x"'],
        ['a redirection', `curl -sS ${URL} >r`, 'cat r'],
        ['a redirection that adds', `curl -sS ${URL} >> "r x"`, "cat 'r x'"],
        ['a redirection, quoted', `curl -sS ${URL} > 'r x'`, 'head -5 "r x"'],
      ].map(([name, brings, shows = '']) => [
        `what ${name} brought`,
        { input: scripted(`${brings}\n${shows}`), at: shows, says: 'this prints' },
      ]),
    ),
    ...Object.fromEntries(
      [
        'printf "%s" "${answer}"',
        'if ! echo "$answer"; then exit 1; fi',
        'echo "it said: $answer" >&2',
        'echo \'a > b\' "$answer"',
        'echo "$answer" > /dev/stderr',
        'echo "$answer" | tee log',
      ].map((shows) => [
        shows,
        {
          input: scripted(`answer="$(curl -sS ${URL})"\n${shows}`),
          at: shows.slice(shows.search(/echo|printf/)),
          says: 'this prints',
        },
      ]),
    ),
    'an answer taken by backticks': {
      input: scripted(`answer=\`curl -sS ${URL}\`\necho $answer`),
      at: 'echo',
    },
    'an answer beside another one': {
      input: scripted(`a=1 answer=$(curl -sS ${URL})\necho $answer`),
      at: 'echo',
    },
    ...Object.fromEntries(
      [
        'tail r',
        'cat other r',
        'cat "r" 1>&2',
        'jq -C . r',
        'jq -r .error r',
        "jq -r '.results[] | .error' r",
        'echo "$(<r)"',
      ].map((shows) => [
        shows,
        { input: scripted(`curl -so r ${URL}\n${shows}`), at: shows, says: 'this prints' },
      ]),
    ),
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
    'wget without a file': scripted(`wget -q ${URL}`),
    'a text with -v in it': scripted(`curl -H "x: a -v b" -o r ${URL} && echo 'curl -v '`),
    'a text with -v in single quotes': scripted(`curl -H 'x: a -v b' -o r ${URL}`),
    'a pipe that chooses': call('', ' | jq -r .ok'),
    'a pipe to a test': call('', ' | grep -q true'),
    'a pipe to a program that only begins like one': call('', ' | category'),
    'another variable': scripted(`answer=$(curl -sS ${URL})\necho "$answers" $other`),
    'another file': scripted(`curl -so r ${URL}\ncat other\ntail rr\njq . r2`),
    'the file, kept elsewhere': scripted(`curl -so r ${URL}\ncat r > kept\ncat r >> "kept too"`),
    'chosen fields of the file': scripted(`curl -so r ${URL}\njq -r .results[].slug r\njq -e .ok "r"`),
    'what nobody keeps': scripted(`curl -so /dev/null ${URL}\ncat /dev/null`),
    'what is printed before': scripted(`answer=none\necho "$answer"\nanswer=$(curl -sS ${URL})`),
    'the answer of a call without a name': scripted(`test "$(curl -sS ${URL})"\necho "$x"`),
  },
});

rule('shell-trace', {
  bad: {
    'set -x': { input: scripted(`set -x\ncurl -o r ${URL}`), at: 'set -x' },
    'set -euxo pipefail': { input: scripted(`make\nset -euxo pipefail\ncurl -o r ${URL}`), at: 'set -eux' },
    'the shell': { input: scripted(`curl -o r ${URL}`, { step: 'shell: bash -ex {0}' }), at: 'bash -ex' },
    ...Object.fromEntries(
      [
        'set -o xtrace',
        'set -e  -x',
        'set -eu -o  xtrace',
        'set  -x;',
        'cd x; set -x',
        'cd x &&  set -x',
      ].map((on) => [
        on,
        { input: scripted(`${on}\ncurl -o r ${URL}`), at: on.slice(Math.max(0, on.search(/[;&]\s*set/))) },
      ]),
    ),
    'turned off by another name': { input: scripted(`set -x\nset +e\ncurl -o r ${URL}`), at: 'set -x' },
    'the shell, in a script without a call': {
      input: scripted('FLEET_CP_TOKEN="$T" fleet redeploy', { step: 'shell: bash -ex {0}' }),
      at: 'bash -ex',
    },
    ...Object.fromEntries(
      ['$TOKEN', '${CP_TOKEN}', '$MY_SECRET', '${SECRET}'].map((token) => [
        `a command beside ${token}`,
        { input: scripted(`set -x\necho "${token}" > f\nfleet redeploy`), at: 'set -x' },
      ]),
    ),
    'the second of two deploys': {
      input: scripted(`curl -o r ${URL}\nset -x\ncurl -o r ${URL}`),
      at: 'set -x',
    },
    'a command with the token': {
      input: scripted('set -x\nexport FLEET_CP_TOKEN="$T"\nfleet redeploy'),
      at: 'set -x',
    },
  },
  good: {
    ...Object.fromEntries(
      ['set +x', 'set +ex', 'set +o xtrace', 'set  +o  xtrace', 'make; set +x', 'make &&  set +x'].map(
        (off) => [`turned off by ${off}`, scripted(`set -x\n${off}\ncurl -o r ${URL}`)],
      ),
    ),
    'a word that only ends in set': scripted(`reset -x\nunset -x\ncurl -o r ${URL}`),
    'a shell that does not trace': scripted(`curl -o r ${URL}`, { step: 'shell: bash -e {0}' }),
    'turned off': scripted(`set -x\nmake\nset +x\ncurl -o r ${URL}`),
    afterwards: scripted(`curl -o r ${URL}\nset -x\nmake`),
    'a command without the token': scripted('set -x\nfleet redeploy --target-tag x'),
    'other options': scripted(`set -euo pipefail\ncurl -o r ${URL}`),
  },
});

rule('token-argument', {
  bad: {
    'a flag': { input: scripted('fleet redeploy --token "$T" --target-tag x'), at: '--token' },
    ...Object.fromEntries(
      ['--cp-token', '--control-plane-token', '--gitea-token', '--token'].flatMap((flag) => [
        [`${flag} VALUE`, { input: scripted(`fleet redeploy ${flag} "$T"`), at: flag }],
        [`${flag}=VALUE`, { input: scripted(`fleet redeploy ${flag}="$T"`), at: flag }],
        [`${flag} at the end`, { input: scripted(`fleet redeploy ${flag}`), at: flag }],
      ]),
    ),
    ...Object.fromEntries(
      [
        '-HAuthorization:x',
        "-H 'authorization : Bearer x'",
        '--header="Private-Token: x"',
        '-H X_Token:x',
        '--oauth2-bearer x',
      ].map((header) => [header, { input: call(`-o r ${header}`), at: header }]),
    ),
    'a secret in an expression with others': {
      input: scripted('fleet redeploy --x ${{ github.sha || Secrets.T }}'),
      at: '${{ github',
    },
    'a header': { input: call('-o r -H "Authorization: Bearer $T"'), at: '-H' },
    'a secret in the script': {
      input: scripted('export FLEET_CP_TOKEN=${{ secrets.T }}\nfleet redeploy'),
      at: '${{ secrets',
    },
  },
  good: {
    'the environment': scripted('fleet redeploy --token-file "$F"', { step: 'env:\n  A: ${{ secrets.T }}' }),
    'a header from a file': call('-o r -H @header.txt -H "Content-Type: application/json"'),
    'a flag of another command': scripted('login --token "$T"; fleet redeploy; logout --token "$T"'),
    'an expression without a secret': scripted('fleet redeploy --target-tag ${{ vars.SECRETS }}'),
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
    ...Object.fromEntries(
      ['github.head_ref', 'github.base_ref', 'github.event.inputs.tag', 'GitHub.Ref_Name'].map((path) => [
        path,
        {
          input: scripted(`fleet redeploy --target-tag \${{ github.sha && ${path} }}`),
          at: '${{ github.sha',
          severity: 'warning' as const,
          says: path,
        },
      ]),
    ),
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
    'what only has such a name': scripted(
      'fleet redeploy --reason "${{ vars.inputs.x }} ${{ github.ref_name_x }} ${{ github.event.inputs }}"',
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
  bad: {
    'a secret': { input: action('${{ secrets.T }}'), at: '${{ secrets' },
    'a secret among others': { input: action('${{ inputs.token || Secrets.T }}'), at: '${{ inputs' },
  },
  good: {
    'an input': action('${{ inputs.token }}'),
    'a variable of such a name': action('${{ env.SECRETS }}'),
    'a workflow': deploying({ inputs: 'token: ${{ secrets.T }}' }),
  },
});
