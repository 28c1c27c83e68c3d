/** Breaks nothing before {@link loadWrap}. */
let wrapAnsi = (text: string, _columns: number): string => text;

/** Loads what breaks lines, where there is a terminal: its tables take a fifth of a start. */
export async function loadWrap(streams: readonly { isTTY?: boolean }[]): Promise<void> {
  if (streams.some(({ isTTY }) => isTTY)) wrapAnsi = (await import('wrap-ansi')).default;
}

/** A whole command on a line of its own: it is there to be pasted. */
const COMMAND = /^ +fleet /;
/** A word in quotes is one word to the shell. */
const QUOTED = /'(?:[^']|'\\'')*'/g;
/** Stands for a space that is none to break at; of private use, and as wide. */
const FIXED = '\ue000';
/** On a narrower terminal a line of a few words is no help. */
const LEAST = 20;

/**
 * A line for people, broken between words where the terminal would break it inside one. What does not fit goes on below,
 * further in; a command goes on so that it can be pasted all the same.
 *
 * @param columns Width of the terminal; undefined or 0 where there is none.
 */
export function wrapped(text: string, columns: number | undefined): string {
  // A character takes two columns at most.
  if (!columns || text.length * 2 <= columns) return text;
  const [, indent = '', words = ''] = /^( *)(.*)$/s.exec(text) ?? [];
  const isCommand = COMMAND.test(text);
  const whole = isCommand ? words.replace(QUOTED, (word) => word.replaceAll(' ', FIXED)) : words;
  const [first = '', ...rest] = broken(whole, columns - indent.length, isCommand ? ' \\' : '');
  return [indent + first, ...rest.map((line) => `${indent}  ${line}`)].join('\n').replaceAll(FIXED, ' ');
}

/** @param mark Ends every line but the last. */
function broken(words: string, width: number, mark: string): string[] {
  const fits = wrapAnsi(words, Math.max(width, LEAST)).split('\n');
  if (fits.length < 2) return fits;
  const lines = wrapAnsi(words, Math.max(width - 2 - mark.length, LEAST)).split('\n');
  return lines.map((line, index) => (index < lines.length - 1 ? line + mark : line));
}
