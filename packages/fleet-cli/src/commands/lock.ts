/** The commands below `fleet lock`; each is loaded only where it runs. */
import type { Command } from 'commander';
import type { Finish } from '../flags.js';
import { addJson, addOutput, type LockCommand, settingsFor, typedFlags } from '../options.js';

type Add = (name: LockCommand, description: string, parent: Command) => Command;

type Work<Flags> = (typed: ReturnType<typeof typedFlags>, flags: Flags, args: string[]) => Promise<number>;

export function addLockCommands(program: Command, add: Add, finish: Finish): void {
  const lock = program
    .command('lock')
    .helpCommand(false)
    .description('The lock that keeps two rolls of one fleet apart');
  /** Adds a command whose work takes the typed settings and its own flags. */
  const serve = <Flags>(
    name: LockCommand,
    description: string,
    flags: (command: Command) => Command,
    load: () => Promise<Work<Flags>>,
  ) => {
    const command = flags(add(name, description, lock));
    command.action(async () => {
      const work = await load();
      finish(await work(typedFlags(command, settingsFor(name)), command.opts() as Flags, command.args));
    });
  };
  const reason = (command: Command) => command.option('--reason <TEXT>', 'why: the audit log keeps it');

  serve(
    'lock status',
    'Show who holds the lock and who waits for it',
    (command) =>
      addJson(command).option(
        '--watch',
        'go on after every change until Ctrl-C; with --json one document a line',
      ),
    async () => (await import('./lock-status.js')).runLockStatus,
  );
  serve(
    'lock run',
    'Run a command under the lock; it is ended where the lock is lost',
    (command) =>
      addOutput(command)
        .usage('[flags] -- CMD ARGS...')
        .argument('[CMD...]', 'the command and its arguments')
        .option(
          '--pass-tokens',
          'leave tokens in the environment of the command; fleet inside needs none there',
        )
        .option('--quiet', 'only errors'),
    async () => (await import('./lock-run.js')).runUnderLock,
  );
  serve(
    'lock break',
    'End the hold of a run that cannot give it back',
    (command) =>
      addJson(reason(command))
        .option(
          '--fencing-token <N>',
          'break only this hold, by its token or the last digits of it (default: the one that is shown)',
        )
        .option('--confirm-alive', 'break it although its holder still renews')
        .option('--yes', 'do not ask'),
    async () => (await import('./lock-break.js')).runLockBreak,
  );
  serve(
    'lock freeze',
    'Grant the lock to nobody; the queue keeps its order',
    (command) =>
      addJson(reason(command))
        .option('--for <DUR>', 'for this long, then it lifts itself')
        .option('--until <TIME>', 'until this moment, for example 2030-01-31T18:00:00Z')
        .option('--replace', 'put it in the place of a freeze that stands'),
    async () => (await import('./lock-freeze.js')).runLockFreeze,
  );
  serve(
    'lock unfreeze',
    'Lift a freeze',
    (command) => addJson(reason(command)),
    async () => (await import('./lock-freeze.js')).runLockUnfreeze,
  );
  serve(
    'lock log',
    'Show what happened to the lock, oldest first',
    (command) =>
      addJson(command)
        .option('--after <N>', 'only events after this number')
        .option('--verify', 'check that no row was changed or left out'),
    async () => (await import('./lock-log.js')).runLockLog,
  );
}
