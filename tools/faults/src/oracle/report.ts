/** Documents, accounting and exit codes. */
import { resultSchema } from '@tenant-fleet/fleet-core';
import { type History, type Run, resultOf, type Violation } from '../history.js';

/** Exit codes of outcomes where a person asked, by the contract. */
const CODES: Record<string, number[]> = {
  succeeded: [0],
  succeeded_with_quarantine: [0],
  planned: [0],
  superseded: [0],
  held: [4],
  failed: [1],
  lock_timeout: [3],
  lock_lost: [3],
  refused: [4],
  control_plane_error: [5],
  interrupted: [129, 130, 143],
};

const SIGNAL_CODES: Record<string, number> = { term: 143, int: 130 };

export function report(history: History): Violation[] {
  return history.runs.flatMap((run) => {
    const { kind } = run.command.task;
    const hasDocument = ['redeploy', 'rollback', 'verify', 'plan'].includes(kind);
    const found = run.overdue
      ? ['it did not end in time']
      : [...(hasDocument ? documentFaults(history, run) : commandFaults(run)), ...anyFaults(run)];
    return found.map((what) => ({ rule: 'report', what: `${run.command.run} (${kind}): ${what}` }));
  });
}

function* anyFaults(run: Run) {
  if (run.code === 2) yield `exit code 2: ${run.stderr.slice(0, 300)}`;
  if (run.code === null && !(run.blow && ['kill', 'term', 'int'].includes(run.blow.kind)))
    yield `ended by ${run.signal}, which nobody sent`;
  if (/\n\s+at .*:\d+|\(INTERNAL\)/.test(run.stderr)) yield `a fault of its own: ${run.stderr.slice(-600)}`;
}

function* documentFaults(history: History, run: Run) {
  // Killed, or signalled before it could listen.
  if (run.code === null) return;
  const result = resultOf(run);
  if (!result) {
    yield `exit code ${run.code}, and no document: ${JSON.stringify(run.stdout.slice(0, 200))}, ${run.stderr.slice(-300)}`;
    return;
  }
  const parsed = resultSchema.safeParse(result);
  if (!parsed.success) yield `its document breaks the schema: ${parsed.error.issues[0]?.message}`;
  if (!CODES[result.outcome]?.includes(run.code)) yield `exit code ${run.code} for ${result.outcome}`;
  if (result.exit_code !== run.code) yield `exit code ${run.code}, and the document says ${result.exit_code}`;
  if (result.outcome === 'interrupted' && run.code !== SIGNAL_CODES[run.blow?.kind ?? ''])
    yield `interrupted with ${run.code} by ${run.blow?.kind ?? 'nobody'}`;
  if (result.deployed !== result.outcome.startsWith('succeeded'))
    yield `deployed: ${result.deployed} for ${result.outcome}`;
  const { enumerated, on_target, stale, unreachable, invalid, unhealthy, excused } = result.counts;
  const sum = on_target + stale + unreachable + invalid + unhealthy + excused;
  if (sum !== enumerated || result.tenants.length !== enumerated)
    yield `${enumerated} enumerated, ${sum} counted, ${result.tenants.length} listed`;
  if (result.outcome === 'superseded') yield* supersededFaults(history, run);
}

/** Somebody of a higher order was there before it ended. */
function* supersededFaults({ claims, runs }: History, run: Run) {
  const own = run.command.task.kind === 'redeploy' ? run.command.task.order : null;
  const newer = runs.some(({ command: { run: other, task } }) => {
    const there = claims.some((claim) => claim.run === other && claim.order_number !== null);
    return task.kind === 'redeploy' && (task.order ?? 0) > (own ?? Number.POSITIVE_INFINITY) && there;
  });
  if (!newer) yield 'superseded by nobody';
}

function* commandFaults(run: Run) {
  const { kind } = run.command.task;
  if (run.code === null) return;
  if (kind === 'lock-run') {
    if (run.code === 0 && !run.stdout.includes('done\n'))
      yield 'exit code 0, and its command did not run to its end';
    if (![0, 3, 4, 5, 130, 143].includes(run.code)) yield `exit code ${run.code}: ${run.stderr.slice(-300)}`;
    return;
  }
  if (![0, 1, 3, 4, 5, 130, 143].includes(run.code)) yield `exit code ${run.code}: ${run.stderr.slice(-300)}`;
}
