// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are expressions of workflows
import { deploying, rule, testing } from './check.js';

rule('env-context', {
  bad: {
    'a job condition': { input: deploying({ job: "if: env.DEPLOY == 'yes'" }), at: 'env.DEPLOY' },
    '17: a variable of the job': {
      input: testing('push', 'env:\n  IMAGE: ${{ env.REGISTRY }}/server'),
      at: '${{ env.REGISTRY',
    },
    'a runner': {
      input: testing('push', 'x: 1').replace('runs-on: ubuntu-latest', 'runs-on: "${{ env.R }}"'),
      at: '${{ env.R',
    },
    'a group': { input: deploying({ job: "concurrency:\n  group: x-${{ env['X'] }}" }), at: "${{ env['X']" },
    'a secret in a group': { input: deploying({ top: 'concurrency: ${{ secrets.X }}' }), at: '${{ secrets' },
    'an input of a called workflow': {
      input:
        'on: push\njobs:\n  a:\n    uses: ./.gitea/workflows/x.yml\n    with:\n      tag: a-${{ env.TAG }}\n',
      at: '${{ env.TAG',
    },
  },
  good: {
    'a step': deploying({ step: "if: env.X == 'y'\nenv: {A: '${{ env.B }}'}" }),
    vars: deploying({ job: "if: vars.env == 'x' && github.event.env.x" }),
    'a text': deploying({ job: "if: vars.X == 'env.Y'" }),
  },
});

const dispatch = '\n  workflow_dispatch:\n    inputs:\n      tag: {type: string}';
const tag = (expression: string) => `target-tag: ${expression}`;
const build =
  'build:\n  runs-on: x\n  outputs:\n    tag: ${{ steps.t.outputs.tag }}\n  steps:\n    - {id: t, run: make}';

rule('empty-expression', {
  bad: {
    'an input without a declaration': {
      input: deploying({ inputs: tag('${{ inputs.tag }}') }),
      at: '${{ inputs',
    },
    'another input': {
      input: deploying({ on: dispatch, inputs: tag('${{ inputs.image }}') }),
      at: '${{ inputs',
    },
    'an input of the event': {
      input: deploying({ on: dispatch, inputs: tag('x-${{ github.event.inputs.tga }}') }),
      at: '${{ github',
    },
    'a job that is not needed': {
      input: deploying({ jobs: build, inputs: tag('${{ needs.build.outputs.tag }}') }),
      at: '${{ needs',
      says: 'does not need',
    },
    'an output that does not exist': {
      input: deploying({ jobs: build, job: 'needs: build', inputs: tag('${{ needs.build.outputs.image }}') }),
      at: '${{ needs',
      says: 'no output',
    },
    'a step that does not exist': {
      input: deploying({ inputs: tag('${{ steps.tag.outputs.x }}') }),
      at: '${{ steps',
    },
    'a step that comes later': {
      input: deploying({ inputs: tag('${{ steps.later.outputs.x }}'), step: 'id: later' }),
      at: '${{ steps',
    },
    'a matrix': { input: testing('push', 'name: a ${{ matrix.x }}'), at: '${{ matrix', severity: 'warning' },
    'an input of an action': {
      input: [
        {
          path: '.gitea/actions/x/action.yml',
          text: "inputs:\n  tag: {description: x}\nruns:\n  using: composite\n  steps:\n    - {shell: sh, run: 'echo ${{ inputs.tga }}'}\n",
        },
      ],
      at: '${{ inputs.tga',
      severity: 'warning',
    },
  },
  good: {
    'what is declared': deploying({
      on: dispatch,
      jobs: build,
      job: "needs: build\nif: needs.build.outputs.tag != '' && needs.*.result",
      inputs: tag('${{ inputs.TAG || github.event.inputs.tag || needs.build.outputs.tag }}'),
    }),
    'an output of the last step': testing('push', 'outputs: {a: "${{ steps.z.outputs.a }}"}').replace(
      '- run: make test',
      '- {run: make test, id: z}',
    ),
    'outputs of a called workflow': deploying({
      jobs: 'build:\n  uses: ./.gitea/workflows/b.yml',
      job: 'needs: build',
      inputs: tag('${{ needs.build.outputs.tag }}'),
    }),
  },
});

rule('unfilled-expression', {
  bad: {
    'no dollar': { input: deploying({ inputs: tag("'{{ vars.TAG }}'") }), at: '{{ vars' },
    'a space': { input: deploying({ inputs: tag('a-$ {{ vars.TAG }}') }), at: '$ {{ vars' },
    'no end': { input: deploying({ inputs: tag('a-${{ vars.TAG }') }), at: '${{ vars' },
    'double quotes': { input: deploying({ job: `name: 'x \${{ vars.X || "y" }}'` }), at: '${{ vars' },
    nothing: { input: testing('push', 'name: a ${{ }}'), at: '${{ }}', severity: 'warning' },
  },
  good: {
    expressions: deploying({
      inputs: tag("${{ vars.A && format('{0}-}}', github.event.x.*.y, 1.5) || !fromJSON(vars.B)[0].c }}"),
    }),
    'another templating': testing().replace(
      'make test',
      "docker ps --format '{{.Names}}' && helm x '{{ .Values.y }}'",
    ),
  },
});
