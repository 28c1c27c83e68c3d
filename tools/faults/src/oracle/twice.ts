/** No tenant is rolled again without need, and never without a word. */
import {
  clock,
  type History,
  isRollout,
  type Roll,
  type Run,
  resultOf,
  rollsInOrder,
  shaOf,
  type Violation,
} from '../history.js';
import { isOnRecord, isSettled, runOf } from './unsettled.js';

/** How a run tells of a roll that was needed though the tenant was rolled before: in a warning, and in its verdict. */
const TOLD = {
  here: [
    /([^\n]*): rolled to this commit by an earlier run/g,
    /rolled once more after an earlier run: ([^;]*)/,
  ],
  elsewhere: [
    /([^\n]*): rolled to another commit by an earlier run/g,
    /rolled although on target, after an earlier run to another commit: ([^;]*)/,
  ],
  own: [/sent again after a call[^\n]*rolled twice: ([^\n]*)/g, /may have been rolled twice: ([^;]*)/],
} as const;

export function twice(history: History): Violation[] {
  return history.runs.filter(isRollout).flatMap((run) => {
    const own = rollsInOrder(history).filter((roll) => runOf(history, roll) === run.command.run);
    return [
      ...repeated(run, own),
      ...needless(history, run, own),
      ...untold(history, run, own),
      ...unasked(history, run, own),
    ].map((what) => ({ rule: 'twice', what: `${run.command.run}: ${what}` }));
  });
}

/** The report counts no fewer rolls of a tenant than there were. A run that was killed can say nothing. */
function* repeated(run: Run, own: Roll[]) {
  const result = resultOf(run);
  for (const tenant of result?.tenants ?? []) {
    const ids = own.filter(({ slugs }) => slugs.includes(tenant.slug)).map(({ id }) => id);
    if (ids.length < 2) continue;
    if (ids.length > toldRolls(tenant))
      yield `${tenant.slug} was rolled by rolls ${ids.join(', ')}, and the report tells ${toldRolls(tenant)}`;
    if (!isNamed(result?.reason, TOLD.own[1], tenant.slug))
      yield `${tenant.slug} was rolled by rolls ${ids.join(', ')}, and the verdict does not say so`;
  }
}

/** How many rolls of a tenant a report tells. */
export const toldRolls = (tenant: { rolls?: unknown }) =>
  typeof tenant.rolls === 'number' ? tenant.rolls : 1;

/** Nobody is rolled to what it answered, last thing before, that it runs. */
function* needless(history: History, run: Run, own: Roll[]) {
  const { command } = run;
  if ('force' in command.task && command.task.force) return;
  for (const roll of own) {
    for (const slug of roll.slugs) {
      const answer = history.answers
        .filter(
          (one) => one.run === command.run && one.slug === slug && one.delivered && one.at < roll.started,
        )
        .at(-1);
      if (answer?.sha !== shaOf(history, roll.target_tag) || isAlternating(history, slug, answer.at))
        continue;
      if (!isDoubted(history, run, roll, slug))
        yield `${slug} said at ${clock(history, answer.at)} that it runs ${roll.target_tag}, and roll ${roll.id} rolled it there`;
    }
  }
}

/** It answers old and new in turn: not proven by one answer. */
function isAlternating({ script, swaps }: History, slug: string, at: number): boolean {
  const tenant = script.fleet.find((one) => one.slug === slug);
  if (tenant?.drain_mode !== 'alternate') return false;
  return swaps.some((swap) => swap.slug === slug && swap.at <= at && at <= swap.at + tenant.drain_ms);
}

/**
 * An earlier roll to another commit may still take effect whatever the tenant answers, since no record shows that it has:
 * it is rolled, and that is told.
 */
function isDoubted(history: History, run: Run, roll: Roll, slug: string): boolean {
  const open = history.rolls.some(
    (one) =>
      one.slugs.includes(slug) &&
      one.started < roll.started &&
      one.target_tag !== roll.target_tag &&
      !isSettled(history, one, slug, roll.started),
  );
  return open && isTold(run, 'elsewhere', slug);
}

/** Where an earlier run has rolled a tenant to the same commit, and its record shows no end of that, it is said. */
function* untold(history: History, run: Run, own: Roll[]) {
  for (const roll of own) {
    for (const slug of roll.slugs) {
      const before = rollsInOrder(history)
        .filter((one) => one.started < roll.started && one.slugs.includes(slug))
        .at(-1);
      if (before?.target_tag !== roll.target_tag || runOf(history, before) === run.command.run) continue;
      if (!isOnRecord(history, before) || isSettled(history, before, slug, roll.started)) continue;
      if (!isTold(run, 'here', slug) && !isTold(run, 'elsewhere', slug))
        yield `${slug} was rolled to ${roll.target_tag} by roll ${before.id} of an earlier run, and by roll ${roll.id} without a word`;
    }
  }
}

/** In what it printed as it went on, and in the verdict where it came to one. */
function isTold(run: Run, how: keyof typeof TOLD, slug: string): boolean {
  const [warning, verdict] = TOLD[how];
  const result = resultOf(run);
  return isNamed(run.stderr, warning, slug) && (result === null || isNamed(result.reason, verdict, slug));
}

function isNamed(text: string | undefined, pattern: RegExp, slug: string): boolean {
  const found = [...(text ?? '').matchAll(new RegExp(pattern, 'g'))];
  return found.some(([, names = '']) => names.replace(/^.*: /, '').split(/[, ]+/).includes(slug));
}

/** After an older roll of a tenant has drained, the tenant is asked before it is rolled. */
function* unasked(history: History, { command }: Run, own: Roll[]) {
  for (const roll of own) {
    const granted = history.claims.find(({ claim_id }) => claim_id === roll.claim_id)?.acquired ?? 0;
    const drained = history.rolls.filter(
      (one) =>
        (one.token ?? 0) < (roll.token ?? 0) &&
        one.ended !== null &&
        one.ended > granted &&
        one.ended <= roll.started,
    );
    for (const older of drained) {
      for (const slug of roll.slugs.filter((one) => older.slugs.includes(one))) {
        const asked = history.answers.some(
          (one) =>
            one.run === command.run &&
            one.slug === slug &&
            one.at > (older.ended ?? 0) &&
            one.at < roll.started,
        );
        if (!asked)
          yield `${slug} was not asked between the end of the older roll ${older.id} at ${clock(history, older.ended ?? 0)} and roll ${roll.id}`;
      }
    }
  }
}
