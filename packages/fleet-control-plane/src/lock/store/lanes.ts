import type { Clock } from '../../clock.js';
import { busy } from '../../problem.js';

/** Longest wait for a turn, in milliseconds; the client is told to come again. */
const TURN_TIMEOUT_MS = 3000;

interface Turn {
  since: number;
  /** Null: it may go; an error: it has waited for too long. */
  start(refused: Error | null): void;
}

interface Lane {
  urgent: Turn[];
  others: Turn[];
}

/**
 * Lets the transitions of one group go one after the other within this process. They would wait for the group's row
 * anyway, but there each with a connection in its hand, and a hand-over behind all the claims that came before it.
 */
export class Lanes {
  private readonly lanes = new Map<string, Lane>();

  constructor(private readonly clock: Clock) {}

  /**
   * @param urgent goes before those that are not.
   * @throws {Problem} `busy` when it was not its turn for so long.
   */
  async run<T>(group: string, urgent: boolean, work: () => Promise<T>): Promise<T> {
    const lane = this.lanes.get(group);
    if (lane) await this.wait(lane, urgent);
    else this.lanes.set(group, { urgent: [], others: [] });
    try {
      return await work();
    } finally {
      this.next(group);
    }
  }

  private wait(lane: Lane, urgent: boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const turn = {
        since: this.clock.now(),
        start: (refused: Error | null) => (refused ? reject(refused) : resolve()),
      };
      (urgent ? lane.urgent : lane.others).push(turn);
    });
  }

  private next(group: string): void {
    const lane = this.lanes.get(group);
    for (;;) {
      const turn = lane?.urgent.shift() ?? lane?.others.shift();
      if (!turn) break;
      const inTime = this.clock.now() - turn.since < TURN_TIMEOUT_MS;
      turn.start(inTime ? null : busy());
      if (inTime) return;
    }
    this.lanes.delete(group);
  }
}
