/** Follows the kept events of a rollout to its verdict, through outages of the server. */
import { type RolloutsClient, Unanswered } from '../clients/control-plane/rollouts.js';
import { commandLine } from '../config/command-line.js';
import type { Config } from '../config/config.js';
import { FleetError } from '../errors.js';
import type { Emitter } from '../events/emitter.js';
import type { EventData } from '../events/events.js';
import { pace, sleep } from '../io/sleep.js';
import type { Ports } from '../ports.js';
import { exitCodeOf } from '../result/outcome.js';
import { type FleetResult, resultSchema } from '../result/result.js';

const WAIT_SECONDS = 20;
const PAUSE_MS = 1_000;
/** Between two questions at least. */
const PACE_MS = 200;
/** After so long without an answer nobody is there to watch. */
const PATIENCE_MS = 10 * 60_000;

interface Watching {
  config: Pick<Config, 'askedBy' | 'controlPlane' | 'typed'>;
  ports: Ports;
  emitter: Emitter;
  signal: AbortSignal;
}

/**
 * Passes every event on, in order and from the first one, until the rollout has ended.
 *
 * @returns The verdict of the server, with the exit code of whoever asks here. @throws FleetError `CP_*`, `GATE_REFUSED`; the reason of `signal`.
 */
export async function follow(
  client: RolloutsClient,
  id: string,
  { config, ports, emitter, signal }: Watching,
): Promise<FleetResult> {
  let after = 0;
  let silentSince: number | null = null;
  for (let wait = 0; ; wait = WAIT_SECONDS) {
    const sentAt = ports.clock.monotonic();
    try {
      const page = await client.events(id, after, wait, signal);
      silentSince = null;
      for (const { n: _n, ...event } of page.events) {
        // The verdict is told once, by whoever watches, with an exit code of its own.
        if (event.code !== 'run.finished') emitter.emit(seenFrom(event as unknown as EventData, config));
      }
      after = page.next;
      if (page.ended) return verdictOf(await client.read(id, signal), config);
      if (!page.events.length) await pace(ports, sentAt, PACE_MS, signal);
    } catch (error) {
      if (!(error instanceof Unanswered)) throw error;
      silentSince ??= sentAt;
      if (ports.clock.monotonic() - silentSince > PATIENCE_MS) {
        throw new FleetError('CP_UNREACHABLE', `the control plane gave no usable answer: ${error.message}`, {
          next: `rollout ${id} may go on there: attach again once it answers`,
        });
      }
      emitter.warn(`the control plane gives no usable answer (${error.message}); asking on`);
      await sleep(ports.clock, PAUSE_MS, signal);
    }
  }
}

/** The server does not know by which address it is asked. */
const seenFrom = (event: EventData, { controlPlane }: Watching['config']): EventData =>
  event.code === 'run.started' ? { ...event, control_plane: controlPlane } : event;

function verdictOf(
  { id, reason, result }: Awaited<ReturnType<RolloutsClient['read']>>,
  config: Watching['config'],
): FleetResult {
  const parsed = resultSchema.safeParse(result);
  if (parsed.success) return judgedFrom(parsed.data, config);
  throw new FleetError(
    'CP_CONTRACT',
    `rollout ${id} ended without a verdict: ${reason ?? 'no reason given'}`,
    {
      next: 'look at the log of the control plane, then run the same command again',
    },
  );
}

/**
 * A verdict as whoever asks may use it: what a hold means for the exit code depends on who that is, and the server knows
 * neither them nor the address that their next command needs.
 */
export function judgedFrom(
  result: FleetResult,
  { askedBy, controlPlane, typed }: Watching['config'],
): FleetResult {
  const reached = commandLine([], 'rollout', { ...typed, environment: undefined });
  return {
    ...result,
    exit_code: exitCodeOf(result.outcome, { askedBy }),
    control_plane: controlPlane,
    next_commands: result.next_commands?.map(({ command, ...rest }) => ({
      ...rest,
      command: `${command} ${reached}`.trimEnd(),
    })),
  };
}
