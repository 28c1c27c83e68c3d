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

export function twice(history: History): Violation[] {
  return history.runs.filter(isRollout).flatMap((run) => {
    const own = rollsInOrder(history).filter((roll) => runOf(history, roll) === run.command.run);
    return [...repeated(run, own), ...needless(history, run, own), ...unasked(history, run, own)].map(
      (what) => ({
        rule: 'twice',
        what: `${run.command.run}: ${what}`,
      }),
    );
  });
}

const runOf = ({ claims }: History, roll: Roll) =>
  claims.find(({ claim_id }) => claim_id === roll.claim_id)?.run ?? null;

/** The report counts no fewer rolls of a tenant than there were. A run that was killed can say nothing. */
function* repeated(run: Run, own: Roll[]) {
  const result = resultOf(run);
  for (const tenant of result?.tenants ?? []) {
    const ids = own.filter(({ slugs }) => slugs.includes(tenant.slug)).map(({ id }) => id);
    if (ids.length > 1 && ids.length > toldRolls(tenant))
      yield `${tenant.slug} was rolled by rolls ${ids.join(', ')}, and the report tells ${toldRolls(tenant)}`;
  }
}

/** How many rolls of a tenant a report tells. */
export const toldRolls = (tenant: { rolls?: unknown }) =>
  typeof tenant.rolls === 'number' ? tenant.rolls : 1;

/** Nobody is rolled to what it answered, last thing before, that it runs. */
function* needless(history: History, run: Run, own: Roll[]) {
  const { command } = run;
  if (command.task.kind !== 'verify' && 'force' in command.task && command.task.force) return;
  for (const roll of own) {
    for (const slug of roll.slugs) {
      const tenant = history.script.fleet.find((one) => one.slug === slug);
      const answer = history.answers
        .filter(
          (one) => one.run === command.run && one.slug === slug && one.delivered && one.at < roll.started,
        )
        .at(-1);
      // One that answers old and new in turn is not proven by one answer.
      if (tenant?.drain_mode === 'alternate' || tenant?.behaviour === 'unhealthy') continue;
      if (answer?.sha === shaOf(history, roll.target_tag) && !isDoubted(history, run, roll, slug))
        yield `${slug} said at ${clock(history, answer?.at ?? 0)} that it runs ${roll.target_tag}, and roll ${roll.id} rolled it there`;
    }
  }
}

/**
 * An earlier run rolled it to another commit, which may still take effect whatever it answers now: it is rolled, and that
 * is said.
 */
function isDoubted(history: History, run: Run, roll: Roll, slug: string): boolean {
  const elsewhere = history.rolls.some(
    (one) => one.slugs.includes(slug) && one.started < roll.started && one.target_tag !== roll.target_tag,
  );
  return elsewhere && doubtedBy(run).includes(slug);
}

/** Tenants that the run names as rolled whatever they answer. */
function doubtedBy({ stderr }: Run): string[] {
  return [...stderr.matchAll(/([^\n]*): rolled to another commit by an earlier run/g)].flatMap(
    ([, names = '']) => names.replace(/^.*: /, '').split(/[, ]+/),
  );
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
