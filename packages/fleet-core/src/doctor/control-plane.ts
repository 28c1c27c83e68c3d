/** The control plane, its tenants and its lock, as a roll would use them. Changes nothing. */
import type { Config } from '../config/config.js';
import type { StageContext } from '../context.js';
import { LOCKS_PATH, lockCollectionSchema } from '../contract.js';
import { FleetError, isFleetError } from '../errors.js';
import { HttpFailure } from '../io/http.js';
import { readLock } from '../lock/admin.js';
import { missingInWords } from '../lock/errors.js';
import type { Ports } from '../ports.js';
import { frozenInWords } from '../render/lock.js';
import type { DoctorCheck } from '../result/doctor.js';
import { recordsOf } from '../status/history.js';
import { readLastLook } from '../status/last-look.js';
import { listOnce, within } from '../status/status.js';
import { formatDuration } from '../text/duration.js';
import { parseJson } from '../text/json.js';
import { oneLine } from '../text/sanitize.js';
import { nameList, plural } from '../text/words.js';
import { buildinfoUrl, probe } from '../verify/probe.js';
import { ok, problem, problemOf, skipped, warning } from './check.js';

const LIST_MS = 10_000;
const LOCK_MS = 10_000;
/** Tenants that are asked, from all over the list. */
const SAMPLE = 5;
const ASK_MS = 5_000;
/** A freeze ends at a moment; whoever sets it reads another clock than the server does. */
const CLOCK_MS = 30_000;

/** A watch that has not looked for so long is taken for one that stopped. */
const LOOK_MS = 6 * 3_600_000;

/** Where the token of a server comes from; null: there is none. */
export interface TokenSources {
  controlPlane: string | null;
  lock: string | null;
}

export async function checkControlPlane(
  config: Config,
  sources: TokenSources,
  io: StageContext & Pick<Ports, 'hostname'>,
): Promise<DoctorCheck[]> {
  const name = 'control plane';
  const token = `its token comes from ${sources.controlPlane}`;
  try {
    const slugs = await within(
      io.clock,
      LIST_MS,
      io.signal,
      (signal) => listOnce(config, { ...io, signal }),
      late,
    );
    const says = `${config.controlPlane} accepts the token and lists ${plural(slugs.length, 'tenant')}; ${token}`;
    if (slugs.length) return [ok(name, says), await checkTenants(config, slugs, io)];
    return [
      problem(name, says, 'look whether it is the control plane of this fleet: fleet config'),
      noTenants,
    ];
  } catch (error) {
    const found = problemOf(name, error);
    return [{ ...found, says: `${found.says}; ${token}`, next: mend(error, found.next) }, noTenants];
  }
}

/** The server says what a client has to send; whoever reads this has to give it. */
const mend = (error: unknown, next: string | null) =>
  isFleetError(error) && error.code === 'CP_UNAUTHORIZED'
    ? 'give the token of this server: --token-file FILE (for a lock of its own --lock-token-file), or FLEET_CP_TOKEN'
    : next;

const late = () => {
  throw new FleetError('CP_UNREACHABLE', `it does not list its fleet within ${LIST_MS / 1000}s`, {
    next: 'check --control-plane, and that the control plane runs',
  });
};
const noTenants = skipped('tenants', 'not asked: the fleet is not known');

/** A sample: whether the tenants can be read at all, not what each of them runs. */
async function checkTenants(config: Config, slugs: string[], io: StageContext): Promise<DoctorCheck> {
  const step = Math.max(1, slugs.length / SAMPLE);
  const sample = [...new Set(Array.from({ length: SAMPLE }, (_, index) => slugs[Math.floor(index * step)]))];
  const asked = sample.filter((slug) => slug !== undefined);
  const timeoutMs = Math.min(config.probeTimeoutMs, ASK_MS);
  const options = { timeoutMs, signal: io.signal, nonce: io.random.uuid };
  const answers = await Promise.all(
    asked.map(async (slug) => ({
      slug,
      seen: await probe(io.http, buildinfoUrl(config.tenantUrl, slug), options),
    })),
  );
  const unread = answers.flatMap(({ slug, seen }) =>
    seen.kind === 'invalid' || seen.kind === 'unreachable' ? [`${slug}: ${oneLine(seen.why, 120)}`] : [],
  );
  const of = `${asked.length} of ${slugs.length} were asked`;
  if (!unread.length) return ok('tenants', `${of}, and all of them answer with buildinfo`);
  const next = `check --tenant-url, and what stands in front of it: curl -i ${buildinfoUrl(config.tenantUrl, unread[0]?.split(':')[0] ?? '')}`;
  const says = `${of}, and ${unread.length} cannot be read: ${nameList(unread, 3, '; ')}`;
  return unread.length === asked.length ? problem('tenants', says, next) : warning('tenants', says, next);
}

