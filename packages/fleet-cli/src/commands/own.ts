/** The commands about the command itself: saved results, completion, help, version. Each is loaded where it is typed. */
import { type Command, Option } from 'commander';
import type { Finish, OutputFlags } from '../flags.js';
import { addJson, addOutput, GROUP_TITLES } from '../options.js';
import type { ReportFlags } from './report.js';

export function addOwnCommands(program: Command, finish: Finish, version: string): void {
  const report = program
    .command('report')
    .description('Show a saved result')
    .argument('<RESULT.json>')
    .allowExcessArguments(false)
    .optionsGroup(GROUP_TITLES.output)
    .option('--format <NAME>', 'text, markdown, html, junit or json (as --json), on stdout (default: text)')
    .option('--html <FILE>', 'write it as one HTML file');
  addJson(report).action(async (file: string, flags: ReportFlags) => {
    const { runReport } = await import('./report.js');
    finish(await runReport(file, flags));
  });
  program
    .command('completion')
    .description('Print what completes commands, flags and names in a shell')
    .usage('bash|zsh|fish')
    .argument('[SHELL...]')
    .addOption(new Option('--complete', 'the candidates for the last word').hideHelp())
    .action(async (words: string[], flags: OutputFlags & { complete?: boolean }) => {
      const { runCompletion } = await import('./completion.js');
      finish(await runCompletion(program, words, flags));
    });
  addOutput(
    program.command('help').description('Explain a topic (outcomes, exit-codes, concepts) or a command'),
  )
    .argument('[TOPIC...]')
    .action(async (words: string[], flags: OutputFlags) => {
      const { runHelp } = await import('./help.js');
      finish(await runHelp(program, words, flags));
    });
  program
    .command('version')
    .description('Print the version')
    .allowExcessArguments(false)
    .action(() => {
      process.stdout.write(`${version}\n`);
      finish(0);
    });
}
