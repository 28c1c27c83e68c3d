/** Two at once: rolls, tenants that changed outside of a roll, commands under the lock beside a roll. */
import { clock, type History, rollsInOrder, shaOf, type Violation } from '../history.js';

export const overlap = (history: History): Violation[] =>
  [
    ...rollsOverlap(history),
    ...foreignRolls(history),
    ...swapsOutside(history),
    ...commandsOverlap(history),
  ].map((what) => ({
    rule: 'overlap',
    what,
  }));

function* rollsOverlap(history: History) {
  const rolls = rollsInOrder(history);
  for (const [index, roll] of rolls.entries()) {
    if (roll.token === null) yield `roll ${roll.id} carries no fencing token`;
    const next = rolls[index + 1];
    if (!next) continue;
    if (roll.ended === null || next.started < roll.ended)
      yield `roll ${next.id} (token ${next.token}) began at ${clock(history, next.started)}, while roll ${roll.id} (token ${roll.token}) was open`;
    if ((next.token ?? 0) < (roll.token ?? 0))
      yield `roll ${next.id} with token ${next.token} came after roll ${roll.id} with token ${roll.token}`;
  }
}

/** Under a claim nothing is rolled but what its run was asked to roll. */
function* foreignRolls({ rolls, claims, runs }: History) {
  for (const { id, claim_id, target_tag } of rolls) {
    const claim = claims.find((one) => one.claim_id === claim_id);
    const task = runs.find(({ command }) => command.run === claim?.run)?.command.task;
    const asked = task && 'order' in task ? task.image.tag : null;
    if (asked !== target_tag)
      yield `roll ${id} is to ${target_tag}, in the name of ${claim?.run ?? 'nobody'}, who rolls ${asked ?? 'nothing'}`;
  }
}

function* swapsOutside(history: History) {
  for (const { at, slug, to, rolls } of history.swaps) {
    const roll = history.rolls.find(({ id }) => id === rolls[0]);
    if (rolls.length !== 1 || !roll)
      yield `${slug} changed at ${clock(history, at)} in ${rolls.length} open rolls`;
    else if (shaOf(history, roll.target_tag) !== to)
      yield `${slug} took ${to.slice(0, 7)} in roll ${roll.id}, which is to ${roll.target_tag}`;
  }
}

function* commandsOverlap(history: History) {
  for (const { run, token, at } of history.beats) {
    const claim = history.claims.find((one) => one.token === token);
    // Whoever was broken learns of it at its next renewal: that is what breaking a living holder costs.
    if (claim?.state === 'broken' && at < (claim.ended ?? 0) + claim.ttl_ms) continue;
    const roll = history.rolls.find(
      (one) => one.token !== token && one.started < at && (one.ended ?? Number.POSITIVE_INFINITY) > at,
    );
    if (roll)
      yield `${run}: its command under token ${token} ran at ${clock(history, at)}, during roll ${roll.id} of token ${roll.token}`;
    const other = history.claims.find(
      (one) =>
        one.token !== null &&
        one.token !== token &&
        one.acquired !== null &&
        one.acquired < at &&
        (one.ended ?? Number.POSITIVE_INFINITY) > at,
    );
    if (other)
      yield `${run}: its command under token ${token} ran at ${clock(history, at)}, while token ${other.token} held the lock`;
  }
}
