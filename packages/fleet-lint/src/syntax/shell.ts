/** Scripts as a shell reads them. The grammar is that of unbash; what is asked of a script stands here. */
import {
  type Command,
  forEachChild,
  type HereDocBody,
  type ParsedScript,
  parse,
  type SyntaxNode,
  type Word,
} from 'unbash';

/** Options that decide whether a failure ends a script. `undefined`: it depends on runner and image. */
export interface ShellOptions {
  errexit: boolean;
  pipefail: boolean | undefined;
  /** Whether `$(...)` drops the first of the two, as in bash. */
  bash: boolean;
}

export interface Shell {
  /** As `shell:` names it; empty for the default. */
  name: string;
  /** Undefined for a shell of another language. */
  options: ShellOptions | undefined;
}

const LIKE_SH = /^(?:ba|da|a|k|mk)?sh$/;
const base = (path: string) => path.split('/').at(-1) ?? path;

/**
 * What `shell:` stands for. Without one most runners take `bash -e -o pipefail`, but GitHub `bash -e`, and all of them
 * `sh -e` on an image without bash.
 */
export function shellOf(written: string | undefined): Shell {
  const name = written?.trim() ?? '';
  if (!name) return { name, options: { errexit: true, pipefail: undefined, bash: true } };
  const [program = '', ...flags] = name.split(/\s+/);
  if (!LIKE_SH.test(base(program))) return { name, options: undefined };
  const bash = base(program) === 'bash';
  if (!flags.length) return { name, options: { errexit: true, pipefail: bash, bash } };
  return { name, options: { ...optionsOf(flags, { errexit: false, pipefail: false }), bash } };
}

/** Options after `set`, or after a shell with these flags. */
export function optionsOf<T extends Pick<ShellOptions, 'errexit' | 'pipefail'>>(
  flags: readonly string[],
  before: T,
): T {
  const options = { ...before };
  for (const [at, flag] of flags.entries()) {
    const sign = /^[-+](?!-)/.exec(flag)?.[0];
    if (!sign) continue;
    if (flag.includes('e', 1)) options.errexit = sign === '-';
    if (!flag.endsWith('o')) continue;
    if (flags[at + 1] === 'errexit') options.errexit = sign === '-';
    if (flags[at + 1] === 'pipefail') options.pipefail = sign === '-';
  }
  return options;
}

/** A script, or a part of one that a shell within it is given, by positions from its start. */
export interface Parsed {
  text: string;
  script: ParsedScript;
}

/** Expressions of the workflow are filled in before the shell reads it: to it they are some word. */
export function parseShell(script: string): Parsed {
  const text = script.replace(/\$\{\{[^\n]*?\}\}/g, (all) => 'x'.repeat(all.length));
  return { text, script: parse(text) };
}

/** Nodes within nodes that are looked at. Each `$(...)` is parsed as it is entered: without an end this is quadratic. */
const MAX_DEPTH = 300;

/**
 * The nodes around a position, from the script down to its innermost command; empty where there is no command. What stands
 * in a here-document is a part of the command that reads it.
 */
export function pathTo({ script }: Parsed, at: number): SyntaxNode[] {
  const position = commandsIn(script).find((command) => hereDocument(command, at))?.pos ?? at;
  const path: SyntaxNode[] = [script];
  for (let node: SyntaxNode | undefined = script; node && path.length < MAX_DEPTH; ) {
    let next: SyntaxNode | undefined;
    forEachChild(node, (child) => {
      if (child.pos <= position && position < child.end) next = child;
    });
    // Positions within escaped backticks are those of another text.
    if (!next || (next.type === 'Script' && next.source !== undefined)) break;
    path.push(next);
    node = next;
  }
  const command = path.findLastIndex(({ type }) => type === 'Command');
  return path.slice(0, command + 1);
}

/** Simple commands of a script in their order, those within other parts of it too. */
export function commandsIn(root: SyntaxNode, enter: (node: SyntaxNode) => boolean = () => true): Command[] {
  const found: Command[] = [];
  const waiting: [SyntaxNode, number][] = [[root, 0]];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const [node, depth] = next;
    if (node.type === 'Command') found.push(node);
    if (depth < MAX_DEPTH && enter(node)) forEachChild(node, (child) => waiting.push([child, depth + 1]));
  }
  return found.sort((one, other) => one.pos - other.pos);
}

/** Name and arguments of a command, without quotes. */
export function wordsOf({ name, args }: Command): string[] {
  return [name, ...args].map((word) => (word?.type === 'Word' ? word.value : (word?.text ?? '')));
}

