/** `docs/commands.md`, made from the commands, their flags, examples and exit codes. */
import type { Command } from 'commander';
import { EXAMPLES, EXIT_CODES } from '../src/help.js';
import { type CommandName, settingsFor } from '../src/options.js';
import { buildProgram } from '../src/program.js';

/** Those of the table of settings; the flags of others are their own. */
const SETTLED: readonly string[] = [
  ...['redeploy', 'rollback', 'plan', 'verify', 'status', 'history', 'gates', 'watch', 'doctor', 'config'],
  ...['lock status', 'lock run', 'lock break', 'lock freeze', 'lock unfreeze', 'lock log', 'conformance'],
  ...['list', 'show', 'attach', 'pause', 'resume', 'abort'].map((name) => `rollout ${name}`),
];

const cell = (text: string) => text.replace(/\s+/g, ' ').replaceAll('|', '\\|').replaceAll('<', '&lt;');

function sectionOf(command: Command, path: string): string[] {
  const settings = SETTLED.includes(path) ? settingsFor(path as CommandName) : [];
  const taken = new Set<string>(settings.map(({ name }) => `--${name}`));
  const own = command.options.filter(({ long, hidden }) => !hidden && !taken.has(long ?? ''));
  const args = command.registeredArguments.map((one) =>
    one.required ? `<${one.name()}>` : `[${one.name()}]`,
  );
  const usage = command.usage().startsWith('[options]') ? ['[flags]', ...args].join(' ') : command.usage();
  // A command with commands below it may be one itself, and they end as it does.
  const codes = Object.entries(EXIT_CODES[path] ?? EXIT_CODES[path.split(' ')[0] ?? ''] ?? {});
  return [
    `## fleet ${path}`,
    '',
    `${command.description()}.`,
    '',
    '```sh',
    ...(EXAMPLES[path] ?? [`fleet ${path}`]),
    '```',
    '',
    `Usage: \`fleet ${path} ${usage}\``,
    '',
    ...(own.length
      ? [
          '| flag | |',
          '|---|---|',
          ...own.map(
            ({ flags, description }) => `| \`${flags.replaceAll('|', '\\|')}\` | ${cell(description)} |`,
          ),
          '',
        ]
      : []),
    ...(settings.length
      ? [`[Settings](settings.md): ${settings.map(({ name }) => `\`--${name}\``).join(', ')}.`, '']
      : []),
    '| exit code | |',
    '|---|---|',
    ...codes.map(([code, means]) => `| ${code} | ${cell(means)} |`),
    '',
  ];
}

export function commandsPage(): string {
  const program = buildProgram('0.0.0', () => {}, ['help']);
  const walk = (command: Command, path: string[]): string[] =>
    command.commands.flatMap((one) => {
      const here = [...path, one.name()];
      const isGroup = one.commands.length > 0 && EXAMPLES[here.join(' ')] === undefined;
      return [...(isGroup ? [] : sectionOf(one, here.join(' '))), ...walk(one, here)];
    });
  return [
    '# Commands',
    '',
    'Made from the commands themselves (`packages/fleet-cli/src`) and checked by a test. A setting is a flag, a variable and a key',
    'of the configuration file: [all settings](settings.md). How a run may end: [outcomes](outcomes/README.md).',
    '',
    ...walk(program, []),
  ].join('\n');
}
