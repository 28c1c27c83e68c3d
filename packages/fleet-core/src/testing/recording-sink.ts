import type { EventCode, FleetEvent } from '../events/events.js';

/** Keeps every event of a run. */
export class RecordingSink {
  readonly events: FleetEvent[] = [];
  emit = (event: FleetEvent): void => {
    this.events.push(event);
  };

  /** The codes in order. */
  get codes(): EventCode[] {
    return this.events.map((event) => event.code);
  }

  /** All events of one code. */
  of<Code extends EventCode>(code: Code): Extract<FleetEvent, { code: Code }>[] {
    return this.events.filter((event): event is Extract<FleetEvent, { code: Code }> => event.code === code);
  }
}
