/** What becomes of the exit code of a command that has failed, from the innermost construct around it to the outermost. */
import type { Command, SyntaxNode } from 'unbash';
import {
  commandsIn,
  ENDS,
  holdsWords,
  isProcess,
  optionsOf,
  type Parsed,
  readsVariable,
  type ShellOptions,
  wordsOf,
} from './shell.js';

/** Where an exit code is lost. */
export interface Loss {
  /** Position in the script. */
  at: number;
  /** Says what takes it. */
  text: string;
  /** It is not lost with every runner and image. */
  perhaps?: boolean;
}

/** A command whose exit code is followed, and the script around it. */
export interface Walk extends Parsed {
  position: number;
  options: ShellOptions;
  /** Whether some text tries the command once more, or another one like it. */
  retries(text: string): boolean;
  /** Follows another command, whose exit code counts in place of this one's. */
  follow(walk: Walk): Loss | undefined;
  /** Functions that were climbed out of. */
  functions: readonly string[];
  /** The command ends its process. */
  exits?: boolean;
}

/** The way up from a command that has failed, one node after the other. */
export class Climb {
  /** It failed where the shell does not end by `-e`, so the next command decides. */
  private exempt = false;
  /** A failure counts as success. */
  private negated = false;
  private at: number;
  constructor(
    private readonly walk: Walk,
    private readonly path: readonly SyntaxNode[],
  ) {
    this.at = path.length - 2;
  }

  /** Options of the process around the current node, and the command that turned `-e` off in it. */
  private options(): ShellOptions & { off?: Command } {
    const around = this.path.slice(0, this.at);
    // Bash starts `$(...)` without `-e`.
    const fresh = this.walk.options.bash
      ? around.findLast(({ type }) => type === 'CommandExpansion')
      : undefined;
    const shares = (node: SyntaxNode) =>
      !isProcess(node) || node.type === 'Function' || around.includes(node);
    const sets = commandsIn(this.walk.script, shares).filter((command) => {
      return wordsOf(command)[0] === 'set' && command.pos < this.walk.position;
    });
    let options = this.walk.options;
    let off: Command | undefined;
    const apply = (command: Command) => {
      options = optionsOf(wordsOf(command).slice(1), options);
      off = options.errexit ? undefined : (off ?? command);
    };
    const isInner = ({ pos }: Command) => fresh !== undefined && pos > fresh.pos;
    for (const command of sets) if (!isInner(command)) apply(command);
    if (fresh) options = { ...options, errexit: false };
    for (const command of sets) if (isInner(command)) apply(command);
    return { ...options, off };
  }

  result(): Loss | undefined {
    const left = this.walk.exits ? this.leave(true) : undefined;
    if (left) return left === 'kept' ? undefined : left;
    for (; this.at >= 0; this.at--) {
      const lost = this.step(this.path[this.at] as SyntaxNode, this.path[this.at + 1] as SyntaxNode);
      if (lost) return lost === 'kept' ? undefined : lost;
    }
    return this.negated ? this.lost('`!` turns the exit code of the deploy around') : undefined;
  }

  private step(parent: SyntaxNode, child: SyntaxNode): Loss | 'kept' | undefined {
    switch (parent.type) {
      case 'Pipeline':
        return this.pipeline(parent, child);
      case 'AndOr':
        return this.andOr(parent, child);
      case 'Statement':
        return parent.background ? this.background(parent) : undefined;
      case 'Script':
      case 'CompoundList':
        return this.list(parent, child);
      case 'Subshell':
        this.exempt = false;
        return undefined;
      case 'If':
        return parent.clause === child ? this.condition(parent.then, parent.else, parent.end) : undefined;
      case 'Elif': {
        const whole = this.path[this.at - 1];
        if (parent.clause !== child || whole?.type !== 'If') return undefined;
        return this.condition(parent.then, whole.else, whole.end);
      }
      case 'While':
        return this.loop(parent, child);
      case 'For':
      case 'ArithmeticFor':
      case 'Select':
        return child === parent.body ? this.lost('only the last round of the loop counts') : undefined;
      case 'Function':
        return this.calls(parent);
      case 'CommandExpansion':
        return this.substitution();
      case 'ProcessSubstitution':
        return this.lost('`<(...)` and `>(...)` drop the exit code of the deploy');
      case 'Coproc':
        return this.lost('`coproc` drops the exit code of the deploy');
      default:
        return undefined;
    }
  }

