import { type FleetOptions, type RunContext, redeployFleet } from '../../src/index.js';
import { systemHttp } from '../../src/io/http.js';
import { planFleet, verifyFleet } from '../../src/run.js';
import { ManualClock, RecordingSink, trackedHttp } from '../../src/testing/index.js';

const COMMANDS = { redeploy: redeployFleet, plan: planFleet, verify: verifyFleet } as const;

/** Runs a command on a hand-stepped clock against real HTTP, and returns its result with every event. */
export async function run(
  options: FleetOptions,
  context: RunContext & { command?: keyof typeof COMMANDS; clock?: ManualClock } = {},
) {
  const clock = context.clock ?? new ManualClock();
  const sink = new RecordingSink();
  const tracked = trackedHttp(systemHttp(clock));
  const work = COMMANDS[context.command ?? 'redeploy'](options, {
    signal: context.signal,
    hurry: context.hurry,
    stopAfterWave: context.stopAfterWave,
    lender: context.lender,
    durable: context.durable,
    ports: { clock, emit: sink.emit, http: tracked.http, ...context.ports },
  });
  const result = await clock.runUntil(work, { inFlight: tracked.inFlight });
  return { result, sink, clock };
}
