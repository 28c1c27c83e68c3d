/** What people do with rollouts of a server: look, attach, pause, resume, abort. */
import { type RolloutFilter, RolloutsClient, Unanswered } from '../clients/control-plane/rollouts.js';
import type { Config } from '../config/config.js';
import { refuse } from '../config/trust.js';
import type { RunContext } from '../context.js';
import type { RolloutDeed, ServerRollout } from '../contract.js';
import { FleetError, usageError } from '../errors.js';
import { Emitter } from '../events/emitter.js';
import type { AuditNote } from '../lock/admin.js';
import { systemPorts } from '../ports.js';
import { stopSignalOf } from '../result/outcome.js';
import { type FleetResult, resultSchema } from '../result/result.js';
import { unfinished } from './unfinished.js';
import { follow, judgedFrom } from './watch.js';

/** Rollouts of the server, newest first. @throws FleetError `CP_*`, `GATE_REFUSED`. */
export const listRollouts = (config: Config, filter: RolloutFilter, context: RunContext = {}) =>
  ask(config, context, (client) => client.list(filter, context.signal));

/** One of them, with its result once it has ended. @param id Whole, or the start of it. @throws FleetError as {@link listRollouts}. */
export async function showRollout(
  config: Config,
  id: string,
  context: RunContext = {},
): Promise<ServerRollout> {
  const whole = await wholeId(config, id, context);
  const rollout = await ask(config, context, (client) => client.read(whole, context.signal));
  const result = resultSchema.safeParse(rollout.result);
  return result.success ? { ...rollout, result: judgedFrom(result.data, config) } : rollout;
}

/** @throws FleetError as {@link listRollouts}. */
export async function actOnRollout(
  config: Config,
  id: string,
  deed: RolloutDeed,
  note: AuditNote,
  context: RunContext = {},
): Promise<ServerRollout> {
  const whole = await wholeId(config, id, context);
  return ask(config, context, (client) => client.act(whole, deed, note, context.signal));
}

/**
 * Shows a rollout from its first event to its verdict.
 *
 * @returns The verdict; `interrupted` where `context.signal` ended the watching. @throws FleetError as {@link listRollouts}.
 */
export async function attachRollout(
  config: Config,
  id: string,
  context: RunContext = {},
): Promise<FleetResult> {
  const ports = systemPorts(context.ports);
  const signal = context.signal ?? new AbortController().signal;
  const startedAt = ports.clock.wall();
  const rollout = await showRollout(config, id, context);
  const emitter = new Emitter(ports);
  emitter.begin(`watching rollout ${rollout.id} on the server`);
  try {
    return await follow(open(config, context), rollout.id, { config, ports, emitter, signal });
  } catch (error) {
    if (!signal.aborted) throw error;
    const { environment, target_tag: targetTag, expected_sha: expectedSha } = rollout;
    return unfinished('detached', rollout, {
      config: { ...config, environment, targetTag, expectedSha },
      startedAt,
      finishedAt: ports.clock.wall(),
      warnings: emitter.warnings,
      signal: stopSignalOf(signal.reason),
    });
  } finally {
    emitter.close();
  }
}

const UUID_LENGTH = 36;

/** People type what the list shows. @throws FleetError `USAGE` where that names none, or several. */
async function wholeId(config: Config, id: string, context: RunContext): Promise<string> {
  const start = id.trim().toLowerCase();
  if (!/^[0-9a-f-]{4,36}$/.test(start))
    throw usageError(`${JSON.stringify(id.slice(0, 40))} is no id of a rollout`, {
      next: 'fleet rollout list shows them',
    });
  if (start.length === UUID_LENGTH) return start;
  const found = (await listRollouts(config, { limit: 100 }, context)).filter((one) =>
    one.id.startsWith(start),
  );
  const [only] = found;
  if (only && found.length === 1) return only.id;
  throw usageError(`${found.length || 'no'} rollouts of the server begin with ${start}`, {
    next: 'fleet rollout list shows them',
  });
}

function open(config: Config, context: RunContext): RolloutsClient {
  refuse(config);
  const { http } = systemPorts(context.ports);
  return new RolloutsClient({ url: config.controlPlane, token: config.controlPlaneToken, http });
}

async function ask<T>(
  config: Config,
  context: RunContext,
  work: (client: RolloutsClient) => Promise<T>,
): Promise<T> {
  const client = open(config, context);
  return work(client).catch((error) => {
    if (!(error instanceof Unanswered)) throw error;
    throw new FleetError(
      'CP_UNREACHABLE',
      `the control plane at ${config.controlPlane} cannot be asked: ${error.message}`,
      { next: 'check --control-plane, and that the control plane runs' },
    );
  });
}