  private pipeline(
    { commands, prefixes }: Extract<SyntaxNode, { type: 'Pipeline' }>,
    child: SyntaxNode,
  ): Loss | 'kept' | undefined {
    const index = (commands as readonly SyntaxNode[]).indexOf(child);
    const { pipefail } = this.options();
    if (index >= 0 && index < commands.length - 1 && pipefail !== true) {
      const last = commands.at(-1) as SyntaxNode;
      if (/\bPIPESTATUS\b|\bpipestatus\b/.test(this.walk.text.slice(last.end))) return 'kept';
      const at = child.end + Math.max(0, this.walk.text.slice(child.end).indexOf('|'));
      const name = this.walk.text.slice(last.pos, last.end).split(/\s/, 1)[0];
      const text = `without \`pipefail\` the exit code is that of \`${name}\``;
      const perhaps = pipefail === undefined;
      return { at, perhaps, text: perhaps ? `${text}: on GitHub, and on images without bash` : text };
    }
    if (prefixes.filter(({ type }) => type === 'Negation').length % 2) this.negated = !this.negated;
    return undefined;
  }

  private andOr(
    { commands, operators }: Extract<SyntaxNode, { type: 'AndOr' }>,
    child: SyntaxNode,
  ): Loss | 'kept' | undefined {
    const index = (commands as readonly SyntaxNode[]).indexOf(child);
    const taken = this.negated ? '&&' : '||';
    const handler = operators.findIndex((operator, at) => at >= index && operator === taken);
    const [from, to] = [commands[handler], commands[handler + 1]];
    if (handler < 0 || !from || !to) {
      if (index === commands.length - 1) return undefined;
      this.exempt = true;
      const { end } = commands.at(-1) ?? child;
      return this.goesOnToEnd(this.walk.text.slice(child.end, end), end) ? 'kept' : undefined;
    }
    const text = this.walk.text.slice(to.pos);
    const own = this.walk.text.slice(to.pos, commands.at(-1)?.end);
    const reads = /^(\w+)=["']?\$\{?\?/.exec(text)?.[1];
    if (/\b(?:exit|return)\b/.test(own) && ENDS.test(own)) return this.leave(/\bexit\b/.test(own));
    if (ENDS.test(own) || this.walk.retries(own)) return undefined;
    if (reads && readsVariable(text.slice(own.length), reads)) return 'kept';
    const at = from.end + Math.max(0, this.walk.text.slice(from.end).indexOf(taken));
    const shown = this.walk.text.slice(at, to.end).replace(/\s+/g, ' ');
    return {
      at,
      text: `\`${shown.length > 40 ? `${shown.slice(0, 40)}…` : shown}\` drops the exit code of the deploy`,
    };
  }

  /** What waits for a job takes over its exit code. */
  private background({ end }: SyntaxNode): Loss | 'kept' {
    const wait = commandsIn(this.path[this.at - 1] ?? this.walk.script).find((command) => {
      const [name, ...args] = wordsOf(command);
      // Only with an argument does it wait for an exit code.
      return name === 'wait' && command.pos >= end && args.some((one) => /^[$%\d]/.test(one));
    });
    if (!wait) return this.lost('the deploy runs in the background, and nothing waits for its exit code');
    return this.walk.follow({ ...this.walk, position: wait.pos, exits: false }) ?? 'kept';
  }

  private list(
    { commands }: { readonly commands: readonly SyntaxNode[] },
    child: SyntaxNode,
  ): Loss | 'kept' | undefined {
    if (this.negated && !this.isCondition()) return this.lost('`!` turns the exit code of the deploy around');
    if (this.endsHere()) return this.leave();
    const next = commands[commands.indexOf(child) + 1];
    if (!next) return undefined;
    if (this.isRead(next)) return 'kept';
    if (this.exempt)
      return this.lost('a failure before `&&` does not end the script, and what follows decides');
    const { errexit, off } = this.options();
    if (errexit) return this.lost('what follows decides: `-e` does not count within a condition');
    if (!off) return this.lost('the shell runs on after a failure (no `-e` here), and what follows decides');
    return {
      at: off.pos,
      text: '`set +e` drops the exit code of the deploy, which nothing reads afterwards',
    };
  }

  /** The process ends with the failure: what is around it goes on from there. */
  private leave(exits = false): Loss | 'kept' | undefined {
    const outer = this.path.findLastIndex((node, at) => at <= this.at && isProcess(node));
    const around = this.path[outer];
    if (!around) return 'kept';
    if (exits && around.type === 'Function') return this.calls(around, true);
    [this.at, this.exempt, this.negated] = [outer + 1, false, false];
    return undefined;
  }

  /** Whether `-e` ends the shell at this list. */
  private endsHere(): boolean {
    if (this.exempt || !this.options().errexit) return false;
    return !this.path.slice(0, this.at + 1).some((node, at) => {
      const child = this.path[at + 1];
      if (node.type === 'If' || node.type === 'Elif' || node.type === 'While') return node.clause === child;
      if (node.type === 'AndOr') return node.commands.at(-1) !== child;
      return node.type === 'Pipeline' && node.prefixes.some(({ type }) => type === 'Negation');
    });
  }

  private isCondition(): boolean {
    const [outer, list] = [this.path[this.at - 1], this.path[this.at]];
    return outer !== undefined && 'clause' in outer && outer.clause === list;
  }

  /** Whether the next command does something with `$?`, more than to print it. */
  private isRead(next: SyntaxNode): boolean {
    const text = this.walk.text.slice(next.pos, next.end);
    if (!/\$\{?(?:\?|PIPESTATUS)/.test(text)) return false;
    const variable = /^\s*(?:\w+=\S*\s+)*(\w+)=["']?\$\{?(?:\?|PIPESTATUS)/.exec(text)?.[1];
    if (variable) return readsVariable(this.walk.text.slice(next.end), variable);
    return !/^\s*(?:echo|printf|logger)\b[^;&|]*$/.test(text);
  }

  private loop(parent: Extract<SyntaxNode, { type: 'While' }>, child: SyntaxNode): Loss | 'kept' | undefined {
    if (child === parent.body) return this.lost('only the last round of the loop counts');
    if (ENDS.test(this.walk.text.slice(child.pos))) return 'kept';
    // Such a loop tries again until it succeeds.
    const tries = (parent.kind === 'until') !== this.negated;
    const leaves = /\bbreak\b/.test(this.walk.text.slice(parent.body.pos, parent.body.end));
    if (tries && !leaves) return 'kept';
    return this.lost(`\`${parent.kind}\` takes the exit code of the deploy, and nothing ends the step by it`);
  }

  /** What runs a function decides what becomes of its exit code; an `exit` in it ends that process. */
  private calls(called: Extract<SyntaxNode, { type: 'Function' }>, exits = false): Loss | 'kept' {
    const name = called.name.text;
    if (this.walk.functions.includes(name)) return 'kept';
    const functions = [...this.walk.functions, name];
    for (const command of commandsIn(this.walk.script, (node) => node !== called)) {
      if (command.name?.value !== name) continue;
      const lost = this.walk.follow({ ...this.walk, position: command.pos, functions, exits });
      if (lost) return lost;
    }
    return 'kept';
  }

  /** Only an assignment on its own passes the exit code of `$(...)` on. */
  private substitution(): Loss | undefined {
    const owner = this.path.findLastIndex((node, at) => at < this.at && holdsWords(node));
    const command = this.path[owner];
    const within = this.path.slice(owner, this.at).map(({ type }) => type);
    if (command?.type === 'Command' && !command.name && within.includes('Assignment')) {
      [this.at, this.exempt] = [owner, false];
      return undefined;
    }
    const name = command?.type === 'Command' ? command.name?.text : undefined;
    return this.lost(
      name
        ? `the exit code of \`$(...)\` is dropped: that of \`${name}\` counts`
        : 'the exit code of `$(...)` is dropped',
    );
  }

  /** What the branches of an `if` make of a failure in its condition. */
  private condition(then: SyntaxNode, otherwise: SyntaxNode | undefined, end: number): Loss | 'kept' {
    const of = (node: SyntaxNode | undefined) => (node ? this.walk.text.slice(node.pos, node.end) : '');
    const [failed, succeeded] = this.negated ? [of(then), of(otherwise)] : [of(otherwise), of(then)];
    const assigned = `${failed} ${succeeded}`.matchAll(/\b([A-Za-z_]\w*)=/g);
    const used = [...assigned].some(([, name = '']) => readsVariable(this.walk.text.slice(end), name));
    if (ENDS.test(failed) || this.walk.retries(failed) || used || this.goesOnToEnd(succeeded, end))
      return 'kept';
    return this.lost('`if` takes the exit code of the deploy, and nothing ends the step by it');
  }

  /** Whether success leaves the script or the loop, and what is left then ends with a failure. */
  private goesOnToEnd(success: string, end: number): boolean {
    return /\b(?:exit|return|break|continue)\b/.test(success) && ENDS.test(this.walk.text.slice(end));
  }

  private lost(text: string): Loss {
    return { at: this.walk.position, text };
  }
}
