import type { Clock } from '../io/clock.js';
import type { EventData, FleetEvent } from './events.js';

export type Emit = (event: EventData) => void;

/** Silence after which CI servers begin to take a job for dead is minutes; half a minute is well below. */
const HEARTBEAT_MS = 30_000;

/** Stamps events, keeps the sink's faults away from the run, and breaks silence with heartbeats. */
export class Emitter {
  /** What the run is doing, for heartbeats and for those who wait for the lock. */
  doing = 'starting';
  readonly warnings: string[] = [];
  readonly #clock: Clock;
  readonly #sink: (event: FleetEvent) => void;
  readonly #started: number;
  #cancel: () => void = () => {};
  #closed = false;

  constructor(ports: { clock: Clock; emit: (event: FleetEvent) => void }) {
    this.#clock = ports.clock;
    this.#sink = ports.emit;
    this.#started = ports.clock.monotonic();
    this.#arm();
  }

  emit: Emit = (event) => {
    if (event.code === 'warning') {
      if (this.warnings.includes(event.reason)) return;
      this.warnings.push(event.reason);
    }
    if (event.code === 'lock.draining')
      this.doing = `waiting for the roll under fencing token ${event.fencing_token} to end`;
    this.#arm();
    try {
      const returned: unknown = this.#sink({ at: new Date(this.#clock.wall()).toISOString(), ...event });
      if (returned instanceof Promise) returned.catch(() => {});
    } catch {
      // A reader of events that fails must not decide how a deploy ends.
    }
  };

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
    this.#cancel = this.#clock.timer(HEARTBEAT_MS, () =>
      this.emit({
        code: 'heartbeat',
        doing: this.doing,
        elapsed_ms: Math.round(this.#clock.monotonic() - this.#started),
      }),
    );
  }
}
