/** One way of signing in that a server offers. */
export interface Challenge {
  /** Lower case: `bearer`, `basic`. */
  scheme: string;
  /** Names in lower case, values unquoted. */
  params: Record<string, string>;
}

/** `name=value`, `name="value"`, or a scheme, with the comma and the space before it. */
const PART =
  /[\s,]*(?:([\w!#$%&'*+.^`|~-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*))|([\w.-]+)(?=[\s,]|$))/gy;

/** Reads a `WWW-Authenticate` header (RFC 9110); what follows a part that cannot be read is left out. */
export function parseChallenges(header: string): Challenge[] {
  const challenges: Challenge[] = [];
  for (const [, name, quoted, plain, scheme] of header.matchAll(PART)) {
    if (scheme) challenges.push({ scheme: scheme.toLowerCase(), params: {} });
    else if (name) {
      const current = challenges.at(-1);
      if (!current) return [];
      current.params[name.toLowerCase()] = quoted?.replace(/\\(.)/g, '$1') ?? plain ?? '';
    }
  }
  return challenges;
}
