/** The commands and their flags. */
import { Command, type CommanderError } from 'commander';
import { addLockCommands } from './commands/lock.js';
import { addLookCommands } from './commands/look.js';
import { addOwnCommands } from './commands/own.js';
import { addRepositoryCommands } from './commands/repository.js';
import { addRolloutCommands } from './commands/rollout.js';
import { runCommand } from './commands/run.js';
import type { Finish, OutputFlags } from './flags.js';
import { addHelp } from './help.js';
import { addJson, addSettings, type CommandName, GROUP_TITLES, settingsFor, typedFlags } from './options.js';

/** @param args What was typed: a command that it cannot be about goes without the flags of its settings. */
export function buildProgram(version: string, finish: Finish, args: readonly string[]): Command {
  const isAbout = (name: CommandName) =>
    args[0] === 'help' || args[0] === 'completion' || name.split(' ').every((word) => args.includes(word));
  const program = new Command('fleet')
    .description('Redeploys a fleet of tenants and proves what every tenant runs')
    .version(version, '-V, --version', 'print the version')
    .exitOverride()
    .helpCommand(false)
    // The message is caught and shown in our own form.
    .configureOutput({ outputError: () => {} });

  const add = (name: CommandName, description: string, parent = program) => {
    const command = parent.command(name.split(' ').at(-1) ?? name).description(description);
    command.allowExcessArguments(false);
    if (isAbout(name)) addSettings(command, name);
    return command.optionsGroup(GROUP_TITLES.output);
  };
  const addRun = (name: 'redeploy' | 'rollback' | 'plan' | 'verify', description: string) => {
    const command = add(name, description);
    if (name === 'redeploy') command.option('--yes', 'do not ask at a terminal');
    if (name === 'rollback')
      command
        .option(
          '--to <ID|TAG>',
          'rollout of fleet history, or its tag (default: the last proven before this)',
        )
        .option('--freeze <REASON>', 'freeze the lock behind it, so that the next push does not undo it')
        .option('--yes', 'do not ask; needed where nobody is at a terminal');
    addJson(command)
      .option('--report-json <FILE>', 'write the result as JSON to a file too')
      .option('--report-html <FILE>', 'write the result as one HTML file')
      .option(
        '--report-junit <FILE>',
        'write verdict and tenants as JUnit XML, which CI servers show as tests',
      )
      .option('--events <FILE>', 'write every event as one line of JSON; - is stdout')
      .option('--quiet', 'only the closing block and errors')
      .action(async (flags: OutputFlags) => {
        const typed = typedFlags(command, settingsFor(name));
        if (name !== 'rollback') return finish(await runCommand(name, typed, flags));
        const { runRollback } = await import('./commands/rollback.js');
        finish(await runRollback(typed, flags));
      });
  };

  addRun('redeploy', 'Roll the fleet to an image tag and prove that every tenant runs its commit');
  addRun('rollback', 'Roll the fleet back to what was proven before, and prove it');
  addRun('plan', 'Show what a roll would do, the gates and what every tenant runs now; changes nothing');
  addRun('verify', 'Ask every tenant what it runs; changes nothing');
  addLookCommands(add, finish, version);
  addLockCommands(program, add, finish);
  addRolloutCommands(program, add, finish);
  addRepositoryCommands(program, finish, version);
  addOwnCommands(program, finish, version);
  addHelp(program);
  return program;
}

/** What other tools call it. */
const SYNONYMS: Record<string, string> = {
  deploy: 'redeploy',
  roll: 'redeploy',
  rollout: 'redeploy',
  upgrade: 'redeploy',
  undo: 'rollback',
  revert: 'rollback',
  'dry-run': 'plan',
  diff: 'plan',
  ps: 'status',
  ls: 'status',
  list: 'status',
  logs: 'history',
  log: 'history',
  releases: 'history',
  check: 'verify',
  test: 'verify',
  wait: 'gates',
  freeze: 'lock freeze',
  hold: 'lock freeze',
  unfreeze: 'lock unfreeze',
  thaw: 'lock unfreeze',
  unlock: 'lock break',
  monitor: 'watch',
  drift: 'watch',
  diagnose: 'doctor',
  setup: 'init',
  settings: 'config',
  env: 'config',
  autocomplete: 'completion',
};

/** What the parser objects to, in one line, and what to do next. Values are left out: one may be a token. */
export function parseProblem(error: CommanderError, asked: string): { message: string; next: string } {
  const [first = '', suggestion] = error.message.replace(/^error: /, '').split('\n');
  const didYouMean = suggestion && /\(Did you mean (.*)\)/.exec(suggestion)?.[1];
  const message =
    error.code === 'commander.excessArguments'
      ? 'there is an argument too many'
      : first.replace(/'(--[^'=]*)=[^']*'/, "'$1'");
  if (/^unknown option '--?\w*-?(?:token|secret|password)/.test(message)) {
    return { message, next: 'a token is never an argument: set FLEET_CP_TOKEN or give --token-file' };
  }
  const meant = SYNONYMS[/^unknown command '(\w[\w-]*)'/.exec(message)?.[1] ?? ''];
  if (meant) return { message, next: `did you mean fleet ${meant}` };
  return {
    message,
    next: didYouMean ? `did you mean ${didYouMean}` : `${asked} --help says what it takes`,
  };
}

/** The command that arguments name, as far as there is such a one: `fleet lock freeze`. */
export function commandNamed(program: Command, args: readonly string[]): string {
  const [word] = args;
  const named = program.commands.find(
    (command) => command.name() === word || command.aliases().includes(word ?? ''),
  );
  if (!named) return program.name();
  return `${program.name()} ${commandNamed(named, args.slice(1))}`;
}
