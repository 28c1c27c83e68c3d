import { randomBytes } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { FleetError, type Http, systemClock, systemHttp } from '@tenant-fleet/fleet-core';
import { LOCKS_PATH, lockCollectionSchema, REDEPLOY_PATH } from '@tenant-fleet/fleet-core/contract';
import pLimit from 'p-limit';
import type { Bench, Case } from './case.js';
import { HARMLESS } from './cases/redeploy.js';
import { CASES } from './cases.js';
import { type FleetOptions, ScratchFleet } from './fleet.js';
import { Group } from './group.js';
import { Miss, Unproven } from './miss.js';
import { type CaseResult, CONFORMANCE_SCHEMA, type ConformanceReport } from './report.js';
import { type Answer, Server } from './server.js';

/** Cases that are tried at once, each in a lock group of its own. */
const AT_ONCE = 8;

export interface ConformanceOptions {
  /** Base URL of the control plane. */
  url: string;
  /** Bearer token; it needs every right. */
  token: string;
  /** A scratch lock group, used by one case after the other. Default: new groups, `conformance-...`, several at once. */
  lockGroup?: string;
  /** A fleet that may be rolled at will. Default: safe mode, which rolls nothing. */
  fleet?: FleetOptions;
  /** Ids of the cases to try. Default: all. */
  only?: readonly string[];
  /** Told of each case when it came out. */
  onResult?: (result: CaseResult) => void;
  signal?: AbortSignal;
  /** Default: the HTTP of the system, through a proxy where the environment names one. */
  http?: Http;
}

/**
 * Holds a control plane against the contract. Nothing is rolled without `fleet`; the lock groups that it uses stay behind,
 * free.
 *
 * @throws FleetError `CP_UNREACHABLE`, `CP_UNAUTHORIZED`; the reason of `signal`.
 */
export async function runConformance(options: ConformanceOptions): Promise<ConformanceReport> {
  const { lockGroup, fleet: fleetOptions, only, onResult } = options;
  const signal = endingWith(options.signal);
  const begun = performance.now();
  const http = options.http ?? systemHttp(systemClock, { env: process.env });
  const server = new Server(options.url.replace(/\/+$/, ''), options.token, http, signal);
  const known = await learn(server);
  const fleet = fleetOptions && new ScratchFleet(server, fleetOptions, signal);
  const scratch = `conformance-${randomBytes(5).toString('hex')}`;
  const limit = pLimit(AT_ONCE);
  const inTurn = pLimit(1);

  const attempt = async (one: Case): Promise<CaseResult> => {
    const why = whyNot(one, known, fleet !== undefined);
    if (why) return resultOf(one, why.status, why.detail, 0);
    const name = one.full ? fleetOptions?.lockGroup : lockGroup;
    const group = new Group(server, name ?? `${scratch}-${one.id}`);
    const started = performance.now();
    const outcome = await check(one, { server, group, fleet });
    await group.tidy();
    signal.throwIfAborted();
    const result = resultOf(one, outcome.status, outcome.detail, performance.now() - started);
    return result;
  };
  const wanted = CASES.filter(({ id }) => !only || only.includes(id));
  const cases = await Promise.all(
    wanted.map(async (one) => {
      const turn = one.full || lockGroup !== undefined ? inTurn : limit;
      const result = await turn(() => attempt(one));
      onResult?.(result);
      return result;
    }),
  );
  const count = (status: CaseResult['status']) => cases.filter((one) => one.status === status).length;
  const counts = { passed: count('passed'), missed: count('missed'), skipped: count('skipped') };
  return {
    schema: CONFORMANCE_SCHEMA,
    url: server.url,
    mode: fleet ? 'full' : 'safe',
    features: known.features,
    conforms: counts.missed === 0 && counts.passed > 0,
    counts,
    duration_ms: Math.round(performance.now() - begun),
    cases,
  };
}

/** A signal of our own: hundreds of requests listen to it, and the caller's stays as it is. */
function endingWith(signal: AbortSignal | undefined): AbortSignal {
  const end = new AbortController();
  setMaxListeners(0, end.signal);
  if (signal?.aborted) end.abort(signal.reason);
  signal?.addEventListener('abort', () => end.abort(signal.reason), { once: true });
  return end.signal;
}

interface Known {
  features: string[];
  /** Why there is no such part; undefined where there is one. */
  noLock: string | undefined;
  noRedeploy: string | undefined;
}

/** What the server serves at all: each missing part is found out once, and not by each of its cases. */
async function learn(server: Server): Promise<Known> {
  const reach = (call: Promise<Answer>) =>
    call.catch((error: unknown) => {
      if (!(error instanceof Miss)) throw error;
      throw new FleetError('CP_UNREACHABLE', `${server.url} cannot be reached: ${error.message}`, {
        next: 'check the URL, and that the control plane runs',
      });
    });
  const collection = await reach(server.collection());
  const lock = await reach(server.call('GET', `${LOCKS_PATH}/conformance-nobody`));
  const redeploy = await reach(server.redeploy(HARMLESS));
  if ([collection, lock, redeploy].every(({ status }) => status === 401 || status === 403)) {
    throw new FleetError('CP_UNAUTHORIZED', `${server.url} does not accept the token (HTTP ${lock.status})`, {
      next: 'check FLEET_CP_TOKEN: it needs the right to read, to roll and to operate',
    });
  }
  const parsed = lockCollectionSchema.safeParse(collection.json);
  const isMissing = ({ status, error }: Answer) =>
    status === 501 || status === 405 || (status === 404 && error !== 'unknown_group');
  return {
    features: collection.status === 200 && parsed.success ? parsed.data.features : [],
    noLock: isMissing(lock) ? `there is no lock at ${LOCKS_PATH} (HTTP ${lock.status})` : undefined,
    noRedeploy: isMissing(redeploy) ? `there is no ${REDEPLOY_PATH} (HTTP ${redeploy.status})` : undefined,
  };
}

/** Why a case is not tried, and what that means. */
function whyNot(
  { id, feature, full }: Case,
  { features, noLock, noRedeploy }: Known,
  rolls: boolean,
): { status: 'missed' | 'skipped'; detail: string } | undefined {
  const isLock = id.startsWith('4.');
  if (isLock && noLock) return { status: 'missed', detail: noLock };
  // A server of the lock alone serves none, and says so by that.
  if ((id.startsWith('3.') || (isLock && full)) && noRedeploy)
    return { status: 'skipped', detail: noRedeploy };
  if (feature && !features.includes(feature))
    return { status: 'skipped', detail: `the server does not list the feature "${feature}"` };
  if (full && !rolls) return { status: 'skipped', detail: 'it rolls tenants: give a scratch fleet (--full)' };
  return undefined;
}

async function check(one: Case, bench: Bench): Promise<Pick<CaseResult, 'status' | 'detail'>> {
  try {
    await one.check(bench);
    return { status: 'passed', detail: null };
  } catch (error) {
    if (error instanceof Unproven) return { status: 'skipped', detail: error.message };
    if (error instanceof Miss) return { status: 'missed', detail: error.message };
    throw error;
  }
}

const resultOf = (
  { id, title, loses }: Case,
  status: CaseResult['status'],
  detail: string | null,
  ms: number,
): CaseResult => ({
  ...{ id, title, status, detail },
  loses: status === 'missed' ? loses : null,
  duration_ms: Math.round(ms),
});
