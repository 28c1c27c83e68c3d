/** What a roll would do, for the person who is asked: its waves, what the tenants run, who holds the lock. */
import { type FleetEvent, type FleetResult, isFleetError } from '@tenant-fleet/fleet-core';
import type { Config } from '@tenant-fleet/fleet-core/config';
import { readLock, runFleet } from '@tenant-fleet/fleet-core/program';
import { renderEvent, renderLockStatus, renderResult } from '@tenant-fleet/fleet-core/render';
import type { Terminal } from '../terminal/console.js';

/** A person waits for it; what takes longer is told as not known. */
const PREVIEW_MS = 20_000;

/**
 * Shows it. Both configurations come from the same flags: that of `plan`, which takes no lock, and that of the roll.
 *
 * @param linesOf What is said of the plan.
 */
export async function showPreview(
  plan: Config,
  roll: Config,
  terminal: Terminal,
  signal: AbortSignal,
  linesOf: (plan: FleetResult) => string[] = (plan) => renderResult(plan).slice(1),
): Promise<void> {
  const say = (line: string | null) => line !== null && terminal.line('stderr', line);
  const emit = (event: FleetEvent) => {
    if (event.code === 'gate.stopped') say(renderEvent(event));
  };
  const config = { ...plan, timeoutMs: Math.min(plan.timeoutMs, PREVIEW_MS) };
  const result = await runFleet(config, { ports: { emit }, signal });
  if (signal.aborted) return;
  if (result.outcome === 'planned') for (const line of linesOf(result)) say(line);
  else say(`What it would do is not known: ${result.reason}`);
  if (!roll.lock || roll.lock.inheritedToken !== undefined) return;
  const status = await readLock(roll, { signal }).catch((error: unknown) => error);
  if (status instanceof Error)
    say(`Lock ${roll.lock.group}: ${isFleetError(status) ? status.message : 'unknown'}`);
  else for (const line of renderLockStatus(status as Parameters<typeof renderLockStatus>[0])) say(line);
}
