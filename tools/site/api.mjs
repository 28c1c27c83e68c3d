/** What the page about the calls of the control plane shows of its OpenAPI document. */
import { openApiDocument } from '@tenant-fleet/fleet-control-plane';

/** Stands for that document among the sources of pages. */
export const API = 'openapi.json';

const METHODS = ['get', 'put', 'post', 'delete'];
const SHOWN = [
  'type',
  'format',
  'pattern',
  'default',
  'minimum',
  'maximum',
  'minLength',
  'maxLength',
  'enum',
];

export async function apiOf() {
  const document = await openApiDocument();
  const calls = Object.entries(document.paths).flatMap(([path, operations]) =>
    METHODS.filter((method) => operations[method]).map((method) => callOf(method, path, operations[method])),
  );
  const groups = document.tags.map((tag) => ({
    ...tag,
    calls: calls.filter((call) => call.tag === tag.name),
  }));
  const schemas = Object.entries(document.components.schemas).map(([name, schema]) => ({
    name,
    text: JSON.stringify(schema, null, 2),
  }));
  return { document, description: document.info.description, groups, schemas };
}

const callOf = (method, path, operation) => ({
  method: method.toUpperCase(),
  path,
  id: operation.operationId,
  tag: operation.tags[0],
  summary: operation.summary,
  description: operation.description,
  parameters: (operation.parameters ?? []).map(({ name, in: where, required, schema, description }) => ({
    name,
    where,
    required,
    words: [
      description,
      ...SHOWN.filter((key) => key in schema && !(key === 'pattern' && schema.format)).map(
        (key) => `${key} ${schema[key]}`,
      ),
    ]
      .filter(Boolean)
      .join(', '),
  })),
  body: schemaOf(operation.requestBody),
  answers: Object.entries(operation.responses).map(([status, answer]) => ({
    status,
    description: answer.description,
    body: schemaOf(answer),
  })),
});

/** The name of the schema of a body; undefined where it has none of its own. */
function schemaOf(body) {
  const [content] = Object.values(body?.content ?? {});
  return content?.schema?.$ref?.split('/').at(-1);
}
