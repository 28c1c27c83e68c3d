/** A YAML file as nodes that know their place. */
import { CONFIG_FILES } from '@tenant-fleet/fleet-core/config';
import {
  Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseAllDocuments,
  parseDocument,
  Scalar,
  YAMLParseError,
} from 'yaml';
import type { LintFile, Place } from './place.js';

/** One key of a mapping. */
export interface Entry {
  key: string;
  keyNode: Node;
  value: Node | null;
}

export interface Problem {
  place: Place;
  message: string;
}

export interface Source {
  path: string;
  kind: 'workflow' | 'action' | 'config';
  /** Only a symbolic link is there. */
  link: boolean;
  lines: readonly string[];
  document: Document;
  root: Node | null;
  /** What stands in a second document, which nobody reads. */
  further?: Node;
  /** Why the text is not YAML. */
  problems: Problem[];
  /** Where a node, or a position in the text, is. */
  place(at: Node | number | null | undefined): Place;
}

export function parseSource({ path, text, link = false }: LintFile): Source {
  const counter = new LineCounter();
  const place = (at: Node | number | null | undefined): Place => {
    const offset = typeof at === 'number' ? at : (at?.range?.[0] ?? 0);
    const { line, col } = counter.linePos(offset);
    return { file: path, line: Math.max(1, line), column: Math.max(1, col) };
  };
  const problems: Problem[] = [];
  let document: Document;
  let further: Node | undefined;
  try {
    // Duplicate keys are reported by a rule of their own, with both places.
    const options = { lineCounter: counter, uniqueKeys: false, logLevel: 'error' } as const;
    const all = parseAllDocuments(text, options);
    // Servers read the first of several documents.
    const [parsed = new Document(), ...others] = all;
    further = others.find(({ contents }) => !isEmpty(contents))?.contents as Node | undefined;
    for (const error of parsed.errors) {
      const message = error.message.split('\n')[0]?.replace(/ at line \d+.*$/, '') ?? 'not YAML';
      problems.push({ place: place(error.pos[0]), message });
    }
    document = parsed;
  } catch (error) {
    // Nesting that exhausts the parser's stack.
    const message = error instanceof YAMLParseError ? error.message : 'nested too deeply';
    problems.push({ place: place(0), message });
    document = parseDocument('');
  }
  const root = isEmpty(document.contents) ? null : (document.contents as Node | null);
  return {
    path,
    kind: kindOf(path),
    link,
    lines: text.split('\n'),
    document,
    root,
    further,
    problems,
    place,
  };
}

const isEmpty = (node: unknown) => node === null || (isScalar(node) && node.value === null);

function kindOf(path: string): Source['kind'] {
  if (/(?:^|\/)action\.ya?ml$/.test(path) && !/(?:^|\/)workflows\//.test(path)) return 'action';
  return CONFIG_FILES.includes(path.split('/').at(-1) ?? '') ? 'config' : 'workflow';
}

/** What an alias stands for. */
export function resolved(source: Source, node: unknown): Node | null {
  if (isAlias(node)) return (node.resolve(source.document) as Node | undefined) ?? null;
  return isMap(node) || isSeq(node) || isScalar(node) ? node : null;
}

/** The keys of a mapping in their order, those merged in by `<<` last; empty for anything else. */
export function entriesOf(source: Source, node: unknown, depth = 0): Entry[] {
  const map = resolved(source, node);
  if (!isMap(map)) return [];
  const [own, merged]: Entry[][] = [[], []];
  for (const { key, value } of map.items) {
    const name = textOf(source, key);
    if (name === undefined) continue;
    if (name !== '<<') own?.push({ key: name, keyNode: key as Node, value: resolved(source, value) });
    else if (depth < 4)
      for (const from of itemsOf(source, value)) merged?.push(...entriesOf(source, from, depth + 1));
  }
  const names = new Set(own?.map(({ key }) => key));
  return [...(own ?? []), ...(merged ?? []).filter(({ key }) => !names.has(key))];
}

/** One key of a mapping; the last where it is given twice. */
export function entryOf(source: Source, node: unknown, key: string): Entry | undefined {
  return entriesOf(source, node).findLast((entry) => entry.key === key);
}

/** The items of a list; a single value is a list of one. */
export function itemsOf(source: Source, node: unknown): Node[] {
  const found = resolved(source, node);
  if (isSeq(found)) return found.items.map((item) => resolved(source, item)).filter((item) => item !== null);
  return found === null || (isScalar(found) && found.value === null) ? [] : [found];
}

/** A scalar as it was written; undefined for anything else and for an empty value. */
export function textOf(source: Source, node: unknown): string | undefined {
  const found = resolved(source, node);
  if (!isScalar(found) || found.value === null || found.value === undefined) return undefined;
  return typeof found.value === 'string' ? found.value : (found.source ?? String(found.value));
}

/** Where a position within a scalar's text is: exact in `|` blocks and on one line, else where the scalar starts. */
export function placeIn(source: Source, node: Node, offset: number): Place {
  const start = source.place(node);
  const text = textOf(source, node) ?? '';
  const before = text.slice(0, offset).split('\n');
  const rest = text.slice(offset).split('\n', 1)[0] ?? '';
  const block = isScalar(node) && node.type === Scalar.BLOCK_LITERAL;
  const line = start.line + (block ? before.length : before.length - 1);
  const written = source.lines[line - 1];
  const whole = `${before.at(-1) ?? ''}${rest}`;
  const from = block ? 0 : before.length === 1 ? start.column - 1 : 0;
  const column = whole === '' || written === undefined ? -1 : written.indexOf(whole, from);
  if (column < 0) return start;
  return { file: source.path, line, column: column + 1 + (before.at(-1)?.length ?? 0) };
}
