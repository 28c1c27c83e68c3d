/** `fleet completion`: the script of a shell, and what its TAB key asks for. */
import { environmentNames, type Layers, SETTINGS, settingsFor } from '@tenant-fleet/fleet-core/config';
import { listTenants, readHistory, systemPorts, usageError } from '@tenant-fleet/fleet-core/program';
import type { Command, Option } from 'commander';
import { configOf, givenOf } from '../config.js';
import type { OutputFlags } from '../flags.js';
import { Terminal } from '../terminal/console.js';
import { SCRIPTS } from './completion-scripts.js';

/** Whoever presses TAB waits for it. */
const PATIENCE_MS = 1_500;
const TENANTS = ['only', 'exclude', 'tenant', 'canary', 'allow-missing'];
const ROLLOUTS = 20;

export interface Candidate {
  value: string;
  about: string;
}

/** Prints the script of a shell, or with `complete` the candidates for the last of the words. */
export async function runCompletion(
  program: Command,
  words: string[],
  output: OutputFlags & { complete?: boolean },
): Promise<number> {
  const terminal = new Terminal(output);
  if (output.complete) {
    for (const { value, about } of await candidates(program, words))
      terminal.line('stdout', `${value}\t${about}`);
    return 0;
  }
  const [shell = ''] = words;
  if (words.length !== 1 || !Object.hasOwn(SCRIPTS, shell)) {
    throw usageError(`fleet completion takes one shell: ${Object.keys(SCRIPTS).join(', ')}`, {
      next: 'for example: source <(fleet completion bash)',
    });
  }
  terminal.line('stdout', SCRIPTS[shell as keyof typeof SCRIPTS]);
  return 0;
}

/** @param typed The words behind `fleet`; the last one, which may be empty, is to be completed. */
export async function candidates(program: Command, typed: readonly string[]): Promise<Candidate[]> {
  const { command, path, flags, open, current } = readWords(program, typed);
  const [, glued, begun] = /^(--[a-z-]+=)(.*)$/.exec(current) ?? [];
  const asked = open ?? (glued && optionOf(command, glued.slice(0, -1)));
  const found = asked
    ? await valuesOf(asked, flags)
    : current.startsWith('-')
      ? flagsOf(command, typed)
      : [...commandsOf(command), ...(await argumentsOf(path, flags))];
  return found
    .filter(({ value }) => value.startsWith(begun ?? current))
    .map((one) => (glued && !open ? { ...one, value: glued + one.value } : one));
}

interface Words {
  command: Command;
  /** What was typed for it, without flags. */
  path: string[];
  flags: Record<string, string>;
  /** The flag whose value is to be completed. */
  open: Option | undefined;
  current: string;
}

function readWords(program: Command, typed: readonly string[]): Words {
  // bash takes "=" for a word of its own.
  const words = typed.filter((word, index) => word !== '=' || index === typed.length - 1);
  const current = words.at(-1) === '=' ? '' : (words.at(-1) ?? '');
  let command = program;
  let open: Option | undefined;
  const path: string[] = [];
  const flags: Record<string, string> = {};
  for (const word of words.slice(0, -1)) {
    if (open) {
      flags[open.long?.slice(2) ?? ''] = word;
      open = undefined;
    } else if (word.startsWith('-')) {
      const [, name = '', value] = /^--([a-z-]+)=(.*)$/.exec(word) ?? [];
      if (name) flags[name] = value ?? '';
      else open = optionOf(command, word);
    } else {
      command = command.commands.find((one) => one.name() === word) ?? command;
      path.push(word);
    }
  }
  return { command, path, flags, open, current };
}

/** The option that a word names, where it takes a value. */
const optionOf = (command: Command, word: string): Option | undefined =>
  command.options.find(({ long, short, required }) => required && (long === word || short === word));

const visible = (command: Command) => command.createHelp();
const commandsOf = (command: Command): Candidate[] =>
  visible(command)
    .visibleCommands(command)
    .map((one) => ({ value: one.name(), about: one.description() }));

/** Flags that were not typed yet, or may be typed again. */
const flagsOf = (command: Command, typed: readonly string[]): Candidate[] =>
  visible(command)
    .visibleOptions(command)
    .filter(({ long, parseArg }) => long && (parseArg || !typed.slice(0, -1).includes(long)))
    .map(({ long, description }) => ({ value: `${long}`, about: description.replace(/ \[.*$/, '') }));

async function argumentsOf(path: readonly string[], flags: Record<string, string>): Promise<Candidate[]> {
  if (path.length === 1 && path[0] === 'completion') return plain(Object.keys(SCRIPTS));
  if (path.length === 1 && path[0] === 'history')
    return [{ value: 'show', about: 'one rollout with its tenants' }];
  return path.join(' ') === 'history show' ? quick((signal) => rollouts(flags, signal)) : [];
}

async function valuesOf({ long }: Option, flags: Record<string, string>): Promise<Candidate[]> {
  const name = long?.slice(2) ?? '';
  const setting = SETTINGS.find((one) => one.name === name);
  if (setting?.choices) return plain(setting.choices);
  if (name === 'environment')
    return quick(async () => plain(await environmentNames(await givenOf(layer(flags)), systemPorts())));
  if (TENANTS.includes(name))
    return quick(async (signal) =>
      plain(await listTenants(await configOf('status', layer(flags)), { signal })),
    );
  return name === 'to' ? quick((signal) => rollouts(flags, signal)) : [];
}

async function rollouts(flags: Record<string, string>, signal: AbortSignal): Promise<Candidate[]> {
  const found = await readHistory(await configOf('history', layer(flags)), ROLLOUTS, { signal });
  return found.map(({ claim_id, rollout: { target_tag, outcome } }) => ({
    value: claim_id.slice(0, 8),
    about: `${target_tag}, ${outcome ?? 'without a verdict'}`,
  }));
}

/** What was typed for settings that all of these take. */
function layer(flags: Record<string, string>): Layers['flags'] {
  const known = new Set<string>(settingsFor('status').map((one) => one.name));
  return Object.fromEntries(Object.entries(flags).filter(([name]) => known.has(name)));
}

const plain = (values: readonly string[]): Candidate[] => values.map((value) => ({ value, about: '' }));

/** No candidate is better than a terminal that hangs, or an error in the middle of a line. */
async function quick(work: (signal: AbortSignal) => Promise<Candidate[]>): Promise<Candidate[]> {
  const signal = AbortSignal.timeout(PATIENCE_MS);
  const late = new Promise<Candidate[]>((resolve) => signal.addEventListener('abort', () => resolve([])));
  return Promise.race([work(signal).catch(() => []), late]);
}
