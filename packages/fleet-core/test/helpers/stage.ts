import type { StageContext } from '../../src/context.js';
import { systemHttp } from '../../src/io/http.js';
import { systemRandom } from '../../src/ports.js';
import { ManualClock, RecordingSink, trackedHttp } from '../../src/testing/index.js';

/** What surrounds a single stage: a hand-stepped clock, real HTTP, its events, and a way to end it. */
export function stage() {
  const clock = new ManualClock();
  const sink = new RecordingSink();
  const end = new AbortController();
  const { http, inFlight } = trackedHttp(systemHttp(clock));
  const context: StageContext = {
    clock,
    http,
    random: systemRandom,
    emit: (event) => sink.emit({ at: '', ...event }),
    signal: end.signal,
  };
  return { context, clock, sink, end, run: <T>(work: Promise<T>) => clock.runUntil(work, { inFlight }) };
}
