/** Help texts: examples first, then the flags by group with variables and defaults, then the exit codes. */
import { SETTINGS, type Setting } from '@tenant-fleet/fleet-core';
import type { Command, Option } from 'commander';

const EXAMPLES: Record<string, string[]> = {
  '': [
    'fleet plan --target-tag main-4f2c1a9                 # what a roll would do',
    'fleet redeploy --target-tag main-4f2c1a9 --expected-sha "$(git rev-parse HEAD)"',
    'fleet verify --expected-sha "$(git rev-parse HEAD)" --target-tag main-4f2c1a9',
  ],
  redeploy: [
    'fleet redeploy --environment staging --target-tag main-4f2c1a9 --expected-sha "$GITHUB_SHA"',
    'fleet redeploy --target-tag main-4f2c1a9 --canary acme --soak 2m --batch-size 5 --max-stragglers 1',
    'fleet redeploy --target-tag main-4f2c1a9 --dry-run --json | jq .counts',
  ],
  plan: ['fleet plan --environment staging --target-tag main-4f2c1a9'],
  verify: [
    'fleet verify --environment staging --target-tag main-4f2c1a9 --expected-sha "$GITHUB_SHA"',
    'fleet verify --tenant acme --tenant beta --expected-sha "$GITHUB_SHA"',
  ],
  'lock status': ['fleet lock status --environment staging', 'fleet lock status --lock-group staging --json'],
  report: ['fleet report result.json', 'fleet report result.json --html result.html'],
};

const EXIT_CODES: [string, string][] = [
  ['0', 'proven on every tenant (or planned, superseded, held in CI: read the outcome)'],
  ['1', 'failed: not every tenant is proven'],
  ['2', 'usage: a bad flag, variable or file; nothing was requested'],
  ['3', 'the lock was not had in time, or lost'],
  ['4', 'refused by a gate, held, or declined at the prompt'],
  ['5', 'the control plane could not be used'],
  ['130', 'interrupted (SIGINT); 143: SIGTERM'],
];

/** The help of any command. */
export function helpText(command: Command): string {
  const parents: string[] = [];
  for (let one: Command | null = command; one; one = one.parent) parents.unshift(one.name());
  const operands = command.registeredArguments.map((argument) => argument.name());
  const kind = command.commands.length ? 'COMMAND' : '[flags]';
  const parts = [
    `${command.description()}.`,
    `Usage: ${[...parents, ...operands, kind].join(' ')}`,
    section('Examples', EXAMPLES[parents.slice(1).join(' ')] ?? []),
    section(
      'Commands',
      table(command.commands.map((one) => [usageOf(one), one.description()] as [string, string])),
    ),
    ...groupsOf(command.options).map(([title, options]) => section(title, table(options.map(optionRow)))),
  ];
  if (!command.parent || !command.commands.length) parts.push(section('Exit codes', table(EXIT_CODES)));
  if (command.commands.length) parts.push(`Run "${parents.join(' ')} COMMAND --help" for its flags.`);
  else if (command.options.length > 6)
    parts.push('Flags win over variables, those over fleet.config.yaml, that over defaults.');
  return `${parts.filter(Boolean).join('\n\n')}\n`;
}

const usageOf = (command: Command): string =>
  [command.name(), ...command.registeredArguments.map((argument) => argument.name())].join(' ');

function groupsOf(options: readonly Option[]): [string, Option[]][] {
  const groups = new Map<string, Option[]>();
  for (const option of options) {
    const title = option.helpGroupHeading ?? 'Output';
    groups.set(title, [...(groups.get(title) ?? []), option]);
  }
  return [...groups];
}

function optionRow(option: Option): [string, string] {
  const setting: Setting | undefined = SETTINGS.find((one) => `--${one.name}` === option.long);
  const notes = [];
  if (setting?.choices) notes.push(setting.choices.join(' | '));
  if (setting?.env.length) notes.push(`env ${setting.env.join(', ')}`);
  if (setting?.default !== undefined) notes.push(`default ${setting.default}`);
  const flag = option.flags.replace(/[<>]/g, '');
  return [flag, `${option.description}${notes.length ? ` [${notes.join('; ')}]` : ''}`];
}

function section(title: string, lines: string[]): string {
  return lines.length ? `${title}:\n${lines.map((line) => `  ${line}`).join('\n')}` : '';
}

function table(rows: [string, string][]): string[] {
  const width = Math.max(0, ...rows.map(([left]) => left.length));
  return rows.flatMap(([left, right]) => {
    const [head = '', ...tail] = wrap(right, 96 - width);
    return [`${left.padEnd(width)}  ${head}`, ...tail.map((line) => `${' '.repeat(width)}  ${line}`)];
  });
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
