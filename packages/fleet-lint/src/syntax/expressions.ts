/** The expressions below a node of a file, with their places. */
import { isMap, isScalar, isSeq, type Node } from 'yaml';
import { type Expression, embeddedIn, parseExpression } from './expression.js';
import type { Place } from './place.js';
import { placeIn, type Source, textOf } from './source.js';

export interface Found {
  expression: Expression | undefined;
  body: string;
  place: Place;
}

/** Texts below a node with the key that each stands under. Aliases are left out: what they name is seen at its own place. */
export function textsBelow(
  source: Source,
  node: unknown,
  key = '',
): { text: string; node: Node; key: string }[] {
  const found: { text: string; node: Node; key: string }[] = [];
  const waiting: [unknown, string][] = [[node, key]];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const [one, name] = next;
    if (isScalar(one)) {
      const text = textOf(source, one);
      if (text !== undefined) found.push({ text, node: one, key: name });
    } else if (isSeq(one)) for (const item of one.items) waiting.push([item, name]);
    else if (isMap(one))
      for (const { key: below, value } of one.items) waiting.push([value, textOf(source, below) ?? '']);
  }
  return found;
}

/** Expressions below a node; what stands under `if` is one without braces too. */
export function expressionsBelow(source: Source, node: unknown, key = ''): Found[] {
  return textsBelow(source, node, key).flatMap(({ text, node: scalar, key: name }): Found[] => {
    if (name === 'if' && !text.includes('${{'))
      return [{ expression: parseExpression(text), body: text, place: placeIn(source, scalar, 0) }];
    return embeddedIn(text).map(({ at, body, expression }) => {
      return { expression, body, place: placeIn(source, scalar, at) };
    });
  });
}
