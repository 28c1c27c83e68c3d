/** Whoever says "deployed" was right when it was said, by answers that could know it, and stays right. */
import type { FleetResult } from '@tenant-fleet/fleet-core';
import {
  type Answer,
  type Claim,
  claimOf,
  clock,
  type History,
  isRollout,
  type Run,
  resultOf,
  runningAt,
  type Violation,
} from '../history.js';

interface Said {
  history: History;
  run: Run;
  result: FleetResult;
  expected: string;
  /** Tenants that it calls proven. */
  proven: string[];
}

export function verdict(history: History): Violation[] {
  const found: string[] = [];
  for (const run of history.runs) {
    const result = resultOf(run);
    if (!result?.deployed) continue;
    const proven = result.tenants.filter(({ status }) => status === 'on_target').map(({ slug }) => slug);
    const said = { history, run, result, expected: result.expected_sha ?? '', proven };
    const name = `${run.command.run} (${run.command.task.kind} to ${result.expected_sha?.slice(0, 7)})`;
    for (const what of wrong(said)) found.push(`${name}: ${what}`);
  }
  return found.map((what) => ({ rule: 'verdict', what }));
}

function* wrong(said: Said): Generator<string> {
  const { history, run, result } = said;
  const missing = history.script.fleet.filter(({ slug }) => !result.tenants.some((one) => one.slug === slug));
  if (missing.length) yield `says deployed without ${missing.map(({ slug }) => slug).join(', ')}`;
  yield* unasked(said);
  if (!isRollout(run)) return;
  const claim = claimOf(history, run);
  if (!claim) {
    yield 'says deployed under a claim that the database does not know';
    return;
  }
  const moment = momentOf(said, claim);
  if (moment === null) {
    yield 'says deployed, but at no moment did all tenants run that commit';
    return;
  }
  yield* untrue(said, moment);
  yield* undone(said, claim, moment);
  yield* blind(said, claim);
}

/** The last word of every proven tenant to this run was the expected commit. */
function* unasked({ history, run, expected, proven }: Said) {
  for (const slug of proven) {
    const answer = lastAnswer(history, run, slug);
    if (answer?.sha !== expected)
      yield `${slug} never said so: its last answer was ${answer?.sha?.slice(0, 7)}`;
  }
}

/**
 * When the verdict counts: when the run gives its lease back, since the next holder may roll before the report is
 * written. A run whose lease was taken away meanwhile must have been right at some moment of its hold.
 */
export function momentOf({ history, run, result, expected, proven }: Said, claim: Claim): number | null {
  const finished = Date.parse(result.finished_at);
  const gaveBack = history.messages.find(
    ({ run: sender, path }) => sender === run.command.run && path.endsWith(`${claim.claim_id}/release`),
  );
  const end = Math.min(finished, gaveBack?.at ?? finished);
  if (claim.state === 'released') return end;
  const right = (at: number) => proven.every((slug) => runningAt(history, slug, at) === expected);
  const from = claim.acquired ?? 0;
  const moments = [end, from, ...history.swaps.map(({ at }) => at).filter((at) => at > from && at < end)];
  return moments.sort((a, b) => b - a).find(right) ?? null;
}

function* untrue({ history, expected, proven }: Said, moment: number) {
  for (const slug of proven) {
    const ran = runningAt(history, slug, moment);
    if (ran !== expected)
      yield `${slug} ran ${ran.slice(0, 7)} when it was called proven, at ${clock(history, moment)}`;
  }
}

/** After it nothing changes but by a roll under a newer token that began later. */
function* undone({ history, expected, proven }: Said, claim: Claim, moment: number) {
  for (const { at, slug, to, rolls } of history.swaps) {
    if (at <= moment || to === expected || !proven.includes(slug)) continue;
    const roll = history.rolls.find(({ id }) => id === rolls[0]);
    const newer = roll && (roll.token ?? 0) > (claim.token ?? 0) && roll.started > moment;
    if (!newer && (claim.state === 'released' || (roll?.token ?? 0) <= (claim.token ?? 0)))
      yield `${slug} went to ${to.slice(0, 7)} at ${clock(history, at)}, after the verdict at ${clock(history, moment)}, by roll ${roll?.id} of token ${roll?.token} begun at ${clock(history, roll?.started ?? 0)}`;
  }
}

/** No proof rests on an answer from before an older roll of that tenant had ended, right or not. */
function* blind({ history, run, proven }: Said, claim: Claim) {
  for (const roll of history.rolls) {
    if ((roll.token ?? 0) >= (claim.token ?? 0) || (roll.ended ?? 0) <= (claim.acquired ?? 0)) continue;
    for (const slug of proven.filter((one) => roll.slugs.includes(one))) {
      const answer = lastAnswer(history, run, slug);
      if (answer && answer.at < (roll.ended ?? Number.POSITIVE_INFINITY))
        yield `${slug} was last asked at ${clock(history, answer.at)}, before the older roll ${roll.id} ended at ${roll.ended && clock(history, roll.ended)}`;
    }
  }
}

const lastAnswer = ({ answers }: History, { command }: Run, slug: string): Answer | undefined =>
  answers.filter((one) => one.run === command.run && one.slug === slug && one.delivered).at(-1);
