/** The lock as a configuration asks for it, for a roll and for other work. */

import { clientHeader } from '../clients/control-plane/from-config.js';
import { LockClient } from '../clients/control-plane/lock.js';
import type { Config } from '../config/config.js';
import { takes } from '../config/settings.js';
import { refuse } from '../config/trust.js';
import type { ClaimHandle, RunContext } from '../context.js';
import { claimIdSchema } from '../contract.js';
import { FleetError } from '../errors.js';
import { Emitter } from '../events/emitter.js';
import { type Ports, systemPorts } from '../ports.js';
import { claimIdOf } from './claim-id.js';
import { holderOf } from './holder.js';
import type { Lease } from './lease.js';
import { withLease } from './lock.js';
import type { LockOptions } from './options.js';
import { doubtSuperseder } from './superseder.js';

/** @throws FleetError `INTERNAL` where no lock is configured. */
export function lockOptions(
  config: Config,
  ports: Pick<Ports, 'hostname' | 'http' | 'clock'>,
  context: RunContext = {},
): LockOptions {
  if (!config.lock) throw new FleetError('INTERNAL', 'no lock is configured');
  refuse(config);
  const { group, url, token, waitMs, ttlMs } = config.lock;
  return {
    server: {
      ...{ url, token, optional: takes(config.command, 'no-lock') },
      client: clientHeader(config, ports.hostname()),
    },
    ...{ group, waitMs, ttlMs },
    holder: context.durable?.holder ?? holderOf(config, ports.hostname()),
    order: config.order ?? undefined,
    claimId: claimIdOf(config.trigger, group),
    doubt: (by, signal) => doubtSuperseder(config, ports, by, signal),
    onClaim: context.onClaim,
    claim: context.durable?.claim,
  };
}

/**
 * Does other work under the lock of a fleet, and gives the lock back whatever happens.
 *
 * @param work Its lease's signal aborts when the lease is lost: nothing may start after that.
 * @throws FleetError `LOCK_TIMEOUT`, `LOCK_LOST`, `SUPERSEDED`, `LOCK_FROZEN`, `CP_*`; what `work` throws; the abort reason.
 */
export async function holdLock<T>(
  config: Config,
  work: (lease: Lease) => Promise<T>,
  context: RunContext = {},
): Promise<T> {
  const ports = systemPorts(context.ports);
  const emitter = new Emitter(ports);
  const signal = context.signal ?? new AbortController().signal;
  try {
    const options = lockOptions(config, ports, context);
    emitter.begin(`waiting for the lock ${options.group}`, options.waitMs);
    // Other work proves nothing about the fleet, and disproves nothing.
    const other = async (lease: Lease) => {
      emitter.begin(`working under the lock ${options.group}`);
      return { value: await work(lease), result: 'none' as const };
    };
    return await withLease(options, ports, emitter.emit, signal, other, 'none');
  } finally {
    emitter.close();
  }
}

/**
 * Releases what a process that was killed may have left: its place in the queue or its lease. Safe to repeat, and never
 * touches anybody else's.
 *
 * @param config Names the server, its token and the group; what was left is not trusted with them.
 * @returns Whether the server says that nothing of it is left.
 * @throws FleetError `GATE_REFUSED` where no secret may leave.
 */
export async function releaseClaim(
  config: Config,
  { claimId, session }: ClaimHandle,
  context: RunContext = {},
): Promise<boolean> {
  // It becomes a part of a path, and whoever could write where it was kept could write anything.
  refuse(config);
  if (!config.lock || !claimIdSchema.safeParse(claimId).success) return false;
  const { url, token, group } = config.lock;
  const { http, hostname } = systemPorts(context.ports);
  const client = clientHeader(config, hostname());
  const answer = await new LockClient({ url, token, http, client }, group)
    .release(claimId, { session, result: 'not_proven' }, { timeoutMs: 5_000, signal: context.signal })
    .catch(() => null);
  // A claim that ended otherwise is not there any more either.
  return answer?.kind === 'released' || (answer?.kind === 'refused' && answer.status !== 422);
}
