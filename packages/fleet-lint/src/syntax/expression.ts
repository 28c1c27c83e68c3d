/** Expressions of workflows (`${{ ... }}` and `if:`): their references, and what can be said of their value beforehand. */

export type Expression =
  | { kind: 'literal'; value: string | number | boolean | null }
  | { kind: 'reference'; path: string[] }
  | { kind: 'call'; name: string; args: Expression[] }
  | { kind: 'not'; of: Expression }
  | { kind: 'and' | 'or'; left: Expression; right: Expression }
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

/** The expression of an `if:`, with or without its braces; undefined where it mixes both or cannot be read. */
export function conditionOf(text: string): Expression | undefined {
  const whole = text.trim();
  if (!whole.includes('${{')) return parseExpression(whole);
  const [only, ...more] = embeddedIn(whole);
  return only && !more.length && whole.length === only.body.length + 5 ? only.expression : undefined;
}

const TOKEN =
  /\s*(?:(?<text>'(?:[^']|'')*')|(?<number>-?(?:0x[\da-f]+|\d+(?:\.\d+)?))|(?<operator>&&|\|\||[!=<>]=|[<>!().,[\]*])|(?<name>[A-Za-z_][\w-]*))/giy;

interface Token {
  type: 'text' | 'number' | 'operator' | 'name' | 'end';
  value: string;
}

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
  const or = (): Expression => {
    let left = and();
    while (isOperator('||')) {
      at++;
      left = { kind: 'or', left, right: and() };
    }
    return left;
  };
  const and = (): Expression => {
    let left = compare();
    while (isOperator('&&')) {
      at++;
      left = { kind: 'and', left, right: compare() };
    }
    return left;
  };
  const compare = (): Expression => {
    let left = unary();
    while (['==', '!=', '<', '>', '<=', '>='].some(isOperator)) {
      const operator = peek();
      at++;
      left = { kind: 'compare', operator, left, right: unary() };
    }
    return left;
  };
  const unary = (): Expression => {
    if (!isOperator('!')) return primary();
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
      if (whole.kind === 'reference') whole.path.push(name);
      else whole = { kind: 'call', name: 'property', args: index ? [whole, index] : [whole] };
    }
  };
  try {
    const expression = or();
    return tokens[at]?.type === 'end' ? expression : undefined;
  } catch {
    // Not an expression, or nested beyond the stack: nothing is claimed about it.
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

/** What is known of a value: all of it, or how it starts. */
export type Known = { value: string | number | boolean | null } | { prefix: string };

/** Functions that ask how the jobs before went. */
export const STATUS: readonly string[] = ['always', 'failure', 'cancelled', 'success'];

/** What is known of references, by their path in lower case joined with dots, and of {@link STATUS} with `()`. */
export type Context = Readonly<Record<string, Known>>;

/** Whether an expression holds in a context; null where that is not known beforehand. */
export function holds(expression: Expression, context: Context): boolean | null {
  const known = knownOf(expression, context);
  return known && 'value' in known ? truth(known.value) : null;
}

const truth = (value: unknown) => value !== '' && value !== 0 && value !== false && value !== null;

function knownOf(expression: Expression, context: Context): Known | undefined {
  const boolean = (value: boolean | null): Known | undefined => (value === null ? undefined : { value });
  switch (expression.kind) {
    case 'literal':
      return { value: expression.value };
    case 'reference':
      return context[expression.path.join('.').toLowerCase()];
    case 'not': {
      const of = holds(expression.of, context);
      return boolean(of === null ? null : !of);
    }
    case 'and':
    case 'or': {
      const sides = [holds(expression.left, context), holds(expression.right, context)];
      const decides = expression.kind === 'or';
      if (sides.includes(decides)) return boolean(decides);
      return boolean(sides.includes(null) ? null : !decides);
    }
    case 'compare': {
      if (expression.operator !== '==' && expression.operator !== '!=') return undefined;
      const same = equal(knownOf(expression.left, context), knownOf(expression.right, context));
      return boolean(same === null ? null : same === (expression.operator === '=='));
    }
    case 'call': {
      if (STATUS.includes(expression.name)) {
        const known = context[`${expression.name}()`];
        return known ?? (expression.name === 'always' ? { value: true } : undefined);
      }
      if (expression.name !== 'startswith') return undefined;
      const [whole, start] = expression.args.map((arg) => knownOf(arg, context));
      if (!whole || !start || !('value' in start)) return undefined;
      const wanted = lower(start.value);
      if ('value' in whole) return boolean(lower(whole.value).startsWith(wanted));
      const prefix = whole.prefix.toLowerCase();
      if (prefix.startsWith(wanted)) return { value: true };
      return boolean(wanted.startsWith(prefix) ? null : false);
    }
  }
}

const lower = (value: unknown) => String(value ?? '').toLowerCase();

/** Texts are compared without regard to case, as servers and runners do. */
function equal(left: Known | undefined, right: Known | undefined): boolean | null {
  if (!left || !right) return null;
  if ('value' in left && 'value' in right) {
    if (typeof left.value === typeof right.value) return lower(left.value) === lower(right.value);
    return null;
  }
  const [whole, start] = 'value' in left ? [left, right] : [right, left];
  if (!('value' in whole) || !('prefix' in start)) return null;
  return lower(whole.value).startsWith(start.prefix.toLowerCase()) ? null : false;
}
