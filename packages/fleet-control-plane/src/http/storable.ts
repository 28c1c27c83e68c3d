import { badRequest } from '../problem.js';

/** What PostgreSQL cannot store: a zero byte, and half of a surrogate pair. */
// biome-ignore lint/complexity/useRegexLiterals: the escapes stay readable
const UNSTORABLE = new RegExp('\\u0000|[\\ud800-\\udfff]', 'u');

/** Refuses a body with text that could not be stored; the schemas let it through. */
export function refuseUnstorable(value: unknown, path = 'body'): void {
  if (typeof value === 'string') {
    if (UNSTORABLE.test(value)) {
      throw badRequest(
        `The text at ${path} has a zero byte or half of a character.`,
        'Send whole Unicode characters.',
      );
    }
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, inner] of Object.entries(value)) {
      refuseUnstorable(key, path);
      refuseUnstorable(inner, `${path}.${key.slice(0, 100)}`);
    }
  }
}
