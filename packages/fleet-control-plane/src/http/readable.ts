// biome-ignore lint/suspicious/noExplicitAny: an OpenAPI document has no one shape
type Document = Record<string, any>;

const PREFIX = '#/components/schemas/';
/** Where what is not understood could roll more than was meant. */
const STRICT = /^(?:RedeployRequest|RolloutOrder)/;
const ANSWERS: Record<string, string> = {
  200: 'done',
  202: 'waiting: send the same again',
  204: 'done; no body',
};

/**
 * The document as people and generators of clients take it: parts that nobody refers to left out, one name for what a
 * request and an answer share, and a word for each answer.
 */
export function readable(document: Document): Document {
  const whole = renamed(grown(pruned(document)));
  for (const path of Object.values<Document>(whole.paths)) {
    for (const { responses } of Object.values<Document>(path)) {
      for (const [status, answer] of Object.entries<Document>(responses ?? {}))
        if (answer.description === 'Default Response') answer.description = ANSWERS[status] ?? 'answered';
    }
  }
  return whole;
}

const refsOf = (part: unknown): Set<string> =>
  new Set(
    [...JSON.stringify(part).matchAll(/"#\/components\/schemas\/([^"]+)"/g)].map(([, name]) => `${name}`),
  );

function pruned(document: Document): Document {
  const all: Document = document.components?.schemas ?? {};
  const used = refsOf(document.paths);
  // A set is walked in the order in which it grows.
  for (const name of used) for (const inner of refsOf(all[name] ?? {})) used.add(inner);
  const schemas = Object.fromEntries(Object.entries(all).filter(([name]) => used.has(name)));
  return { ...document, components: { ...document.components, schemas } };
}

/** Answers may grow. Of what is sent, only what rolls is strict. */
function grown(document: Document): Document {
  const open = (part: unknown) =>
    JSON.parse(JSON.stringify(part).replaceAll(',"additionalProperties":false', ''));
  const { schemas } = document.components;
  for (const name of Object.keys(schemas)) if (!STRICT.test(name)) schemas[name] = open(schemas[name]);
  for (const path of Object.values<Document>(document.paths))
    for (const operation of Object.values<Document>(path)) operation.responses = open(operation.responses);
  return document;
}

/** What goes in and what comes out of a call is described apart, also where it is the same. */
function renamed(document: Document): Document {
  const schemas: Document = document.components?.schemas ?? {};
  let text = JSON.stringify(document);
  for (const name of Object.keys(schemas)) {
    const plain = name.replace(/Input$/, '');
    const both = schemas[plain];
    if (plain === name || (both && JSON.stringify(both) !== JSON.stringify(schemas[name]))) continue;
    if (both) text = text.replace(`"${name}":${JSON.stringify(schemas[name])},`, '');
    text = text
      .replaceAll(`"${PREFIX}${name}"`, `"${PREFIX}${plain}"`)
      .replace(`"${name}":{`, `"${plain}":{`);
  }
  return JSON.parse(text);
}
