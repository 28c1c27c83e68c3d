/** What a run leaves behind on the lock server: for people, and for the run that comes next. */
import type { OpenRoll } from '../clients/control-plane/call-log.js';
import type { Config } from '../config/config.js';
import {
  type Flips,
  type OpenCall,
  ROLLOUT_TENANTS_MAX,
  ROLLOUT_TIMELINE_MAX,
  type RolloutRecord,
  type Unsettled,
} from '../contract.js';
import type { Policy, TimelineEntry } from '../result/result.js';
import type { Ledger } from '../verify/ledger.js';
import { VERSION } from '../version.js';

export interface RecordFacts {
  environment: string | null;
  targetTag: string;
  expectedSha: string | null;
  policy: Policy;
  runUrl: string | null;
  ledger: Ledger;
  /** The whole fleet, also where this run is about a part of it. */
  fleet: string[];
  /** The rollout to which it goes back, where it does. */
  rollback?: Config['rollback'];
  /** Rolls that may still run. */
  openRolls: OpenRoll[];
  /** What the rollout before this one left unsettled. */
  inherited: Unsettled[];
  /** How quick its tenants were; null where none was seen to flip. */
  flips: Flips | null;
  /** What has happened so far. */
  timeline: readonly TimelineEntry[];
  /** Absent while the run goes on. */
  ending?: { outcome: string; reason: string };
}

/** The rollout as it stands now. */
export function recordOf(facts: RecordFacts): RolloutRecord {
  const { ledger, policy, fleet, ending } = facts;
  const every = ledger.results();
  const many = every.length > ROLLOUT_TENANTS_MAX;
  const kept = many
    ? every.filter(({ slug, status }) => slug === policy.canary || status !== 'on_target')
    : every;
  return {
    ...(facts.environment === null ? {} : { environment: facts.environment }),
    target_tag: facts.targetTag,
    expected_sha: facts.expectedSha,
    ...ending,
    counts: ledger.counts() as Record<string, number>,
    tenants: kept
      .slice(0, ROLLOUT_TENANTS_MAX)
      .map(({ slug, status, phase, baseline_sha, observed_sha }) => ({
        ...{ slug, status, phase, baseline_sha, observed_sha },
        ...(ledger.get(slug).soaked ? { soaked: true } : {}),
      })),
    ...(many || fleet.length !== every.length ? { slugs: fleet } : {}),
    ...(every.length < fleet.length ? { scope: { tenants: every.length, of: fleet.length } } : {}),
    ...(facts.rollback ? { rollback: facts.rollback } : {}),
    open_calls: facts.openRolls.flatMap((roll) => openCallOf(roll, facts)),
    unsettled: unsettledOf(facts),
    policy: { ...policy },
    tool_version: VERSION,
    ...(facts.runUrl === null ? {} : { run_url: facts.runUrl }),
    ...(facts.flips === null ? {} : { flips: facts.flips }),
    // Once, at its end: a record is written anew around each wave.
    ...(ending
      ? { timeline: timelineOf(facts.timeline, new Set(kept.map(({ slug }) => slug)), policy) }
      : {}),
  };
}

/** What is drawn of it: of a big fleet the waves, and the tenants that the record has. */
function timelineOf(
  timeline: readonly TimelineEntry[],
  kept: ReadonlySet<string>,
  { canary }: Policy,
): TimelineEntry[] {
  const told = timeline.filter(({ slug }) => slug === undefined || kept.has(slug));
  if (told.length <= ROLLOUT_TIMELINE_MAX) return told;
  return told.filter(({ slug }) => slug === undefined || slug === canary).slice(-ROLLOUT_TIMELINE_MAX);
}

/** A tenant that a roll of this run has brought on target is settled, whatever was rolled before it. */
function unsettledOf({ ledger, fleet, expectedSha, inherited }: RecordFacts): Unsettled[] {
  const here = new Set(fleet);
  const rolled = ledger.slugs.filter((slug) => ledger.get(slug).phase !== null);
  const proven = new Set(rolled.filter((slug) => ledger.isOnTarget(slug)));
  const own = rolled.filter((slug) => !proven.has(slug)).map((slug) => ({ slug, sha: expectedSha }));
  const older = inherited.filter(
    ({ slug, sha }) =>
      here.has(slug) &&
      !proven.has(slug) &&
      // It has come to that commit, and was seen there before this run rolled anything.
      !(sha !== null && ledger.has(slug) && ledger.get(slug).baseline === sha?.toLowerCase()) &&
      !(
        sha === expectedSha &&
        ledger.has(slug) &&
        (ledger.get(slug).phase !== null || ledger.isOnTarget(slug))
      ),
  );
  return [...older, ...own];
}

/** A call all of whose tenants answer the expected commit has done what it could do. */
function openCallOf(roll: OpenRoll, { ledger, targetTag, expectedSha }: RecordFacts): OpenCall[] {
  if (roll.slugs.every((slug) => ledger.has(slug) && ledger.isOnTarget(slug))) return [];
  return [
    {
      slugs: roll.slugs,
      target_tag: targetTag,
      expected_sha: expectedSha,
      sent_at: new Date(roll.sentAt).toISOString(),
      may_last_seconds: Math.ceil(roll.mayLastMs / 1000),
      key: roll.key,
    },
  ];
}
