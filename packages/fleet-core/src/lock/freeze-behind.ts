/** A freeze that a run leaves behind it, while it still holds the lock: whoever waits is not granted it in between. */
import type { Config } from '../config/config.js';
import { isFleetError } from '../errors.js';
import type { Emit } from '../events/emitter.js';
import type { Ports } from '../ports.js';
import { oneLine } from '../text/sanitize.js';
import { freezeLock } from './admin.js';

/** Freezes the lock where the run was asked to. What fails is a warning: the fleet is what it is. */
export async function freezeBehind({
  config,
  ports,
  emit,
}: {
  config: Config;
  ports: Ports;
  emit: Emit;
}): Promise<void> {
  if (!config.freeze || !config.lock) return;
  try {
    await freezeLock(config, config.freeze, { ports });
    emit({ code: 'lock.frozen', group: config.lock.group, reason: oneLine(config.freeze.reason, 400) });
  } catch (error) {
    if (!isFleetError(error)) throw error;
    const reason = `not frozen, so the next run may undo this: ${error.message}`;
    emit({ code: 'warning', reason });
  }
}
