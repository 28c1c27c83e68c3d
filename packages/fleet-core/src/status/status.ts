/** One look at a fleet: what runs where, who holds its lock, what was proven last. Changes nothing. */
import { setMaxListeners } from 'node:events';
import { CallLog } from '../clients/control-plane/call-log.js';
import { redeployClient } from '../clients/control-plane/from-config.js';
import { refusal } from '../clients/control-plane/refusal.js';
import type { Config } from '../config/config.js';
import { refuse } from '../config/trust.js';
import type { RunContext, StageContext } from '../context.js';
import type { RolloutEntry } from '../contract.js';
import { FleetError, isFleetError } from '../errors.js';
import type { Clock } from '../io/clock.js';
import { sleep } from '../io/sleep.js';
import { readLock } from '../lock/admin.js';
import { readFleet } from '../plan/plan.js';
import { type Ports, systemPorts } from '../ports.js';
import { freesInSeconds } from '../render/lock.js';
import type { FleetStatus, Known, LockSeen, RolloutSeen } from '../result/status.js';
import { STATUS_SCHEMA } from '../result/status.js';
import { buildinfoUrl, type Observation, probe } from '../verify/probe.js';
import { askInTurns } from '../verify/turns.js';
import { recordsOf } from './history.js';
import { groupTenants, isUnfinished, nextOf } from './judge.js';
import { readLastLook } from './last-look.js';

/** A control plane may take this long to list its fleet; tenants are asked once they are known, all together so long. */
const LIST_MS = 10_000;
const ASK_MS = 2_000;
/** The newest rollouts name the tags of commits. */
const TAGS_FROM = 20;
const WATCH_MS = 5_000;
/** No image: a dry run wants a tag, and looks for none. */
const NO_TAG = 'status';

/**
 * Looks at the fleet once; tenants are asked once each. What cannot be found out is said as such.
 *
 * @throws FleetError `GATE_REFUSED` where no secret may be sent; the reason of `context.signal`.
 */
export async function readStatus(config: Config, context: RunContext = {}): Promise<FleetStatus> {
  refuse(config);
  const { clock, http } = systemPorts(context.ports);
  const started = clock.monotonic();
  const reading = known(lookAtRecord(config, context));
  // Beside the tenants: whoever looks waits for the slowest, and for no sum.
  const looking = reading.then((record) =>
    readLastLook(config, record.known ? (record.value.proven?.expected_sha ?? null) : null, {
      http,
      signal: context.signal,
    }),
  );
  const [seen, lock, record, lastLook] = await Promise.all([
    known(lookAtTenants(config, context)),
    known(lookAtLock(config, context)),
    reading,
    looking,
  ]);
  const proven = record.known ? record.value.proven : null;
  const unfinished = record.known ? record.value.unfinished : null;
  const tags = record.known ? record.value.tags : new Map<string, string>();
  const tenants = seen.known
    ? {
        known: true as const,
        value: groupTenants(seen.value, config.ephemeral, tags, proven?.expected_sha ?? null),
      }
    : seen;
  return {
    schema: STATUS_SCHEMA,
    at: new Date(clock.wall()).toISOString(),
    took_ms: Math.round(clock.monotonic() - started),
    environment: config.environment,
    control_plane: config.controlPlane,
    tenants,
    lock,
    last_proven: record.known ? { known: true, value: proven } : record,
    unfinished,
    last_look: lastLook,
    next: nextOf(tenants, lock, { proven, unfinished }, config),
    exit_code: tenants.known ? 0 : 5,
  };
}

/** The status now and after every change, until `context.signal` aborts. Outlives outages. */
export async function* watchStatus(
  config: Config,
  context: RunContext = {},
): AsyncGenerator<FleetStatus, void> {
  const { clock } = systemPorts(context.ports);
  let before = '';
  try {
    for (;;) {
      const status = await readStatus(config, context);
      const now = JSON.stringify(status, (key, value) => (isClock(key) ? undefined : value));
      if (now !== before) yield status;
      before = now;
      await sleep(clock, WATCH_MS, context.signal);
    }
  } catch (error) {
    if (!context.signal?.aborted) throw error;
  }
}

/** What differs from one look to the next though nothing has happened. */
const isClock = (key: string) =>
  ['at', 'took_ms', 'version', 'frees_in_seconds'].includes(key) || /_seconds(?:_ago)?$/.test(key);

async function known<T>(work: Promise<T>): Promise<Known<T>> {
  try {
    return { known: true, value: await work };
  } catch (error) {
    if (!isFleetError(error) || error.code === 'INTERNAL') throw error;
    return { known: false, why: error.message, next: error.next ?? null };
  }
}

