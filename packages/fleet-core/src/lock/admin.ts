/** What people do with a lock: look at it, watch it, break it, freeze it, read its log. */

import { clientHeader } from '../clients/control-plane/from-config.js';
import { LockClient, type NoAnswer, type Refused } from '../clients/control-plane/lock.js';
import type { Config } from '../config/config.js';
import { refuse } from '../config/trust.js';
import type { RunContext } from '../context.js';
import type { Frozen, HeldView, LockEvent, LockStatus } from '../contract.js';
import { FleetError } from '../errors.js';
import { pace, sleep } from '../io/sleep.js';
import { systemPorts } from '../ports.js';
import { frozenInWords } from '../render/lock.js';
import { oneLine } from '../text/sanitize.js';

const TIMEOUT_MS = 10_000;
/** A watch asks again at once; after a fault it pauses. */
const WATCH_SECONDS = 20;
const WATCH_PAUSE_MS = 2_000;
/** Between two questions at least: a busy lock changes more often than anybody can read. */
const WATCH_PACE_MS = 500;

/** Who does something to a lock and why: the audit log keeps both. */
export interface AuditNote {
  /** 1 to 200 characters. */
  actor: string;
  /** 1 to 500 characters. */
  reason: string;
}

/** The state of the lock. @throws FleetError `CP_*`, `LOCK_UNKNOWN_ENDPOINT`. */
export async function readLock(config: Config, context: RunContext = {}): Promise<LockStatus> {
  const { client } = open(config, context);
  const answer = await client.status({ timeoutMs: TIMEOUT_MS, signal: context.signal });
  return answer.kind === 'status' ? answer.status : fail(config, answer);
}

/**
 * The state of the lock now and after every change, until `context.signal` aborts. Outlives passing outages, and tells
 * of them by events.
 */
export async function* watchLock(config: Config, context: RunContext = {}): AsyncGenerator<LockStatus, void> {
  const { client, ports } = open(config, context);
  let version: number | undefined;
  let told = '';
  for (;;) {
    if (context.signal?.aborted) return;
    const waitSeconds = version === undefined ? 0 : WATCH_SECONDS;
    const sentAt = ports.clock.monotonic();
    try {
      const answer = await client.status({
        afterVersion: version,
        waitSeconds,
        timeoutMs: TIMEOUT_MS + waitSeconds * 1000,
        signal: context.signal,
        fresh: version === undefined,
      });
      if (answer.kind === 'status') {
        told = '';
        const news = answer.status.version !== version;
        version = answer.status.version;
        if (news) yield answer.status;
        await pace(ports, sentAt, WATCH_PACE_MS, context.signal);
      } else {
        if (answer.kind === 'refused' || version === undefined) fail(config, answer);
        const { reason } = answer;
        const waited = Math.round(ports.clock.monotonic() - sentAt);
        if (reason !== told) {
          const at = new Date(ports.clock.wall()).toISOString();
          ports.emit({ at, code: 'lock.unanswered', group: client.group, reason, waited_ms: waited });
        }
        told = reason;
        await sleep(ports.clock, WATCH_PAUSE_MS, context.signal);
      }
    } catch (error) {
      if (context.signal?.aborted) return;
      throw error;
    }
  }
}

/** The audit log from the event after `after`, oldest first. @throws FleetError as {@link readLock}. */
export async function readLockLog(config: Config, after = 0, context: RunContext = {}): Promise<LockEvent[]> {
  const { client } = open(config, context);
  const events: LockEvent[] = [];
  for (let from = after; ; ) {
    const answer = await client.events(from, { timeoutMs: TIMEOUT_MS, signal: context.signal });
    if (answer.kind !== 'events') return fail(config, answer);
    const last = answer.events.at(-1);
    // A page that brings nothing further would be asked for for ever.
    if (!last || last.seq <= from) return events;
    events.push(...answer.events);
    from = last.seq;
  }
}

/** Which lease a person wants to end. */
export interface BreakTarget {
  /** Token of the lease that the person has seen; another holder by now is never touched. */
  fencingToken: number;
  /** Ends it although its holder still renews. Default: false. */
  confirmAlive?: boolean;
}

/**
 * The lease that a break would end, told from what a person is about to be shown.
 *
 * @param seen The token that the person has seen, or its last digits.
 * @returns null where nobody holds the lock.
 * @throws FleetError `LOCK_REFUSED` as {@link breakLock}, without asking the server for what it would refuse.
 */
export function leaseToBreak(
  { group, held }: LockStatus,
  { seen, confirmAlive = false }: Pick<BreakTarget, 'confirmAlive'> & { seen?: string },
): HeldView | null {
  if (!held) return null;
  if (seen !== undefined && !isToken(String(held.fencing_token), seen)) throw otherHolder(group, seen);
  if (held.alive && !confirmAlive) throw holderAlive(group);
  return held;
}

/** Holds follow each other by one: three digits tell them apart. */
const isToken = (token: string, seen: string) => token === seen || (seen.length > 2 && token.endsWith(seen));

