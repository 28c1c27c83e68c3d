/** Waiting for an open roll to end: what is waited for is said once, and for how long at most. */
import { ROLL_MAY_LAST_MS } from '../clients/control-plane/redeploy.js';
import type { Draining } from '../contract.js';
import { FleetError } from '../errors.js';
import type { Emit } from '../events/emitter.js';
import type { Clock } from '../io/clock.js';
import { formatDuration } from '../text/duration.js';
import { oneLine } from '../text/sanitize.js';
import { nameList } from '../text/words.js';

/** By the contract no roll takes longer than one of the whole fleet in one call. */
export const DRAINS_AT_MOST_MS = ROLL_MAY_LAST_MS['single-call'];
/** Also where the roll is late already: its control plane may just be writing its end. */
const DRAINS_AT_LEAST_MS = 60_000;

export class DrainWatch {
  #token: number | null = null;
  #end = 0;

  constructor(
    private readonly group: string,
    private readonly clock: Clock,
    private readonly emit: Emit,
  ) {}

  /** The roll still runs. @throws FleetError `LOCK_TIMEOUT` where it has for longer than any roll may. */
  sees(draining: Draining): void {
    const { fencing_token, since_seconds } = draining;
    const slugs = draining.slugs.map((slug) => oneLine(slug, 63));
    const now = this.clock.monotonic();
    if (this.#token !== fencing_token) {
      this.#token = fencing_token;
      const since_ms = Math.round(since_seconds * 1000);
      const at_most_ms = Math.max(DRAINS_AT_LEAST_MS, DRAINS_AT_MOST_MS - since_ms);
      this.#end = now + at_most_ms;
      this.emit({ code: 'lock.draining', group: this.group, fencing_token, slugs, since_ms, at_most_ms });
    }
    if (now >= this.#end) throw drainsTooLong(this.group, draining);
  }
}

/** A roll that does not end: its record was left open, or its control plane hangs. */
export function drainsTooLong(
  group: string,
  { fencing_token, slugs }: Pick<Draining, 'fencing_token' | 'slugs'>,
) {
  const whom = slugs.length ? nameList(slugs.map((slug) => oneLine(slug, 63))) : 'the whole fleet';
  return new FleetError(
    'LOCK_TIMEOUT',
    `the roll of ${whom} under fencing token ${fencing_token} has not ended, and no roll may take longer than ${formatDuration(DRAINS_AT_MOST_MS)}`,
    {
      outcome: 'lock_timeout',
      next: `nothing more was rolled; look with: fleet lock status --lock-group ${group}; it ends with the control plane that carries it out`,
    },
  );
}
