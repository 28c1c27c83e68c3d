import type { Clock } from '../io/clock.js';
import type { EventData, FleetEvent } from './events.js';

export type Emit = (event: EventData) => void;

/** Silence after which CI servers begin to take a job for dead is minutes; half a minute is well below. */
const HEARTBEAT_MS = 30_000;

/** Stamps events, keeps the sink's faults away from the run, and breaks silence with heartbeats. */
export class Emitter {
  readonly warnings: string[] = [];
  readonly #clock: Clock;
  readonly #sink: (event: FleetEvent) => void;
  /** The phase of the run, for heartbeats. `endMs`: when it is over at the latest, on the monotonic clock. */
  #phase: { doing: string; since: number; endMs: number | null };
  #cancel: () => void = () => {};
  #closed = false;

  constructor(ports: { clock: Clock; emit: (event: FleetEvent) => void }) {
    this.#clock = ports.clock;
    this.#sink = ports.emit;
    this.#phase = { doing: 'starting', since: ports.clock.monotonic(), endMs: null };
    this.#arm();
  }

  emit: Emit = (event) => {
    if (event.code === 'warning') {
      if (this.warnings.includes(event.reason)) return;
      this.warnings.push(event.reason);
    }
    if (event.code === 'lock.draining' || event.code === 'call.draining') {
      const which = event.fencing_token
        ? `the roll under fencing token ${event.fencing_token}`
        : 'another roll';
      this.begin(`waiting for ${which} to end`, event.code === 'lock.draining' ? event.at_most_ms : null);
    }
    this.#arm();
    try {
      const returned: unknown = this.#sink({ at: new Date(this.#clock.wall()).toISOString(), ...event });
      if (returned instanceof Promise) returned.catch(() => {});
    } catch {
      // A reader of events that fails must not decide how a deploy ends.
    }
  };

  /** A phase of the run begins. @param lastsMs How long it may last, where that is known. */
  begin(doing: string, lastsMs: number | null = null): void {
    const since = this.#clock.monotonic();
    this.#phase = { doing, since, endMs: lastsMs === null ? null : since + lastsMs };
  }

  warn(reason: string): void {
    this.emit({ code: 'warning', reason });
  }

  close(): void {
    this.#closed = true;
    this.#cancel();
  }

  #arm(): void {
    this.#cancel();
    if (this.#closed) return;
    this.#cancel = this.#clock.timer(HEARTBEAT_MS, () => {
      const { doing, since, endMs } = this.#phase;
      const now = this.#clock.monotonic();
      const left_ms = endMs === null ? null : Math.max(0, Math.round(endMs - now));
      this.emit({ code: 'heartbeat', doing, elapsed_ms: Math.round(now - since), left_ms });
    });
  }
}
