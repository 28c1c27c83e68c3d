/** What is not as it should be, from what was seen. Pure. */
import type { Config } from '../config/config.js';
import type { RolloutEntry } from '../contract.js';
import { frozenInWords } from '../render/lock.js';
import type { FleetStatus } from '../result/status.js';
import type { Finding } from '../result/watch.js';
import { formatDuration } from '../text/duration.js';
import { oneLine } from '../text/sanitize.js';
import { nameList, shortSha } from '../text/words.js';

export interface Seen {
  status: FleetStatus;
  /** The last proven rollout with its tenants; null: none is on record, or it cannot be read. */
  proven: RolloutEntry | null;
  /** When the newest rollout was started; null: none is on record. */
  lastStart: string | null;
  /** Green commits of the branch that are newer than the proven one, the oldest first; null: not looked at. */
  waiting: { sha: string; since: string }[] | null;
  /** Milliseconds since 1970. */
  now: number;
}

export function findingsOf(seen: Seen, limits: Config['watch']): Finding[] {
  const { status } = seen;
  if (!status.tenants.known) {
    const says = `what runs cannot be seen: ${status.tenants.why}`;
    return [{ kind: 'blind', says, slugs: [], since: null, next: status.tenants.next }];
  }
  return [
    ...ofTenants(seen, limits),
    ...ofLock(seen, limits),
    ...ofBranch(seen, limits),
    ...ofStarts(seen, limits),
  ];
}

const older = (since: string | null | undefined, ms: number, now: number): boolean =>
  ms > 0 && !!since && now - Date.parse(since) > ms;
const ago = (since: string, now: number) => formatDuration(Math.max(0, now - Date.parse(since)));

/** Who is off: tenants change by a rollout that is under way, and by nothing else. */
function ofTenants({ status, proven, now }: Seen, { maxAgeMs }: Config['watch']): Finding[] {
  const { tenants, lock } = status;
  if (!tenants.known || (lock.known && (lock.value.held || lock.value.draining))) return [];
  const { off_proven, unread, ephemeral } = tenants.value;
  const next = status.next?.command ?? null;
  const left = new Set(
    (proven?.rollout.tenants ?? []).filter((one) => one.status !== 'on_target').map(({ slug }) => slug),
  );
  const drifted = (off_proven ?? []).filter((slug) => !left.has(slug));
  const silent = unread.filter(({ slug }) => !ephemeral.includes(slug) && !left.has(slug));
  const off = [...(off_proven ?? []), ...unread.map(({ slug }) => slug)].filter((slug) => left.has(slug));
  const since = proven?.ended_at ?? proven?.started_at ?? null;
  const sha = shortSha(`${proven?.rollout.expected_sha}`);
  return [
    ...(drifted.length
      ? [
          {
            kind: 'drift' as const,
            says: `${nameList(drifted)} left the proven commit ${sha}`,
            slugs: drifted,
            since: null,
            next,
          },
        ]
      : []),
    ...(silent.length
      ? [
          {
            kind: 'silent' as const,
            says: `without a commit: ${nameList(
              silent.map(({ slug, why }) => `${slug} (${oneLine(why, 100)})`),
              10,
            )}`,
            slugs: silent.map(({ slug }) => slug),
            since: null,
            next,
          },
        ]
      : []),
    ...(off.length && older(since, maxAgeMs, now)
      ? [
          {
            kind: 'quarantine' as const,
            says: `${nameList(off)} in quarantine for ${ago(`${since}`, now)}: the last rollout left them behind`,
            slugs: off,
            since,
            next,
          },
        ]
      : []),
  ];
}

function ofLock({ status: { lock, next }, now }: Seen, { maxAgeMs }: Config['watch']): Finding[] {
  const frozen = lock.known ? lock.value.frozen : null;
  if (!frozen || !older(frozen.since, maxAgeMs, now)) return [];
  const since = `${frozen.since}`;
  const says = `deploys are frozen for ${ago(since, now)}${frozenInWords(frozen)}`;
  return [{ kind: 'freeze', says, slugs: [], since, next: next?.command ?? null }];
}

/** While somebody holds deploys back, commits wait by will; the freeze has a limit of its own. */
function ofBranch({ waiting, now, status: { lock } }: Seen, { maxLagMs }: Config['watch']): Finding[] {
  const [oldest] = waiting ?? [];
  const frozen = lock.known && lock.value.frozen;
  if (!oldest || frozen || !older(oldest.since, maxLagMs, now)) return [];
  const more = waiting && waiting.length > 1 ? ` (${waiting.length} green commits wait)` : '';
  const says = `the green commit ${shortSha(oldest.sha)} is ${ago(oldest.since, now)} old and not on the fleet${more}`;
  return [{ kind: 'behind', says, slugs: [], since: oldest.since, next: null }];
}

function ofStarts({ lastStart, now }: Seen, { maxQuietMs }: Config['watch']): Finding[] {
  if (!older(lastStart, maxQuietMs, now)) return [];
  const says = `no rollout was started for ${ago(`${lastStart}`, now)}: does the schedule still run?`;
  return [{ kind: 'quiet', says, slugs: [], since: lastStart, next: null }];
}
