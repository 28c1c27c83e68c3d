import type { FastifyRequest } from 'fastify';
import * as z from 'zod';

const NAMES_SHOWN = 5;

/**
 * Fields of a body that its schema does not know: a newer client sends them, and they are dropped. Bodies that keep what
 * they are not told of, and those that refuse it, have none.
 */
export function unknownFields({ body, routeOptions }: FastifyRequest): string[] {
  const found = unknownIn(routeOptions.schema?.body, body, '');
  return found.slice(0, NAMES_SHOWN).map((name) => name.slice(0, 60));
}

function unknownIn(schema: unknown, value: unknown, path: string): string[] {
  const inner = schema instanceof z.ZodOptional ? schema.unwrap() : schema;
  if (!(inner instanceof z.ZodObject) || typeof value !== 'object' || value === null) return [];
  // A catch-all keeps or refuses the rest.
  const dropsRest = inner.def.catchall === undefined;
  return Object.entries(value).flatMap(([name, part]) =>
    name in inner.shape
      ? unknownIn(inner.shape[name], part, `${path}${name}.`)
      : dropsRest
        ? [`${path}${name}`]
        : [],
  );
}
