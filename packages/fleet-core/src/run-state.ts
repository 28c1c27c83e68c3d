/** What a run is made of while it is under way, and what its stages get of it. */
import { setMaxListeners } from 'node:events';
import type { CallLog } from './clients/control-plane/call-log.js';
import { redeployClient } from './clients/control-plane/from-config.js';
import type { Fence } from './clients/control-plane/redeploy.js';
import type { Config } from './config/config.js';
import type { RunContext, StageContext } from './context.js';
import type { Flips } from './contract.js';
import type { Emit, Emitter } from './events/emitter.js';
import type { Ports } from './ports.js';
import type { Stage } from './report/ending.js';
import type { Timeline } from './report/timeline.js';
import type { FleetResult, Scope } from './result/result.js';
import { noRecord } from './rollout/keeper.js';
import type { RollTools } from './rollout/roll.js';
import type { Rollout } from './rollout/rollout.js';
import type { Ledger } from './verify/ledger.js';
import { Verifier } from './verify/verify.js';

/** A run under way. The pipeline alone holds it; a stage gets what it names. */
export interface Run {
  readonly config: Config;
  readonly ports: Ports;
  readonly context: RunContext;
  /** Ends the run: interrupted, or its time is up. */
  readonly signal: AbortSignal;
  /** Does work whose time does not count as the run's. */
  readonly suspended: (work: () => Promise<void>) => Promise<void>;
  readonly emitter: Emitter;
  readonly emit: Emit;
  readonly ledger: Ledger;
  readonly calls: CallLog;
  readonly timeline: Timeline;
  /** The part of the fleet that the run is about, once the fleet is known and where one was named. */
  scope?: Scope;
  stage: Stage;
  lock: FleetResult['lock'];
}

/**
 * Without a journal every step is done here and once. With one, what a step adds to the report is kept beside its value,
 * for the process that ends the run.
 */
export const stepOf = ({ context, calls, timeline, emitter }: Run): Rollout['step'] => {
  const { durable } = context;
  if (!durable) return (_name, work) => work();
  const { warnings } = emitter;
  return async (name, work) => {
    let here = false;
    const { value, told } = await durable.step(name, async () => {
      here = true;
      const before = [calls.entries.length, timeline.entries.length, warnings.length] as const;
      const done = await work();
      return {
        value: done,
        told: {
          calls: calls.entries.slice(before[0]),
          timeline: timeline.entries.slice(before[1]),
          warnings: warnings.slice(before[2]),
        },
      };
    });
    if (!here) {
      calls.restore(told.calls);
      timeline.restore(told.timeline);
      warnings.unshift(...told.warnings.filter((warning) => !warnings.includes(warning)));
    }
    return value;
  };
};

export const gatesOf = ({ config, ports, emit }: Run, signal: AbortSignal) => ({
  config,
  ports,
  emit,
  signal,
});

export function contextOf({ ports, emit, context }: Run, signal: AbortSignal): StageContext {
  // Every tenant that is asked listens to it; Node takes more than ten listeners for a leak, and says so.
  setMaxListeners(0, signal);
  const { clock, random, http } = ports;
  return { clock, random, http, emit, signal, shards: context.durable?.shards };
}

/** What the stages from the plan on work with, until the signal ends them. */
export function toolsOf(
  run: Run,
  signal: AbortSignal,
  fence: Fence | null,
  keep: RollTools['keep'] = noRecord.keep,
  past: Flips[] = [],
): RollTools {
  const { config, ledger, calls } = run;
  const context = contextOf(run, signal);
  return {
    context,
    client: redeployClient(config, run.ports.hostname(), config, context, calls),
    verifier: new Verifier(context, config, ledger, past),
    ledger,
    fence,
    keep,
  };
}
