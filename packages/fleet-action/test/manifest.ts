/** What action.yml and the tables of the README must say, made from the settings; `vitest -u` writes it. */
import type { Setting } from '@tenant-fleet/fleet-core/config';
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
  return fill(fill(readme, 'inputs', 'input', inputs), 'outputs', 'output', OUTPUTS);
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
