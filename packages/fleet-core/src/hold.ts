/** The lock as a configuration asks for it, for a roll and for other work. */
import { claimIdOf } from './claim-id.js';
import type { Config } from './config.js';
import { Emitter } from './emitter.js';
import { FleetError } from './errors.js';
import { holderOf } from './holder.js';
import type { Lease } from './lease.js';
import { type LockOptions, withFleetLock } from './lock.js';
import { type Ports, systemPorts } from './ports.js';
import type { RunContext } from './run.js';

/** @throws FleetError `INTERNAL` where no lock is configured. */
export function lockOptions(config: Config, ports: Pick<Ports, 'hostname'>): LockOptions {
  if (!config.lock) throw new FleetError('INTERNAL', 'no lock is configured');
  const { group, url, waitMs, ttlMs } = config.lock;
  return {
    server: { url, token: config.controlPlaneToken },
    ...{ group, waitMs, ttlMs },
    holder: holderOf(config, ports.hostname()),
    order: config.order ?? undefined,
    claimId: claimIdOf(config.trigger, group),
  };
}

/**
 * Does other work under the lock of a fleet, and gives the lock back whatever happens.
 *
 * @param work Its lease's signal aborts when the lease is lost: nothing may start after that.
 * @throws FleetError `LOCK_TIMEOUT`, `LOCK_LOST`, `SUPERSEDED`, `HELD`, `CP_*`; what `work` throws; the abort reason.
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
    // Other work proves nothing about the fleet, so its release never says so.
    return await withFleetLock(lockOptions(config, ports), ports, emitter.emit, signal, async (lease) => ({
      value: await work(lease),
      proven: false,
    }));
  } finally {
    emitter.close();
  }
}
