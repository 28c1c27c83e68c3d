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
  let at = 0;
  const peek = () => tokens[at]?.value ?? '';
  const isOperator = (value: string) => tokens[at]?.type === 'operator' && tokens[at]?.value === value;
  const take = (value: string) => {
    if (!isOperator(value)) throw new SyntaxError(value);
    at++;
  };
  let depth = 0;
  /** Whoever reads the tree walks it by recursion. */
  const deeper = () => {
    if (++depth > MAX_DEPTH) throw new SyntaxError('nested too deeply');
  };
  const chain = (kind: 'and' | 'or', operator: string, part: () => Expression): Expression => {
    const first = part();
    if (!isOperator(operator)) return first;
    const of = [first];
    while (isOperator(operator)) {
      at++;
      of.push(part());
    }
    return { kind, of };
  };
  const or = () => {
    deeper();
    const whole = chain('or', '||', and);
    depth--;
    return whole;
  };
  const and = () => chain('and', '&&', compare);
  const compare = (): Expression => {
    let left = unary();
    while (['==', '!=', '<', '>', '<=', '>='].some(isOperator)) {
      deeper();
      const operator = peek();
      at++;
      left = { kind: 'compare', operator, left, right: unary() };
    }
    return left;
  };
  const unary = (): Expression => {
    if (!isOperator('!')) return primary();
    deeper();
    at++;
    return { kind: 'not', of: unary() };
  };
  const primary = (): Expression => {
    const token = tokens[at++];
    if (token?.type === 'text')
      return { kind: 'literal', value: token.value.slice(1, -1).replaceAll("''", "'") };
    if (token?.type === 'number') return { kind: 'literal', value: Number(token.value) };
    if (token?.type === 'operator' && token.value === '(') {
      const inner = or();
      take(')');
      return after(inner);
    }
    if (token?.type !== 'name') throw new SyntaxError(token?.value);
    const word = token.value.toLowerCase();
    if (word === 'true' || word === 'false') return { kind: 'literal', value: word === 'true' };
    if (word === 'null') return { kind: 'literal', value: null };
    if (isOperator('(')) return after(call(word));
    // Gitea has both names for one context.
    return after({ kind: 'reference', path: [word === 'gitea' ? 'github' : token.value] });
  };
  const call = (name: string): Expression => {
    take('(');
    const args: Expression[] = [];
    while (!isOperator(')')) {
      args.push(or());
      if (!isOperator(')')) take(',');
    }
    take(')');
    return { kind: 'call', name, args };
  };
  /** Properties and indexes behind a value; behind a call only what they read is kept. */
  const after = (value: Expression): Expression => {
    let whole = value;
    for (;;) {
      let [name, index]: [string, Expression | undefined] = ['*', undefined];
      if (isOperator('.')) {
        at++;
        name = peek();
        at++;
      } else if (isOperator('[')) {
        at++;
        index = or();
        if (index.kind === 'literal') name = String(index.value);
        take(']');
      } else return whole;
      if (whole.kind === 'reference') {
        whole.path.push(name);
        continue;
      }
      deeper();
      whole = { kind: 'call', name: 'property', args: index ? [whole, index] : [whole] };
    }
  };
  try {
    const expression = or();
    return tokens[at]?.type === 'end' ? expression : undefined;
  } catch {
    // Not an expression, or nested too deeply: nothing is claimed about it.
    return undefined;
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
