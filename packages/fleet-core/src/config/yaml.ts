/** YAML 1.2, of which JSON is a part, with merge keys; what people get wrong in it is said with its line. */
import { type Document, isScalar, LineCounter, parseAllDocuments, visit, type YAMLParseError } from 'yaml';
import { usageError } from '../errors.js';

/** Longer than any configuration: whoever names a database dump by mistake waits for nothing. */
const LONGEST_CHARS = 1_000_000;

const STAR = 'a value that begins with * stands in quotes, for example "*-e2e"';

/** @throws FleetError `USAGE` that names file, line, and what to change. */
export function parseYaml(source: string, path: string): unknown {
  const lines = new LineCounter();
  const fail = (offset: number | undefined, what: string, next?: string): never => {
    const where = offset === undefined ? '' : `:${lines.linePos(offset).line}`;
    throw usageError(`${path}${where}: ${what}`, { option: '--config', next });
  };
  if (source.length > LONGEST_CHARS) fail(undefined, 'is longer than a configuration file may be (1 MB)');
  // The library's own search for keys that stand twice takes time in the square of their number.
  const options = { merge: true, uniqueKeys: false, logLevel: 'error', lineCounter: lines } as const;
  const all = parseAllDocuments(source, options);
  const documents = (Array.isArray(all) ? all : []) as Document.Parsed[];
  for (const { errors } of documents) if (errors[0]) fail(errors[0].pos[0], ...problemOf(errors[0]));
  const [document, second] = documents.filter(
    ({ contents }) => contents && contents.range[0] < contents.range[1],
  );
  if (!document) return null;
  if (second)
    fail(
      second.range[0],
      'there is a second document, behind ---',
      'keep one: what differs by environment stands below environments:',
    );
  const twice = repeatedKey(document);
  if (twice) fail(twice.offset, `Map keys must be unique: ${twice.key} stands twice`, 'keep one of them');
  try {
    return document.toJS({ maxAliasCount: 20 });
  } catch (error) {
    const what = error instanceof Error ? (error.message.split('\n')[0] ?? '') : 'not YAML';
    const unknown = /^Unresolved alias.*: (\S+)$/.exec(what)?.[1];
    return fail(unknown === undefined ? undefined : aliasOf(document, unknown), what, unknown && STAR);
  }
}

function problemOf({ code, message }: YAMLParseError): [what: string, next?: string] {
  const what = message.split('\n')[0]?.replace(/ at line.*$/, '') ?? 'not YAML';
  if (code === 'BAD_ALIAS' || /alias/i.test(what)) return [what, STAR];
  if (code === 'TAB_AS_INDENT') return [what, 'indent with spaces'];
  return [what];
}

/** Where an alias stands. */
function aliasOf(document: Document.Parsed, name: string): number | undefined {
  let offset: number | undefined;
  visit(document, {
    Alias(_key, { source, range }) {
      if (source !== name) return undefined;
      offset = range?.[0];
      return visit.BREAK;
    },
  });
  return offset;
}

function repeatedKey(document: Document.Parsed): { key: string; offset: number } | null {
  let found: { key: string; offset: number } | null = null;
  visit(document, {
    Map(_path, { items }) {
      const seen = new Set<unknown>();
      for (const { key } of items) {
        if (!isScalar(key) || key.value === '<<') continue;
        if (seen.has(key.value)) {
          found = { key: String(key.value), offset: key.range?.[0] ?? 0 };
          return visit.BREAK;
        }
        seen.add(key.value);
      }
      return undefined;
    },
  });
  return found;
}
