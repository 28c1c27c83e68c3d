/** What is made from the table of settings: the options of the library, and the reference for users. */
import { EVERY } from '../../src/config/command-sets.js';
import { SETTINGS, type Setting } from '../../src/config/settings.js';

const GROUPS: [Setting['group'], string][] = [
  ['target', 'What to roll, and where'],
  ['rollout', 'Rollout'],
  ['verify', 'Verification'],
  ['lock', 'Lock'],
  ['gates', 'Gates (off unless configured)'],
  ['alerts', 'Alerts (off unless configured)'],
  ['run', 'Run'],
];

const TYPES: Record<Exclude<Setting['kind'], 'file' | 'choice'>, string> = {
  text: 'string',
  secret: 'string',
  list: 'string[]',
  duration: 'number',
  integer: 'number',
  boolean: 'boolean',
};
const MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

const options = (SETTINGS as readonly Setting[]).filter(({ kind }) => kind !== 'file');

/** `setting-options.ts`. */
export function optionTypes(): string {
  const preset = options
    .filter((setting) => setting.default !== undefined)
    .map(({ option }) => `'${option}'`);
  return [
    '/** Made from the table of settings and checked by a test; change it there, then run the test with `-u`. */',
    'export interface SettingOptions {',
    ...options.flatMap((setting) => [...docstring(setting), `  ${setting.option}?: ${typeOf(setting)};`]),
    '}',
    '',
    '/** Those that have a default. */',
    'export type DefaultedOption =',
    `${preset.map((name) => `  | ${name}`).join('\n')};`,
    '',
  ].join('\n');
}

const typeOf = ({ kind, choices, percent }: Setting): string =>
  percent
    ? `number | \`\${number}%\``
    : kind === 'choice'
      ? (choices ?? []).map((one) => `'${one}'`).join(' | ')
      : TYPES[kind as 'text'];

function docstring(setting: Setting): string[] {
  const { help, kind } = setting;
  const own = help
    .replace(/\(default: ([a-z-]+)\)/, (all, name) => {
      const other = optionOf(name);
      return other ? `(default: \`${other}\`)` : all;
    })
    .replace(/^./, (letter) => letter.toUpperCase());
  const text = `${own}.${kind === 'duration' ? ' Milliseconds' : ''}${rangeOf(setting)}`;
  const words = (/[.]$/.test(text) ? text : `${text}.`).split(' ');
  const lines = [''];
  for (const word of words) {
    if (`${lines.at(-1)} ${word}`.length > 110) lines.push('');
    lines[lines.length - 1] = `${lines.at(-1)} ${word}`.trim();
  }
  if (lines.length === 1 && (lines[0] ?? '').length < 102) return [`  /** ${lines[0]} */`];
  return ['  /**', ...lines.map((line) => `   * ${line}`), '   */'];
}

const optionOf = (name: string) => options.find((setting) => setting.name === name)?.option;

function rangeOf({ kind, min = 0, max, default: preset }: Setting): string {
  if (kind !== 'duration' && kind !== 'integer') return preset === undefined ? '' : ` Default \`${preset}\``;
  const number = (value: number) => value.toString().replace(/\B(?=(\d{3})+$)/g, ' ');
  const range = max === undefined ? `at least ${number(min)}` : `${number(min)} to ${number(max)}`;
  const [, digits = '', unit = ''] = /^(\d+)(\w*)$/.exec(preset ?? '') ?? [];
  const value = Number(digits) * (MS[unit as 'ms'] ?? 1);
  const parts = [range, ...(preset === undefined ? [] : [`default ${number(value)}`])].join(', ');
  return kind === 'duration' ? `, ${parts}` : ` ${parts[0]?.toUpperCase()}${parts.slice(1)}`;
}

/** `docs/settings.md`. */
export function reference(): string {
  const lines = [
    '# Settings',
    '',
    'Made from the table of settings (`packages/fleet-core/src/config/settings.ts`) and checked by a test.',
    '',
    'A setting is a flag of the command (`--soak 2m`), an input of the action (`soak: 2m`), a variable (`FLEET_SOAK=2m`)',
    'and a key of `fleet.config.yaml` (`soak: 2m`, at the top or below an environment). A flag or an input wins over a',
    'variable, that over the file, that over the default. A command reads only the settings that it takes.',
    '',
    'Durations have a unit: `250ms`, `90s`, `4m`, `1h`. A list is a flag that is repeated, a list in the file, and one a line',
    'in a variable or an input; commas part it only where there is no line end. Secrets are never flags and never stand in',
    'the file: give the variable, the input, or the name of a file that holds it.',
  ];
  for (const [group, title] of GROUPS) {
    lines.push('', `## ${title}`, '');
    lines.push('| setting | value | default | variables | commands | |', '|---|---|---|---|---|---|');
    for (const setting of (SETTINGS as readonly Setting[]).filter((one) => one.group === group))
      lines.push(`| ${rowOf(setting).join(' | ')} |`);
  }
  return `${lines.join('\n')}\n`;
}

function rowOf(setting: Setting): string[] {
  const { name, kind, value, choices, env, commands, help, noFile } = setting;
  const shape =
    choices?.join(' \\| ') ?? (kind === 'boolean' ? 'switch' : value?.replaceAll('|', '\\|')) ?? '';
  const notes = [
    ...(kind === 'list' ? ['repeatable'] : []),
    ...(noFile && kind !== 'secret' ? ['not in the file'] : []),
  ];
  return [
    `\`${name}\``,
    kind === 'secret' ? 'secret' : shape,
    setting.default === undefined ? '' : `\`${setting.default}\``,
    env.map((one) => `\`${one}\``).join(', '),
    commands.length === EVERY.length ? 'every' : commands.join(', '),
    `${help}${notes.length ? ` (${notes.join(', ')})` : ''}`,
  ];
}