export async function checkLock(
  config: Config,
  sources: TokenSources,
  io: StageContext,
): Promise<DoctorCheck[]> {
  const { lock } = config;
  if (!lock) return [warning('lock', 'rolls without a lock (--no-lock): nothing keeps two rolls apart')];
  const { http, random, clock, signal } = io;
  try {
    const status = await readLock(config, { ports: { http, random, clock }, signal }).catch(unnamed);
    const { features, clockMs } = await askCollection(lock, io);
    const who = `${lock.url} serves the lock ${lock.group}; its token comes from ${sources.lock}`;
    const missing = missingInWords(new Set(features));
    return [
      status === null
        ? warning(
            'lock',
            `${who}; nobody has used this name there yet`,
            'the first roll makes it; check --lock-group where there were some',
          )
        : ok('lock', who),
      missing
        ? warning('lock features', missing, 'serve the lock with the newest fleet-control-plane')
        : ok('lock features', features.join(', ')),
      ...(status?.frozen
        ? [
            warning(
              'freeze',
              `deploys are frozen${frozenInWords(status.frozen)}`,
              `fleet lock unfreeze --lock-group ${lock.group} --reason "it is over"`,
            ),
          ]
        : []),
      clockOf(clockMs),
    ];
  } catch (error) {
    const found = problemOf('lock', error);
    return [{ ...found, next: mend(error, found.next) }];
  }
}

/** The watch is watched: by its last look. */
export async function checkWatch(config: Config, io: StageContext): Promise<DoctorCheck[]> {
  const { http, random, clock, signal } = io;
  if (!config.gitea || !config.lock) return [];
  const proof = await recordsOf(config, { ports: { http, random, clock }, signal })
    .lastProof()
    .catch(() => null);
  const look = await readLastLook(config, proof?.rollout.expected_sha ?? null, { http, signal });
  if (!look?.known || !proof) return [skipped('watch', 'no look is on record that could be read')];
  const at = look.value?.at ?? proof.ended_at ?? proof.started_at;
  const age = clock.wall() - Date.parse(at);
  const says = look.value
    ? `its last look was ${formatDuration(Math.max(0, age))} ago: ${look.value.says}`
    : 'no look since the last proven rollout';
  if (age <= LOOK_MS) return [ok('watch', says)];
  const next = 'fleet watch --commit-status, and look whether the workflow that runs it still starts';
  return [warning('watch', says, next)];
}

/** A group without a history is no fault. */
function unnamed(error: unknown): null {
  if (
    isFleetError(error) &&
    error.code === 'LOCK_UNKNOWN_ENDPOINT' &&
    / knows no lock group /.test(error.message)
  )
    return null;
  throw error;
}

/** What the server can do, and how far its clock is ahead of this one. */
async function askCollection(lock: NonNullable<Config['lock']>, { http, clock, signal }: StageContext) {
  try {
    const answer = await http({
      method: 'GET',
      url: lock.url + LOCKS_PATH,
      headers: { authorization: `Bearer ${lock.token}` },
      timeoutMs: LOCK_MS,
      maxBytes: 4 * 1024 * 1024,
      signal,
    });
    const date = Date.parse(answer.headers.date ?? '');
    const { features } = lockCollectionSchema.safeParse(parseJson(answer.body)).data ?? { features: [] };
    return { features, clockMs: Number.isNaN(date) ? null : date - clock.wall() };
  } catch (error) {
    if (!(error instanceof HttpFailure) || signal.aborted) throw error;
    return { features: [], clockMs: null };
  }
}

function clockOf(ms: number | null): DoctorCheck {
  if (ms === null) return skipped('clock', 'the lock server does not tell its time');
  if (Math.abs(ms) <= CLOCK_MS) return ok('clock', 'this machine and the lock server agree on the time');
  const says = `this machine is ${formatDuration(Math.abs(ms))} ${ms > 0 ? 'behind' : 'ahead of'} the lock server`;
  return warning(
    'clock',
    `${says}: leases do not mind, the end of a freeze does`,
    'set the clock, for example by NTP',
  );
}
