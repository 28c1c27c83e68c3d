import { type Command, type Config, checkOptions, type FleetOptions } from './config.js';
import type { LockStatus } from './contract.js';
import { FleetError } from './errors.js';
import { type Ports, systemPorts } from './ports.js';
import type { FleetResult } from './report.js';

export interface RunContext {
  /** Replaced parts of the surroundings; `emit` receives the events. */
  ports?: Partial<Ports>;
  /** Ends the run as `interrupted`; the reason `SIGTERM` gives exit code 143, anything else 130. */
  signal?: AbortSignal;
}

/** Runs what a checked configuration asks for. Never throws for what can be reported: the result says it. */
export async function runFleet(config: Config, context: RunContext = {}): Promise<FleetResult> {
  const ports = systemPorts(context.ports);
  throw new FleetError('INTERNAL', `run ${config.command} ${ports.hostname()}`);
}

const start = (command: Command) => async (options: FleetOptions, context?: RunContext) =>
  runFleet(checkOptions(command, options), context);

/** Gates, lock, plan, rollout, verification. @throws FleetError `USAGE` before any request. */
export const redeployFleet = start('redeploy');
/** What a roll would do: gates, plan and what tenants run now; changes nothing. @throws FleetError `USAGE`. */
export const planFleet = start('plan');
/** Asks every tenant what it runs; changes nothing. @throws FleetError `USAGE`. */
export const verifyFleet = start('verify');

/** The state of the lock that the configuration names. @throws FleetError `CP_*`, `LOCK_UNKNOWN_ENDPOINT`. */
export async function readLock(config: Config, context: RunContext = {}): Promise<LockStatus> {
  throw new FleetError('INTERNAL', `lock ${config.environment} ${systemPorts(context.ports).hostname()}`);
}