/**
 * Ends the lease that a person has seen.
 *
 * @throws FleetError `LOCK_REFUSED` where somebody else holds the lock by now, or the holder is alive.
 */
export async function breakLock(
  config: Config,
  { fencingToken, confirmAlive, ...note }: BreakTarget & AuditNote,
  context: RunContext = {},
): Promise<void> {
  const { client } = open(config, context);
  const body = { fencing_token: fencingToken, ...note, ...(confirmAlive ? { confirm_alive: true } : {}) };
  const answer = await client.act('break', body, { timeoutMs: TIMEOUT_MS, signal: context.signal });
  if (answer.kind === 'done') return;
  if (answer.kind === 'refused' && answer.problem.error === 'token_mismatch') {
    throw otherHolder(client.group, fencingToken);
  }
  if (answer.kind === 'refused' && answer.problem.error === 'holder_alive') {
    throw holderAlive(client.group);
  }
  fail(config, answer);
}

const otherHolder = (group: string, fencingToken: number | string) =>
  new FleetError(
    'LOCK_REFUSED',
    `fencing token ${fencingToken} does not hold ${group} any more: nothing was broken`,
    { outcome: 'refused', next: `look again with: fleet lock status --lock-group ${group}` },
  );

const holderAlive = (group: string) =>
  new FleetError('LOCK_REFUSED', `the holder of ${group} is alive and renews its lease: nothing was broken`, {
    outcome: 'refused',
    next: 'wait for it, or end that run; --confirm-alive breaks it all the same',
  });

export interface Freeze extends AuditNote {
  /** When it ends by itself, ISO 8601; absent: a person lifts it. */
  until?: string;
  /** Takes the place of a freeze that stands. Default: false. */
  replace?: boolean;
}

/**
 * Holds back every grant until it is lifted; the queue keeps its order.
 *
 * @throws FleetError `LOCK_REFUSED` where a freeze stands already; `CP_*`, `LOCK_UNKNOWN_ENDPOINT`.
 */
export async function freezeLock(config: Config, freeze: Freeze, context: RunContext = {}): Promise<void> {
  const { replace, ...note } = freeze;
  await act(config, 'freeze', { ...note, ...(replace ? { replace } : {}) }, context);
}

/** Lifts a freeze. @throws FleetError `LOCK_REFUSED` where there is none; `CP_*`, `LOCK_UNKNOWN_ENDPOINT`. */
export async function unfreezeLock(config: Config, note: AuditNote, context: RunContext = {}): Promise<void> {
  await act(config, 'unfreeze', { ...note }, context);
}

async function act(
  config: Config,
  verb: 'freeze' | 'unfreeze',
  body: Record<string, unknown>,
  context: RunContext,
) {
  const { client } = open(config, context);
  const answer = await client.act(verb, body, { timeoutMs: TIMEOUT_MS, signal: context.signal });
  if (answer.kind === 'done') return;
  if (answer.kind === 'refused' && answer.problem.error === 'already_frozen')
    throw alreadyFrozen(client.group, answer.problem.frozen ?? {});
  if (answer.kind === 'refused' && answer.problem.error === 'not_frozen') throw notFrozen(client.group);
  fail(config, answer);
}

const alreadyFrozen = (group: string, frozen: Frozen) =>
  new FleetError('LOCK_REFUSED', `the lock ${group} is frozen already${frozenInWords(frozen)}`, {
    outcome: 'refused',
    next: `it stands as it was; to put yours in its place: fleet lock freeze --lock-group ${group} --replace --reason "..."`,
  });

const notFrozen = (group: string) =>
  new FleetError('LOCK_REFUSED', `the lock ${group} is not frozen: nothing was lifted`, {
    outcome: 'refused',
    next: `look with: fleet lock status --lock-group ${group}`,
  });

export function open(config: Config, context: RunContext) {
  const ports = systemPorts(context.ports);
  if (!config.lock) throw new FleetError('INTERNAL', 'no lock is configured');
  refuse(config);
  const { url, token } = config.lock;
  const client = clientHeader(config, ports.hostname());
  const server = { url, token, http: ports.http, client };
  return { client: new LockClient(server, config.lock.group), ports };
}

export function fail(config: Config, answer: Refused | NoAnswer): never {
  const url = config.lock?.url;
  if (answer.kind === 'no_answer') {
    throw new FleetError('CP_UNREACHABLE', `the lock server at ${url} gives no answer: ${answer.reason}`, {
      next: answer.reached
        ? 'it is unable at the moment: try again in a minute'
        : 'check --control-plane or --lock-url, and that the control plane runs',
    });
  }
  throw new FleetError(
    'CP_CONTRACT',
    `the lock server refused (HTTP ${answer.status}, ${oneLine(answer.problem.error, 60)})`,
    {
      next: answer.problem.detail ? oneLine(answer.problem.detail) : undefined,
    },
  );
}
