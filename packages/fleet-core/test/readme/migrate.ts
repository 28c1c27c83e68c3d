import { withFleetLock } from '../../src/index.js';

/** Migrates a database while nobody rolls the fleet. */
export async function migrate(
  controlPlane: string,
  token: string,
  work: (signal: AbortSignal) => Promise<void>,
) {
  await withFleetLock({ lockGroup: 'staging', controlPlane, controlPlaneToken: token }, async (lease) => {
    lease.step = 'migrating the database';
    // Aborts when the lease is lost: from then on nothing may start.
    await work(lease.signal);
  });
}
