/** The rollouts that the lock server keeps. */
import type { NoAnswer, Refused } from '../clients/control-plane/lock.js';
import type { Config } from '../config/config.js';
import type { RunContext } from '../context.js';
import type { RolloutEntry } from '../contract.js';
import { FleetError, isFleetError } from '../errors.js';
import { fail, open } from '../lock/admin.js';
import { isProof, PROOFS } from './judge.js';

const TIMEOUT_MS = 10_000;
/** The server gives no more at once. */
const PAGE = 100;

/** A rollout, and the commit that was proven before it; null: none is on record. */
export interface PastRollout extends RolloutEntry {
  from_sha: string | null;
}

/**
 * The newest rollouts of the lock group, newest first.
 *
 * @param limit How many, 1 to 99.
 * @throws FleetError `CP_*`; `LOCK_UNKNOWN_ENDPOINT` where the server keeps none.
 */
export async function readHistory(
  config: Config,
  limit: number,
  context: RunContext = {},
): Promise<PastRollout[]> {
  const records = recordsOf(config, context);
  // One more tells where the last of them came from.
  const found = await records.list({ limit: limit + 1 });
  const oldest = found.at(limit - 1);
  const known = found.some((entry, index) => index >= limit && isProof(entry));
  const before = oldest && !known ? await records.proofBefore(oldest.fencing_token) : null;
  return withOrigins(found, before).slice(0, limit);
}

/**
 * One rollout with its tenants.
 *
 * @param id The beginning of its claim, at least 6 digits, as the list shows it; or its fencing token.
 * @throws FleetError `FAILED` where no such rollout is on record; as {@link readHistory}.
 */
export async function readRollout(
  config: Config,
  id: string,
  context: RunContext = {},
): Promise<PastRollout> {
  const records = recordsOf(config, context);
  const wanted = id.toLowerCase();
  const named = ({ claim_id }: RolloutEntry) => wanted.length >= 6 && claim_id.startsWith(wanted);
  const token = /^[1-9]\d{0,15}$/.test(wanted) ? Number(wanted) : null;
  const newest = (await records.list({ limit: PAGE })).filter(named);
  const found =
    newest.length || token === null
      ? newest
      : (await records.list({ limit: 1, before: token + 1 })).filter((one) => one.fencing_token === token);
  const [entry] = found;
  if (!entry || found.length > 1) {
    throw new FleetError(
      'FAILED',
      `${found.length ? 'more than one' : 'no'} rollout ${JSON.stringify(id.slice(0, 40))} is on record`,
      {
        outcome: 'failed',
        next: 'fleet history lists them, each with what to give',
      },
    );
  }
  const [whole, before] = await Promise.all([
    records.one(entry.claim_id),
    records.proofBefore(entry.fencing_token),
  ]);
  return { ...whole, from_sha: before };
}

/** Gives each rollout the commit that the one proven before it had. @param before That of the oldest. */
export function withOrigins(newestFirst: readonly RolloutEntry[], before: string | null): PastRollout[] {
  let from = before;
  return newestFirst
    .toReversed()
    .map((entry) => {
      const past = { ...entry, from_sha: from };
      if (isProof(entry)) from = entry.rollout.expected_sha?.toLowerCase() ?? from;
      return past;
    })
    .reverse();
}

/** The rollouts that the lock server keeps. */
export interface Records {
  /** One page, newest first, without tenants. @param page `limit`: 1 to 100; `before`: only under a lower fencing token. */
  list(page: { limit: number; before?: number; outcome?: string }): Promise<RolloutEntry[]>;
  /** The newest proof. */
  lastProof(): Promise<RolloutEntry | null>;
  /** The commit that was proven before the fencing token. */
  proofBefore(fencingToken: number): Promise<string | null>;
  one(claimId: string): Promise<RolloutEntry>;
}

/** @throws FleetError `GATE_REFUSED` where no secret may be sent; each call as {@link readHistory}. */
export function recordsOf(config: Config, context: RunContext): Records {
  const { client } = open(config, context);
  const options = { timeoutMs: TIMEOUT_MS, signal: context.signal };
  const read = async <T>(call: Promise<T | Refused | NoAnswer>): Promise<T> => {
    const answer = await call.catch((error) => noneKept(error, config));
    return isNoAnswer(answer) ? fail(config, answer) : (answer as T);
  };
  const list: Records['list'] = async (page) => (await read(client.rollouts(page, options))).rollouts;
  /** The newest proof under a lower fencing token; a server that cannot select by outcome gives others too. */
  const lastProof = async (before?: number): Promise<RolloutEntry | null> => {
    const page = { limit: 5, ...(before === undefined ? {} : { before }) };
    const pages = await Promise.all(PROOFS.map((outcome) => list({ ...page, outcome })));
    const proofs = pages.flat().filter(isProof);
    return proofs.sort((one, other) => other.fencing_token - one.fencing_token)[0] ?? null;
  };
  return {
    list,
    lastProof: () => lastProof(),
    proofBefore: async (token: number) =>
      (await lastProof(token))?.rollout.expected_sha?.toLowerCase() ?? null,
    one: async (claimId: string) => (await read(client.rollout(claimId, options))).entry,
  };
}

const isNoAnswer = (answer: unknown): answer is Refused | NoAnswer =>
  ['refused', 'no_answer'].includes((answer as { kind: string }).kind);

function noneKept(error: unknown, config: Config): never {
  if (!isFleetError(error) || error.code !== 'LOCK_UNKNOWN_ENDPOINT') throw error;
  throw new FleetError('LOCK_UNKNOWN_ENDPOINT', `${config.lock?.url} keeps no rollouts (HTTP 404)`, {
    next: 'serve the lock with fleet-control-plane, and point --lock-url at it',
  });
}
