/** Expressions of workflows (`${{ ... }}` and `if:`) and the references in them. */

export type Expression =
  | { kind: 'literal'; value: string | number | boolean | null }
  | { kind: 'reference'; path: string[] }
  | { kind: 'call'; name: string; args: Expression[] }
  | { kind: 'not'; of: Expression }
  | { kind: 'and' | 'or'; of: Expression[] }
  | { kind: 'compare'; operator: string; left: Expression; right: Expression };

/** One `${{ ... }}` of a text. */
export interface Embedded {
  /** Position of its `$`. */
  at: number;
  body: string;
  /** Undefined where it cannot be read. */
  expression: Expression | undefined;
}

export function embeddedIn(text: string): Embedded[] {
  const found: Embedded[] = [];
  for (let at = text.indexOf('${{'); at >= 0; ) {
    const end = endOf(text, at + 3);
    // What has no end leaves nothing behind it to be read.
    if (end < 0) break;
    const body = text.slice(at + 3, end);
    found.push({ at, body, expression: parseExpression(body) });
    at = text.indexOf('${{', end + 2);
  }
  return found;
}

/** Where the braces close, texts in quotes left out; -1 where they never do. */
function endOf(text: string, from: number): number {
  let quoted = false;
  for (let at = from; at < text.length; at++) {
    if (text[at] === "'") quoted = !quoted;
    else if (!quoted && text.startsWith('}}', at)) return at;
  }
  return -1;
}

const TOKEN =
  /\s*(?:(?<text>'(?:[^']|'')*')|(?<number>-?(?:0x[\da-f]+|\d+(?:\.\d+)?))|(?<operator>&&|\|\||[!=<>]=|[<>!().,[\]*])|(?<name>[A-Za-z_][\w-]*))/giy;

interface Token {
  type: 'text' | 'number' | 'operator' | 'name' | 'end';
  value: string;
}

/** Deeper than people write, and far from the end of any stack. */
const MAX_DEPTH = 200;

/** Reads an expression; undefined where it is none. */
export function parseExpression(text: string): Expression | undefined {
  const tokens = tokenize(text);
  if (!tokens) return undefined;
  try {
    return new Parser(tokens).whole();
  } catch {
    // Not an expression, or nested too deeply: nothing is claimed about it.
    return undefined;
  }
}

/** Recursive descent, a method for each level of binding. Throws for what is no expression. */
class Parser {
  #at = 0;
  #depth = 0;

  constructor(private readonly tokens: Token[]) {}

  whole(): Expression | undefined {
    const expression = this.#or();
    return this.tokens[this.#at]?.type === 'end' ? expression : undefined;
  }

  #isOperator(value: string): boolean {
    const token = this.tokens[this.#at];
    return token?.type === 'operator' && token.value === value;
  }

  #take(value: string): void {
    if (!this.#isOperator(value)) throw new SyntaxError(value);
    this.#at++;
  }

  #word(): string {
    return this.tokens[this.#at++]?.value ?? '';
  }

  /** Whoever reads the tree walks it by recursion. */
  #deeper(): void {
    if (++this.#depth > MAX_DEPTH) throw new SyntaxError('nested too deeply');
  }

  #chain(kind: 'and' | 'or', operator: string, part: () => Expression): Expression {
    const first = part();
    if (!this.#isOperator(operator)) return first;
    const of = [first];
    while (this.#isOperator(operator)) {
      this.#at++;
      of.push(part());
    }
    return { kind, of };
  }

  #or(): Expression {
    this.#deeper();
    const whole = this.#chain('or', '||', () => this.#chain('and', '&&', () => this.#compare()));
    this.#depth--;
    return whole;
  }

  #compare(): Expression {
    let left = this.#unary();
    while (['==', '!=', '<', '>', '<=', '>='].some((operator) => this.#isOperator(operator))) {
      this.#deeper();
      const operator = this.#word();
      left = { kind: 'compare', operator, left, right: this.#unary() };
    }
    return left;
  }

  #unary(): Expression {
    if (!this.#isOperator('!')) return this.#primary();
    this.#deeper();
    this.#at++;
    return { kind: 'not', of: this.#unary() };
  }

  #primary(): Expression {
    const token = this.tokens[this.#at++];
    if (token?.type === 'text')
      return { kind: 'literal', value: token.value.slice(1, -1).replaceAll("''", "'") };
    if (token?.type === 'number') return { kind: 'literal', value: Number(token.value) };
    if (token?.type === 'operator' && token.value === '(') {
      const inner = this.#or();
      this.#take(')');
      return this.#after(inner);
    }
    if (token?.type !== 'name') throw new SyntaxError(token?.value);
    const word = token.value.toLowerCase();
    if (word === 'true' || word === 'false') return { kind: 'literal', value: word === 'true' };
    if (word === 'null') return { kind: 'literal', value: null };
    if (this.#isOperator('(')) return this.#after(this.#call(word));
    // Gitea has both names for one context.
    return this.#after({ kind: 'reference', path: [word === 'gitea' ? 'github' : token.value] });
  }

  #call(name: string): Expression {
    this.#take('(');
    const args: Expression[] = [];
    while (!this.#isOperator(')')) {
      args.push(this.#or());
      if (!this.#isOperator(')')) this.#take(',');
    }
    this.#take(')');
    return { kind: 'call', name, args };
  }

  /** Properties and indexes behind a value; behind a call only what they read is kept. */
  #after(value: Expression): Expression {
    let whole = value;
    for (;;) {
      let [name, index]: [string, Expression | undefined] = ['*', undefined];
      if (this.#isOperator('.')) {
        this.#at++;
        name = this.#word();
      } else if (this.#isOperator('[')) {
        this.#at++;
        index = this.#or();
        if (index.kind === 'literal') name = String(index.value);
        this.#take(']');
      } else return whole;
      if (whole.kind === 'reference') {
        whole.path.push(name);
        continue;
      }
      this.#deeper();
      whole = { kind: 'call', name: 'property', args: index ? [whole, index] : [whole] };
    }
  }
}

function tokenize(text: string): Token[] | undefined {
  const tokens: Token[] = [];
  const whole = text.trimEnd();
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < whole.length) {
    const groups = TOKEN.exec(whole)?.groups;
    if (!groups) return undefined;
    const [type, value] = Object.entries(groups).find(([, found]) => found !== undefined) ?? ['end', ''];
    tokens.push({ type: type as Token['type'], value: value ?? '' });
  }
  tokens.push({ type: 'end', value: '' });
  return tokens.length > 1 ? tokens : undefined;
}

/** Every part of an expression, itself first. */
export function partsOf(expression: Expression | undefined): Expression[] {
  if (!expression) return [];
  switch (expression.kind) {
    case 'call':
      return [expression, ...expression.args.flatMap(partsOf)];
    case 'not':
      return [expression, ...partsOf(expression.of)];
    case 'and':
    case 'or':
      return [expression, ...expression.of.flatMap(partsOf)];
    case 'compare':
      return [expression, ...partsOf(expression.left), ...partsOf(expression.right)];
    default:
      return [expression];
  }
}

/** The paths that an expression reads, for example `['needs', 'build', 'outputs', 'tag']`. */
export const referencesIn = (expression: Expression | undefined): string[][] =>
  partsOf(expression).flatMap((part) => (part.kind === 'reference' ? [part.path] : []));

/** Names of the functions that an expression calls, in lower case. */
export const callsIn = (expression: Expression | undefined): string[] =>
  partsOf(expression).flatMap((part) => (part.kind === 'call' ? [part.name] : []));
