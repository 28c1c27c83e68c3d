/** redeploy, plan, verify: configuration, one call of core, output. */
import { type FleetError, type FleetEvent, type FleetResult, isFleetError } from '@tenant-fleet/fleet-core';
import type { Config, Layers } from '@tenant-fleet/fleet-core/config';
import { announceUnstarted, runFleet, systemPorts } from '@tenant-fleet/fleet-core/program';
import { lineTeller, renderEvent, toneOf } from '@tenant-fleet/fleet-core/render';
import { committedAt, configOf } from '../config.js';
import type { OutputFlags } from '../flags.js';
import { lenderOf } from '../process/lent-lease.js';
import { telemetryOf } from '../telemetry.js';
import { Terminal } from '../terminal/console.js';
import { eventFile } from '../terminal/event-file.js';
import { canDraw } from '../terminal/live/can-draw.js';
import { isInForeground } from '../terminal/live/keys.js';
import { confirmRoll } from '../terminal/prompt.js';
import { checkReports, show, writeReports } from '../terminal/result.js';
import { interruptible } from '../terminal/signals.js';
import { showPreview } from './preview.js';

/** Runs a command to its exit code. @throws FleetError `USAGE` before any request. */
export async function runCommand(
  command: 'redeploy' | 'plan' | 'verify',
  flags: Layers['flags'],
  output: OutputFlags,
): Promise<number> {
  const terminal = new Terminal(output);
  const config = await configOf(command, flags).catch(async (error) => {
    if (command === 'redeploy' && isFleetError(error)) await tellUnstarted(flags, error, terminal);
    throw error;
  });
  await checkReports(output);

  const work = async (signal: AbortSignal, hurry: AbortSignal) => {
    // What the server would do by its own configuration is not known here.
    const preview = async () => {
      if (!config.handOver) await showPreview(await configOf('plan', flags), config, terminal, signal);
    };
    const declined = await confirmRoll(config, output, terminal, signal, preview);
    if (declined) return declined;
    return (await carryOut(config, output, terminal, { signal, hurry })).exit_code;
  };
  return interruptible(terminal, work, config.handOver ? { says: 'no longer watching' } : {});
}

/** Runs a configuration, and tells how it goes and how it ended. */
export async function carryOut(
  config: Config,
  output: OutputFlags,
  terminal: Terminal,
  stops: { signal: AbortSignal; hurry: AbortSignal },
): Promise<FleetResult> {
  const events = output.events === undefined ? undefined : eventFile(output.events, terminal);
  const stopping = new AbortController();
  const telemetry = await telemetryOf(config, `fleet ${nameOf(config)}`, terminal);
  const view = await viewOf(config, output, terminal, stopping);
  const emit = (event: FleetEvent) => {
    events?.write(event);
    telemetry?.follow(event);
    view.follow(event);
  };
  const ports = { emit, ...(telemetry ? { http: telemetry.traced(systemPorts().http) } : {}) };
  const lender = lenderOf(process.env);
  const context = { ...stops, stopAfterWave: stopping.signal, lender, committedAt };
  try {
    const result = await runFleet(config, { ports, ...context }).finally(() => view.end());
    await events?.close();
    await writeReports(result, output, terminal);
    show(result, output, terminal);
    return result;
  } finally {
    await telemetry?.end(1);
  }
}

const nameOf = ({ rollback, dryRun, command }: Config) => (rollback ? 'rollback' : dryRun ? 'plan' : command);

/** In CI a run that cannot begin is a deploy that fails: people are told as far as its settings say whom. */
async function tellUnstarted(flags: Layers['flags'], error: FleetError, terminal: Terminal): Promise<void> {
  const config = await configOf('announce', flags).catch(() => null);
  if (config?.trigger.event === undefined) return;
  const emit = (event: FleetEvent) => terminal.line('stderr', renderEvent(event) ?? '', toneOf(event));
  await announceUnstarted(config, error, { ports: { emit } });
}

interface View {
  follow: (event: FleetEvent) => void;
  end: () => void;
}

/** One screen for a person at a terminal, lines for everybody else. */
async function viewOf(
  config: Config,
  output: OutputFlags,
  terminal: Terminal,
  stopping: AbortController,
): Promise<View> {
  if (!output.quiet && !output.verbose && output.events !== '-' && canDraw('stderr') && isInForeground()) {
    // Loaded only here: nobody else waits for what draws.
    const { LiveView } = await import('../terminal/live/live.js');
    return new LiveView(terminal, config.command === 'redeploy' && !config.dryRun ? stopping : null);
  }
  const tell = lineTeller(output);
  return {
    follow: (event) => {
      const line = output.quiet ? null : tell(event);
      if (line !== null) terminal.line('stderr', line, toneOf(event));
    },
    end: () => {},
  };
}
