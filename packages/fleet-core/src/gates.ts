/** The gates alone, for whoever only waits for them. */
import type { Config } from './config/config.js';
import type { RunContext } from './context.js';
import { Emitter } from './events/emitter.js';
import type { FleetEvent } from './events/events.js';
import { passGates } from './gate/gates.js';
import { systemPorts } from './ports.js';
import { endingOf, timeoutError } from './report/ending.js';
import { GATES_SCHEMA, type GatesResult } from './result/gates.js';
import { exitCodeOf, stopSignalOf } from './result/outcome.js';
import { Ledger } from './verify/ledger.js';

/**
 * Passes the configured gates, or says which one stands in the way. Awaits what a roll would await; changes nothing.
 *
 * @param config Of the command `gates`.
 * @returns How it ended, whatever that is. @throws only for faults of the library itself.
 */
export async function awaitGates(config: Config, context: RunContext = {}): Promise<GatesResult> {
  const ports = systemPorts(context.ports);
  const gates: GatesResult['gates'] = [];
  const emitter = new Emitter({
    clock: ports.clock,
    emit: (event: FleetEvent) => {
      if (event.code === 'gate.passed') gates.push({ gate: event.gate, passed: true, detail: event.detail });
      if (event.code === 'gate.stopped')
        gates.push({ gate: event.gate, passed: false, detail: event.reason });
      ports.emit(event);
    },
  });
  const deadline = new AbortController();
  const cancel = ports.clock.timer(config.timeoutMs, () => deadline.abort(timeoutError(config.timeoutMs)));
  const signal = context.signal ? AbortSignal.any([context.signal, deadline.signal]) : deadline.signal;
  const started = ports.clock.wall();
  for (const warning of config.warnings) emitter.warn(warning);
  emitter.begin('waiting at the gates', config.timeoutMs);
  try {
    const ending = await passGates({ config, ports, emit: emitter.emit, signal }).then(
      () => null,
      (error) =>
        endingOf(error, { stage: 'gate', ledger: new Ledger(config.expectedSha, 1, []) }, context.signal),
    );
    const outcome = (ending?.outcome ?? 'passed') as GatesResult['outcome'];
    return {
      schema: GATES_SCHEMA,
      outcome,
      reason: ending?.reason ?? 'every gate is passed',
      environment: config.environment,
      target_tag: config.targetTag || null,
      expected_sha: config.expectedSha,
      started_at: new Date(started).toISOString(),
      finished_at: new Date(Math.max(started, ports.clock.wall())).toISOString(),
      gates,
      warnings: [...emitter.warnings],
      next: ending?.next ?? [],
      exit_code: exitOf(outcome, context.signal),
    };
  } finally {
    cancel();
    emitter.close();
  }
}

/** Whatever follows takes 0 for leave to go on: only a gate that is passed gives it, whoever asked. */
function exitOf(outcome: GatesResult['outcome'], signal: AbortSignal | undefined): number {
  if (outcome === 'passed') return 0;
  return outcome === 'interrupted'
    ? exitCodeOf(outcome, { askedBy: 'human', signal: stopSignalOf(signal?.reason) })
    : exitCodeOf('refused', { askedBy: 'human' });
}
