/** The gate "required checks": CI of this commit is green. */
import type { ActionTask, CommitStatus } from '../clients/gitea/gitea.js';
import { whyNot } from '../clients/gitea/request.js';
import { FleetError } from '../errors.js';
import { sleep } from '../io/sleep.js';
import { oneLine } from '../text/sanitize.js';
import { type Gate, type Gates, gitea, refused } from './gate.js';

const POLL_MS = 15_000;

export function ciGate(io: Gates): Gate[] {
  return io.config.requireContexts.length ? [['required checks', () => awaitContexts(io)]] : [];
}

/** Waits until every required context is green. A red one ends it at once; the run's own deadline bounds it. */
async function awaitContexts(io: Gates): Promise<string> {
  const { config, ports, emit } = io;
  const { expectedSha, requireContexts } = config;
  if (expectedSha === null) throw refused('required checks need an expected commit', 'give --expected-sha');
  const started = ports.clock.monotonic();
  let shown = '';
  for (;;) {
    const read = await gitea(io).statuses(expectedSha);
    if (read.kind !== 'read')
      throw refused(
        `the checks of ${expectedSha.slice(0, 7)} cannot be read: ${whyNot(read)}`,
        'check --repository and GITEA_TOKEN',
      );
    const pending: string[] = [];
    for (const context of requireContexts) {
      const state = await stateOf(io, expectedSha, context, read.value.get(context));
      const name = oneLine(context, 120);
      if (state === 'red' || state === 'skipped')
        throw refused(
          `the required check ${name} ${state === 'red' ? 'is red' : 'was skipped'} on ${expectedSha.slice(0, 7)}`,
          state === 'red'
            ? 'fix the check, or run it again; then run this again'
            : 'a skipped check proves nothing: look why its job was skipped, or require another one',
        );
      if (state !== 'green') pending.push(`${name} (${state})`);
    }
    if (!pending.length) return `${requireContexts.length} green on ${expectedSha.slice(0, 7)}`;
    if (config.dryRun) throw refused(`required checks are not green yet: ${pending.join(', ')}`);
    const news = pending.join();
    if (news !== shown) {
      shown = news;
      emit({
        code: 'gate.waiting',
        gate: 'required checks',
        pending,
        waited_ms: ports.clock.monotonic() - started,
      });
    }
    try {
      await sleep(ports.clock, POLL_MS, io.signal);
    } catch (reason) {
      if (!(reason instanceof FleetError) || reason.code !== 'TIMEOUT') throw reason;
      throw refused(
        `the time ran out waiting for required checks: ${pending.join(', ')}`,
        'raise --timeout, or look why these checks do not end',
      );
    }
  }
}

/** Words of servers from 1.22 on, for rows whose job no record tells of. */
const CANCELLED = /^\s*(?:has been cancell?ed|cancell?(?:ed|ing))\b/i;
const SKIPPED = /^\s*(?:has been )?skipped\b/i;

/** What a row means: `green`, `red`, `skipped`, `cancelled`, or the word for why there is no result yet. */
async function stateOf(
  io: Gates,
  sha: string,
  context: string,
  row: CommitStatus | undefined,
): Promise<string> {
  const state = row?.status ?? row?.state ?? 'missing';
  const text = row?.description ?? '';
  // Up to 1.24 a skipped job is written as a success.
  if (state === 'skipped' || (state === 'success' && SKIPPED.test(text))) return 'skipped';
  if (state === 'success') return 'green';
  if (state !== 'failure' && state !== 'error') return oneLine(state, 20);
  // A cancelled run is written as a failure, and may never have run at all.
  const job = await recordOf(io, sha, context);
  if (job === 'cancelled' || (job === null && CANCELLED.test(text))) return 'cancelled';
  return 'red';
}

/** How the server recorded the job behind a context `workflow / job (event)`; null where it has no record. */
async function recordOf(io: Gates, sha: string, context: string): Promise<string | null> {
  const [, name, event] = /\/ (.+) \((\w+)\)$/.exec(context) ?? [];
  if (!name) return null;
  const read = await gitea(io).recentTasks();
  if (read.kind !== 'read') return null;
  const tasks = read.value.filter(
    (task) => task.head_sha === sha && task.name === name && task.event === event,
  );
  const newest = tasks.reduce<ActionTask | null>(
    (last, task) => (last && last.id > task.id ? last : task),
    null,
  );
  return newest?.status ?? null;
}
