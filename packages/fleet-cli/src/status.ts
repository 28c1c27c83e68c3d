/** Who holds the lock, and who waits. */
import {
  formatDuration,
  type Layers,
  type LockStatus,
  loadConfig,
  oneLine,
  readLock,
  systemPorts,
} from '@tenant-fleet/fleet-core';
import { Terminal } from './console.js';
import type { OutputFlags } from './run.js';
import { interruptible } from './signals.js';

export async function runLockStatus(flags: Layers['flags'], output: OutputFlags): Promise<number> {
  const terminal = new Terminal(output);
  const config = await loadConfig('lock', { flags, env: process.env }, systemPorts());
  return interruptible(terminal, async (signal) => {
    const status = await readLock(config, { signal });
    if (output.json) terminal.line('stdout', JSON.stringify(status, null, 2));
    else for (const line of statusLines(status)) terminal.line('stdout', line);
    return 0;
  });
}

function statusLines({ group, held, queue, frozen, last_fencing_token: last }: LockStatus): string[] {
  const lines: string[] = [];
  if (frozen) {
    const by = frozen.actor ? ` by ${oneLine(frozen.actor)}` : '';
    const until = frozen.until ? ` until ${oneLine(frozen.until)}` : '';
    lines.push(`Lock ${group}: FROZEN${by}${until}: ${oneLine(frozen.reason ?? 'no reason given')}`);
  }
  if (held) {
    const { holder } = held;
    const who = [holder.name, holder.actor, holder.host, holder.run_url]
      .filter(Boolean)
      .map((text) => oneLine(`${text}`));
    lines.push(
      `Lock ${group}: held by ${who.join(', ')} for ${formatDuration(held.held_for_seconds * 1000)}, fencing token ${held.fencing_token}`,
      `  ${held.step ? `at ${oneLine(held.step)}, ` : ''}last renewed ${formatDuration(held.last_renew_seconds_ago * 1000)} ago${held.alive ? '' : '; it does not renew any more'}`,
    );
  } else lines.push(`Lock ${group}: free; last fencing token ${last}`);
  for (const one of queue) {
    const actor = one.holder.actor ? ` (${oneLine(one.holder.actor)})` : '';
    lines.push(
      `  ${one.position}. ${oneLine(one.holder.name)}${actor}, waiting ${formatDuration(one.waiting_for_seconds * 1000)}`,
    );
  }
  return lines;
}
