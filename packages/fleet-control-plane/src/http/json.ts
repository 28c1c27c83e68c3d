import type { FastifyInstance } from 'fastify';
import { badRequest } from '../problem.js';

/** Deepest nesting of a request body; no call has more than a few levels. */
export const DEPTH_MAX = 32;

/** Lets Fastify's own JSON parser read only what is not nested too deeply: what walks the body would exhaust the stack. */
export function parseJson(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeContentTypeParser('application/json');
  app.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (isDeep(body)) {
      done(
        badRequest(
          `The body is nested more than ${DEPTH_MAX} levels deep.`,
          'Send what the OpenAPI document describes.',
        ),
      );
    } else {
      parse(request, body, done);
    }
  });
}

/** Counts brackets outside of strings; what is no JSON at all the parser refuses. */
function isDeep(text: string): boolean {
  let depth = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at];
    if (quoted) {
      if (char === '\\') at += 1;
      else if (char === '"') quoted = false;
    } else if (char === '"') quoted = true;
    else if (char === '[' || char === '{') {
      depth += 1;
      if (depth > DEPTH_MAX) return true;
    } else if (char === ']' || char === '}') depth -= 1;
  }
  return false;
}
