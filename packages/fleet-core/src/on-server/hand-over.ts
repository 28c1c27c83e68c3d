/** A rollout that a server runs: hands it over, and watches it as if it ran here. */
import { RolloutsClient, Unanswered } from '../clients/control-plane/rollouts.js';
import type { Config } from '../config/config.js';
import type { RunContext } from '../context.js';
import type { RolloutOrder, ServerRollout } from '../contract.js';
import { FleetError } from '../errors.js';
import { Emitter } from '../events/emitter.js';
import { passEntrance } from '../gate/gates.js';
import { sleep } from '../io/sleep.js';
import { nameBasedId } from '../lock/claim-id.js';
import { holderOf } from '../lock/holder.js';
import { type Ports, systemPorts } from '../ports.js';
import { endingOf } from '../report/ending.js';
import { stopSignalOf } from '../result/outcome.js';
import type { FleetResult } from '../result/result.js';
import { Ledger } from '../verify/ledger.js';
import { unfinished } from './unfinished.js';
import { follow } from './watch.js';

/** Before each further try to hand over; the same key makes it one rollout however often it arrives. */
const RETRY_WAITS_MS = [1_000, 2_000, 4_000, 8_000, 15_000, 30_000];

/**
 * Lets the server roll.
 *
 * @returns Its verdict, with the exit code that this process ends with; `handed_over` where nobody watches; `interrupted`
 *   where `context.signal` ended the watching: the rollout goes on.
 */
export async function runOnServer(config: Config, context: RunContext): Promise<FleetResult> {
  const ports = systemPorts(context.ports);
  const emitter = new Emitter(ports);
  const signal = context.signal ?? new AbortController().signal;
  const startedAt = ports.clock.wall();
  const now = () => ({
    ...{ config, startedAt, warnings: emitter.warnings },
    ...{ finishedAt: ports.clock.wall(), signal: stopSignalOf(signal.reason) },
  });
  let rollout: ServerRollout | undefined;
  try {
    const client = new RolloutsClient({
      ...{ url: config.controlPlane, token: config.controlPlaneToken, http: ports.http },
    });
    emitter.begin('handing the rollout over');
    await passEntrance({ config, ports, emit: emitter.emit, signal });
    rollout = await handOver(client, config, ports, emitter, signal);
    const { id, environment } = rollout;
    emitter.emit({ code: 'run.handed_over', id, environment, control_plane: config.controlPlane });
    if (config.handOver?.detach) return tell(unfinished('handed_over', rollout, now()));
    emitter.begin(`watching rollout ${id} on the server`);
    return tell(await follow(client, id, { config, ports, emitter, signal }));
  } catch (error) {
    if (rollout && signal.aborted) return tell(unfinished('detached', rollout, now()));
    const ledger = new Ledger(config.expectedSha, 1, []);
    const ending = endingOf(error, { stage: rollout ? 'roll' : 'gate', ledger }, signal);
    return tell(unfinished(ending, rollout, now()));
  } finally {
    emitter.close();
  }

  function tell(result: FleetResult): FleetResult {
    emitter.emit({ code: 'run.finished', result });
    return result;
  }
}

async function handOver(
  client: RolloutsClient,
  config: Config,
  ports: Ports,
  emitter: Emitter,
  signal: AbortSignal,
): Promise<ServerRollout> {
  const order = orderOf(config, ports.hostname());
  const { runId, runAttempt, job, runUrl } = config.trigger;
  // A CI job that is started again with its attempt is the same wish; another attempt is a new one.
  const key =
    runId && job
      ? nameBasedId(['fleet-rollout', runUrl ?? '', runId, runAttempt ?? '1', job, JSON.stringify(order)])
      : ports.random.uuid();
  let known = false;
  for (let attempt = 0; ; attempt++) {
    try {
      if (!known) await client.expectRollouts(signal);
      known = true;
      return await client.start(order, key, signal);
    } catch (error) {
      const wait = RETRY_WAITS_MS[attempt];
      if (!(error instanceof Unanswered)) throw error;
      if (wait === undefined) {
        throw new FleetError(
          'CP_UNREACHABLE',
          `the control plane at ${config.controlPlane} took no rollout: ${error.message}`,
          { next: 'look with fleet rollout list: one of the tries may have arrived' },
        );
      }
      emitter.warn(`the control plane gave no usable answer to the hand-over (${error.message}); trying on`);
      await sleep(ports.clock, wait, signal);
    }
  }
}

function orderOf(config: Config, hostname: string): RolloutOrder {
  const { policy = {} } = config.handOver ?? {};
  return {
    environment: config.environment ?? '',
    target_tag: config.targetTag,
    expected_sha: config.expectedSha ?? '',
    ...(config.order ? { order: config.order } : {}),
    holder: holderOf(config, hostname),
    ...(Object.keys(policy).length ? { policy } : {}),
  };
}
