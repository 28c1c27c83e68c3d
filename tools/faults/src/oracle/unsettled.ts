/** Rolls of which nobody has seen what they made of a tenant: until somebody has, a later run may roll it again. */
import { type History, isRollout, type Roll, shaOf } from '../history.js';

export const runOf = ({ claims }: History, roll: Roll) =>
  claims.find(({ claim_id }) => claim_id === roll.claim_id)?.run ?? null;

/**
 * Whether a record that the lock server took before that moment, of the run that rolled the tenant or of a later one,
 * shows that the roll has come to its end there: the tenant's last answer to that run was the commit of this roll, or of
 * a later one of that run's own.
 */
export function isSettled(history: History, roll: Roll, slug: string, before: number): boolean {
  const later = history.rolls.filter((one) => one.started >= roll.started && one.slugs.includes(slug));
  return history.runs.filter(isRollout).some(({ command: { run } }) => {
    const own = later.filter((one) => one === roll || runOf(history, one) === run);
    return recordsOf(history, run)
      .filter(({ at }) => at > roll.started && at < before)
      .some(({ at }) => {
        const answer = history.answers
          .filter((one) => one.run === run && one.slug === slug && one.at < at)
          .at(-1);
        return own.some(
          (one) =>
            answer?.delivered && answer.at > one.started && answer.sha === shaOf(history, one.target_tag),
        );
      });
  });
}

/** Whether the run that rolled had its record say so before it sent the roll. */
export function isOnRecord(history: History, roll: Roll): boolean {
  const kept = history.messages.filter(
    ({ run, path, at }) => run === runOf(history, roll) && path.endsWith('/rollout') && at < roll.started,
  );
  return kept.at(-1)?.status === 200;
}

/** Messages by which the lock server took a record of the run; a release carries one only where the run has begun one. */
function recordsOf({ messages }: History, run: string) {
  const own = messages.filter((one) => one.run === run);
  const began = own.find(({ path }) => path.endsWith('/rollout'))?.at ?? Number.POSITIVE_INFINITY;
  return own.filter(
    ({ path, status, at }) => status === 200 && at >= began && /\/(?:rollout|release)$/.test(path),
  );
}
