/** A whole command for a shell, out of settings. Pure. */
import type { Command } from './options.js';
import { SETTINGS } from './settings.js';

/**
 * @param begin The command and the commands below it.
 * @param command What the table of settings calls it.
 * @param values By the names of the settings; those that the command does not take are left out.
 * @param more Words that stand at its end.
 */
export function commandLine(
  begin: readonly string[],
  command: Command,
  values: Record<string, unknown>,
  more: readonly string[] = [],
): string {
  return [...begin, ...flags(values, command), ...more].map(quoted).join(' ');
}

/** The flags that a command takes of these values. A secret has none. */
const flags = (values: Record<string, unknown>, command: Command): string[] =>
  SETTINGS.flatMap(({ name, kind, commands }) => {
    const value = values[name];
    if (value === undefined || value === false || kind === 'secret' || !commands.includes(command)) return [];
    return value === true ? [`--${name}`] : [value].flat().flatMap((one) => [`--${name}`, String(one)]);
  });

/** A word for a POSIX shell. */
const quoted = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