/** The here-document of a command around a position. */
function hereDocument({ prefix, suffix }: Command, position: number): HereDocBody | undefined {
  for (const part of [...prefix, ...suffix]) {
    if (part.type !== 'HereDoc') continue;
    const { body } = part;
    if (body.pos <= position && position < body.end) return body;
  }
  return undefined;
}

/** Scripts within a script: in here-documents, and where `quoted` says so in words of its commands too. */
export function innerScripts(parsed: Parsed, quoted: boolean): Inner[] {
  return commandsIn(parsed.script).flatMap((command) => {
    const bodies = [...command.prefix, ...command.suffix].flatMap((part) =>
      part.type === 'HereDoc' ? [part.body.pos] : [],
    );
    const words = quoted ? command.args.map(({ pos }) => pos + 1) : [];
    return [...bodies, ...words].flatMap((at) => innerScript(command, at, NO_OPTIONS, parsed.text) ?? []);
  });
}

const NO_OPTIONS: ShellOptions = { errexit: false, pipefail: false, bash: false };

/** Whether a command reads a script from its standard input: `bash`, `sh -s -- x`, `ssh host`, `sudo -u app bash`. */
function readsScript(words: readonly string[]): boolean {
  const shell = words.findIndex((word) => LIKE_SH.test(base(word)));
  if (shell < 0) return words.some((word) => ['ssh', 'su'].includes(base(word)));
  const rest = words.slice(shell + 1);
  const first = rest.findIndex((word, at) => !/^[-+]/.test(word) && !/^[-+]\w*o$/.test(rest[at - 1] ?? ''));
  return first < 0 || rest.slice(0, first).some((word) => /^-\w*s/.test(word));
}

/**
 * A text that another shell is given by a command (`sh -c '...'`, `eval "..."`, `ssh host '...'`, a here-document), or that
 * the shell runs later (`trap '...' EXIT`).
 */
export interface Inner extends Parsed {
  /** Position of its start in the outer text. */
  from: number;
  options: ShellOptions;
}

/** The inner script of a command at a position of a text; undefined where there is none. */
export function innerScript(
  command: Command,
  position: number,
  options: ShellOptions,
  text: string,
): Inner | undefined {
  const body = hereDocument(command, position);
  if (body) {
    const words = wordsOf(command);
    if (!readsScript(words)) return undefined;
    const shell = words.findLastIndex((value) => LIKE_SH.test(base(value)));
    const own = optionsOf(words.slice(shell + 1), { ...NO_OPTIONS, bash: options.bash });
    return { ...parseShell(text.slice(body.pos, body.end)), from: body.pos, options: own };
  }
  const words = [command.name, ...command.args].filter((word): word is Word => word?.type === 'Word');
  const at = words.findIndex(({ pos, end }) => pos <= position && position < end);
  const word = words[at];
  const quoted = word && /^(["']).*\1$/s.test(word.text) && position > word.pos;
  if (!quoted) return undefined;
  const before = words.slice(0, at).map(({ value }) => value);
  const shell = before.findLastIndex((value) => LIKE_SH.test(base(value)));
  const remote = before.some((value) => ['ssh', 'su'].includes(base(value)));
  const evaluated = before.at(-1) === 'eval' || before[0] === 'trap';
  if (shell < 0 && !remote && !evaluated) return undefined;
  const flags = before.slice(shell + 1);
  const own = optionsOf(flags, {
    errexit: false,
    pipefail: false as boolean | undefined,
    bash: options.bash,
  });
  return {
    ...parseShell(word.text.slice(1, -1)),
    from: word.pos + 1,
    options: evaluated ? options : own,
  };
}

/** Runs as a process of its own: what ends it ends no more. */
export const isProcess = (node: SyntaxNode): boolean =>
  ['Subshell', 'CommandExpansion', 'ProcessSubstitution', 'Coproc', 'Function'].includes(node.type) ||
  (node.type === 'Pipeline' && node.commands.length > 1) ||
  (node.type === 'Statement' && node.background === true);

const OWNERS: readonly string[] = [
  'Command',
  'For',
  'Select',
  'Case',
  'TestCommand',
  'ArithmeticCommand',
  'ArithmeticFor',
];

/** What a word, and so a `$(...)`, may stand in. */
export const holdsWords = ({ type }: SyntaxNode): boolean => OWNERS.includes(type);

/** Whether a text of shell reads a variable. */
export const readsVariable = (text: string, name: string): boolean =>
  new RegExp(`\\$\\{?${name}\\b|\\(\\([^()]*\\b${name}\\b`).test(text);

/** Ends a script with a failure. */
export const ENDS = /\b(?:exit\s+(?:[1-9]|["']?\$)|exit\s*(?:$|[;&|})])|return\s+(?:[1-9]|["']?\$)|false\b)/m;