async function lookAtTenants(config: Config, context: RunContext): Promise<Map<string, Observation>> {
  const { clock, random, http, hostname } = systemPorts(context.ports);
  const io = { clock, random, http, hostname, emit: () => {} };
  const slugs = await within(
    clock,
    LIST_MS,
    context.signal,
    (signal) => listOnce(config, { ...io, signal }),
    () => {
      throw new FleetError(
        'CP_UNREACHABLE',
        `the control plane at ${config.controlPlane} does not list its fleet within ${LIST_MS / 1000}s`,
        { next: 'check --control-plane, and that the control plane runs' },
      );
    },
  );
  const late: Observation = { kind: 'unreachable', why: `no answer within ${ASK_MS / 1000}s` };
  const seen = new Map<string, Observation>(slugs.map((slug) => [slug, late]));
  const timeoutMs = Math.min(config.probeTimeoutMs, ASK_MS);
  await within(
    clock,
    ASK_MS,
    context.signal,
    (signal) =>
      askInTurns({ clock, signal }, slugs, config.probeConcurrency, async (slug) => {
        seen.set(
          slug,
          await probe(http, buildinfoUrl(config.tenantUrl, slug), { timeoutMs, signal, nonce: random.uuid }),
        );
        return null;
      }),
    () => {},
  );
  return seen;
}

/**
 * The tenants that the control plane lists, in its order, asked for once.
 *
 * @throws FleetError `CP_*`; `GATE_REFUSED` where no secret may be sent; the reason of `context.signal`.
 */
export async function listTenants(config: Config, context: RunContext = {}): Promise<string[]> {
  refuse(config);
  const { clock, random, http, hostname } = systemPorts(context.ports);
  const signal = context.signal ?? new AbortController().signal;
  return listOnce(config, { clock, random, http, hostname, emit: () => {}, signal });
}

/** Lists the fleet once. Whoever looks wants to know that the control plane is away, not to wait for it. */
export async function listOnce(
  config: Config,
  context: StageContext & Pick<Ports, 'hostname'>,
): Promise<string[]> {
  const policy = { ...config, targetTag: NO_TAG };
  const sent = await redeployClient(config, context.hostname(), policy, context, new CallLog()).plan();
  if (!sent.answer) throw refusal(config.controlPlane, sent);
  if (!sent.answer.ok) {
    throw new FleetError('CP_CONTRACT', 'the control plane refused to list its fleet (ok: false)', {
      next: 'look into its log',
    });
  }
  return sent.answer.results.length ? readFleet(sent.answer.results).slugs : [];
}

/** @param late What comes instead where the time is up. */
export async function within<T>(
  clock: Clock,
  ms: number,
  outer: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
  late: () => T,
): Promise<T> {
  const timeUp = new AbortController();
  const cancel = clock.timer(ms, () => timeUp.abort(new Error('time is up')));
  const signal = outer ? AbortSignal.any([outer, timeUp.signal]) : timeUp.signal;
  // Every tenant that is asked listens to it; Node takes more than ten listeners for a leak, and says so.
  setMaxListeners(0, signal);
  try {
    return await work(signal);
  } catch (error) {
    if (outer?.aborted || !timeUp.signal.aborted) throw error;
    return late();
  } finally {
    cancel();
  }
}

async function lookAtLock(config: Config, context: RunContext): Promise<LockSeen> {
  if (!config.lock) throw noGroup();
  const status = await readLock(config, context);
  return { ...status, frees_in_seconds: status.held && freesInSeconds(status.held) };
}

async function lookAtRecord(config: Config, context: RunContext) {
  if (!config.lock) throw noGroup();
  const records = recordsOf(config, context);
  const [newest, proof] = await Promise.all([records.list({ limit: TAGS_FROM }), records.lastProof()]);
  const tags = new Map<string, string>();
  for (const { rollout } of [...newest].reverse())
    if (rollout.expected_sha) tags.set(rollout.expected_sha.toLowerCase(), rollout.target_tag);
  const [last] = newest;
  return {
    tags,
    proven: proof && seenOf(proof),
    unfinished: last && isUnfinished(last) ? seenOf(last) : null,
  };
}

const seenOf = ({
  claim_id,
  fencing_token,
  holder,
  started_at,
  ended_at,
  rollout,
}: RolloutEntry): RolloutSeen => ({
  fencing_token,
  claim_id,
  target_tag: rollout.target_tag,
  expected_sha: `${rollout.expected_sha}`.toLowerCase(),
  outcome: rollout.outcome ?? null,
  by: holder.actor ?? holder.name,
  at: ended_at ?? started_at,
  run_url: rollout.run_url ?? holder.run_url ?? null,
});

const noGroup = () =>
  new FleetError('LOCK_UNKNOWN_ENDPOINT', 'no lock group is named', {
    next: 'give --environment or --lock-group',
  });
