/** Where a rollback leads to: the last proven rollout but the current one, or one that is named. */
import { commandLine } from '../config/command-line.js';
import type { Config } from '../config/config.js';
import type { RunContext } from '../context.js';
import { type RolloutEntry, shaSchema, targetTagSchema } from '../contract.js';
import { FleetError, isFleetError } from '../errors.js';
import { oneLine } from '../text/sanitize.js';
import { parseTarget } from '../text/target.js';
import { nameList, shortSha } from '../text/words.js';
import { type Records, recordsOf } from './history.js';
import { isProof } from './judge.js';

/** The server gives no more at once. */
const PAGE = 100;
/** Older rollouts than stand on these pages are not looked through. */
const MOST_PAGES = 20;

export interface RollbackTarget {
  /** The rollout whose work is undone: the newest that rolled, or may have. */
  from: RolloutEntry;
  /** The proven rollout to whose commit the fleet is brought back. */
  to: RolloutEntry;
  /** Fencing token of the newest rollout on record: the place of this rollback among others. */
  newest: number;
}

/**
 * Finds the rollout to go back to. Changes nothing.
 *
 * @param config Of the command `rollback`.
 * @param to The beginning of a claim, at least 6 digits, as `fleet history` shows it; a fencing token; or a tag. Default:
 *   the last proven rollout but the current one.
 * @throws FleetError `FAILED` where there is no such rollout, or no single one; `CP_*`; `LOCK_UNKNOWN_ENDPOINT` where the
 *   server keeps no rollouts; `GATE_REFUSED` where no secret may be sent.
 */
export async function findRollback(
  config: Config,
  to: string | undefined,
  context: RunContext = {},
): Promise<RollbackTarget> {
  const records = recordsOf(config, context);
  const history: RolloutEntry[] = [];
  try {
    let from: RolloutEntry | null = null;
    let found: RolloutEntry | null = null;
    for await (const page of newestFirst(records)) {
      history.push(...page);
      from ??= await currentOf(page, records);
      // A name may be that of an older one as well.
      found = from && to === undefined ? lastProvenBefore(from, history) : null;
      if (found) break;
    }
    if (from && to !== undefined) found = named(to, history, config);
    if (!from || !found) throw nothingBefore(from, config);
    checkTarget(found, history, config);
    return { from, to: found, newest: history[0]?.fencing_token ?? 0 };
  } catch (error) {
    if (!isFleetError(error) || error.code !== 'LOCK_UNKNOWN_ENDPOINT') throw error;
    throw new FleetError(error.code, `${error.message}, so nothing tells what was proven before`, {
      next: byHand(config),
    });
  }
}

/**
 * The configuration of the roll that goes back: a normal roll, locked and proven, which no newer commit of a branch
 * supersedes.
 *
 * @param freeze Freezes the lock behind it, once the target is proven.
 */
export function rollbackConfig(
  config: Config,
  { to, newest }: RollbackTarget,
  freeze?: { actor: string; reason: string },
): Config {
  const { claim_id, fencing_token, rollout } = to;
  const fleet = config.gitea?.repository ?? config.environment ?? config.lock?.group ?? 'fleet';
  // Whoever goes back to where a rollback went, goes back to what that one went back to.
  const back = rollout.rollback ?? { claim_id, fencing_token };
  return {
    ...config,
    command: 'redeploy',
    targetTag: rollout.target_tag,
    expectedSha: `${rollout.expected_sha}`.toLowerCase(),
    // Decided on a newer state of the record, it goes before one that was decided on an older.
    order: { key: `rollback:${fleet}@${config.branch ?? '-'}`, number: newest },
    rollback: { claim_id: back.claim_id, fencing_token: back.fencing_token },
    ...(freeze ? { freeze } : {}),
  };
}

async function* newestFirst(records: Records): AsyncGenerator<RolloutEntry[], void> {
  let before: number | undefined;
  for (let page = 0; page < MOST_PAGES; page++) {
    const listed = await records.list({ limit: PAGE, ...(before === undefined ? {} : { before }) });
    const fresh = listed.filter(({ fencing_token: token }) => before === undefined || token < before);
    yield fresh;
    before = fresh.at(-1)?.fencing_token;
    if (before === undefined || listed.length < PAGE) return;
  }
}

/** The newest rollout that rolled, or may have. */
async function currentOf(history: readonly RolloutEntry[], records: Records): Promise<RolloutEntry | null> {
  for (const entry of history) {
    // One under way may not have rolled yet, and will have by the time the lock is had.
    if (isProof(entry) || entry.state === 'running') return entry;
    if (hasRolled(await records.one(entry.claim_id))) return entry;
  }
  return null;
}

function hasRolled({ rollout }: RolloutEntry): boolean {
  const { tenants, open_calls: open, slugs, counts } = rollout;
  if (tenants?.some(({ phase }) => phase) || open?.length) return true;
  // A record of a large fleet leaves those out that are on target.
  return !!slugs?.length && (counts?.on_target ?? 0) > 0;
}

