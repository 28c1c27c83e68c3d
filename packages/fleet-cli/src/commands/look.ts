/** The commands that only look: what runs where, what was rolled, what is configured. */
import type { Command } from 'commander';
import type { Finish, OutputFlags } from '../flags.js';
import { addJson, type CommandName, settingsFor, typedFlags } from '../options.js';
import { runConfig, runConfigSchema } from './config.js';

type Add = (name: CommandName, description: string, parent?: Command) => Command;

export function addLookCommands(add: Add, finish: Finish): void {
  const config = addJson(
    add('config', 'Show what is in force and where each value comes from; secrets stay hidden'),
  );
  config.helpCommand(false).action(async (flags: OutputFlags) => {
    finish(await runConfig(typedFlags(config, settingsFor('config')), flags));
  });
  config
    .command('schema')
    .description('Print the JSON Schema of the configuration file')
    .allowExcessArguments(false)
    .action(async (_flags, command: Command) => {
      finish(await runConfigSchema(command.optsWithGlobals()));
    });
}
