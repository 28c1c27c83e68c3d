import { timingSafeEqual } from 'node:crypto';
import { type ClaimRequest, LOCKS_PATH } from '@tenant-fleet/fleet-core/contract';
import type { FastifyRequest } from 'fastify';
import type { Clock } from '../../clock.js';
import { Problem } from '../../problem.js';
import { scopeOf } from './scopes.js';
import { digestOf, PLAIN_TOKEN_NAME, type Token } from './tokens.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** The token that the request came with; null where none is needed. */
    caller: Token | null;
  }
}

export interface Callers {
  tokens: () => readonly Token[];
  clock: Pick<Clock, 'wall'>;
  /** Lock group that guards the fleet: what touches the fleet without naming a group is a matter of this one. */
  fleetGroup: string;
}

/**
 * Who sends this request, if they may.
 *
 * @throws Problem 401 for no, an unknown or an expired token; 403 for one that may not do this.
 */
export function callerOf(request: FastifyRequest, { tokens, clock, fleetGroup }: Callers): Token {
  const token = find(request.headers.authorization, tokens());
  if (!token) throw unauthorized('The bearer token is missing or wrong.');
  if (clock.wall() > token.expires) throw unauthorized(`The token "${token.name}" has expired.`);
  const route = request.routeOptions.url;
  if (route !== undefined) {
    const scope = scopeOf(request.method, route);
    if (!token.scopes.has(scope)) throw forbidden(token, `lacks the scope "${scope}"`, { scope });
    const group = groupOf(request, route, fleetGroup);
    if (group !== undefined && !token.mayName(group))
      throw forbidden(token, `is not for the lock group "${group.slice(0, 63)}"`, { group });
  }
  return token;
}

/** Compares hashes, and all of them: neither content nor length nor place shows in the time that it takes. */
function find(header: string | undefined, tokens: readonly Token[]): Token | undefined {
  const token = /^Bearer +(\S+) *$/i.exec(header ?? '')?.[1];
  if (token === undefined) return undefined;
  const digest = digestOf(token);
  let found: Token | undefined;
  for (const known of tokens) if (timingSafeEqual(digest, known.digest)) found = known;
  return found;
}

function groupOf(request: FastifyRequest, route: string, fleetGroup: string): string | undefined {
  if (route.startsWith(LOCKS_PATH)) return (request.params as { group?: string }).group;
  return /^\/(?:cp|sim)\//.test(route) ? fleetGroup : undefined;
}

const unauthorized = (detail: string) =>
  new Problem(
    401,
    'unauthorized',
    detail,
    'Send "Authorization: Bearer <token>" with a token of this control plane.',
  );

const forbidden = (token: Token, lacks: string, missing: Record<string, string>) =>
  new Problem(
    403,
    'forbidden',
    `The token "${token.name}" ${lacks}.`,
    'Use a token that may do this, or let an operator change the tokens file.',
    { extra: { token: token.name, missing } },
  );

/** Who is to be named in the audit log: the token's owner where it has one, and what the caller said beside it. */
export function auditNoteOf(caller: Token | null, actor: string): { actor: string; said?: string } {
  const name = nameOf(caller);
  return name === undefined ? { actor } : { actor: name, said: actor };
}

/** A claim with the name of the token that it came with beside what its holder says of itself. */
export function signed(body: ClaimRequest, caller: Token | null): ClaimRequest {
  const name = nameOf(caller);
  return name === undefined ? body : { ...body, holder: Object.assign({ token_name: name }, body.holder) };
}

/** Name of a named token; undefined for the one that everybody may share. */
const nameOf = (caller: Token | null): string | undefined =>
  caller && caller.name !== PLAIN_TOKEN_NAME ? caller.name : undefined;
