/** What every gate is made of: a name, a check, and what a refusal does to the run. */
import { Gitea } from '../clients/gitea/gitea.js';
import type { Config } from '../config/config.js';
import { FleetError } from '../errors.js';
import type { Emit } from '../events/emitter.js';
import type { Ports } from '../ports.js';

export interface Gates {
  config: Config;
  ports: Ports;
  emit: Emit;
  signal: AbortSignal;
}

export type Gate = [name: string, check: () => Promise<string>];

/** @returns What the gate says, or null where it stopped a dry run, which goes on all the same. */
export async function pass(
  { config, emit }: Gates,
  gate: string,
  check: () => Promise<string>,
): Promise<string | null> {
  try {
    return await check();
  } catch (error) {
    if (!(error instanceof FleetError)) throw error;
    const outcome = error.outcome === 'held' || error.outcome === 'superseded' ? error.outcome : 'refused';
    emit({ code: 'gate.stopped', gate, outcome, reason: error.message, obeyed: !config.dryRun });
    if (!config.dryRun) throw error;
    return null;
  }
}

/** A read that fails is tried again for half a minute: one bad answer between two batches must not end a roll. */
const PATIENCE = { waitsMs: [1_000, 2_000, 4_000, 8_000, 15_000], withinMs: 30_000 } as const;

export function gitea({
  config,
  ports,
  signal,
}: Pick<Gates, 'config' | 'signal'> & { ports: Pick<Ports, 'http' | 'clock'> }): Gitea {
  if (!config.gitea) throw new FleetError('INTERNAL', 'a gate needs Gitea, and none is configured');
  return new Gitea({ ...config.gitea, http: ports.http, signal, retry: { clock: ports.clock, ...PATIENCE } });
}

export const refused = (message: string, next?: string) =>
  new FleetError('GATE_REFUSED', message, { outcome: 'refused', next });

export const held = (message: string) =>
  new FleetError('HELD', message, {
    outcome: 'held',
    next: 'nothing is rolled until it is lifted; then run the same command again',
  });
