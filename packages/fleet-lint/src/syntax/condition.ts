/** Conditions: what an `if:` says, and whether it holds in what is known beforehand. */
import { type Embedded, type Expression, embeddedIn, parseExpression } from './expression.js';

/**
 * The expression of an `if:`, with or without its braces; undefined where it cannot be read. Texts around braces make
 * it a text as a whole, as servers and runners have it.
 */
export function conditionOf(text: string): Expression | undefined {
  if (!text.includes('${{')) return parseExpression(text.trim());
  const embedded = embeddedIn(text);
  if (!isText(text, embedded)) return embedded[0]?.expression;
  const values = embedded.flatMap(({ expression }) => expression ?? []);
  if (!embedded.length || values.length < embedded.length) return undefined;
  return {
    kind: 'call',
    name: 'format',
    args: [{ kind: 'literal', value: patternOf(text, embedded) }, ...values],
  };
}

/** Whether something stands beside the braces of a condition, if only a line end: such a text is never empty. */
export const isText = (text: string, embedded = embeddedIn(text)): boolean =>
  text.includes('${{') && !(embedded.length === 1 && text.length === (embedded[0]?.body.length ?? 0) + 5);

function patternOf(text: string, embedded: readonly Embedded[]): string {
  let [pattern, from] = ['', 0];
  for (const [index, { at, body }] of embedded.entries()) {
    pattern += `${text.slice(from, at)}{${index}}`;
    from = at + body.length + 5;
  }
  return pattern + text.slice(from);
}

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
      const sides = expression.of.map((part) => holds(part, context));
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
      if (expression.name === 'format') return formatted(expression.args[0]);
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

/** A text around its values is not empty, whatever these are. */
function formatted(pattern: Expression | undefined): Known | undefined {
  const text = pattern?.kind === 'literal' ? String(pattern.value) : '';
  return text.replace(/\{\d+\}/g, '') === '' ? undefined : { value: text };
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
