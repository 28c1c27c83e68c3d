/** A lease lent to a child process: what it is told, when it must be gone, and how it rolls under the lease. */
import { clientHeader } from '../clients/control-plane/from-config.js';
import { LockClient } from '../clients/control-plane/lock.js';
import type { Fence } from '../clients/control-plane/redeploy.js';
import type { Config } from '../config/config.js';
import type { RunContext } from '../context.js';
import { FleetError, isFleetError } from '../errors.js';
import { type Emit, Emitter } from '../events/emitter.js';
import { sleep } from '../io/sleep.js';
import { systemPorts } from '../ports.js';
import { readLock } from './admin.js';
import { DrainWatch } from './draining.js';
import { lockTimeout } from './errors.js';
import type { Lease } from './lease.js';
import { RolloutRecords } from './records.js';

/** How often a child asks again whether the lease is usable. */
const ASK_AGAIN_MS = 1_000;
const BUSY = 'another rollout goes on under the same lease';

/** Variables that let a `fleet redeploy` in the child roll under this lease instead of waiting behind it. */
export function leaseEnv(
  lease: Pick<Lease, 'group' | 'claimId' | 'fencingToken'>,
): Record<'FLEET_LOCK_GROUP' | 'FLEET_LOCK_CLAIM' | 'FLEET_LOCK_FENCE', string> {
  return {
    FLEET_LOCK_GROUP: lease.group,
    FLEET_LOCK_CLAIM: lease.claimId,
    FLEET_LOCK_FENCE: String(lease.fencingToken),
  };
}

/**
 * Milliseconds that a child may still take to end, asked at the moment the lease is lost: half of what is left until
 * the server may grant to somebody else. A machine that slept has nothing left to give.
 */
export function killInMs({ graceMs, usableForMs }: Pick<Lease, 'graceMs' | 'usableForMs'>): number {
  return Math.max(0, graceMs / 2 + Math.min(0, usableForMs));
}

/**
 * Whether a parent process already holds the lock for this one. Waits while a roll under an older token still runs.
 *
 * @throws FleetError `LOCK_LOST` where the lease that the parent handed down holds no more; as {@link readLock}.
 */
export async function isLeaseInherited(config: Config, context: RunContext = {}): Promise<boolean> {
  if (config.lock?.inheritedToken === undefined) return false;
  const emitter = new Emitter(systemPorts(context.ports));
  try {
    await leaseHolds(config, context, emitter.emit);
    return true;
  } finally {
    emitter.close();
  }
}

/** What a child rolls with: the fence, and the record of the claim, which only the session of the parent opens. */
export interface Lent {
  fence: Fence;
  records: RolloutRecords | null;
}

/**
 * Rolls under the lease of a parent process: asks the lock server whether it holds before anything is done, before each
 * roll, and before the end of the work is believed. One lease carries one rollout at a time; see `RunContext.lender`.
 *
 * @param emit Told of what is waited for.
 * @param work Gets a signal that aborts as `signal` does, and where the parent gives up the lease.
 * @throws FleetError `LOCK_LOST`, `LOCK_TIMEOUT` where other children of the parent take too long; what `work` throws.
 */
export async function underParentsLease<T>(
  config: Config,
  context: RunContext & { signal: AbortSignal },
  emit: Emit,
  work: (lent: Lent, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { group = '', inheritedToken: token = 0 } = config.lock ?? {};
  const claimId = await leaseHolds(config, context, emit);
  const turn = await turnOf(config, context);
  const signal = turn ? AbortSignal.any([context.signal, turn.lost]) : context.signal;
  const ready = async (signal: AbortSignal): Promise<void> => {
    await leaseHolds(config, { ...context, signal }, emit);
  };
  try {
    if (turn) await ready(signal);
    const records = await recordsOf(config, context, claimId, emit, signal);
    const done = await work({ fence: { group, fencingToken: token, claimId, ready }, records }, signal);
    await ready(signal);
    return done;
  } finally {
    turn?.end();
  }
}

async function recordsOf(
  config: Config,
  { ports }: RunContext,
  claimId: string,
  emit: Emit,
  signal: AbortSignal,
): Promise<RolloutRecords | null> {
  const { lock } = config;
  if (!lock?.inheritedSession) {
    const reason =
      'FLEET_LOCK_SESSION is not set, so no record of this rollout is kept: the next run does not learn what it left open';
    emit({ code: 'warning', reason });
    return null;
  }
  const { clock, http, hostname } = systemPorts(ports);
  const { url, token, group, inheritedToken: fencingToken = 0, inheritedSession: session } = lock;
  const client = new LockClient({ url, token, http, client: clientHeader(config, hostname()) }, group);
  const records = new RolloutRecords(client, { claimId, session, fencingToken }, { clock }, emit);
  await records.learn(signal);
  return records;
}

/** Waits for the turn of this process, as long as it would wait for a lock. */
async function turnOf(config: Config, { lender, signal, ports }: RunContext & { signal: AbortSignal }) {
  if (!lender) return null;
  const { clock } = systemPorts(ports);
  const { group = '', waitMs = 0 } = config.lock ?? {};
  const late = new AbortController();
  const cancel = clock.timer(waitMs, () => late.abort(lockTimeout(group, null, waitMs, BUSY)));
  try {
    return await lender.turn(AbortSignal.any([signal, late.signal]));
  } finally {
    cancel();
  }
}

/** Resolves with the claim of the parent once its lease is usable. @throws FleetError `LOCK_LOST`; as {@link readLock}. */
async function leaseHolds(config: Config, context: RunContext, emit: Emit): Promise<string> {
  const { clock } = systemPorts(context.ports);
  const { group = '', inheritedToken: token, ttlMs = 0 } = config.lock ?? {};
  const end = clock.monotonic() + ttlMs;
  const drains = new DrainWatch(group, clock, emit);
  for (;;) {
    const status = await readLock(config, context).catch((error) => {
      // A passing outage says nothing about the lease; one that lasts as long as a lease does ends the work.
      if (!isFleetError(error) || error.code !== 'CP_UNREACHABLE' || clock.monotonic() >= end) throw error;
      return null;
    });
    if (status && status.held?.fencing_token !== token) throw leaseGone(group, token);
    if (status?.held?.alive && !status.draining) return status.held.claim_id;
    if (status?.draining) drains.sees(status.draining);
    if (status && !status.held?.alive && clock.monotonic() >= end) throw leaseGone(group, token);
    await sleep(clock, ASK_AGAIN_MS, context.signal);
  }
}

const leaseGone = (group?: string, token?: number) =>
  new FleetError(
    'LOCK_LOST',
    `the lease that FLEET_LOCK_FENCE names (${token}) does not hold ${group} any more`,
    { outcome: 'lock_lost', next: 'unset FLEET_LOCK_FENCE to take a lock of its own' },
  );
