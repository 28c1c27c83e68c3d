/** The gate "required checks": CI of this commit is green. */
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
      const row = read.value.get(context);
      const state = row?.status ?? row?.state ?? 'missing';
      // A cancelled run is written as a failure, and may never have run at all.
      const cancelled = row?.description?.trim() === 'Has been cancelled';
      if ((state === 'failure' || state === 'error') && !cancelled) {
        throw refused(
          `the required check ${oneLine(context, 120)} is red on ${expectedSha.slice(0, 7)}`,
          'fix the check, or run it again; then run this again',
        );
      }
      if (state !== 'success')
        pending.push(`${oneLine(context, 120)} (${cancelled ? 'cancelled' : oneLine(state, 20)})`);
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
