import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { Server as TlsServer } from 'node:tls';
import { LOCKS_PATH } from '@tenant-fleet/fleet-core/contract';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { type Clock, systemClock } from './clock.js';
import { dashboardRoutes } from './dashboard/routes.js';
import { applicationUrl } from './db/application-role.js';
import { Channel } from './db/channel.js';
import { Database } from './db/database.js';
import { type EmbeddedDatabase, startEmbedded } from './db/embedded.js';
import { migrate } from './db/migrate.js';
import { askedToStepDown, useSchema } from './db/schema-use.js';
import { hide } from './hide.js';
import { createApp } from './http/app.js';
import { openTokens } from './http/auth/tokens-file.js';
import { drainable } from './http/drain.js';
import { REQUESTS_MAX } from './http/limit.js';
import { renewTls, type Tls, warnOfPlainHttp } from './http/tls.js';
import { collectionRoutes } from './lock/api/collection.js';
import { LOCK_PREFIX, lockRoutes } from './lock/api/routes.js';
import { createLock, type Lock } from './lock/lock.js';
import { LOCK_CHANNEL } from './lock/store/store.js';
import { type ModeOptions, startRolls, type Undo } from './modes.js';
import { healthRoutes } from './operation/health.js';
import { logCommitted, operatorLine } from './operation/logger.js';
import { Metrics } from './operation/metrics.js';
import { recordRequests } from './operation/record.js';
import { type RolloutOptions, RolloutRoom } from './rollouts/start.js';
import { ROLLOUT_CHANNEL } from './rollouts/store.js';
import { rollRoutes } from './rolls/routes.js';
import { type Fleet, SIM_CHANNEL } from './sim/fleet.js';
import { version } from './version.js';

export interface ControlPlaneOptions extends ModeOptions, RolloutOptions {
  /** Bearer token that may do everything. Every call but `/health` and `/openapi.json` needs one. */
  token?: string;
  /** File with named tokens, each with scopes of its own; read again when it changes. */
  tokensFile?: string;
  /** PostgreSQL to use. Default: an embedded server of our own. */
  databaseUrl?: string;
  /** Folder in which the embedded server keeps its data. Default: a temporary one, removed at the end. */
  dataDir?: string;
  /** Default 127.0.0.1. */
  host?: string;
  /** Certificate chain and key of the control plane, PEM. Default: plain HTTP. */
  tls?: Tls;
  /** Port of the control plane. Default 0: any free one. */
  port?: number;
  /** Lock groups that exist. Default: every valid name does. */
  groups?: readonly string[];
  /** Most claims that wait in one group. Default 100. */
  queueLimit?: number;
  /** Most requests of one client, a token at an address, in ten seconds; 0: no limit. Default 10000. */
  requestsMax?: number;
  clock?: Clock;
  /** Takes lines for the operator. Default: they go to `logger`. */
  log?: (line: string) => void;
  /** Takes requests, transitions and what the operator should know, as pino's objects. Default: none are written. */
  logger?: Logger;
}

export interface ControlPlane {
  /** Base URL, without a slash at the end. */
  url: string;
  /** URL of a tenant with `{slug}` in it; `/buildinfo` goes after it. Empty where no fleet is simulated. */
  tenantUrlTemplate: string;
  databaseUrl: string;
  /** The embedded server; undefined when `databaseUrl` was given. */
  database: EmbeddedDatabase | undefined;
  /** One sweep at once, for tests that step the clock by hand. */
  sweep(): Promise<void>;
  /** Aborts when a newer version waits until this server is gone: whoever started it closes it. */
  steppingDown: AbortSignal;
  /** Stops everything that was started. Safe to call twice. */
  close(): Promise<void>;
}

/** Starts a control plane; what was started is stopped again when that fails half way. */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const undo: Undo = [];
  const close = async () => {
    for (const step of undo.splice(0).reverse()) await step().catch(() => {});
  };
  try {
    return await start(options, undo, close);
  } catch (error) {
    await close();
    throw error;
  }
}

