import { timingSafeEqual } from 'node:crypto';
import { LOCKS_PATH, SERVER_ROLLOUTS_PATH } from '@tenant-fleet/fleet-core/contract';
import type { FastifyRequest } from 'fastify';
import type { Clock } from '../../clock.js';
import { Problem } from '../../problem.js';
import { scopeOf } from './scopes.js';
import { digestOf, PLAIN_TOKEN_NAME, type Token } from './tokens.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** The token that the request came with; null where none is needed. */
    caller: Token | null;
    /** Name of that token; null for the one that everybody may share. */
    owner: string | null;
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

/** @throws Problem 403 where a token is not for a lock group; for calls whose path does not name it. */
export function mayName(caller: Token | null, group: string): void {
  if (caller && !caller.mayName(group))
    throw forbidden(caller, `is not for the lock group "${group.slice(0, 63)}"`, { group });
}

function groupOf(request: FastifyRequest, route: string, fleetGroup: string): string | undefined {
  // Which group a rollout is about stands in its order.
  if (route.startsWith(SERVER_ROLLOUTS_PATH)) return undefined;
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

/** Name of a token that has one; null for the one that everybody may share. */
export const ownerOf = (caller: Token): string | null =>
  caller.name === PLAIN_TOKEN_NAME ? null : caller.name;
