import { hash, randomBytes } from 'node:crypto';
import { lockGroupSchema } from '@tenant-fleet/fleet-core/contract';
import picomatch from 'picomatch';
import { parse as parseYaml } from 'yaml';
import * as z from 'zod';
import { SCOPES, type Scope } from './scopes.js';

/** Name under which the one token given by flag or environment appears. */
export const PLAIN_TOKEN_NAME = 'default';
/** Least length of a token that a person chose, in characters. */
export const TOKEN_LENGTH_MIN = 16;

/** Last millisecond of a token: a day counts to its end, UTC. */
export const expiresSchema = z
  .union([z.iso.date(), z.iso.datetime({ offset: true })], 'must be a date as 2027-01-31, or an ISO time')
  .transform((text) => Date.parse(text.length === 10 ? `${text}T23:59:59.999Z` : text));

export const tokenNameSchema = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._@-]{0,62}$/, 'must be 1 to 63 letters, digits, ".", "_", "@" or "-"')
  .refine((name) => name !== PLAIN_TOKEN_NAME, `"${PLAIN_TOKEN_NAME}" is the token that has no name`);

export const groupGlobSchema = z
  .string()
  .regex(/^[a-z0-9._*?[\]{},-]{1,100}$/, 'must be a glob over lock groups');

const tokenSchema = z.strictObject({
  name: tokenNameSchema,
  sha256: z
    .string('must be 64 hex digits in quotes')
    .regex(/^[0-9a-f]{64}$/i, 'must be the 64 hex digits of the SHA-256 of the token, never the token'),
  scopes: z.array(z.enum(SCOPES)).min(1),
  groups: z.array(groupGlobSchema).min(1).optional(),
  expires: expiresSchema.optional(),
});

const fileSchema = z
  .array(tokenSchema, 'must be a list of tokens')
  .min(1, 'must be a list of at least one token')
  .refine(
    (tokens) => new Set(tokens.map(({ sha256 }) => sha256.toLowerCase())).size === tokens.length,
    'the same sha256 stands there twice',
  );

/** Who may call, and what for. */
export interface Token {
  name: string;
  /** SHA-256 of the token. */
  digest: Buffer;
  scopes: ReadonlySet<Scope>;
  /** True for the lock groups that it may name. */
  mayName: (group: string) => boolean;
  /** Last millisecond since 1970 at which it counts. */
  expires: number;
}

export const digestOf = (token: string): Buffer => hash('sha256', token, 'buffer');

/** The one token that may do everything. */
export const plainToken = (token: string): Token => ({
  name: PLAIN_TOKEN_NAME,
  digest: digestOf(token),
  scopes: new Set(SCOPES),
  mayName: () => true,
  expires: Number.POSITIVE_INFINITY,
});

/**
 * Reads the text of a tokens file.
 *
 * @throws Error that says what is wrong and where, without any value of the file.
 */
export function parseTokens(text: string): Token[] {
  let value: unknown;
  try {
    value = parseYaml(text);
  } catch {
    throw new Error('it is neither YAML nor JSON');
  }
  const parsed = fileSchema.safeParse(value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const where = issue?.path.length ? ` at "${issue.path.join('.')}"` : '';
    throw new Error(`it is not valid${where}: ${issue?.message ?? 'no reason given'}`);
  }
  return parsed.data.map((token) => ({
    name: token.name,
    digest: Buffer.from(token.sha256, 'hex'),
    scopes: new Set(token.scopes),
    mayName: token.groups ? groupMatcher(token.groups) : () => true,
    expires: token.expires ?? Number.POSITIVE_INFINITY,
  }));
}

function groupMatcher(globs: string[]): (group: string) => boolean {
  const matches = picomatch(globs);
  return (group) => lockGroupSchema.safeParse(group).success && matches(group);
}

/** A new random token, and its line for the tokens file. */
export function makeToken(entry: {
  name: string;
  scopes: readonly Scope[];
  groups?: readonly string[];
  expires?: string;
}): { token: string; line: string } {
  const token = `fleet_${randomBytes(32).toString('base64url')}`;
  const { name, scopes, ...more } = entry;
  const line = `- ${JSON.stringify({ name, sha256: digestOf(token).toString('hex'), scopes, ...more })}`;
  return { token, line };
}