/**
 * The newest proof of another commit than that of `from`. What a rollback went past stays behind: the commit from which
 * it went back is no place to go back to. A rollback that is not proven itself is done again.
 */
export function lastProvenBefore(from: RolloutEntry, history: readonly RolloutEntry[]): RolloutEntry | null {
  const again = from.rollout.rollback && !isProof(from) ? from.rollout.rollback.fencing_token : null;
  let below = again === null ? placeOf(from) : again + 1;
  for (const entry of history) {
    if (entry.fencing_token >= below) continue;
    if (isProof(entry) && (again !== null || shaOf(entry) !== shaOf(from))) return entry;
    below = placeOf(entry);
  }
  return null;
}

/** What lies behind a rollout: of a rollback, what lay behind the one to which it went back. */
const placeOf = ({ fencing_token, rollout }: RolloutEntry): number =>
  rollout.rollback?.fencing_token ?? fencing_token;

const shaOf = ({ rollout }: RolloutEntry) => rollout.expected_sha?.toLowerCase();

/** @throws FleetError `FAILED` where none is called so, none of them proved the fleet, or they are of several commits. */
function named(to: string, history: readonly RolloutEntry[], config: Config): RolloutEntry {
  const wanted = to.toLowerCase();
  const token = /^[1-9]\d{0,15}$/.test(to) ? Number(to) : null;
  const called = history.filter(
    ({ claim_id, fencing_token, rollout }) =>
      (wanted.length >= 6 && claim_id.startsWith(wanted)) ||
      fencing_token === token ||
      rollout.target_tag === to ||
      parseTarget(rollout.target_tag).tag === to,
  );
  const shown = JSON.stringify(oneLine(to, 140));
  const [last] = called;
  if (!last) {
    throw failed(
      `no rollout ${shown} is on record, neither by its id nor by its tag`,
      'fleet history lists them, each with what to give: fleet rollback --to ID',
    );
  }
  const proofs = called.filter(isProof);
  const commits = new Map(proofs.map((entry) => [shaOf(entry), entry]));
  const [first] = proofs;
  if (!first) {
    const { target_tag, expected_sha } = last.rollout;
    const values = { 'target-tag': target_tag, ...(expected_sha ? { 'expected-sha': expected_sha } : {}) };
    throw failed(
      `the rollout ${shown} did not prove the fleet, so it is nothing to go back to`,
      `to roll to it all the same: ${redeploy(config, values)}`,
    );
  }
  if (commits.size > 1) {
    const ways = [...commits.values()].map((entry) => `--to ${idOf(entry)} (${shortSha(`${shaOf(entry)}`)})`);
    throw failed(`${shown} stands for ${commits.size} proven commits`, `say which: ${nameList(ways, 10)}`);
  }
  return first;
}

/** @throws FleetError `FAILED` where a roll to the tag would bring something else; `CP_CONTRACT` where it is none. */
function checkTarget(to: RolloutEntry, history: readonly RolloutEntry[], config: Config): void {
  const { target_tag: tag } = to.rollout;
  if (!targetTagSchema.safeParse(tag).success || !shaSchema.safeParse(shaOf(to)).success) {
    throw new FleetError('CP_CONTRACT', `the record of rollout ${idOf(to)} names no tag or no commit`, {
      next: byHand(config),
    });
  }
  // What has a digest in it brings that image, wherever its tag went.
  const moved = history.find(
    (entry) =>
      entry.fencing_token > to.fencing_token &&
      parseTarget(entry.rollout.target_tag).tag === tag &&
      shaOf(entry) !== shaOf(to),
  );
  // The image gate looks whether the tag still is, or is again, what it was.
  if (!moved || config.image) return;
  const sha = `${shaOf(to)}`;
  throw failed(
    `the tag ${tag} has moved on: rollout ${idOf(moved)} brought ${shortSha(`${shaOf(moved)}`)} by it, so a roll to it does not bring back ${shortSha(sha)}`,
    `roll to a tag that only ${shortSha(sha)} has: ${redeploy(config, { 'target-tag': 'TAG', 'expected-sha': sha })}`,
  );
}

function nothingBefore(from: RolloutEntry | null, config: Config): FleetError {
  const group = config.lock?.group;
  const before = from
    ? `no proven rollout of ${group} but that of ${shortSha(`${shaOf(from)}`)} is on record`
    : `no rollout of ${group} is on record`;
  return failed(`${before}: there is nothing to go back to`, byHand(config));
}

const idOf = ({ claim_id }: RolloutEntry) => oneLine(claim_id).slice(0, 8);

const byHand = (config: Config) =>
  `name what to go back to: ${redeploy(config, { 'target-tag': 'TAG', 'expected-sha': 'SHA' })}`;

const redeploy = ({ environment, typed }: Config, target: Record<string, string>) =>
  commandLine(['fleet', 'redeploy'], 'redeploy', {
    ...typed,
    ...(environment ? { environment } : {}),
    ...target,
  });

const failed = (message: string, next: string) =>
  new FleetError('FAILED', `${message}; nothing was rolled`, { outcome: 'failed', next });
