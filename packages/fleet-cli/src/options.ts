/** The settings of core as command line flags, and what was typed as the top layer of the configuration. */
import {
  type Command as ConfigCommand,
  type Layers,
  type NamedSetting,
  type Setting,
  settingsFor as settingsOf,
} from '@tenant-fleet/fleet-core/config';
import { type Command, Option } from 'commander';
import { describeSetting } from './help.js';

export type LockCommand = `lock ${'status' | 'run' | 'break' | 'freeze' | 'unfreeze' | 'log'}`;
export type RolloutCommand = `rollout ${'list' | 'show' | 'attach' | 'pause' | 'resume' | 'abort'}`;
/** Those of the table that are typed as they are called there, and those that take the settings of `lock` or `rollout`. */
export type CommandName =
  | Exclude<ConfigCommand, 'lock' | 'rollout' | 'announce'>
  | 'conformance'
  | LockCommand
  | RolloutCommand;

/** The settings that a command takes as flags, in the order of the table. */
export function settingsFor(command: CommandName): NamedSetting[] {
  return settingsOf(configCommand(command)).filter(
    // A server is held against the whole contract at one address.
    ({ kind, name }) => kind !== 'secret' && !(command === 'conformance' && name === 'lock-url'),
  );
}

/** What the table of settings calls a command. */
export function configCommand(command: CommandName): ConfigCommand {
  if (command.startsWith('rollout ')) return 'rollout';
  const isLock = command === 'conformance' || (command.startsWith('lock ') && command !== 'lock run');
  return isLock ? 'lock' : (command as ConfigCommand);
}

type Group = Setting['group'] | 'output';

/** Heading of a group of flags in help texts. */
export const GROUP_TITLES: Record<Group, string> = {
  target: 'Which fleet, and where:',
  rollout: 'What counts as proven:',
  verify: 'Verification:',
  lock: 'Lock:',
  gates: 'Repository:',
  alerts: 'Alerts (off unless configured):',
  run: 'Run:',
  output: 'Output:',
};

/** Where a command rolls, plans a roll or shows what one would go by, the same flags do more. */
const ROLL_TITLES: Partial<Record<Group, string>> = {
  target: 'What to roll, and where:',
  rollout: 'Rollout:',
  gates: 'Gates (off unless configured):',
};

/** Adds the flags of the settings that a command takes. */
export function addSettings(command: Command, name: CommandName): void {
  const rolls = ['redeploy', 'rollback', 'plan', 'config', 'doctor'].includes(name);
  const own = rolls ? ROLL_TITLES : name === 'gates' ? { gates: 'Gates:' } : {};
  const titles = { ...GROUP_TITLES, ...own };
  for (const setting of settingsFor(name)) {
    const flag = `--${setting.name}${setting.value ? ` <${setting.value}>` : ''}`;
    const option = new Option(flag, describeSetting(setting)).helpGroup(titles[setting.group]);
    if (setting.kind === 'list') {
      option.argParser((value: string, before: string[] | undefined) => [...(before ?? []), value]);
    }
    command.addOption(option);
  }
}

/** What was typed, by setting name; a setting that was not typed is absent. */
export function typedFlags(command: Command, settings: readonly Setting[]): Layers['flags'] {
  const flags: Record<string, string | string[] | boolean> = {};
  for (const { name } of settings) {
    const option = command.options.find((one) => one.long === `--${name}`);
    if (!option || command.getOptionValueSource(option.attributeName()) !== 'cli') continue;
    const value = command.getOptionValue(option.attributeName()) as string | string[] | boolean;
    // Commander keeps `--no-lock` as the negation of a flag `--lock` that does not exist here.
    flags[name] = option.negate ? !value : value;
  }
  return flags;
}

export function addOutput(command: Command): Command {
  return command
    .option('--no-color', 'no colours (also NO_COLOR, TERM=dumb; FORCE_COLOR turns them on)')
    .option('--verbose', 'details of every call; the stack of an internal error');
}

export function addJson(command: Command): Command {
  return addOutput(
    command.option('--json', 'exactly one JSON document on stdout, everything else on stderr'),
  );
}