async function start(
  options: ControlPlaneOptions,
  undo: Undo,
  close: () => Promise<void>,
): Promise<ControlPlane> {
  const { clock = systemClock, host = '127.0.0.1', logger, legacy = false } = options;
  const log = options.log ?? ((line: string) => logger && operatorLine(logger, line));
  const origin = randomUUID();
  const rollouts = await RolloutRoom.check(options);
  const tokens = await openTokens(options, log);
  undo.push(async () => tokens.close());
  const stopping = new AbortController();
  // Every open long poll listens.
  setMaxListeners(0, stopping.signal);
  const { database, databaseUrl, steppingDown } = await openDatabase(options, rollouts, clock, log, undo);
  const { db, renewals, reads } = openPools(databaseUrl, undo);
  const metrics = openMetrics(reads, () => lock.hub.topics('').length, log, undo);

  let alongside = async () => {};
  const lock = createLock({
    db,
    reads,
    renewals,
    clock,
    origin,
    queueLimit: options.queueLimit ?? 100,
    named: [...(options.groups ?? []), ...(options.mode === 'lock' ? [] : [options.lockGroup ?? 'staging'])],
    alongside: () => alongside(),
    onCommitted: (what) => {
      metrics.committed(what);
      if (logger) logCommitted(logger, what);
    },
  });
  const world = { db, clock, origin, lock, stopping: stopping.signal, log, onRollEnd: metrics.rolled };
  const rolls = await startRolls(options, world, undo);
  alongside = async () => {
    await rolls?.alongside();
    rollouts.beat();
  };

  const channel = listenTo(databaseUrl, clock, lock, rolls?.sim?.fleet, rollouts);
  await channel.open();
  undo.push(() => channel.close());

  const app = await createApp({
    callers: { tokens: tokens.list, clock, fleetGroup: options.lockGroup ?? 'staging' },
    tls: options.tls,
    requestsMax: options.requestsMax ?? REQUESTS_MAX,
    stopping: stopping.signal,
    version,
    log,
  });
  // Before the routes: a hook applies to those that come after it.
  recordRequests(app, metrics, logger);
  const drain = drainable(app, stopping.signal);
  const shared = { db: reads, stopping: stopping.signal };
  await app.register(healthRoutes, { db: reads, clock, metrics });
  const emptyCanary = legacy || options.mode === 'gateway';
  if (rolls)
    await app.register(rollRoutes, { ...shared, redeploy: rolls.redeploy, emptyCanary, fenced: !legacy });
  await rolls?.sim?.register(app);
  if (!legacy) {
    await serveLock(app, lock, shared, { groups: options.groups && new Set(options.groups), rollouts });
    await rollouts.register(app, { ...world, onAsked: metrics.asked }, reads);
  }
  undo.push(() => drain(systemClock));
  warnOfPlainHttp(host, options.tls, log);
  await app.listen({ port: options.port ?? 0, host });
  const stopRenewing = options.tls?.files && renewTls(app.server as TlsServer, options.tls.files, log);
  undo.push(async () => stopRenewing?.());

  const tenantPort = await rolls?.sim?.listen(host);
  lock.sweep.start();
  undo.push(() => lock.sweep.stop());
  undo.push(async () => {
    logger?.info('stopping: answers what is under way');
    stopping.abort();
  });
  undo.push(async () => steppingDown.aborted && rolls?.redeploy.idle(true));
  undo.push(await rollouts.open(app));

  const plane = {
    url: `${options.tls ? 'https' : 'http'}://${urlHost(host)}:${(app.server.address() as AddressInfo).port}`,
    tenantUrlTemplate: tenantPort ? `http://${urlHost(host)}:${tenantPort}/{slug}` : '',
    database,
    sweep: () => lock.sweep.now(),
    steppingDown,
    close,
  };
  return hide(plane, { databaseUrl });
}

async function serveLock(
  app: FastifyInstance,
  lock: Lock,
  shared: { db: Database; stopping: AbortSignal },
  { groups, rollouts }: { groups: ReadonlySet<string> | undefined; rollouts: RolloutRoom },
): Promise<void> {
  const { status } = lock;
  await app.register(lockRoutes, { prefix: LOCK_PREFIX, ...shared, lock, groups });
  await app.register(dashboardRoutes, { status, db: shared.db });
  await app.register(collectionRoutes, { prefix: LOCKS_PATH, status, runsRollouts: rollouts.runs });
}

function openMetrics(
  db: Database,
  longPolls: () => number,
  log: (line: string) => void,
  undo: Undo,
): Metrics {
  const metrics = new Metrics({ db, longPolls }, ({ message }: Error) =>
    log(`metrics without the database: ${message}`),
  );
  undo.push(async () => metrics.close());
  return metrics;
}

/** The database that the options name, or one of our own; with the schema of this version. */
async function openDatabase(
  { databaseUrl: given, dataDir }: ControlPlaneOptions,
  rollouts: RolloutRoom,
  clock: Clock,
  log: (line: string) => void,
  undo: Undo,
) {
  log(given ? `data is kept in PostgreSQL at ${whereIs(given)}` : 'starting PostgreSQL');
  const database = given ? undefined : await startEmbedded(dataDir, log);
  if (database) undo.push(() => database.close());
  const ownerUrl = given ?? database?.url ?? '';
  log('preparing the database');
  await migrate(ownerUrl, askedToStepDown(clock, log));
  const leave = new AbortController();
  const steppingDown = leave.signal;
  const use = await useSchema(ownerUrl, clock, (why) => {
    if (!steppingDown.aborted) log(`${why} Stops, once what is under way is done.`);
    leave.abort();
  });
  undo.push(() => use.close());
  if (!database) return { database, databaseUrl: ownerUrl, steppingDown };
  const databaseUrl = await applicationUrl(ownerUrl, { addsSchema: rollouts.runs });
  return { database, databaseUrl, steppingDown };
}

/** Nothing that waits for a row, and nobody who only looks, keeps a renewal from coming in. */
function openPools(url: string, undo: Undo) {
  const pools = { db: new Database(url), renewals: new Database(url, 3), reads: new Database(url, 3) };
  for (const pool of Object.values(pools)) undo.push(() => pool.close());
  return pools;
}

function listenTo(
  url: string,
  clock: Clock,
  lock: Lock,
  fleet: Fleet | undefined,
  rollouts: RolloutRoom,
): Channel {
  return new Channel(url, [LOCK_CHANNEL, SIM_CHANNEL, ROLLOUT_CHANNEL], clock, {
    message(name, payload) {
      if (name === LOCK_CHANNEL) lock.heard(payload);
      else if (name === ROLLOUT_CHANNEL) rollouts.heard(payload);
      else fleet?.heard(payload);
    },
    reconnected() {
      lock.reconnected();
      fleet?.heard('');
      rollouts.heard('');
    },
  });
}

/** Host and name of a database, without who may use it. */
function whereIs(databaseUrl: string): string {
  const { host, pathname } = new URL(databaseUrl);
  return `${host}${pathname}`;
}

const urlHost = (host: string) =>
  host === '0.0.0.0' ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host;
