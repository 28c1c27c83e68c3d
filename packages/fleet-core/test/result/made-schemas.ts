/** `docs/schemas.md`, made from the schemas of the documents. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import { DOCUMENTS } from '../../src/result/documents/index.js';

interface Json {
  type?: string | string[];
  description?: string;
  const?: unknown;
  enum?: unknown[];
  anyOf?: Json[];
  oneOf?: Json[];
  items?: Json;
  properties?: Record<string, Json>;
  required?: string[];
  additionalProperties?: Json | boolean;
}

const ABOUT: Record<string, string> = {
  'fleet-result/1':
    '`redeploy`, `rollback`, `plan`, `verify` and `report` with `--json`, and what `--report-json` writes.',
  'fleet-status/1': '`fleet status --json`; with `--watch` one document a line.',
  'fleet-history/1': '`fleet history --json`.',
  'fleet-rollout/1': '`fleet history show ID --json`.',
  'fleet-rollouts/1': '`fleet rollout list --json`.',
  'fleet-server-rollout/1': '`fleet rollout show|pause|resume|abort ID --json`.',
  'fleet-gates/1': '`fleet gates --json`.',
  'fleet-watch/1': '`fleet watch --json`; with `--every` one document a line.',
  'fleet-doctor/1': '`fleet doctor --json`.',
  'fleet-config/1': '`fleet config --json`.',
  'fleet-lock-status/1': '`fleet lock status --json`; with `--watch` one document a line.',
  'fleet-lock-log/1': '`fleet lock log --json`.',
  'fleet-lock-chain/1': '`fleet lock log --verify --json`.',
  'fleet-lock-note/1': '`fleet lock freeze`, `unfreeze` and `break` with `--json`.',
  'fleet-error/1':
    'Any command with `--json` that ends before it has another document: usage errors, refusals, a declined question.',
};

/** What the sources say of a field, where its schema says nothing itself; a name that several fields have tells nothing. */
const comments = new Map<string, string | null>();
const source = fileURLToPath(new URL('../../src/', import.meta.url));
for (const folder of ['contract', 'result', 'result/documents'])
  for (const file of readdirSync(join(source, folder)).filter((name) => name.endsWith('.ts'))) {
    const text = readFileSync(join(source, folder, file), 'utf8');
    const fields = text.matchAll(
      /(?:\/\*\* ([^*]+?)\.? \*\/\s+)?\b(\w+): (?:z\b|\w+Schema|count\b|known\()/g,
    );
    for (const [, about, field = ''] of fields)
      comments.set(field, comments.has(field) ? null : (about?.replace(/\{@link (\w+)\}/g, '`$1`') ?? null));
  }

type Row = [field: string, type: string, about: string];

function rowsOf(schema: Json, path: string): Row[] {
  const branches = schema.anyOf ?? schema.oneOf;
  if (branches) return branches.flatMap((one) => rowsOf(one, path));
  if (schema.items) return rowsOf(schema.items, `${path}[]`);
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const at = path ? `${path}.${name}` : name;
    const optional = schema.required?.includes(name) ? '' : ', may be absent';
    const own: Row = [at, typeOf(field) + optional, field.description ?? comments.get(name) ?? ''];
    return [own, ...rowsOf(field, at)];
  });
}

function typeOf({
  type,
  const: value,
  enum: values,
  anyOf,
  oneOf,
  items,
  additionalProperties,
  properties,
}: Json): string {
  if (value !== undefined) return `\`${JSON.stringify(value)}\``;
  if (values) return values.map((one) => `\`${one}\``).join(' \\| ');
  const branches = anyOf ?? oneOf;
  if (branches) return [...new Set(branches.map(typeOf))].join(' or ');
  if (items) return `list of ${typeOf(items)}`;
  if (type === 'object' && !properties && typeof additionalProperties === 'object')
    return Object.keys(additionalProperties).length ? `object of ${typeOf(additionalProperties)}` : 'object';
  return [type ?? 'any'].flat().join(' or ');
}

export function schemasPage(): string {
  const sections = Object.entries(DOCUMENTS).map(([name, schema]) => {
    const seen = new Set<string>();
    const rows = rowsOf(z.toJSONSchema(schema, { io: 'output', unrepresentable: 'any' }) as Json, '').filter(
      ([field]) => !seen.has(field) && seen.add(field),
    );
    return [
      `## ${name}`,
      '',
      ABOUT[name],
      '',
      '| field | type | |',
      '|---|---|---|',
      ...rows.map(
        ([field, type, about]) =>
          `| \`${field}\` | ${type} | ${about.replace(/\s+/g, ' ').replaceAll('|', '\\|')} |`,
      ),
      '',
    ].join('\n');
  });
  return [
    '# Documents for programs',
    '',
    'Made from the schemas (`packages/fleet-core/src/result/documents`) and checked by a test, as every document that the',
    'tests of the command line meet. A program reads `schema` first. Within a version fields are only ever added: ignore those',
    'that you do not know. The schemas are `DOCUMENTS` of `@tenant-fleet/fleet-core/documents`; that of the result is',
    '`resultSchema` of `@tenant-fleet/fleet-core`.',
    '',
    ...sections,
  ].join('\n');
}
