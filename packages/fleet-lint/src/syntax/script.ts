/** The commands of a `run:` script, each as one line however many it was written on. */

export interface Command {
  /** With continuations joined by a space and comments left out. */
  text: string;
  /** Position of its first character in the script. */
  at: number;
  /** Position in the script of a position in `text`. */
  origin(index: number): number;
}

/**
 * Splits a script at its line ends, but for those inside quotes, inside `$(...)`, in a here-document and after a
 * backslash. A reading of shell that is good enough to find commands and their flags; nothing is executed.
 */
export function commandsOf(script: string): Command[] {
  const commands: Command[] = [];
  let [text, quote]: [string, string] = ['', ''];
  let origins: number[] = [];
  let depth = 0;
  let heredoc: string | undefined;
  const add = (character: string, at: number) => {
    text += character;
    origins.push(at);
  };
  const finish = () => {
    const lead = text.length - text.trimStart().length;
    const [own, places] = [text.trim(), origins.slice(lead)];
    if (own)
      commands.push({ text: own, at: places[0] ?? 0, origin: (index) => places[index] ?? places[0] ?? 0 });
    [text, origins, depth] = ['', [], 0];
  };
  for (let at = 0; at < script.length; at++) {
    const character = script[at] ?? '';
    if (character === '\\' && quote !== "'") {
      if (script[at + 1] === '\n') add(' ', at);
      else {
        add(character, at);
        add(script[at + 1] ?? '', at + 1);
      }
      at++;
    } else if (quote) {
      if (character === quote) quote = '';
      add(character === '\n' ? ' ' : character, at);
    } else if (character === '"' || character === "'") {
      quote = character;
      add(character, at);
    } else if (character === '#' && /(?:^|[\s;(])$/.test(text)) {
      while (at + 1 < script.length && script[at + 1] !== '\n') at++;
    } else if (character === '\n') {
      const end = heredocEnd(text);
      if (end !== undefined) heredoc = end;
      if (heredoc !== undefined) {
        at = afterHeredoc(script, at, heredoc);
        heredoc = undefined;
      }
      if (depth > 0) add(' ', at);
      else finish();
    } else {
      if (character === '(' && text.endsWith('$')) depth++;
      else if (character === '(' && depth > 0) depth++;
      else if (character === ')' && depth > 0) depth--;
      add(character, at);
    }
  }
  finish();
  return commands;
}

const heredocEnd = (text: string) => /(?<!<)<<-?\s*(["']?)(\w+)\1/.exec(text)?.[2];

/** Position of the last character of a here-document whose command ends at `from`. */
function afterHeredoc(script: string, from: number, end: string): number {
  let at = from;
  while (at < script.length) {
    const next = script.indexOf('\n', at + 1);
    const line = script.slice(at + 1, next === -1 ? undefined : next);
    if (line.trim() === end) return next === -1 ? script.length : next;
    if (next === -1) return script.length;
    at = next;
  }
  return at;
}

/**
 * A command line with what stands in quotes blanked out, character for character: text is not run, but `$(...)` within
 * double quotes is. What a shell is given by `-c` stays.
 */
export function codeOf(text: string): string {
  if (/\b(?:ba|z|a|da)?sh\s+(?:-\w+\s+)*-\w*c\b|\beval\b|\bssh\b|^trap\s/.test(text)) return text;
  let code = '';
  const inside: ('"' | "'" | '(')[] = [];
  for (let at = 0; at < text.length; at++) {
    const character = text[at] ?? '';
    const where = inside.at(-1);
    const quoted = where === '"' || where === "'";
    if (character === '\\' && where !== "'") {
      const pair = text.slice(at, at + 2);
      code += quoted ? ' '.repeat(pair.length) : pair;
      at++;
      continue;
    }
    const closes = quoted && character === where;
    if (closes) inside.pop();
    else if (where !== "'" && character === '$' && text[at + 1] === '(') {
      inside.push('(');
      code += '$(';
      at++;
      continue;
    } else if (!quoted && (character === '"' || character === "'")) inside.push(character);
    else if (!quoted && character === '(') inside.push('(');
    else if (where === '(' && character === ')') inside.pop();
    code += quoted && !closes ? ' ' : character;
  }
  return code;
}

/** The part of a command line up to the next `;` outside quotes: within it a `||` takes the exit code. */
export function restOfList(text: string, from: number): string {
  let quote = '';
  for (let at = from; at < text.length; at++) {
    const character = text[at] ?? '';
    if (quote) {
      if (character === quote) quote = '';
    } else if (character === '"' || character === "'") quote = character;
    else if (character === ';') return text.slice(from, at);
  }
  return text.slice(from);
}

/** The value of `--name VALUE` or `--name=VALUE`, without its quotes; '' for a switch. */
export function flagOf(text: string, name: string): string | undefined {
  const match = new RegExp(
    `(?:^|\\s)--${name}(?:[=\\s]+("[^"]*"|'[^']*'|[^\\s"']+))?(?=\\s|$|[;|&)"'\`])`,
  ).exec(text);
  if (!match) return undefined;
  const value = match[1] ?? '';
  return value.startsWith('--') ? '' : value.replace(/^(["'])(.*)\1$/, '$2');
}
