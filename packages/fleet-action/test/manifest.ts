/** What both action.yml and the tables of the README must say, made from the settings; `vitest -u` writes it. */
import {
  COMPOSITE_LEAVES_OUT,
  compositeSettings,
  type Setting,
  type SettingName,
} from '@tenant-fleet/fleet-core/config';
import { ACTION_SETTINGS } from '../src/inputs.js';

const OUTPUTS: [string, string][] = [
  [
    'outcome',
    'How the run ended: succeeded, succeeded_with_quarantine, planned, superseded, held, failed, ...',
  ],
  ['deployed', 'true only where the fleet was proven to run the commit'],
  ['on-target', 'JSON array of the tenants that answered with the commit'],
  ['stale', 'JSON array of the tenants that answered with another commit'],
  [
    'result-json',
    'The result in short: outcome, reason, counts, and `document`, the path of the whole (fleet-result/1)',
  ],
  ['report', 'Path of the report as one HTML file; the JSON document is beside it'],
];

const VERBOSE: [string, string] = ['verbose', 'Details of every call: true or false'];

export function manifest(): string {
  const inputs: [string, string][] = [
    ...ACTION_SETTINGS.map((setting): [string, string] => [setting.name, describe(setting)]),
    VERBOSE,
  ];
  return [
    '# Made from the settings table of fleet-core and checked by a test; change it there.',
    'name: Fleet redeploy',
    'description: Redeploys a fleet of tenants under a lock and proves what every tenant runs',
    'author: tenant-fleet',
    'branding: { icon: refresh-cw, color: blue }',
    'inputs:',
    ...inputs.flatMap(([name, text]) => [`  ${name}:`, `    description: ${JSON.stringify(text)}`]),
    'outputs:',
    ...OUTPUTS.flatMap(([name, text]) => [`  ${name}:`, `    description: ${JSON.stringify(text)}`]),
    'runs:',
    '  using: node20',
    '  main: dist/main.cjs',
    '  post: dist/post.cjs',
    '  post-if: always()',
    '',
  ].join('\n');
}

/** What the composite says of an input beside what the table does. A composite sees no `secrets`: they come in as inputs. */
const ITS_OWN: Partial<Record<SettingName, { lines: string[]; value?: string }>> = {
  'target-tag': { lines: ['required: true'] },
  token: { lines: ['required: true'] },
  'gitea-token': { lines: [], value: 'inputs.gitea-token || github.token' },
  'alert-issue': { lines: ['default: "true"'] },
  'commit-status': { lines: ['default: "true"'] },
};

export function compositeManifest(): string {
  const inputs = [
    ...compositeSettings().map(({ name, ...setting }) => ({ name, text: describe({ name, ...setting }) })),
    { name: VERBOSE[0], text: VERBOSE[1] },
  ].map((input) => ({ ...input, own: ITS_OWN[input.name as SettingName] }));
  return [
    '# Made from the settings table of fleet-core and checked by a test; change it there, or in fleet-action/test/manifest.ts.',
    '# What a deploy is made of stands here once: workflows call this, and nothing else rolls a fleet.',
    'name: Redeploy fleet',
    'description: Rolls a fleet of tenants under its lock, proves what every tenant runs, and tells people when it could not',
    'author: tenant-fleet',
    'branding: { icon: refresh-cw, color: blue }',
    'inputs:',
    ...inputs.flatMap(({ name, text, own }) => [
      `  ${name}:`,
      `    description: ${JSON.stringify(text)}`,
      ...(own?.lines ?? []).map((line) => `    ${line}`),
    ]),
    'outputs:',
    ...OUTPUTS.flatMap(([name, text]) => [
      `  ${name}:`,
      `    description: ${JSON.stringify(text)}`,
      `    value: \${{ steps.roll.outputs.${name} }}`,
    ]),
    STEPS,
    ...inputs.map(({ name, own }) => `        ${name}: \${{ ${own?.value ?? `inputs.${name}`} }}`),
    '',
  ].join('\n');
}

const STEPS = `runs:
  using: composite
  steps:
    # \`uses: ./\` means the caller's workspace here too, so the bundle of this very checkout is laid out there: one pin
    # holds for both, nothing more is fetched, and its post step runs as that of any other step.
    - name: Lay out the built step
      shell: sh
      env:
        SOURCE: \${{ github.action_path }}/../../../packages/fleet-action
      run: |
        if [ ! -f "$SOURCE/dist/main.cjs" ]; then
          echo 'ERROR: this ref of the fleet repository carries no dist/'
          echo 'next: pin the tag of a release, vX.Y.Z: no other ref carries the built step'
          exit 1
        fi
        rm -rf "$GITHUB_WORKSPACE/.fleet-action"
        mkdir "$GITHUB_WORKSPACE/.fleet-action"
        cp -R "$SOURCE/action.yml" "$SOURCE/dist" "$GITHUB_WORKSPACE/.fleet-action"
        # Git shall not take it for a change of the caller's.
        echo '*' >"$GITHUB_WORKSPACE/.fleet-action/.gitignore"
    - name: Roll the fleet and prove it
      id: roll
      uses: ./.fleet-action
      with:`;

/** A README with what stands between its markers made anew. */
export function withTables(readme: string): string {
  const inputs = [
    ...ACTION_SETTINGS.map((setting): [string, string] => [setting.name, describe(setting)]),
    VERBOSE,
  ];
  const fill = (text: string, name: string, heading: string, rows: [string, string][]) => {
    const cells = [
      [heading, ''],
      ...rows.map(([key, value]) => [`\`${key}\``, value.replaceAll('|', '\\|')]),
    ];
    // Padded, as the formatter of this repository wants it.
    const widths = [0, 1].map((column) => Math.max(3, ...cells.map((row) => (row[column] ?? '').length)));
    const line = (row: string[]) => `| ${row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(' | ')} |`;
    const [head = [], ...body] = cells;
    const rule = widths.map((width) => '-'.repeat(width));
    const table = [head, rule, ...body].map(line).join('\n');
    const between = new RegExp(`(<!-- ${name} -->\\n)[^]*(<!-- /${name} -->)`);
    if (!between.test(text)) throw new Error(`the README has no place for its ${name}`);
    return text.replace(between, (_all, open, close) => `${open}${table}\n${close}`);
  };
  const filled = fill(fill(readme, 'inputs', 'input', inputs), 'outputs', 'output', OUTPUTS);
  return fill(filled, 'left-out', 'input', Object.entries(COMPOSITE_LEAVES_OUT));
}

/** No `default:` in the file: it would win over variables and the configuration file. */
function describe(setting: Setting): string {
  const notes = [
    ...(setting.choices ? [setting.choices.join(' | ')] : []),
    ...(setting.kind === 'list' ? ['one a line'] : []),
    `env ${setting.env.join(', ')}`,
    ...(setting.default === undefined ? [] : [`default ${setting.default}`]),
  ];
  const { help } = setting;
  return `${help[0]?.toUpperCase()}${help.slice(1)} [${notes.join('; ')}]`;
}
