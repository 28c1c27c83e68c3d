import { LOCKS_PATH, SERVER_ROLLOUTS_PATH } from '@tenant-fleet/fleet-core/contract';
import { systemClock } from './clock.js';
import { Database } from './db/database.js';
import { createApp } from './http/app.js';
import { describeApi } from './http/openapi.js';
import { collectionRoutes } from './lock/api/collection.js';
import { LOCK_PREFIX, lockRoutes } from './lock/api/routes.js';
import { createLock } from './lock/lock.js';
import { healthRoutes } from './operation/health.js';
import { Metrics } from './operation/metrics.js';
import { serverRolloutRoutes } from './rollouts/routes.js';
import { Redeploy } from './rolls/rolls.js';
import { rollRoutes } from './rolls/routes.js';
import { Fleet } from './sim/fleet.js';
import { simulatedRoller } from './sim/rollout.js';
import { simRoutes } from './sim/routes.js';
import { version } from './version.js';

/** The OpenAPI document, made from the routes' own schemas; needs no database. */
export async function openApiDocument(): Promise<unknown> {
  // A pool connects at its first query only, and describing the routes makes none.
  const db = new Database('postgres://127.0.0.1:1/none');
  const origin = 'document';
  const clock = systemClock;
  const stopping = new AbortController().signal;
  const lock = createLock({ db, reads: db, renewals: db, clock, origin, queueLimit: 0 });
  const fleet = new Fleet(db, clock, origin);
  const redeploy = new Redeploy({
    db,
    store: lock.store,
    roller: simulatedRoller({ fleet, clock, legacy: false, legacyCanary: false, stopping }),
    clock,
    owner: origin,
    lockGroup: 'staging',
    legacy: false,
    log: () => {},
    onRollEnd: () => {},
  });
  const app = await createApp({
    callers: { tokens: () => [], clock, fleetGroup: 'staging' },
    stopping,
    requestsMax: 0,
    version,
    log: () => {},
  });
  const metrics = new Metrics({ db, longPolls: () => 0 }, () => {});
  await app.register(healthRoutes, { db, clock, metrics });
  await app.register(rollRoutes, { db, stopping, redeploy, emptyCanary: false, fenced: true });
  await app.register(simRoutes, { prefix: '/sim', fleet });
  await app.register(lockRoutes, {
    prefix: LOCK_PREFIX,
    db,
    stopping,
    lock,
    groups: undefined,
  });
  await app.register(collectionRoutes, { prefix: LOCKS_PATH, status: lock.status, runsRollouts: true });
  await app.register(serverRolloutRoutes, {
    prefix: SERVER_ROLLOUTS_PATH,
    db,
    rollouts: undefined,
  });
  await app.ready();
  const document = describeApi(app);
  await app.close();
  await db.close();
  return document;
}
