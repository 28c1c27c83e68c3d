/** The commands that only look: what runs where, what was rolled, what is configured. Each is loaded only where it runs. */
import type { Command } from 'commander';
import type { Finish, OutputFlags } from '../flags.js';
import { addJson, type CommandName, settingsFor, typedFlags } from '../options.js';
import type { ConformanceFlags } from './conformance.js';
import type { DoctorFlags } from './doctor.js';

type Add = (name: CommandName, description: string, parent?: Command) => Command;

export function addLookCommands(add: Add, finish: Finish, version: string): void {
  const status = addJson(
    add('status', 'Show what runs where, who holds the lock and what to do next'),
  ).option('--watch', 'go on after every change until Ctrl-C; with --json one document a line');
  status.action(async (flags: OutputFlags & { watch?: boolean }) => {
    const { runStatus } = await import('./status.js');
    finish(await runStatus(typedFlags(status, settingsFor('status')), flags));
  });

  const gates = addJson(
    add('gates', 'Wait at the gates as a roll does: required checks, kill switch, image; rolls nothing'),
  ).option('--quiet', 'only the verdict and errors');
  gates.action(async (flags: OutputFlags) => {
    const { runGates } = await import('./gates.js');
    finish(await runGates(typedFlags(gates, settingsFor('gates')), flags));
  });

  const history = addJson(add('history', 'Show past rollouts, or one of them with its tenants'))
    .option('-n <N>', 'how many, at most 99 (default: 10)')
    .usage('[flags] [show ID]')
    .argument('[show]', 'show one rollout')
    .argument('[ID]', 'what the list begins its line with');
  history.action(async () => {
    const flags = history.opts() as OutputFlags & { n?: string };
    const { runHistory } = await import('./history.js');
    finish(await runHistory(typedFlags(history, settingsFor('history')), flags, history.args));
  });

  const watch = addJson(
    add('watch', 'Look whether all is well between rollouts, and alert where it is not; rolls nothing'),
  ).option('--every <DUR>', 'look again after this long, until Ctrl-C; with --json one document a line');
  watch.action(async (flags: OutputFlags & { every?: string }) => {
    const { runWatch } = await import('./watch.js');
    finish(await runWatch(typedFlags(watch, settingsFor('watch')), flags));
  });

  const doctor = addJson(
    add('doctor', 'Examine what a deploy from here needs, and say what mends what is missing'),
  ).option('--check-upgrade', 'at a terminal: ask the registry, by npm, whether there is a newer fleet');
  doctor.action(async (flags: DoctorFlags) => {
    const { runDoctor } = await import('./doctor.js');
    finish(await runDoctor(typedFlags(doctor, settingsFor('doctor')), flags, version));
  });

  const conformance = addJson(
    add('conformance', 'Hold a control plane against the contract; rolls nothing without --full'),
  )
    .usage('[flags] [URL]')
    .argument('[URL]', 'base URL of the control plane (default: --control-plane)')
    .option('--full', 'roll a scratch fleet too, the one that --lock-group guards')
    .option('--tenant-url <TEMPLATE>', 'with --full: tenant URL with {slug} in host or path')
    .option('--target-tag <TAG>', 'with --full: an image that some tenant does not run')
    .option('--expected-sha <SHA>', 'with --full: the 40-hex commit of that image')
    .option('--junit <FILE>', 'write the cases as JUnit XML too')
    .option('--quiet', 'only what was missed, and the last line');
  conformance.action(async (url: string | undefined, flags: ConformanceFlags) => {
    // Loaded only here: no other command has the cases.
    const { runConformanceCommand } = await import('./conformance.js');
    finish(await runConformanceCommand(url, typedFlags(conformance, settingsFor('conformance')), flags));
  });

  const config = addJson(
    add('config', 'Show what is in force and where each value comes from; secrets stay hidden'),
  );
  config.helpCommand(false).action(async (flags: OutputFlags) => {
    const { runConfig } = await import('./config.js');
    finish(await runConfig(typedFlags(config, settingsFor('config')), flags));
  });
  config
    .command('schema')
    .description('Print the JSON Schema of the configuration file')
    .allowExcessArguments(false)
    .action(async (_flags, command: Command) => {
      const { runConfigSchema } = await import('./config.js');
      finish(await runConfigSchema(command.optsWithGlobals()));
    });
}
