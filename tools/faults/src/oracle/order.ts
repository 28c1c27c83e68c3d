/** Within one key nothing older rolls or counts as deployed once something newer was rolled or proven. */
import { claimOf, clock, type History, isRollout, resultOf, type Violation } from '../history.js';
import { momentOf } from './verdict.js';

interface Mark {
  key: string;
  order: number;
  at: number;
  what: string;
}

export function order(history: History): Violation[] {
  const marks = [...rolled(history), ...proven(history)];
  const tasks = [...rolled(history), ...deployed(history)];
  return tasks.flatMap((task) => {
    const newer = marks.find((mark) => mark.key === task.key && mark.order > task.order && mark.at < task.at);
    if (!newer) return [];
    const what = `${task.what} at ${clock(history, task.at)} as order ${task.order}, after ${newer.what} at ${clock(history, newer.at)} as order ${newer.order}`;
    return [{ rule: 'order', what }];
  });
}

function rolled({ rolls, claims }: History): Mark[] {
  return rolls.flatMap((roll) => {
    const claim = claims.find(({ claim_id }) => claim_id === roll.claim_id);
    if (!claim?.order_key || claim.order_number === null) return [];
    const what = `roll ${roll.id} to ${roll.target_tag}`;
    return [{ key: claim.order_key, order: claim.order_number, at: roll.started, what }];
  });
}

function proven({ claims }: History): Mark[] {
  return claims.flatMap(({ run, state, result, order_key: key, order_number: order, ended }) =>
    key && order !== null && ended !== null && state === 'released' && result === 'proven'
      ? [{ key, order, at: ended, what: `${run} was proven` }]
      : [],
  );
}

function deployed(history: History): Mark[] {
  return history.runs.filter(isRollout).flatMap((run) => {
    const result = resultOf(run);
    const claim = claimOf(history, run);
    if (!result?.deployed || !claim?.order_key || claim.order_number === null) return [];
    const said = {
      history,
      run,
      result,
      expected: result.expected_sha ?? '',
      proven: result.tenants.filter(({ status }) => status === 'on_target').map(({ slug }) => slug),
    };
    const at = momentOf(said, claim);
    const what = `${run.command.run} counted as deployed`;
    return at === null ? [] : [{ key: claim.order_key, order: claim.order_number, at, what }];
  });
}
